"""Assessment accuracy (Eq. 3): how often a model scores right COTs above wrong ones."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Final, Protocol, runtime_checkable

from aft.metrics.checks import Flag, Number, require_equal_length, require_finite, require_flags
from aft.metrics.intervals import mean_interval

PAPER_PER_SIDE: Final = 3
"""The paper compares three positive with three negative COTs of each question."""


@runtime_checkable
class Array(Protocol):
    """A NumPy array or a tensor, which `aft.metrics` does not import."""

    def tolist(self) -> Any:
        """Return the numbers as nested lists."""
        ...


@dataclass(frozen=True, slots=True)
class ScoredQuestion:
    """The scores of one question's candidates, in the order they were sampled."""

    positives: Sequence[Number]
    negatives: Sequence[Number]


@dataclass(frozen=True, slots=True)
class Assessment:
    """Assessment accuracy over questions.

    Attributes:
        value: Mean over the counted questions of the share of pairs in which the positive COT has the
            higher score; None when no question counts.
        questions_counted: Questions with enough candidates on both sides.
        questions_total: Questions that were offered.
        pairs: Pairs compared.
        low: Lower end of the mean's 95 % t-interval over questions; None below two.
        high: Its upper end.
    """

    value: float | None
    questions_counted: int
    questions_total: int
    pairs: int
    low: float | None
    high: float | None

    @property
    def coverage(self) -> float | None:
        """Share of the questions that count; None without questions."""
        return self.questions_counted / self.questions_total if self.questions_total else None


def assessment_accuracy(
    scores: Sequence[Number] | Sequence[Sequence[Number] | Array] | Array,
    correct: Sequence[Flag] | Sequence[Sequence[Flag] | Array] | Array,
) -> float | None:
    """Return how often a model scores right COTs above wrong ones (Eq. 3), over all pairs.

    Give one question's candidates as two flat sequences, or several questions as two sequences of
    sequences; the result for several is the mean over questions, each counting once whatever its
    number of pairs. A tie counts as not above. Questions without a right or without a wrong
    candidate do not count.

    Args:
        scores: Scores ``[candidate]`` or ``[question][candidate]``.
        correct: Whether each candidate is right, in the same shape.

    Returns:
        A fraction, or None when no question counts.

    Raises:
        ValueError: If the shapes differ, a score is NaN or infinite, or a flag is no boolean.
    """
    score_rows, flag_rows = _plain(scores), _plain(correct)
    require_equal_length(score_rows, flag_rows, "scores", "correct")
    nested = [isinstance(entry, Sequence) for entry in (*score_rows, *flag_rows)]
    if any(nested) and not all(nested):
        raise ValueError("scores and correct mix numbers and sequences. Give one question, or a sequence per question.")
    if not any(nested):
        return _assess_one(score_rows, flag_rows)
    shares = [_assess_one(*question) for question in zip(score_rows, flag_rows, strict=True)]
    counted = [share for share in shares if share is not None]
    return fmean(counted) if counted else None


def _plain(values: Sequence[Any] | Array) -> list[Any]:
    """Turn arrays into lists, also inside a list."""
    rows: list[Any] = values.tolist() if isinstance(values, Array) else list(values)
    return [row.tolist() if isinstance(row, Array) else row for row in rows]


def _assess_one(scores: Sequence[Number], correct: Sequence[Flag]) -> float | None:
    positives, negatives = _split(scores, correct, "scores")
    if not positives or not negatives:
        return None
    return _wins(positives, negatives) / (len(positives) * len(negatives))


def assess(questions: Sequence[ScoredQuestion], per_side: int | None = None) -> Assessment:
    """Return the assessment accuracy of several questions with its coverage.

    Args:
        questions: Scores of each question's candidates.
        per_side: Compare exactly the first so many positives with the first so many negatives, and
            count only questions that have them (the paper's form is 3). All pairs when left out.

    Raises:
        ValueError: If ``per_side`` is below 1 or a score is NaN or infinite.
    """
    if per_side is not None and per_side < 1:
        raise ValueError(f"per_side is {per_side}. Give at least 1, or leave it out for all pairs.")
    shares, pairs = [], 0
    for index, question in enumerate(questions):
        require_finite(question.positives, f"positives of question {index}")
        require_finite(question.negatives, f"negatives of question {index}")
        if min(len(question.positives), len(question.negatives)) < (per_side or 1):
            continue
        positives, negatives = question.positives[:per_side], question.negatives[:per_side]
        size = len(positives) * len(negatives)
        shares.append(_wins(positives, negatives) / size)
        pairs += size
    interval = mean_interval(shares)
    low, high = (None, None) if interval is None else (max(0.0, interval[0]), min(1.0, interval[1]))
    return Assessment(fmean(shares) if shares else None, len(shares), len(questions), pairs, low, high)


def _wins(positives: Sequence[Number], negatives: Sequence[Number]) -> int:
    return sum(positive > negative for positive in positives for negative in negatives)


def auroc(scores: Sequence[Number], correct: Sequence[Flag]) -> float | None:
    """Return the area under the ROC curve over candidates pooled across questions; ties count a half.

    Returns:
        A fraction, or None without both a right and a wrong candidate.

    Raises:
        ValueError: If the lengths differ, a score is NaN or infinite, or a flag is no boolean.
    """
    positives, negatives = _split(scores, correct, "scores")
    if not positives or not negatives:
        return None
    ranked = sorted(scores)
    ranks: dict[Number, float] = {}
    start = 0
    while start < len(ranked):
        stop = start
        while stop < len(ranked) and ranked[stop] == ranked[start]:
            stop += 1
        ranks[ranked[start]] = (start + 1 + stop) / 2
        start = stop
    smallest = len(positives) * (len(positives) + 1) / 2
    return (math.fsum(ranks[score] for score in positives) - smallest) / (len(positives) * len(negatives))


def _split(scores: Sequence[Number], correct: Sequence[Flag], name: str) -> tuple[list[Number], list[Number]]:
    require_equal_length(scores, correct, name, "correct")
    require_finite(scores, name)
    require_flags(correct, "correct")
    positives = [score for score, right in zip(scores, correct, strict=True) if right]
    negatives = [score for score, right in zip(scores, correct, strict=True) if not right]
    return positives, negatives
