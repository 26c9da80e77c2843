"""Ratings of candidates: given from outside, append-only, each on a stated scale."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from backend.db.models import Candidate, Example, Rating, Review
from backend.services import candidate_stats

_CHUNK = 500
SCALES: Mapping[str, tuple[float, float]] = {
    "binary": (0.0, 1.0),
    "verify": (0.0, 1.0),
    "1-10": (1.0, 10.0),
    "rank": (0.0, 1.0),
    "pair": (0.0, 1.0),
}
"""Lowest and highest value of each scale. rank and pair: the share of the item's other COTs it beats."""


@dataclass(frozen=True, slots=True)
class RatedRow:
    """A candidate's rating and why."""

    candidate_id: int
    value: float
    evidence: dict[str, Any] | None = None


def record(
    session: Session,
    *,
    run_id: str,
    rater: str,
    rows: Sequence[RatedRow],
    source: str | None = None,
    scale: str | None = None,
) -> None:
    """Store ratings of a rate run; the caller has fenced the transaction.

    Args:
        session: The transaction.
        run_id: The rate run.
        rater: Who rated: ``answer``, ``oracle`` or a judge's name.
        rows: The ratings.
        source: rule or judge; by default a rule for ``answer`` and a judge for all else.
        scale: One of ``SCALES``; by default binary for ``answer`` and 1-10 for all else.
    """
    by_answer = rater == "answer"
    values = [
        {
            "run_id": run_id,
            "rater": rater,
            "source": source or ("rule" if by_answer else "judge"),
            "scale": scale or ("binary" if by_answer else "1-10"),
            "candidate_id": row.candidate_id,
            "value": row.value,
            "evidence": row.evidence,
        }
        for row in rows
    ]
    if values:
        session.execute(insert(Rating), values)
        if values[0]["source"] != "rule":
            candidate_stats.ratings_changed(session, [row.candidate_id for row in rows])


def record_review(session: Session, review: Review, *, rater: str, scale: str) -> None:
    """Store the ratings that a person's review gives."""
    rows = []
    for key, value in review.values.items():
        evidence: dict[str, Any] = {}
        if review.steps.get(key):
            evidence["wrong_steps"] = review.steps[key]
        if review.note:
            evidence["note"] = review.note
        rows.append(
            {
                "candidate_id": int(key),
                "rater": rater,
                "source": "person",
                "scale": scale,
                "value": value,
                "evidence": evidence or None,
                "seconds": review.seconds,
                "review_id": review.id,
            }
        )
    if rows:
        session.execute(insert(Rating), rows)
        candidate_stats.ratings_changed(session, [row["candidate_id"] for row in rows])


def supersede(session: Session, review_id: int) -> None:
    """A later revision took the place of this review; its ratings stay and no longer count."""
    session.execute(update(Rating).where(Rating.review_id == review_id).values(is_current=False))
    rated = session.scalars(select(Rating.candidate_id).where(Rating.review_id == review_id)).all()
    candidate_stats.ratings_changed(session, rated)


def unrated(
    session: Session, run_id: str, candidates_run_id: str, after: int, limit: int, only: Sequence[int] | None = None
) -> list[tuple[Candidate, Example]]:
    """Candidates beyond id ``after`` that the rate run has not rated yet, by id, with their questions.

    Args:
        session: The transaction.
        run_id: The rate run.
        candidates_run_id: The candidate set.
        after: Last id seen.
        limit: At most so many.
        only: Ids of the selection, ascending; None takes the whole set.
    """
    rated = select(Rating.id).where(Rating.run_id == run_id, Rating.candidate_id == Candidate.id).exists()
    query = (
        select(Candidate, Example)
        .join(Example, Example.id == Candidate.example_id)
        .where(Candidate.run_id == candidates_run_id, Candidate.id > after, ~rated)
        .order_by(Candidate.id)
        .limit(limit)
    )
    if only is None:
        return list(session.execute(query).all())
    waiting = only[bisect_right(only, after) :]
    for start in range(0, len(waiting), _CHUNK):
        found = session.execute(query.where(Candidate.id.in_(waiting[start : start + _CHUNK]))).all()
        if found:
            return list(found)
    return []


def count_rated(session: Session, run_id: str) -> int:
    """Candidates that a rate run has rated."""
    return session.scalar(select(func.count()).where(Rating.run_id == run_id)) or 0
