r"""Kendall's τ-b of two raters' orders.

.. math::
    \tau_b = (C - D) / \sqrt{(C + D + T_x)(C + D + T_y)}

over pairs of units: C ordered alike, D ordered the other way, T tied by one rater only. Ratings on a scale compare any
two COTs; ranks given within a question compare its own COTs only.
"""

from collections.abc import Hashable, Sequence
from itertools import combinations

import numpy as np

from aft.agreement.estimate import Estimate, Floats, estimate, share
from aft.agreement.kappa import checked
from aft.metrics.checks import Number

_MOST_CELLS = 1_000_000


def kendall_tau(
    one: Sequence[Number],
    other: Sequence[Number],
    *,
    questions: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """τ-b over all pairs of units.

    Args:
        one: A rating per unit.
        other: The other rater's of the same unit.
        questions: The question of each unit, for the interval; by default each unit is its own.
        confidence: Confidence of the interval.

    Returns:
        None as value when a rater ties everything.

    Raises:
        ValueError: If the lengths differ or a rating is not finite.
    """
    groups = checked(one, other, questions)
    if len(groups) < 2:
        return Estimate(None, None, None, len(groups))
    xs, x = np.unique(np.asarray(one, dtype=np.float64), return_inverse=True)
    ys, y = np.unique(np.asarray(other, dtype=np.float64), return_inverse=True)
    cells, codes = len(xs) * len(ys), x * len(ys) + y

    def statistic(weights: Floats) -> Floats:
        at_once = max(1, _MOST_CELLS // cells)
        parts = [weights[start : start + at_once] for start in range(0, len(weights), at_once)]
        return np.concatenate([_of_tables(_tables(part)) for part in parts])

    def _tables(weights: Floats) -> Floats:
        counted = np.stack([np.bincount(codes, weights=row, minlength=cells) for row in weights])
        return counted.astype(np.float64).reshape(len(weights), len(xs), len(ys))

    return estimate(statistic, groups, n=len(groups), confidence=confidence)


def kendall_tau_within(
    one: Sequence[Number], other: Sequence[Number], *, questions: Sequence[Hashable], confidence: float = 0.95
) -> Estimate:
    """τ-b over the pairs of units that belong to one question; n counts those pairs.

    Args:
        one: A rating per unit.
        other: The other rater's of the same unit.
        questions: The question of each unit: only units of one question are compared.
        confidence: Confidence of the interval.

    Returns:
        None as value when no question has two units or a rater ties everything.

    Raises:
        ValueError: If the lengths differ or a rating is not finite.
    """
    checked(one, other, questions)
    members: dict[Hashable, list[int]] = {}
    for index, question in enumerate(questions):
        members.setdefault(question, []).append(index)
    pairs = [(question, a, b) for question, units in members.items() for a, b in combinations(units, 2)]
    if not pairs:
        return Estimate(None, None, None, 0)
    x, y = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    first, second = np.array([a for _, a, _ in pairs]), np.array([b for _, _, b in pairs])
    by_x, by_y = np.sign(x[first] - x[second]), np.sign(y[first] - y[second])

    def statistic(weights: Floats) -> Floats:
        return share(weights @ (by_x * by_y), np.sqrt((weights @ by_x**2) * (weights @ by_y**2)))

    return estimate(statistic, [question for question, _, _ in pairs], n=len(pairs), confidence=confidence)


def _of_tables(tables: Floats) -> Floats:
    """τ-b of contingency tables ``[draw, level of one, level of the other]``."""
    below_left = tables.cumsum(axis=1).cumsum(axis=2)
    alike = (tables[:, 1:, 1:] * below_left[:, :-1, :-1]).sum(axis=(1, 2))
    from_right = tables[:, :, ::-1].cumsum(axis=1).cumsum(axis=2)[:, :, ::-1]
    opposite = (tables[:, 1:, :-1] * from_right[:, :-1, 1:]).sum(axis=(1, 2))
    n = tables.sum(axis=(1, 2))
    untied_x = (n**2 - (tables.sum(axis=2) ** 2).sum(axis=1)) / 2
    untied_y = (n**2 - (tables.sum(axis=1) ** 2).sum(axis=1)) / 2
    return share(alike - opposite, np.sqrt(untied_x * untied_y))
