"""Agreement statistics against published worked examples, and what their intervals must do."""

import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from aft.agreement import (
    Estimate,
    Level,
    cohen_kappa,
    fleiss_kappa,
    kendall_tau,
    kendall_tau_within,
    krippendorff_alpha,
)

_: None = None
# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), example C: four observers, twelve units.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
    [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
]
UNITS = [list(unit) for unit in zip(*OBSERVERS, strict=True)]
# Fleiss, "Measuring nominal scale agreement among many raters" (1971), as commonly reproduced: 14 raters, 5 categories.
FLEISS = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip


@pytest.mark.parametrize(("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_that_of_the_worked_example(level: Level, published: float) -> None:
    found = krippendorff_alpha(UNITS, level)
    assert found.value == pytest.approx(published, abs=5e-4)
    assert found.n == 11  # unit 12 has one rating and pairs with nothing


def test_alpha_of_binary_ratings_is_that_of_the_worked_example() -> None:
    one, other = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    found = krippendorff_alpha(list(zip(one, other, strict=True)), "nominal")
    assert found.value == pytest.approx(0.095, abs=5e-4)


def test_fleiss_kappa_is_that_of_the_worked_example() -> None:
    ratings = [[level for level, times in enumerate(row) for _ in range(times)] for row in FLEISS]
    assert fleiss_kappa(ratings).value == pytest.approx(0.210, abs=5e-4)


def test_cohen_kappa_is_that_of_the_worked_example() -> None:
    pairs = [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15
    found = cohen_kappa([a for a, _ in pairs], [b for _, b in pairs])
    assert found.value == pytest.approx(0.4)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.4 < found.high


def test_weighted_kappa_forgives_near_misses() -> None:
    one, near, far = [1, 2, 3, 4, 5, 6], [2, 3, 4, 5, 6, 5], [6, 1, 1, 2, 1, 1]
    close = cohen_kappa(one, near, weighted=True).value
    assert close is not None
    assert close > 0.7
    assert (cohen_kappa(one, near).value or 0) < 0.1
    assert (cohen_kappa(one, far, weighted=True).value or 0) < 0


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=40))
def test_tau_is_that_of_scipy(pairs: list[tuple[int, int]]) -> None:
    one, other = [float(a) for a, _ in pairs], [float(b) for _, b in pairs]
    expected = stats.kendalltau(one, other).statistic
    found = kendall_tau(one, other).value
    assert (found is None) if expected != expected else found == pytest.approx(expected)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=30))
def test_tau_within_questions_counts_pairs_of_one_question(rows: list[tuple[int, int, int]]) -> None:
    alike = opposite = untied_x = untied_y = pairs = 0
    for (q, a, b), (r, c, d) in combinations(rows, 2):
        if q == r:
            pairs += 1
            alike += (a - c) * (b - d) > 0
            opposite += (a - c) * (b - d) < 0
            untied_x += a != c
            untied_y += b != d
    found = kendall_tau_within([a for _, a, _ in rows], [b for _, _, b in rows], questions=[q for q, _, _ in rows])
    assert found.n == pairs
    if untied_x and untied_y:
        assert found.value == pytest.approx((alike - opposite) / (untied_x * untied_y) ** 0.5)
    else:
        assert found.value is None


def test_an_order_that_the_other_rater_reverses_is_minus_one() -> None:
    assert kendall_tau([1, 2, 3], [3, 2, 1]).value == -1
    assert kendall_tau_within([1, 2, 9, 8], [2, 1, 8, 9], questions=["a", "a", "b", "b"]).value == -1


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_alpha_without_variation_or_pairs_is_not_measured(level: Level) -> None:
    assert krippendorff_alpha([[3, 3], [3, 3]], level) == Estimate(None, None, None, 2)
    assert krippendorff_alpha([[3, None], [None, 1]], level) == Estimate(None, None, None, 0)
    assert krippendorff_alpha([], level) == Estimate(None, None, None, 0)


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_alpha_ignores_who_rated_and_moving_the_scale(level: Level) -> None:
    generator = random.Random(3)
    units = [[generator.choice([1, 2, 4, None]) for _ in range(4)] for _ in range(30)]
    shuffled = [generator.sample(unit, 4) for unit in units]
    moved = [[None if value is None else 3 * value + 100 for value in unit] for unit in units]
    value = krippendorff_alpha(units, level).value
    assert krippendorff_alpha(shuffled, level).value == pytest.approx(value)
    assert krippendorff_alpha(moved, level).value == pytest.approx(value)


def test_intervals_hold_their_level_over_questions() -> None:
    """Of 40 samples of 40 questions, about 95 % of the intervals hold the α of the whole population."""
    generator = random.Random(11)

    def unit() -> list[float]:
        truth = generator.choice([0.0, 1.0])
        return [truth if generator.random() < 0.9 else 1 - truth for _ in range(2)]

    whole = krippendorff_alpha([unit() for _ in range(20_000)], "nominal").value
    assert whole is not None
    held = 0
    for _ in range(40):
        found = krippendorff_alpha([unit() for _ in range(40)], "nominal")
        held += found.low is not None and found.high is not None and found.low <= whole <= found.high
    assert held >= 34


def test_units_of_one_question_are_drawn_together() -> None:
    one = [1.0, 2.0, 3.0, 4.0] * 10
    other = [1.0, 2.0, 4.0, 3.0] * 10
    alone = cohen_kappa(one, other, weighted=True)
    together = cohen_kappa(one, other, weighted=True, questions=[index // 4 for index in range(40)])
    assert alone.value == together.value
    assert alone.low is not None
    assert together.low is not None
    assert alone.low < together.low == pytest.approx(together.value)


def test_one_question_has_no_interval() -> None:
    found = cohen_kappa([1, 2, 3], [1, 2, 2], questions=["q", "q", "q"])
    assert found.value is not None
    assert (found.low, found.high) == (None, None)


def test_the_same_data_give_the_same_interval() -> None:
    assert krippendorff_alpha(UNITS, "ordinal") == krippendorff_alpha(UNITS, "ordinal")


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="2 and 1 ratings of 2 units"):
        kendall_tau([1, 2], [1])
    with pytest.raises(ValueError, match="NaN"):
        krippendorff_alpha([[float("nan"), 1.0]], "nominal")
    with pytest.raises(ValueError, match=r"confidence is 1\.5"):
        cohen_kappa([1, 2], [1, 2], confidence=1.5)
