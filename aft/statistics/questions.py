"""Two runs on the same questions: which became right, which became wrong, and McNemar's test of it."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from aft.metrics.checks import require_confidence
from aft.statistics.tested import Tested

Question = TypeVar("Question", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Flips(Generic[Question]):
    """Questions by what changed from a baseline to a method, each list in the baseline's order."""

    fixed: list[Question]
    """Wrong before, right now."""
    broken: list[Question]
    """Right before, wrong now."""
    both_right: int
    both_wrong: int

    @property
    def n(self) -> int:
        """Questions that both answered."""
        return len(self.fixed) + len(self.broken) + self.both_right + self.both_wrong


def flips(method: Mapping[Question, bool], baseline: Mapping[Question, bool]) -> Flips[Question]:
    """Compare two runs question by question; questions that one of them lacks do not count."""
    both = [question for question in baseline if question in method]
    return Flips(
        fixed=[question for question in both if method[question] and not baseline[question]],
        broken=[question for question in both if baseline[question] and not method[question]],
        both_right=sum(method[question] and baseline[question] for question in both),
        both_wrong=sum(not method[question] and not baseline[question] for question in both),
    )


def mcnemar(fixed: int, broken: int, total: int, confidence: float = 0.95) -> Tested | None:
    """McNemar's exact test of two runs on the same questions.

    Only discordant questions carry evidence: without a difference each is fixed or broken like a fair coin.
    The interval is Agresti and Min's (one half discordant question added to each cell of the table), which holds its
    level for few flips where the plain one does not.

    Args:
        fixed: Questions wrong under the baseline and right under the method.
        broken: The other way round.
        total: Questions that both answered.
        confidence: Confidence of the interval.

    Returns:
        The difference in accuracy; None without questions.

    Raises:
        ValueError: If the counts contradict each other or the confidence is not between 0 and 1.
    """
    require_confidence(confidence)
    if min(fixed, broken) < 0 or fixed + broken > total:
        msg = f"{fixed} fixed and {broken} broken of {total} questions are impossible. Give counts of disjoint sets."
        raise ValueError(msg)
    if total == 0:
        return None
    from scipy import stats

    flipped = fixed + broken
    p = min(1.0, float(2 * stats.binom.cdf(min(fixed, broken), flipped, 0.5))) if flipped else 1.0
    more, less, n = fixed + 0.5, broken + 0.5, total + 2
    centre = (more - less) / n
    half = float(stats.norm.ppf(0.5 + confidence / 2)) * math.sqrt(more + less - (more - less) ** 2 / n) / n
    return Tested((fixed - broken) / total, max(-1.0, centre - half), min(1.0, centre + half), p, total)
