"""What every installation has: the arithmetic data set with its split, and the built-in base models."""

import time

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from aft.arithmetic import make_examples
from aft.config.training import BuiltinModelConfig
from aft.paper.bases import OTHER_BASES
from backend.db.models import BaseModelEntry, Dataset, DatasetVersion
from backend.services import base_models, events, splits
from backend.services.import_report import PARTS, Tally
from backend.services.import_rows import ExampleRow, insert_examples

TASK = "arithmetic"
DATASET_NAME = "Arithmetic (built-in)"
MODEL_NAME = "Small Llama (built-in)"
SEED = 0
COUNTS = {"train": 4000, "validation": 1000, "test": 2000}
_DESCRIPTION = (
    "Word problems of two or three steps whose every step can be checked. No problem of the validation or test "
    "part is in another part or in the built-in model's corpus, also not under other names."
)


def ensure(session: Session) -> None:
    """Make what is missing; called when the server starts, and cheap when nothing is."""
    if session.get_bind().dialect.name == "postgresql":
        # Two servers that start together must not both find nothing.
        session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('aft builtin', 0))"))
    if session.scalar(select(BaseModelEntry.id).where(BaseModelEntry.source == "builtin").limit(1)) is None:
        registered(session, MODEL_NAME, BuiltinModelConfig())
    for base in OTHER_BASES:
        registered(session, base.name, base.config)
    ready = select(DatasetVersion.id).join(Dataset, Dataset.id == DatasetVersion.dataset_id)
    if session.scalar(ready.where(Dataset.builtin, DatasetVersion.state == "ready").limit(1)) is None:
        _add_dataset(session)


def registered(session: Session, name: str, config: BuiltinModelConfig) -> BaseModelEntry:
    """The model that is made from a configuration; registered under a name if it is not known."""
    known = base_models.find_made(session, config)
    if known is not None:
        return known
    taken = set(session.scalars(select(BaseModelEntry.name)))
    model = BaseModelEntry(name=_free(taken, name), source="builtin", config=config.model_dump(mode="json"))
    session.add(model)
    session.flush()
    events.publish(session, "model", "added", subject_id=model.id)
    return model


def _add_dataset(session: Session) -> None:
    started = time.monotonic()
    dataset = session.scalar(select(Dataset).where(Dataset.builtin))
    if dataset is None:
        name = _free(set(session.scalars(select(Dataset.name))), DATASET_NAME)
        dataset = Dataset(name=name, task=TASK, description=_DESCRIPTION, builtin=True)
        session.add(dataset)
        session.flush()
    version = DatasetVersion(dataset_id=dataset.id, number=1, task=TASK, state="staging")
    session.add(version)
    session.flush()
    tally = Tally()
    rows: list[ExampleRow] = []
    for part in PARTS:
        for example in make_examples(part, COUNTS[part], SEED):
            row = ExampleRow(
                version.id, len(tally), example.id, part, example.question, example.reference, example.answer, None
            )
            rows.append(row)
            tally.add(example)
    insert_examples(session, rows)
    split = splits.add_as_in_files(session, version.id, COUNTS, tally.ids_sha256())
    splits.fill_as_in_files(session, split, 0, len(rows), {})
    version.n_rows, version.sha256, version.state = len(rows), tally.content_sha256(), "ready"
    report = tally.report([], time.monotonic() - started, lambda at: {i: rows[i].question for i in at})
    version.report = report.model_dump(mode="json")
    events.publish(session, "dataset", "ready", subject_id=dataset.id, data={"version_id": version.id})
    session.flush()


def _free(taken: set[str], wanted: str) -> str:
    number, name = 1, wanted
    while name in taken:
        number += 1
        name = f"{wanted} {number}"
    return name
