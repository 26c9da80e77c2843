"""Checkpoints that are elsewhere: an imported file names them and holds their scores; no weights are here."""

from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from backend.db.models import Run, new_id, utcnow
from backend.errors import Invalid

KIND: Final = "checkpoint"
MOST: Final = 20
"""Of one file: a column of something else would name thousands."""


def add(session: Session, import_run_id: str, name: str, n_known: int) -> str:
    """Make the run that stands for a checkpoint; gives its id.

    Args:
        session: The transaction.
        import_run_id: The candidate set whose file names it.
        name: As in the file.
        n_known: Checkpoints that this file named before.

    Raises:
        Invalid: If the file names too many.
    """
    if n_known >= MOST:
        raise Invalid(
            f"The scores of the file are of more than {MOST} checkpoints; the next one is {name[:40]!r}.",
            remedy="Map the columns that hold scores by checkpoint, and no others.",
            field="columns",
        )
    now = utcnow()
    run = Run(
        kind=KIND, name=name, config={}, inputs={"import_run_id": import_run_id}, fingerprint=new_id(),
        state="succeeded", started_at=now, finished_at=now,
    )  # fmt: skip
    session.add(run)
    session.flush()
    return run.id


def remove(session: Session, import_run_id: str) -> None:
    """Take away the checkpoints that only an import's scores were of."""
    of_import = Run.kind == KIND, Run.inputs["import_run_id"].as_string() == import_run_id
    session.execute(delete(Run).where(*of_import).execution_options(synchronize_session=False))
