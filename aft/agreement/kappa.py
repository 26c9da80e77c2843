"""Cohen's κ of two raters, and Fleiss' κ of any number."""

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np

from aft.agreement.estimate import Estimate, Floats, estimate, share
from aft.metrics.checks import Number


def cohen_kappa(
    one: Sequence[Number],
    other: Sequence[Number],
    *,
    weighted: bool = False,
    questions: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Cohen's κ: agreement of two raters beyond that of their level frequencies.

    Args:
        one: A rating per unit.
        other: The other rater's of the same unit.
        weighted: Disagreements count by their squared distance instead of all alike.
        questions: The question of each unit, for the interval; by default each unit is its own.
        confidence: Confidence of the interval.

    Returns:
        None as value when both raters use one and the same level only.

    Raises:
        ValueError: If the lengths differ or a rating is not finite.
    """
    groups = checked(one, other, questions)
    if not groups:
        return Estimate(None, None, None, 0)
    x, y = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)

    def by_distance(weights: Floats) -> Floats:
        n = weights.sum(axis=1)
        observed = weights @ (x - y) ** 2 / n
        expected = weights @ (x**2 + y**2) / n - 2 * (weights @ x) * (weights @ y) / n**2
        return 1 - share(observed, expected)

    levels = np.unique(np.concatenate([x, y]))
    is_x, is_y = (x[:, None] == levels).astype(np.float64), (y[:, None] == levels).astype(np.float64)

    def exact(weights: Floats) -> Floats:
        n = weights.sum(axis=1)
        observed = weights @ (x == y) / n
        expected = ((weights @ is_x) * (weights @ is_y)).sum(axis=1) / n**2
        return 1 - share(1 - observed, 1 - expected)

    return estimate(by_distance if weighted else exact, groups, n=len(groups), confidence=confidence)


def fleiss_kappa(
    ratings: Sequence[Sequence[Number | None]],
    *,
    questions: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Fleiss' κ: exact agreement of any number of raters, who need not be the same for every unit.

    Units with fewer than two ratings do not count. Where their numbers of ratings differ, each unit's agreement counts
    alike, and level frequencies are over all ratings.

    Args:
        ratings: ``[unit][rater]``; None where a rater has not judged the unit.
        questions: The question of each unit, for the interval; by default each unit is its own.
        confidence: Confidence of the interval.

    Returns:
        None as value when nothing is rated twice or all ratings are equal.
    """
    groups = list(range(len(ratings))) if questions is None else list(questions)
    tallies = [Counter(value for value in unit if value is not None) for unit in ratings]
    rows = [index for index, tally in enumerate(tallies) if tally.total() > 1]
    if not rows:
        return Estimate(None, None, None, 0)
    levels = sorted({level for index in rows for level in tallies[index]})
    counts = np.array([[tallies[index][level] for level in levels] for index in rows], dtype=np.float64)
    sizes = counts.sum(axis=1)
    agreed = ((counts**2).sum(axis=1) - sizes) / (sizes * (sizes - 1))

    def statistic(weights: Floats) -> Floats:
        observed = weights @ agreed / weights.sum(axis=1)
        marginal = weights @ counts
        frequency = marginal / marginal.sum(axis=1, keepdims=True)
        return 1 - share(1 - observed, 1 - (frequency**2).sum(axis=1))

    return estimate(statistic, [groups[index] for index in rows], n=len(rows), confidence=confidence)


def checked(one: Sequence[Number], other: Sequence[Number], questions: Sequence[Hashable] | None) -> Sequence[Hashable]:
    """The question of every unit.

    Raises:
        ValueError: If the lengths differ or a rating is not finite.
    """
    groups = list(range(len(one))) if questions is None else list(questions)
    if not len(one) == len(other) == len(groups):
        raise ValueError(f"There are {len(one)} and {len(other)} ratings of {len(groups)} units. Give as many of each.")
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise ValueError("A rating is NaN or infinite. Leave out what was not rated.")
    return groups
