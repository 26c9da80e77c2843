"""Ratings of candidates: given from outside, append-only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from backend.db.models import Candidate, Example, Rating


@dataclass(frozen=True, slots=True)
class RatedRow:
    """A candidate's rating and why."""

    candidate_id: int
    value: float
    evidence: dict[str, Any] | None = None


def record(session: Session, *, run_id: str, rater: str, rows: Sequence[RatedRow]) -> None:
    """Store ratings of a rate run; the caller has fenced the transaction."""
    values = [
        {
            "run_id": run_id,
            "rater": rater,
            "candidate_id": row.candidate_id,
            "value": row.value,
            "evidence": row.evidence,
        }
        for row in rows
    ]
    if values:
        session.execute(insert(Rating), values)


def unrated(
    session: Session, run_id: str, candidates_run_id: str, after: int, limit: int
) -> list[tuple[Candidate, Example]]:
    """Candidates beyond id ``after`` that the rate run has not rated yet, by id, with their questions."""
    rated = select(Rating.id).where(Rating.run_id == run_id, Rating.candidate_id == Candidate.id).exists()
    query = (
        select(Candidate, Example)
        .join(Example, Example.id == Candidate.example_id)
        .where(Candidate.run_id == candidates_run_id, Candidate.id > after, ~rated)
        .order_by(Candidate.id)
        .limit(limit)
    )
    return list(session.execute(query).all())
