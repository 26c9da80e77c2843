"""Re-grading a candidate set: answers read anew by the present extractor, kept beside the old labels."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from aft.answers import EXTRACTOR_VERSION, judge
from aft.config.sampling import RegradeConfig
from backend.db.models import Candidate, Example, Regrade, RegradeChange, Run, RunParent
from backend.db.upserts import upsert
from backend.errors import Invalid, NotFound
from backend.services import runs

CHUNK: Final = 1000


@dataclass(frozen=True, slots=True)
class Graded:
    """A candidate read and graded by the present extractor."""

    candidate_id: int
    answer: str | None
    start: int | None
    end: int | None
    rule: str | None
    verdict: str
    verdict_before: str
    differs: bool
    """Whether answer, span, rule or verdict is not the stored one."""


def grade(candidate: Candidate, example: Example, task: str) -> Graded:
    """Read and grade one candidate as sampling would today."""
    choices = tuple(str(choice) for choice in example.choices) if example.choices else None
    found, verdict = judge(candidate.text, candidate.finish_reason, example.answer, example.task_in(task), choices)
    now = (found.value, *found.span, found.rule) if found else (None, None, None, None)
    before = (candidate.answer, candidate.answer_start, candidate.answer_end, candidate.answer_rule)
    return Graded(
        candidate_id=candidate.id,
        answer=now[0],
        start=now[1],
        end=now[2],
        rule=now[3],
        verdict=verdict,
        verdict_before=candidate.verdict,
        differs=(*now, verdict) != (*before, candidate.verdict),
    )


def request(session: Session, run: Run) -> tuple[Run, bool]:
    """Queue a re-grade of a set by the present extractor; one that is there already is returned."""
    config = RegradeConfig(extractor_version=EXTRACTOR_VERSION)
    return runs.create(
        session,
        kind="regrade",
        name=f"Re-grade with extractor {EXTRACTOR_VERSION} · {run.name}",
        config=config.model_dump(mode="json"),
        inputs=dict(run.inputs),
        parents={"candidates": run},
        method=run.method,
        seed=run.seed,
        priority=-5,
    )


def chunk(session: Session, candidates_run_id: str, after: int) -> list[tuple[Candidate, Example]]:
    """The next candidates of a set by id, with their questions."""
    query = (
        select(Candidate, Example)
        .join(Example, Example.id == Candidate.example_id)
        .where(Candidate.run_id == candidates_run_id, Candidate.id > after)
        .order_by(Candidate.id)
        .limit(CHUNK)
    )
    return list(session.execute(query).all())


def record_changes(session: Session, run_id: str, graded: Iterable[Graded]) -> None:
    """Store what differs; the caller has fenced the transaction. A repeated chunk is stored once."""
    rows = [
        {
            "run_id": run_id,
            "candidate_id": one.candidate_id,
            "answer": one.answer,
            "answer_start": one.start,
            "answer_end": one.end,
            "answer_rule": one.rule,
            "verdict": one.verdict,
            "verdict_before": one.verdict_before,
        }
        for one in graded
        if one.differs
    ]
    columns = ("answer", "answer_start", "answer_end", "answer_rule", "verdict", "verdict_before")
    for start in range(0, len(rows), 200):
        upsert(session, RegradeChange, rows[start : start + 200], columns)


def complete(session: Session, run_id: str, candidates_run_id: str, *, version: int, n: int) -> None:
    """Store the labelling with its counts; the caller has fenced the transaction."""
    query = (
        select(RegradeChange.verdict_before, RegradeChange.verdict, func.count())
        .where(RegradeChange.run_id == run_id)
        .group_by(RegradeChange.verdict_before, RegradeChange.verdict)
    )
    counts: Counter[str] = Counter()
    changed = 0
    for before, after, found in session.execute(query):
        changed += found
        if before != after:
            counts[f"{before}>{after}"] += found
    row = {
        "run_id": run_id,
        "candidates_run_id": candidates_run_id,
        "extractor_version": version,
        "n_candidates": n,
        "n_changed": changed,
        "flips": dict(counts),
    }
    session.execute(insert(Regrade), [row])


def of_set(session: Session, candidates_run_id: str) -> list[Regrade]:
    """Labellings of a set, the newest first."""
    query = select(Regrade).where(Regrade.candidates_run_id == candidates_run_id).order_by(Regrade.run_id.desc())
    return list(session.scalars(query.limit(50)))


def runs_of_set(session: Session, candidates_run_id: str) -> list[Run]:
    """Regrade runs of a set in every state, the newest first."""
    query = (
        select(Run)
        .join(RunParent, RunParent.run_id == Run.id)
        .where(RunParent.parent_id == candidates_run_id, RunParent.role == "candidates", Run.kind == "regrade")
        .order_by(Run.id.desc())
        .limit(50)
    )
    return list(session.scalars(query))


def get(session: Session, run_id: str) -> Regrade:
    """The labelling.

    Raises:
        NotFound: If there is none.
    """
    regrade = session.get(Regrade, run_id)
    if regrade is None:
        raise NotFound(f"There is no re-grade {run_id[:40]!r}.", remedy="Choose one from the list, or start one.")
    return regrade


def changes(
    session: Session, run_id: str, *, flip: str | None, after: int, limit: int
) -> list[tuple[RegradeChange, Candidate, Example]]:
    """What a labelling reads or grades differently, by candidate, one row more than ``limit`` at most.

    Args:
        session: The transaction.
        run_id: The regrade run.
        flip: Only this flip, as ``before>after``; None for all that differ.
        after: Candidate id of the page before.
        limit: Rows of a page.

    Raises:
        Invalid: If the flip is no pair of verdicts.
    """
    query = (
        select(RegradeChange, Candidate, Example)
        .join(Candidate, Candidate.id == RegradeChange.candidate_id)
        .join(Example, Example.id == Candidate.example_id)
        .where(RegradeChange.run_id == run_id, RegradeChange.candidate_id > after)
        .order_by(RegradeChange.candidate_id)
        .limit(limit + 1)
    )
    if flip is not None:
        before, arrow, verdict = flip.partition(">")
        if not arrow:
            raise Invalid(f"flip is {flip!r}.", remedy="Write it as wrong>right.", field="flip")
        query = query.where(RegradeChange.verdict_before == before, RegradeChange.verdict == verdict)
    return list(session.execute(query).all())


def counts_before(session: Session, candidates_run_id: str) -> dict[str, Any]:
    """Candidates per verdict as the set was sampled."""
    query = (
        select(Candidate.verdict, func.count()).where(Candidate.run_id == candidates_run_id).group_by(Candidate.verdict)
    )
    return dict(session.execute(query).all())
