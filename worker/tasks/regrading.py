"""Read and grade the answers of a candidate set anew; no model is needed and nothing stored is changed."""

from functools import partial

from sqlalchemy import func, select

from aft.answers import EXTRACTOR_VERSION
from aft.config.sampling import RegradeConfig
from backend.db.models import Candidate
from backend.db.session import reading
from backend.services import regrading
from worker.context import RunContext
from worker.failures import RunFailure
from worker.tasks.questions import task_name

CONFIG = RegradeConfig


def run(context: RunContext) -> None:
    """Grade every candidate of the parent run and store what differs.

    Raises:
        Stopped: If asked to stop; it starts again from the beginning.
        RunFailure: If this worker has another extractor than the one asked for.
    """
    config: RegradeConfig = context.config
    if config.extractor_version != EXTRACTOR_VERSION:
        raise RunFailure(
            f"This worker reads answers by extractor {EXTRACTOR_VERSION}",
            f"The run was asked for with extractor {config.extractor_version}.",
            "Bring server and workers to the same version, then start a new re-grade.",
        )
    task = task_name(context)
    candidates_run_id = context.parent("candidates")
    with reading() as session:
        total = session.scalar(select(func.count()).where(Candidate.run_id == candidates_run_id)) or 0
    done, after = 0, 0
    while True:
        context.stop_if_asked()
        context.sink.progress(done, total, "reading the answers anew")
        with reading() as session:
            rows = regrading.chunk(session, candidates_run_id, after)
        if not rows:
            break
        graded = [regrading.grade(candidate, example, task) for candidate, example in rows]
        context.sink.flush(partial(regrading.record_changes, run_id=context.run_id, graded=graded))
        done, after = done + len(rows), rows[-1][0].id
    write = partial(
        regrading.complete,
        run_id=context.run_id,
        candidates_run_id=candidates_run_id,
        version=EXTRACTOR_VERSION,
        n=total,
    )
    context.sink.flush(write)
