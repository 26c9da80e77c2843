"""Rate the candidates of a sampling run: by a rule, by the arithmetic task's oracle, or by an LLM judge."""

from functools import partial

from sqlalchemy import func, select

from aft.arithmetic import oracle_rating
from aft.config.sampling import RateConfig
from backend.db.models import Candidate, Example
from backend.db.session import reading
from backend.services import ratings
from backend.services.ratings import RatedRow
from worker.context import RunContext
from worker.failures import RunFailure
from worker.tasks.judging import rate_by_llm
from worker.tasks.questions import task_name

CONFIG = RateConfig
_ROWS = 500


def run(context: RunContext) -> None:
    """Rate what is not rated yet.

    Raises:
        Stopped: If asked to stop; everything rated is stored.
        RunFailure: If the oracle is asked about another task, or the LLM judge cannot go on.
    """
    config: RateConfig = context.config
    candidates_run_id = context.parent("candidates")
    task = task_name(context)
    if config.judge == "oracle" and task != "arithmetic":
        raise RunFailure(
            f"The oracle cannot judge task '{task}'",
            "It works out the steps of the built-in arithmetic task only.",
            "Choose judge 'answer' or an LLM judge, or the arithmetic data set.",
        )
    only: list[int] | None = context.claim.inputs.get("candidate_ids")
    with reading() as session:
        count = select(func.count()).where(Candidate.run_id == candidates_run_id)
        total = session.scalar(count) or 0 if only is None else len(only)
        done = ratings.count_rated(session, context.run_id)
    if config.llm is not None:
        rate_by_llm(context, config.llm, candidates_run_id, total, done, only)
        return
    after = 0
    while True:
        context.stop_if_asked()
        context.sink.progress(done, total, "rating")
        with reading() as session:
            found = ratings.unrated(session, context.run_id, candidates_run_id, after, _ROWS, only)
        if not found:
            return
        rows = [_rate(config.judge, candidate, example) for candidate, example in found]
        context.sink.flush(partial(ratings.record, run_id=context.run_id, rater=config.judge, rows=rows))
        done, after = done + len(found), found[-1][0].id


def _rate(judge: str, candidate: Candidate, example: Example) -> RatedRow:
    if judge == "answer":
        return RatedRow(candidate.id, 1.0 if candidate.verdict == "right" else 0.0)
    found = oracle_rating(example.question, candidate.text)
    evidence = {
        "wrong_steps": [list(span) for span in found.wrong_steps],
        "missing_steps": found.missing_steps,
        "answer_right": found.answer_right,
    }
    return RatedRow(candidate.id, float(found.rating), evidence)
