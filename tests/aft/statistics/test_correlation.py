"""Pearson's r with its interval and p-value."""

import math

import pytest
from scipy import stats

from aft.statistics import correlation

X = [1.0, 2.0, 3.0, 4.0, 5.0]
Y = [2.0, 1.0, 4.0, 3.0, 5.0]


def test_r_has_fishers_interval_and_p() -> None:
    found = correlation(X, Y)
    assert found is not None
    expected = stats.pearsonr(X, Y)
    interval = expected.confidence_interval()
    assert (found.difference, found.low, found.high) == pytest.approx((expected.statistic, interval.low, interval.high))
    assert found.p == pytest.approx(2 * stats.norm.sf(math.atanh(0.8) * math.sqrt(2)))
    assert found.n == 5


def test_an_exact_line_has_no_doubt_left() -> None:
    found = correlation(X, [-x for x in X])
    assert found is not None
    assert (found.difference, found.p) == (-1, 0)


@pytest.mark.parametrize(("x", "y"), [(X[:3], Y[:3]), (X, [1.0] * 5)])
def test_three_points_or_no_variation_say_nothing(x: list[float], y: list[float]) -> None:
    assert correlation(x, y) is None
