"""Metrics against values worked out by hand or by scipy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from aft.metrics import (
    ScoredQuestion,
    assess,
    assessment_accuracy,
    auroc,
    difference_to_baseline,
    majority_vote,
    mean_and_std,
    median_perplexity,
    pass_at_k,
    pearson,
    perplexity,
    proportion,
    task_accuracy,
)

NAN, INF = math.nan, math.inf
scores_and_flags = st.lists(st.tuples(st.floats(-20, 0), st.booleans()), max_size=12)


def test_assessment_accuracy_is_the_share_of_pairs_in_order() -> None:
    # Positives -1 and -3 against negatives -2 and -4: three of four pairs.
    assert assessment_accuracy([-1.0, -2.0, -3.0, -4.0], [True, False, True, False]) == 0.75


def test_a_tie_is_no_win() -> None:
    assert assessment_accuracy([-1.0, -1.0], [True, False]) == 0


def test_questions_count_alike_whatever_their_pairs() -> None:
    scores = [[-1.0, -2.0], [-1.0, -2.0, -3.0, -4.0]]
    correct = [[False, True], [True, False, False, False]]
    assert assessment_accuracy(scores, correct) == 0.5


def test_questions_with_one_kind_only_do_not_count() -> None:
    assert assessment_accuracy([[-1.0], [-2.0, -1.0], []], [[True], [True, False], []]) == 0
    assert assessment_accuracy([-1.0, -2.0], [True, True]) is None
    assert assessment_accuracy([], []) is None
    assert assessment_accuracy([[], []], [[], []]) is None


def test_arrays_are_taken_as_they_are() -> None:
    scores, correct = np.array([[-1.0, -2.0], [-2.0, -1.0]]), np.array([[True, False], [True, False]])
    assert assessment_accuracy(scores, correct) == 0.5
    assert assessment_accuracy(scores[0], correct[0]) == 1
    assert assessment_accuracy(list(scores), list(correct)) == 0.5


def test_whole_numbers_are_numbers() -> None:
    assert assessment_accuracy([3, 1], [1, 0]) == 1


@pytest.mark.parametrize(
    ("scores", "correct", "named"),
    [
        ([-1.0, NAN], [True, False], "scores has nan at position 1"),
        ([-1.0, -INF], [True, False], "scores has -inf"),
        ([-1.0], [True, False], "scores has 1 values and correct has 2"),
        ([[-1.0]], [[True, False]], "scores has 1 values and correct has 2"),
        ([[-1.0], -2.0], [[True], False], "mix"),
        ([[-1.0]], [True], "mix"),
        ([-1.0], [2], "correct has 2 at position 0"),
    ],
)
def test_bad_scores_are_named(scores: list[float], correct: list[bool], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        assessment_accuracy(scores, correct)


@given(scores_and_flags)
def test_adding_a_constant_changes_no_assessment(rows: list[tuple[float, bool]]) -> None:
    scores, correct = [round(score, 3) for score, _ in rows], [flag for _, flag in rows]
    shifted = [round(score + 5, 3) for score in scores]
    assert assessment_accuracy(scores, correct) == assessment_accuracy(shifted, correct)


QUESTIONS = [
    ScoredQuestion([-1.0, -1.0, -5.0, -1.0], [-2.0, -3.0, -4.0]),
    ScoredQuestion([-1.0, -1.0], [-2.0, -2.0, -2.0]),
    ScoredQuestion([-3.0, -3.0, -3.0], [-1.0, -1.0, -1.0, -9.0]),
    ScoredQuestion([], [-1.0]),
]


def test_the_3x3_form_takes_the_first_three_of_each_and_says_its_coverage() -> None:
    found = assess(QUESTIONS, per_side=3)
    assert found.value == pytest.approx((6 / 9 + 0) / 2)
    assert (found.questions_counted, found.questions_total, found.pairs) == (2, 4, 18)
    assert found.coverage == 0.5


def test_the_all_pairs_form_takes_every_question_with_both_kinds() -> None:
    found = assess(QUESTIONS)
    assert found.value == pytest.approx((9 / 12 + 1 + 3 / 12) / 3)
    assert (found.questions_counted, found.pairs) == (3, 12 + 6 + 12)


def test_nothing_assessed_is_none_and_not_0() -> None:
    assert assess([]).value is None
    assert assess([]).coverage is None
    assert assess(QUESTIONS, per_side=5).value is None


def test_assess_refuses_no_candidates_and_names_the_bad_question() -> None:
    with pytest.raises(ValueError, match="per_side is 0"):
        assess(QUESTIONS, per_side=0)
    with pytest.raises(ValueError, match="negatives of question 0 has nan at position 1"):
        assess([ScoredQuestion([-1.0], [-1.0, NAN])])


@given(scores_and_flags)
def test_auroc_agrees_with_the_mann_whitney_statistic(rows: list[tuple[float, bool]]) -> None:
    scores, correct = [score for score, _ in rows], [flag for _, flag in rows]
    positives = [score for score, flag in rows if flag]
    negatives = [score for score, flag in rows if not flag]
    found = auroc(scores, correct)
    if not positives or not negatives:
        assert found is None
    else:
        wins = sum((p > n) + (p == n) / 2 for p in positives for n in negatives)
        assert found == pytest.approx(wins / len(positives) / len(negatives))


def test_task_accuracy_has_a_wilson_interval() -> None:
    found = task_accuracy([True] * 8 + [False] * 2)
    expected = stats.binomtest(8, 10).proportion_ci(method="wilson")
    assert found is not None
    assert (found.value, found.successes, found.total) == (0.8, 8, 10)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("successes", [0, 7])
def test_the_interval_holds_at_the_ends(successes: int) -> None:
    found = proportion(successes, 7)
    assert found is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.high - found.low > 0.1


def test_no_answers_are_no_accuracy() -> None:
    assert task_accuracy([]) is None
    with pytest.raises(ValueError, match="nan at position 0"):
        task_accuracy([NAN])
    with pytest.raises(ValueError, match="3 successes of 2"):
        proportion(3, 2)
    with pytest.raises(ValueError, match=r"confidence is 95"):
        proportion(1, 2, 95.0)


def test_perplexity_is_the_mean_over_responses() -> None:
    assert perplexity([-math.log(2), -math.log(4)]) == pytest.approx(3)
    assert median_perplexity([-math.log(2), -math.log(3), -700.0]) == pytest.approx(3)
    assert perplexity([]) is None
    assert median_perplexity([]) is None
    assert perplexity([-1e9]) == INF
    with pytest.raises(ValueError, match="nan at position 1"):
        perplexity([-1.0, NAN])


def test_spread_has_no_deviation_from_one_seed() -> None:
    one, three = mean_and_std([0.5]), mean_and_std([1.0, 2.0, 3.0])
    assert one is not None
    assert (one.mean, one.std, one.n) == (0.5, None, 1)
    assert three is not None
    assert (three.mean, three.std, three.n) == (2, 1, 3)
    assert mean_and_std([]) is None


def test_the_difference_is_paired_over_seeds() -> None:
    method, baseline = [0.5, 0.6, 0.8], [0.4, 0.55, 0.6]
    found = difference_to_baseline(method, baseline)
    expected = stats.ttest_rel(method, baseline)
    interval = expected.confidence_interval()
    assert found is not None
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.mean == pytest.approx(0.35 / 3)
    assert found.n == 3
    assert found.std == pytest.approx(np.std([0.1, 0.05, 0.2], ddof=1))


def test_equal_differences_have_the_p_of_flipped_signs_and_one_seed_has_none() -> None:
    same = difference_to_baseline([0.5, 0.5], [0.5, 0.5])
    shifted = difference_to_baseline([1.0, 2.0], [0.5, 1.5])
    assert same is not None
    assert (same.mean, same.p) == (0, 1)
    assert shifted is not None
    assert (shifted.std, shifted.p, shifted.low, shifted.high) == (0, 0.5, 0.5, 0.5)
    # 0.3 - 0.1 and 0.4 - 0.2 differ in their last bit only; of 8 ways to sign three differences 2 are as extreme.
    rounded = difference_to_baseline([0.3, 0.4, 0.7], [0.1, 0.2, 0.5])
    assert rounded is not None
    assert (rounded.std, rounded.p) == (0, 0.25)
    assert difference_to_baseline([0.5], [0.4]) is None
    with pytest.raises(ValueError, match="method has 2 values and baseline has 1"):
        difference_to_baseline([0.5, 0.4], [0.4])


def test_pearson_agrees_with_scipy() -> None:
    x, y = [1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 3.0, 2.0, 5.0, 4.0]
    found, expected = pearson(x, y), stats.pearsonr(x, y)
    interval = expected.confidence_interval()
    assert found is not None
    assert found.r == pytest.approx(expected.statistic)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_pearson_without_variation_or_points_is_none() -> None:
    assert pearson([1.0, 1.0], [1.0, 2.0]) is None
    assert pearson([1.0], [1.0]) is None
    perfect, three = pearson([1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 8.0]), pearson([1.0, 2.0, 3.0], [1.0, 2.0, 2.0])
    assert perfect is not None
    assert perfect.r == pytest.approx(1)
    assert three is not None
    assert three.low is None
    with pytest.raises(ValueError, match="y has nan"):
        pearson([1.0, 2.0], [1.0, NAN])


@given(st.lists(st.tuples(st.floats(-1e300, 1e300), st.floats(-1e-300, 1e-300)), max_size=8))
def test_pearson_survives_extreme_scales(points: list[tuple[float, float]]) -> None:
    found = pearson([x for x, _ in points], [y for _, y in points])
    assert found is None or -1 <= found.r <= 1


def test_the_majority_wins_and_the_first_given_breaks_ties() -> None:
    assert majority_vote(["3", "5", "5", None, None, None]) == "5"
    assert majority_vote(["5", "3", "3", "5"]) == "5"
    assert majority_vote([None]) is None
    assert majority_vote([]) is None


def test_pass_at_k_is_the_unbiased_estimate() -> None:
    assert pass_at_k(4, 1, 1) == 0.25
    assert pass_at_k(4, 1, 2) == 0.5
    assert pass_at_k(4, 0, 4) == 0
    assert pass_at_k(4, 4, 1) == 1
    with pytest.raises(ValueError, match="k is 5 with 4 samples"):
        pass_at_k(4, 1, 5)
    with pytest.raises(ValueError, match="5 right of 4"):
        pass_at_k(4, 5, 1)
