"""Read an uploaded candidate file into a candidate set."""

from sqlalchemy.orm import Session

from backend.schemas.candidate_imports import CandidateImportConfig
from backend.services import candidate_import_run, runs
from worker.context import RunContext, Stopped

CONFIG = CandidateImportConfig


def run(context: RunContext) -> None:
    """Import the file; nothing of a failed or stopped import is visible.

    Raises:
        Stopped: If asked to stop.
    """

    def fence(session: Session) -> None:
        runs.fence(session, context.claim)

    done = candidate_import_run.run_import(
        run_id=context.run_id,
        config=context.config,
        fence=fence,
        progress=context.sink.progress,
        should_stop=context.should_stop,
    )
    if not done:
        raise Stopped
