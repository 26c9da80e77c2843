"""Read uploaded files into a data set version."""

from sqlalchemy.orm import Session

from backend.schemas.datasets import ImportConfig
from backend.services import imports, runs
from worker.context import RunContext, Stopped

CONFIG = ImportConfig


def run(context: RunContext) -> None:
    """Import the files; nothing of a failed or stopped import is visible.

    Raises:
        Stopped: If asked to stop.
    """

    def fence(session: Session) -> None:
        runs.fence(session, context.claim)

    outcome = imports.run_import(
        run_id=context.run_id,
        version_id=context.input("dataset_version_id"),
        config=context.config,
        fence=fence,
        progress=context.sink.progress,
        should_stop=context.should_stop,
    )
    if outcome.stopped:
        raise Stopped
