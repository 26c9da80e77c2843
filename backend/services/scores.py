"""Scores of candidates under checkpoints (Eq. 2)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db.models import Score
from backend.db.upserts import upsert
from backend.services import candidate_stats

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class ScoredRow:
    """One candidate's score in nats a token."""

    candidate_id: int
    score: float
    n_tokens: int
    token_logprobs: bytes | None = None
    """Little-endian float16, one per token."""


def record(
    session: Session, *, model_run_id: str, by_run_id: str, rows: Sequence[ScoredRow], only_tokens: bool = False
) -> None:
    """Store scores under the final checkpoint of ``model_run_id``; the caller has fenced the transaction.

    Args:
        session: The transaction.
        model_run_id: The run that made the model.
        by_run_id: The run that computed the scores.
        rows: The scores.
        only_tokens: Leave a score that is there as it is and add the tokens to it: computed in other company its
            last bits may differ, and reported numbers must not move because somebody looks at them.
    """
    replaced = ("token_logprobs",) if only_tokens else ("by_run_id", "score", "n_tokens", "token_logprobs")
    values = [
        {
            "candidate_id": row.candidate_id,
            "model_run_id": model_run_id,
            "by_run_id": by_run_id,
            "score": row.score,
            "n_tokens": row.n_tokens,
            "token_logprobs": row.token_logprobs,
        }
        for row in rows
    ]
    for start in range(0, len(values), _CHUNK):
        upsert(session, Score, values[start : start + _CHUNK], replaced)
    candidate_stats.scores_changed(session, model_run_id, [row.candidate_id for row in rows])


def stored(
    session: Session, model_run_id: str, candidate_ids: Sequence[int], *, with_token_logprobs: bool = False
) -> dict[int, float]:
    """Scores that exist already, by candidate."""
    found: dict[int, float] = {}
    for start in range(0, len(candidate_ids), _CHUNK):
        query = select(Score.candidate_id, Score.score).where(
            Score.model_run_id == model_run_id, Score.candidate_id.in_(candidate_ids[start : start + _CHUNK])
        )
        if with_token_logprobs:
            query = query.where(Score.token_logprobs.is_not(None))
        found.update(session.execute(query).all())
    return found
