"""Scores and ratings of a whole candidate set as arrays, read once and kept while nothing new was computed."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from backend.db.models import Candidate, Rating, Run, Score

BINARY: Final = "binary"
KEPT: Final = 6
"""Sets kept in memory; one of 10 000 questions with 8 COTs each takes 2 MB."""


@dataclass(frozen=True, slots=True)
class ScoreArrays:
    """A candidate set under one model; texts that repeat are left out, as training leaves them out."""

    run_id: str
    example_ids: NDArray[np.int64]
    """``[question]``, ascending."""
    candidate_ids: NDArray[np.int64]
    """``[question, candidate]``, 0 where there is none."""
    scores: NDArray[np.float64]
    """``[question, candidate]`` in nats a token, NaN where there is none."""
    ratings: NDArray[np.float64]
    """``[question, candidate]``: 1 and 0 for right and wrong, or a rater's values; NaN where there is none."""


_cache: "OrderedDict[tuple[Any, ...], ScoreArrays]" = OrderedDict()
_lock = threading.Lock()


def load(session: Session, run_id: str, model_run_id: str, feedback: str = BINARY) -> ScoreArrays:
    """Scores of a set under a model, with the qualities that make its pairs.

    Args:
        session: The transaction.
        run_id: The candidate set.
        model_run_id: The model.
        feedback: ``binary`` for right and wrong as sampled, or the id of a rate run or of an imported file of ratings.
    """
    key = (run_id, model_run_id, feedback, _newest_result(session))
    with _lock:
        if key in _cache:
            _cache.move_to_end(key)
            return _cache[key]
    made = _read(session, run_id, model_run_id, feedback)
    with _lock:
        for stale in [old for old in _cache if old[:3] == key[:3]]:
            del _cache[stale]
        _cache[key] = made
        while len(_cache) > KEPT:
            _cache.popitem(last=False)
    return made


def _newest_result(session: Session) -> datetime | None:
    """When the last run ended: before the next one ends, no finished set gets new scores or ratings."""
    return session.scalar(select(func.max(Run.finished_at)))


def _read(session: Session, run_id: str, model_run_id: str, feedback: str) -> ScoreArrays:
    quality: Any = case((Candidate.verdict == "right", 1.0), else_=0.0)
    query = (
        select(Candidate.example_id, Candidate.id, Score.score)
        .join(Score, Score.candidate_id == Candidate.id)
        .where(Candidate.run_id == run_id, Score.model_run_id == model_run_id, Candidate.is_duplicate.is_(False))
        .order_by(Candidate.example_id, Candidate.sample_index)
    )
    if feedback != BINARY:
        of_it = (Rating.run_id == feedback) | (Rating.import_id == feedback)
        query = query.join(Rating, (Rating.candidate_id == Candidate.id) & of_it)
        quality = Rating.value
    rows = session.execute(query.add_columns(quality)).all()
    if not rows:
        empty = np.zeros((0, 0))
        return ScoreArrays(run_id, np.zeros(0, np.int64), empty.astype(np.int64), empty, empty.copy())
    table = np.array([tuple(row) for row in rows], dtype=np.float64)  # ids stay exact below 2**53
    example_ids, starts, sizes = np.unique(table[:, 0].astype(np.int64), return_index=True, return_counts=True)
    question = np.repeat(np.arange(len(example_ids)), sizes)
    place = np.arange(len(table)) - np.repeat(starts, sizes)
    shape = (len(example_ids), int(sizes.max()))
    candidate_ids = np.zeros(shape, np.int64)
    scores, ratings = np.full(shape, np.nan), np.full(shape, np.nan)
    candidate_ids[question, place] = table[:, 1].astype(np.int64)
    scores[question, place] = table[:, 2]
    ratings[question, place] = table[:, 3]
    return ScoreArrays(run_id, example_ids, candidate_ids, scores, ratings)


def some(found: ScoreArrays, chosen: NDArray[np.intp]) -> ScoreArrays:
    """Some of the questions."""
    return ScoreArrays(
        found.run_id,
        found.example_ids[chosen],
        found.candidate_ids[chosen],
        found.scores[chosen],
        found.ratings[chosen],
    )
