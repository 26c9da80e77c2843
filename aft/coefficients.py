"""The gradient of AFT's loss by every score, in closed form and without torch.

``aft.losses`` defines the loss and lets autograd differentiate it; the numbers here are the same (a test
compares them), for thousands of questions at once, so that a page can show what a β would do before anything
is trained. With ``Z = 1 +`` the sum inside the logarithm of Eq. 6, 7, 8 (11, 12, 14) and ``T`` constant (Eq. 9):

    none       dL/ds_j =  sum_i e^{s_j - s_i} / Z                            for a worse j
    detached   dL/ds_j =  0
    boundary   dL/ds_j =  sum_i [e^{s_j - s_i} - e^{T_ij - s_j}] / Z,         0 exactly at s_j^* - beta
    all        dL/ds_i = -sum_j e^{s_j - s_i} / Z                            for a better i

A descent step moves a score against its coefficient: positive pushes down, negative pulls up. Arrays are
``[question, candidate]``; a rating of NaN marks a place without a candidate.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Constraint = Literal["none", "detached", "boundary"]
CONSTRAINTS: Final[tuple[Constraint, ...]] = ("none", "detached", "boundary")

RATING_TOLERANCE: Final = 1e-9
"""Ratings no further apart are a tie, which makes no pair."""
PAIRS_AT_ONCE: Final = 2_000_000

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Coefficients:
    """What a constraint does to every candidate of some questions."""

    values: Scores
    """``dL/ds`` of each candidate; 0 where there is none or it is in no pair."""
    loss: NDArray[np.float64]
    """The loss of each question; 0 without pairs."""


def lowest_better(scores: Scores, ratings: Scores) -> Scores:
    """``s_j^* = min over k above j of s_k``, nats a token; infinite where no candidate is better."""
    found = np.full_like(scores, np.inf)
    for part in _parts(scores):
        better = _prefers(ratings[part])
        found[part] = np.where(better, scores[part][:, :, None], np.inf).min(axis=1, initial=np.inf)
    return found


def coefficients(scores: Scores, ratings: Scores, *, constraint: Constraint, beta: float = 0.0) -> Coefficients:
    """Differentiate AFT's loss by every score.

    Args:
        scores: ``[question, candidate]`` in nats a token; ignored where the rating is NaN.
        ratings: The same shape; higher is better. Binary feedback rates 0 or 1.
        constraint: ``none`` (Eq. 6, 14), ``detached`` (7, 12) or ``boundary`` (8, 11).
        beta: Gap between ``s_j^*`` and the boundary; used by ``boundary`` only, may be negative.

    Raises:
        ValueError: If shapes differ, or a number is not finite.
    """
    scores = _checked(scores, ratings)
    if not np.isfinite(beta):
        msg = f"beta is {beta}; give a finite number, such as 0.15."
        raise ValueError(msg)
    values, loss = np.zeros_like(scores), np.zeros(len(scores))
    for part in _parts(scores):
        values[part], loss[part] = _one_part(scores[part], ratings[part], constraint, beta)
    return Coefficients(values, loss)


def worse_candidates(ratings: Scores) -> NDArray[np.bool_]:
    """Candidates with a better one in their question: those that a loss may push down."""
    highest = np.fmax.reduce(ratings, axis=1, initial=-np.inf)[:, None]
    worse: NDArray[np.bool_] = highest - ratings > RATING_TOLERANCE
    return worse


def pushed_down_share(
    scores: Scores, ratings: Scores, betas: Sequence[float], *, constraint: Constraint
) -> list[float | None]:
    """Share of the worse candidates whose score a descent step lowers, for each β.

    Returns:
        One share for each β; None where no question has a pair.
    """
    scores = _checked(scores, ratings)
    worse = worse_candidates(ratings)
    n = int(worse.sum())
    if n == 0:
        return [None] * len(betas)
    if constraint != "boundary":
        share = _share(coefficients(scores, ratings, constraint=constraint), worse)
        return [share] * len(betas)
    if _levels(ratings) <= 2:
        # Two levels: the sign changes exactly at the boundary, so counting scores above it is enough.
        gaps = np.sort((scores - lowest_better(scores, ratings))[worse])
        below = np.searchsorted(gaps, [-beta for beta in betas], side="right")
        return [float(n - count) / n for count in below]
    return [_share(coefficients(scores, ratings, constraint=constraint, beta=beta), worse) for beta in betas]


def _share(found: Coefficients, worse: NDArray[np.bool_]) -> float:
    return float((found.values[worse] > 0).mean())


def _levels(ratings: Scores) -> int:
    """Most rating levels that any question has, counted no further than 3."""
    rated = ~np.isnan(ratings)
    highest = np.fmax.reduce(ratings, axis=1, initial=-np.inf)[:, None]
    lowest = np.fmin.reduce(ratings, axis=1, initial=np.inf)[:, None]
    between = rated & (highest - ratings > RATING_TOLERANCE) & (ratings - lowest > RATING_TOLERANCE)
    return 3 if between.any() else 2


def _one_part(
    scores: Scores, ratings: Scores, constraint: Constraint, beta: float
) -> tuple[Scores, NDArray[np.float64]]:
    pairs = _prefers(ratings)
    better, worse = scores[:, :, None], scores[:, None, :]
    ranking = np.where(pairs, worse - better, -np.inf)
    largest = np.maximum(ranking.max(axis=(1, 2), initial=-np.inf), 0.0)
    floor = None
    if constraint == "boundary":
        lowest = np.where(pairs, better, np.inf).min(axis=1, keepdims=True, initial=np.inf)
        boundary = np.where(np.isfinite(lowest), lowest - beta, 0.0)
        floor = np.where(pairs, 2 * boundary - better - worse, -np.inf)
        largest = np.maximum(largest, floor.max(axis=(1, 2), initial=-np.inf))
    shift = largest[:, None, None]
    pushes = np.exp(ranking - shift)
    pulls = None if floor is None else np.exp(floor - shift)
    total = np.exp(-largest) + pushes.sum(axis=(1, 2)) + (0.0 if pulls is None else pulls.sum(axis=(1, 2)))
    down = pushes.sum(axis=1)
    if constraint == "detached":
        down = np.zeros_like(down)
    elif pulls is not None:
        down = (pushes - pulls).sum(axis=1)
    return (down - pushes.sum(axis=2)) / total[:, None], largest + np.log(total)


def _prefers(ratings: Scores) -> NDArray[np.bool_]:
    """``prefers[q, i, j]``: i is rated above j. NaN belongs to no pair."""
    return ratings[:, :, None] - ratings[:, None, :] > RATING_TOLERANCE


def _parts(scores: Scores) -> Iterator[slice]:
    """Questions in slices whose pairs fit into memory."""
    step = max(1, PAIRS_AT_ONCE // max(1, scores.shape[1] ** 2))
    for start in range(0, len(scores), step):
        yield slice(start, start + step)


def _checked(scores: Scores, ratings: Scores) -> Scores:
    if scores.shape != ratings.shape or scores.ndim != 2:
        msg = f"scores have the shape {scores.shape} and ratings {ratings.shape}. Give both as [question, candidate]."
        raise ValueError(msg)
    rated = ~np.isnan(ratings)
    if not np.isfinite(np.where(rated, scores, 0.0)).all() or not np.isfinite(np.where(rated, ratings, 0.0)).all():
        msg = "A rated candidate has a score or rating that is not finite. Score it again, or leave it out."
        raise ValueError(msg)
    return np.where(rated, scores, 0.0)
