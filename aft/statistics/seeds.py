"""Tests over seeds: the paired t-test, and Welch's where the seeds are not the same."""

import math
from collections.abc import Sequence
from statistics import fmean, variance

from aft.metrics import difference_to_baseline
from aft.metrics.checks import Number, require_confidence, require_finite
from aft.metrics.spread import ROUNDING
from aft.statistics.tested import Tested


def paired_t(method: Sequence[Number], baseline: Sequence[Number], confidence: float = 0.95) -> Tested | None:
    """Paired t-test over seeds, the paper's; None below two seeds.

    Args:
        method: A value per seed.
        baseline: The baseline's value of the same seed at the same place.
        confidence: Confidence of the interval.

    Raises:
        ValueError: If the lengths differ, a value is NaN or infinite, or the confidence is not between 0 and 1.
    """
    found = difference_to_baseline(method, baseline, confidence)
    return None if found is None else Tested(found.mean, found.low, found.high, found.p, found.n)


def welch(method: Sequence[Number], baseline: Sequence[Number], confidence: float = 0.95) -> Tested | None:
    """Welch's t-test: two groups of seeds without pairing, their variances free.

    Returns:
        None when a side has fewer than two values. Where neither side varies, t is not defined: the p-value is that
        of the exact permutation test, two of all ways to choose a side's values, or 1 for equal means.

    Raises:
        ValueError: If a value is NaN or infinite, or the confidence is not between 0 and 1.
    """
    require_confidence(confidence)
    require_finite(method, "method")
    require_finite(baseline, "baseline")
    if min(len(method), len(baseline)) < 2:
        return None
    from scipy import stats

    difference = fmean(method) - fmean(baseline)
    ours, theirs = variance(method) / len(method), variance(baseline) / len(baseline)
    n = min(len(method), len(baseline))
    error = math.sqrt(ours + theirs)
    if error <= ROUNDING * max(map(abs, (*method, *baseline))):
        chosen = math.comb(len(method) + len(baseline), len(method))
        return Tested(difference, difference, difference, 1.0 if abs(difference) <= error else 2 / chosen, n)
    # Welch and Satterthwaite's degrees of freedom, with shares so that tiny variances do not vanish when squared.
    share = ours / (ours + theirs)
    freedom = 1 / (share**2 / (len(method) - 1) + (1 - share) ** 2 / (len(baseline) - 1))
    half = float(stats.t.ppf(0.5 + confidence / 2, freedom)) * error
    p = float(2 * stats.t.sf(abs(difference) / error, freedom))
    return Tested(difference, difference - half, difference + half, p, n)
