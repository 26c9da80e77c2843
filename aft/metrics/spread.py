"""Means over seeds, differences between methods and correlations, with their uncertainty."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Final

from aft.metrics.checks import Number, require_confidence, require_equal_length, require_finite

ROUNDING: Final = 1e-12
"""A deviation below this share of the values is what floating-point numbers leave of none."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and sample standard deviation (divisor n - 1); no deviation from a single value."""

    mean: float
    std: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A method's difference to a baseline, paired over the seeds that both have.

    Attributes:
        mean: Mean of the differences.
        std: Their sample standard deviation.
        low: Lower end of the t-interval of the mean; the mean itself where the differences do not vary.
        high: Its upper end.
        p: Two-sided p-value of the paired t-test. With equal differences on every seed, where t is not defined,
            that of the exact test that flips their signs, :math:`2^{1-n}`, or 1 where they are all 0: few seeds that
            agree by chance, as counts of few questions do, are no evidence.
        n: How many seeds both have.
    """

    mean: float
    std: float
    low: float
    high: float
    p: float
    n: int


@dataclass(frozen=True, slots=True)
class Correlation:
    """Pearson's r with its Fisher interval; no interval below four points."""

    r: float
    low: float | None
    high: float | None
    n: int


def mean_and_std(values: Sequence[Number]) -> Spread | None:
    """Return mean and sample standard deviation over seeds; None without values.

    Raises:
        ValueError: If a value is NaN or infinite.
    """
    require_finite(values, "values")
    if not values:
        return None
    return Spread(fmean(values), stdev(values) if len(values) > 1 else None, len(values))


def difference_to_baseline(
    method: Sequence[Number], baseline: Sequence[Number], confidence: float = 0.95
) -> Difference | None:
    """Compare a method with a baseline, paired over seeds; None below two seeds.

    Args:
        method: A value per seed.
        baseline: The baseline's value of the same seed at the same place.
        confidence: Confidence of the interval.

    Raises:
        ValueError: If the lengths differ, a value is NaN or infinite, or the confidence is not between 0 and 1.
    """
    require_confidence(confidence)
    require_equal_length(method, baseline, "method", "baseline")
    require_finite(method, "method")
    require_finite(baseline, "baseline")
    n = len(method)
    if n < 2:
        return None
    from scipy import stats

    differences = [ours - theirs for ours, theirs in zip(method, baseline, strict=True)]
    mean, std = fmean(differences), stdev(differences)
    half = float(stats.t.ppf(0.5 + confidence / 2, n - 1)) * std / math.sqrt(n)
    if std <= ROUNDING * max(map(abs, (*method, *baseline))):
        return Difference(mean, 0.0, mean, mean, 1.0 if abs(mean) <= std else 2.0 ** (1 - n), n)
    p = float(2 * stats.t.sf(abs(mean) / (std / math.sqrt(n)), n - 1))
    return Difference(mean, std, mean - half, mean + half, p, n)


def pearson(x: Sequence[Number], y: Sequence[Number], confidence: float = 0.95) -> Correlation | None:
    """Return Pearson's correlation with its Fisher interval.

    Returns:
        None below two points or when one of the two does not vary.

    Raises:
        ValueError: If the lengths differ, a value is NaN or infinite, or the confidence is not between 0 and 1.
    """
    require_confidence(confidence)
    require_equal_length(x, y, "x", "y")
    require_finite(x, "x")
    require_finite(y, "y")
    n = len(x)
    if n < 2 or min(x) == max(x) or min(y) == max(y):
        return None
    mean_x, mean_y = fmean(x), fmean(y)
    # Scaled first, so that squares of tiny or huge values neither vanish nor overflow.
    scale_x = max(abs(value - mean_x) for value in x)
    scale_y = max(abs(value - mean_y) for value in y)
    if scale_x == 0 or scale_y == 0:
        return None
    dx = [(value - mean_x) / scale_x for value in x]
    dy = [(value - mean_y) / scale_y for value in y]
    product = math.fsum(a * b for a, b in zip(dx, dy, strict=True))
    r = product / math.sqrt(math.fsum(a * a for a in dx) * math.fsum(b * b for b in dy))
    r = max(-1.0, min(1.0, r))
    if n < 4:
        return Correlation(r, None, None, n)
    if abs(r) == 1:
        return Correlation(r, r, r, n)
    from scipy import stats

    half = float(stats.norm.ppf(0.5 + confidence / 2)) / math.sqrt(n - 3)
    return Correlation(r, math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half), n)
