"""Tests of differences, against scipy and by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from aft.statistics import flips, holm, mcnemar, paired_bootstrap, paired_t, welch

OURS = [0.361, 0.347, 0.352, 0.380]
THEIRS = [0.320, 0.318, 0.336, 0.325]


def test_the_paired_t_test_is_scipys() -> None:
    found = paired_t(OURS, THEIRS)
    expected = stats.ttest_rel(OURS, THEIRS)
    interval = expected.confidence_interval(0.95)
    assert found is not None
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_one_seed_allows_no_test_over_seeds() -> None:
    assert paired_t([0.3], [0.2]) is None
    assert welch([0.3], [0.2, 0.3]) is None


def test_welchs_test_is_scipys_also_with_unequal_numbers() -> None:
    found = welch(OURS, THEIRS[:3])
    expected = stats.ttest_ind(OURS, THEIRS[:3], equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert found is not None
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.n == 3


def test_welch_without_spread_is_the_permutation_test() -> None:
    apart, same = welch([0.5, 0.5], [0.25, 0.25]), welch([0.5, 0.5], [0.5, 0.5])
    assert apart is not None
    assert same is not None
    assert (apart.p, same.p) == (2 / 6, 1.0)


def test_flips_count_only_questions_that_both_answered() -> None:
    found = flips({"a": True, "b": False, "c": True, "d": False, "x": True}, dict.fromkeys("ab", True) | {"c": False})
    assert found.fixed == ["c"]
    assert found.broken == ["b"]
    assert (found.both_right, found.both_wrong, found.n) == (1, 0, 3)


def test_mcnemar_is_the_exact_binomial_test() -> None:
    found = mcnemar(fixed=9, broken=2, total=100)
    assert found is not None
    assert found.p == pytest.approx(stats.binomtest(2, 11, 0.5).pvalue)
    assert found.difference == pytest.approx(0.07)
    # By hand, Agresti and Min: 9.5 and 2.5 of 102.
    half = 1.959964 * math.sqrt(12 - 49 / 102) / 102
    assert (found.low, found.high) == pytest.approx((7 / 102 - half, 7 / 102 + half), abs=1e-6)


def test_without_flips_nothing_speaks_for_a_difference() -> None:
    found = mcnemar(0, 0, 50)
    assert found is not None
    assert found.p == 1.0
    assert found.low < 0 < found.high
    assert mcnemar(0, 0, 0) is None
    with pytest.raises(ValueError, match="impossible"):
        mcnemar(3, 3, 5)


def test_the_bootstrap_of_one_seed_agrees_with_the_normal_approximation() -> None:
    generator = np.random.default_rng(1)
    base = {question: float(generator.random() < 0.3) for question in range(1500)}
    ours = {question: float(generator.random() < (0.8 if value else 0.15)) for question, value in base.items()}
    found = paired_bootstrap([(ours, base)])
    assert found is not None
    differences = np.array([ours[question] - base[question] for question in base])
    error = differences.std(ddof=1) / math.sqrt(len(differences))
    assert found.difference == pytest.approx(differences.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.08)
    expected = stats.bootstrap((differences,), np.mean, n_resamples=2000, method="percentile", rng=2)
    assert found.low == pytest.approx(expected.confidence_interval.low, abs=0.2 * error)


def test_the_bootstrap_draws_a_question_with_all_its_seeds() -> None:
    # Two seeds that say the same about every question hold no more evidence than one.
    generator = np.random.default_rng(2)
    ours = {question: float(generator.random() < 0.5) for question in range(400)}
    base = {question: float(generator.random() < 0.5) for question in range(400)}
    once, twice = paired_bootstrap([(ours, base)]), paired_bootstrap([(ours, base)] * 2)
    assert once is not None
    assert twice is not None
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high))
    assert twice.p == once.p


def test_the_bootstrap_averages_over_seeds_of_unequal_coverage_and_ignores_lone_questions() -> None:
    first = ({1: 1.0, 2: 1.0, 3: 0.0}, {1: 0.0, 2: 1.0, 9: 1.0})
    second = ({1: 1.0, 2: 0.0, 4: 1.0, 5: 1.0}, {1: 1.0, 2: 1.0, 4: 1.0, 5: 1.0})
    found = paired_bootstrap([first, second], samples=50)
    assert found is not None
    assert found.difference == pytest.approx((0.5 - 0.25) / 2)
    assert found.n == 4
    assert paired_bootstrap([({1: 1.0}, {1: 0.0})]) is None
    with pytest.raises(ValueError, match="infinite"):
        paired_bootstrap([({1: math.inf, 2: 1.0}, {1: 0.0, 2: 0.0})])


def test_a_bootstrap_never_claims_certainty_and_repeats_exactly() -> None:
    better = (dict.fromkeys(range(30), 1.0), dict.fromkeys(range(30), 0.0))
    found = paired_bootstrap([better], samples=100)
    assert found is not None
    assert found.p == 0.01
    assert paired_bootstrap([better], samples=100) == found


def test_holm_by_hand() -> None:
    # 0.01 x 4, 0.02 x 3, 0.03 x 2, 0.04 x 1 made monotone.
    assert holm([0.04, 0.01, None, 0.03, 0.02]) == pytest.approx([0.06, 0.04, None, 0.06, 0.06])
    assert holm([]) == []
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm([1.2])


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_only_raises_p_values_and_keeps_their_order(values: list[float]) -> None:
    corrected = holm(values)
    assert all(after is not None and before <= after <= 1 for before, after in zip(values, corrected, strict=True))
    by_value = sorted(zip(values, corrected, strict=True))
    assert [after for _, after in by_value] == sorted(after for _, after in by_value if after is not None)
