"""How certain a mean, a median or an area under the curve is."""

import math
from collections.abc import Sequence
from statistics import fmean, stdev

from aft.metrics.checks import Number, require_confidence, require_finite

Interval = tuple[float, float]


def mean_interval(values: Sequence[Number], confidence: float = 0.95) -> Interval | None:
    """Return the t-interval of a mean over questions or responses; None below two values.

    Raises:
        ValueError: If a value is NaN or infinite, or the confidence is not between 0 and 1.
    """
    require_confidence(confidence)
    require_finite(values, "values")
    n = len(values)
    if n < 2:
        return None
    from scipy import stats

    mean = fmean(values)
    half = float(stats.t.ppf(0.5 + confidence / 2, n - 1)) * stdev(values) / math.sqrt(n)
    return mean - half, mean + half


def median_interval(values: Sequence[Number], confidence: float = 0.95) -> Interval | None:
    """Return an interval of a median by order statistics, which assumes no distribution.

    Returns:
        Two of the values between which the median lies with at least this confidence, or None where so few values
        allow no such statement (below six for 95 %).

    Raises:
        ValueError: If a value is NaN, or the confidence is not between 0 and 1.
    """
    require_confidence(confidence)
    if any(math.isnan(value) for value in values):
        raise ValueError("values has NaN. Leave out what was not measured.")
    n = len(values)
    if n == 0:
        return None
    from scipy import stats

    # The k-th smallest and the k-th largest enclose the median with probability 1 - 2 P(Binomial(n, 1/2) < k).
    k = int(stats.binom.ppf((1 - confidence) / 2, n, 0.5))
    if k > 0 and 2 * float(stats.binom.cdf(k - 1, n, 0.5)) > 1 - confidence:
        k -= 1
    if k == 0:
        return None
    ordered = sorted(values)
    return float(ordered[k - 1]), float(ordered[n - k])


def auroc_interval(area: float, positives: int, negatives: int, confidence: float = 0.95) -> Interval | None:
    """Return the interval of an area under the ROC curve by Hanley and McNeil's standard error (1982).

    It treats candidates as independent; candidates of one question are not quite, so it is a little too narrow.

    Returns:
        None without a candidate on either side.

    Raises:
        ValueError: If the area is not from 0 to 1 or the confidence is not between 0 and 1.
    """
    require_confidence(confidence)
    if not 0 <= area <= 1:
        raise ValueError(f"The area is {area}. Give a number from 0 to 1.")
    if positives < 1 or negatives < 1:
        return None
    from scipy import stats

    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (positives - 1) * (q1 - area**2) + (negatives - 1) * (q2 - area**2)
    half = float(stats.norm.ppf(0.5 + confidence / 2)) * math.sqrt(max(0.0, spread) / (positives * negatives))
    return max(0.0, area - half), min(1.0, area + half)
