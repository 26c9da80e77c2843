r"""Krippendorff's α for any number of raters with missing values.

.. math::
    \alpha = 1 - D_o / D_e

D_o is the mean squared difference δ² between two ratings of the same unit, D_e that between any two ratings
(Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011).
"""

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np

from aft.agreement.estimate import Estimate, Floats, estimate, share
from aft.metrics.checks import Number

Level = Literal["nominal", "ordinal", "interval"]


def krippendorff_alpha(
    ratings: Sequence[Sequence[Number | None]],
    level: Level,
    *,
    questions: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Krippendorff's α: 1 for perfect agreement, 0 for chance, below 0 for systematic disagreement.

    Args:
        ratings: ``[unit][rater]``; None where a rater has not judged the unit.
        level: nominal counts differing ratings alike, ordinal by the ratings between them, interval by their distance.
        questions: The question of each unit, for the interval; by default each unit is its own.
        confidence: Confidence of the interval.

    Returns:
        None as value when fewer than two ratings can be paired or all are equal.

    Raises:
        ValueError: If lengths differ or a rating is not finite.
    """
    groups = list(range(len(ratings))) if questions is None else list(questions)
    if len(groups) != len(ratings):
        raise ValueError(f"questions has {len(groups)} values and ratings has {len(ratings)}. Give as many of each.")
    given = [[float(value) for value in unit if value is not None] for unit in ratings]
    if any(not np.isfinite(value) for unit in given for value in unit):
        raise ValueError("A rating is NaN or infinite. Give None where there is no rating.")
    paired = [index for index, unit in enumerate(given) if len(unit) > 1]
    if not paired:
        return Estimate(None, None, None, 0)
    levels = np.unique([value for index in paired for value in given[index]])
    counts = np.zeros((len(paired), len(levels)))
    for row, index in enumerate(paired):
        np.add.at(counts[row], np.searchsorted(levels, given[index]), 1)
    sizes = counts.sum(axis=1)

    def nominal(weights: Floats) -> Floats:
        marginal = weights @ counts
        n = marginal.sum(axis=1)
        observed = weights @ ((sizes**2 - (counts**2).sum(axis=1)) / (sizes - 1))
        found: Floats = 1 - (n - 1) * share(observed, n**2 - (marginal**2).sum(axis=1))
        return found

    def by_distance(weights: Floats) -> Floats:
        marginal = weights @ counts
        n = marginal.sum(axis=1)
        # The ordinal difference is that of the mid-ranks among all ratings: ordinal α is interval α on mid-ranks.
        ordinal = marginal.cumsum(axis=1) - marginal / 2
        at = ordinal if level == "ordinal" else np.broadcast_to(levels - levels.mean(), marginal.shape)
        squares, sums = at**2 @ counts.T, at @ counts.T
        observed = (weights * (sizes * squares - sums**2) / (sizes - 1)).sum(axis=1)
        expected = n * (marginal * at**2).sum(axis=1) - (marginal * at).sum(axis=1) ** 2
        found: Floats = 1 - (n - 1) * share(observed, expected)
        return found

    statistic = nominal if level == "nominal" else by_distance
    return estimate(statistic, [groups[index] for index in paired], n=len(paired), confidence=confidence)
