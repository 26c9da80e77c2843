"""Task accuracy, perplexity and what several samples of a question add up to."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import TypeVar

from aft.metrics.checks import Flag, Number, require_confidence, require_finite, require_flags

Label = TypeVar("Label", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Proportion:
    """A share of successes with its Wilson score interval."""

    value: float
    low: float
    high: float
    successes: int
    total: int


def task_accuracy(correct: Sequence[Flag], confidence: float = 0.95) -> Proportion | None:
    """Return the share of right answers with its Wilson interval; None without answers.

    Raises:
        ValueError: If a flag is no boolean or the confidence is not between 0 and 1.
    """
    require_flags(correct, "correct")
    return proportion(sum(map(bool, correct)), len(correct), confidence)


def proportion(successes: int, total: int, confidence: float = 0.95) -> Proportion | None:
    """Return a share with its Wilson score interval; None when the total is 0.

    Raises:
        ValueError: If the counts contradict each other or the confidence is not between 0 and 1.
    """
    require_confidence(confidence)
    if not 0 <= successes <= total:
        raise ValueError(f"{successes} successes of {total} are impossible. Give counts with 0 <= successes <= total.")
    if total == 0:
        return None
    from scipy import stats  # loading it takes a second, which a web process should not pay at start

    z = float(stats.norm.ppf(0.5 + confidence / 2))
    share, weight = successes / total, z * z / total
    centre = (share + weight / 2) / (1 + weight)
    half = z * math.sqrt(share * (1 - share) / total + weight / (4 * total)) / (1 + weight)
    return Proportion(share, max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share)), successes, total)


def perplexity(scores: Sequence[Number]) -> float | None:
    """Return the mean over responses of ``exp(-s)``; None without responses, inf where it overflows.

    Raises:
        ValueError: If a score is NaN or infinite.
    """
    return fmean(_perplexities(scores)) if scores else None


def median_perplexity(scores: Sequence[Number]) -> float | None:
    """Return the median of ``exp(-s)``, which single outliers among negatives cannot move.

    Raises:
        ValueError: If a score is NaN or infinite.
    """
    return median(_perplexities(scores)) if scores else None


def _perplexities(scores: Sequence[Number]) -> list[float]:
    require_finite(scores, "scores")
    # exp overflows just above 709.78.
    return [math.exp(-score) if score > -709 else math.inf for score in scores]


def majority_vote(answers: Sequence[Label | None]) -> Label | None:
    """Return the most frequent answer of several sampled paths (self-consistency).

    Paths without an answer (None) do not vote. Among equally frequent answers the one that was
    given first wins, so the result depends on the order of sampling and on nothing else.
    """
    votes: dict[Label, int] = {}
    for answer in answers:
        if answer is not None:
            votes[answer] = votes.get(answer, 0) + 1
    # max keeps the first of equals, and a dict keeps the order of first occurrence.
    return max(votes, key=votes.__getitem__) if votes else None


def pass_at_k(total: int, right: int, k: int) -> float:
    """Return the unbiased estimate that one of ``k`` samples is right: ``1 - C(n - c, k) / C(n, k)``.

    Args:
        total: Samples that were drawn (n).
        right: How many of them are right (c).
        k: Samples allowed.

    Raises:
        ValueError: If the counts contradict each other.
    """
    if not 0 <= right <= total:
        raise ValueError(f"{right} right of {total} samples are impossible. Give counts with 0 <= right <= total.")
    if not 1 <= k <= total:
        raise ValueError(f"k is {k} with {total} samples. Give a k from 1 to the number of samples.")
    return 1 - math.comb(total - right, k) / math.comb(total, k)
