"""How often a model scores COTs in the order that people put them in: assessment accuracy (Eq. 3) on rankings."""

from collections.abc import Sequence
from itertools import combinations
from statistics import fmean
from typing import Final

from aft.metrics.checks import Number, require_finite
from aft.metrics.intervals import mean_interval
from aft.metrics.results import CONFIDENCE, Measured

RATING_AGREEMENT: Final = "rating_agreement"


def ranking_results(questions: Sequence[Sequence[tuple[Number, Number]]], details: dict[str, object]) -> list[Measured]:
    """Share of a question's pairs with different qualities whose scores are ordered alike, averaged over questions.

    A tie in score counts as not alike. With qualities of two levels it is assessment accuracy over all pairs.

    Args:
        questions: (score, quality) of every rated candidate, question by question.
        details: What else belongs to the number.

    Raises:
        ValueError: If a score or quality is NaN or infinite.
    """
    shares, pairs = [], 0
    for index, candidates in enumerate(questions):
        require_finite([value for pair in candidates for value in pair], f"question {index}")
        alike = [
            (score - other_score) * (quality - other) > 0
            for (score, quality), (other_score, other) in combinations(candidates, 2)
            if quality != other
        ]
        pairs += len(alike)
        if alike:
            shares.append(fmean(alike))
    more: dict[str, object] = {
        **details, "pairs": pairs, "questions_counted": len(shares), "questions_total": len(questions)
    }  # fmt: skip
    interval = mean_interval(shares, CONFIDENCE)
    if interval is not None:
        more |= {"low": max(0.0, interval[0]), "high": min(1.0, interval[1]), "confidence": CONFIDENCE}
    return [Measured(RATING_AGREEMENT, fmean(shares) if shares else None, len(shares), more)]
