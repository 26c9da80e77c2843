"""Rating runs of LLM judges: started over a selection, listed with their cost."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aft.config.sampling import RateConfig
from backend.db.models import Candidate, Result, Run
from backend.schemas.judges import JudgeRunCreate, JudgeRunPreview, JudgeRunRead, JudgeRunStarted
from backend.services import judge_settings, judges, runs
from backend.services.judge_selection import select_candidates

_LISTED = 50
_LOOKED_AT = 1000


def start(session: Session, name: str, body: JudgeRunCreate) -> JudgeRunStarted:
    """Queue the rating of COTs.

    Raises:
        NotFound: If the endpoint, the candidate set or the queue does not exist.
        Invalid: If there is nothing to rate.
        Conflict: If the candidate set has failed or was cancelled.
    """
    llm = judges.config_of(name, body.samples, body.temperature, body.max_tokens)
    chosen, ids = select_candidates(session, body)
    inputs = dict(chosen.inputs)
    if ids is not None:
        inputs["candidate_ids"] = ids
    if body.queue_id is not None:
        inputs["queue_id"] = body.queue_id
    run, reused = runs.create(
        session,
        kind="rate",
        name=f"Rate with {name} · {chosen.name}",
        config=RateConfig(judge="llm", llm=llm).model_dump(mode="json"),
        inputs=inputs,
        parents={"candidates": chosen},
        seed=chosen.seed,
        reuse=not body.repeat,
    )
    return JudgeRunStarted(run_id=run.id, reused=reused, config=run.config)


def preview(session: Session, name: str, body: JudgeRunCreate) -> JudgeRunPreview:
    """How much a run would ask.

    Raises:
        NotFound: If the endpoint, the candidate set or the queue does not exist.
        Invalid: If there is nothing to rate.
    """
    judge_settings.get(name)
    chosen, ids = select_candidates(session, body)
    n = len(ids) if ids is not None else _size(session, chosen)
    return JudgeRunPreview(n_candidates=n, n_requests=n * body.samples)


def of_judge(session: Session, name: str) -> list[JudgeRunRead]:
    """Runs with an endpoint, newest first."""
    endpoint, _ = judge_settings.get(name)
    newest = select(Run).where(Run.kind == "rate").order_by(Run.id.desc()).limit(_LOOKED_AT)
    mine = [run for run in session.scalars(newest) if (run.config.get("llm") or {}).get("endpoint") == name][:_LISTED]
    query = select(Result.run_id, Result.details).where(
        Result.metric == judges.SPENDING, Result.run_id.in_([run.id for run in mine])
    )
    spent = {run_id: judges.usage_of(details or {}) for run_id, details in session.execute(query)}
    return [
        JudgeRunRead(
            run_id=run.id,
            name=run.name,
            state=run.state,
            done=run.progress_done,
            total=run.progress_total,
            phase=run.progress_phase,
            **_failure(run),
            used=judges.as_read(spent.get(run.id, judges.usage_of({})), endpoint),
            queue_id=run.inputs.get("queue_id"),
            created_at=run.created_at,
        )
        for run in mine
    ]


def _failure(run: Run) -> dict[str, str]:
    error = run.error or {}
    words = {"title": error.get("title"), "problem": error.get("detail"), "remedy": error.get("remedy")}
    return {name: str(value or "") for name, value in words.items()}


def _size(session: Session, run: Run) -> int:
    return session.scalar(select(func.count()).where(Candidate.run_id == run.id)) or 0
