"""Numbers of an evaluation against hand counts and closed forms."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aft.metrics import (
    Measured,
    Path,
    ScoredQuestion,
    assessment_results,
    auroc_interval,
    choice_results,
    greedy_results,
    mean_interval,
    median_interval,
    pass_at_k,
    path_results,
    with_tasks,
)


def by_name(found: list[Measured]) -> dict[str, Measured]:
    return {item.metric: item for item in found}


def path(answer: str | None, right: bool = False, truncated: bool = False) -> Path:
    return Path(answer, right, truncated)


def test_greedy_shares_have_wilson_intervals() -> None:
    found = by_name(greedy_results(["right", "wrong", "unparsed", "truncated"], [False, False, False, True]))
    accuracy = found["task_accuracy"]
    assert (accuracy.value, accuracy.n, accuracy.details["count"]) == (0.25, 4, 1)
    assert accuracy.details["low"] == pytest.approx(0.045587, abs=1e-6)
    assert accuracy.details["high"] == pytest.approx(0.699358, abs=1e-6)
    assert found["unparsed_rate"].value == found["truncated_rate"].value == 0.25


def test_nothing_answered_is_nothing_measured() -> None:
    for item in [*greedy_results([], []), *path_results([], [3], [2]), *choice_results([], [])]:
        assert (item.value, item.n) == (None, 0)
    for item in assessment_results([]):
        assert (item.value, item.n) == (None, 0)


def test_votes_are_those_of_the_first_paths() -> None:
    seven, eight = path("7", right=True), path("8")
    questions = [
        [eight, seven, seven, eight, eight],  # 8; tie of 8 and 7, 7; 8
        [seven, eight, seven, path(None), path("7", right=False, truncated=True)],
        [path(None), path(None), path(None), seven, eight],
    ]
    found = by_name(path_results(questions, [1, 2, 3, 5], []))
    assert [found[f"self_consistency@{n}"].value for n in (1, 2, 3, 5)] == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3])
    two = found["self_consistency@2"].details
    assert (two["ties"], two["questions_without_answer"], two["paths"]) == (2, 1, 2)
    assert "sampled first wins" in two["tie_rule"]
    # The truncated seven does not vote, and of the last question's tie the first answer is the right one.
    assert found["self_consistency@5"].details["ties"] == 1
    assert found["self_consistency@5"].n == 3


def test_pass_at_k_is_the_mean_of_the_unbiased_estimates() -> None:
    questions = [[path("7", right=index < right) for index in range(5)] for right in (0, 1, 3, 5)]
    found = by_name(path_results(questions, [], [1, 2, 5]))
    for k in (1, 2, 5):
        expected = [pass_at_k(5, right, k) for right in (0, 1, 3, 5)]
        item = found[f"pass@{k}"]
        assert item.value == pytest.approx(sum(expected) / 4)
        assert item.details["low"] <= item.value <= item.details["high"]
    assert found["pass@1"].value == pytest.approx(9 / 20)


def test_too_few_paths_are_an_error() -> None:
    with pytest.raises(ValueError, match="Question 1 has 2 sampled paths; 3 are needed"):
        path_results([[path("1")] * 3, [path("1")] * 2], [1], [3])


def test_assessment_has_both_forms_perplexities_and_calibration() -> None:
    questions = [
        ScoredQuestion([-0.1, -0.2, -0.3, -9.0], [-0.25, -0.5, -0.6]),
        ScoredQuestion([-0.4], [-0.3, -0.9]),
        ScoredQuestion([], [-0.2]),
    ]
    found = by_name(assessment_results(questions))
    assert found["assessment_accuracy_3x3"].value == pytest.approx(8 / 9)
    assert found["assessment_accuracy_3x3"].n == 1
    assert found["assessment_accuracy_3x3"].details["coverage"] == pytest.approx(1 / 3)
    assert found["assessment_accuracy"].value == pytest.approx((8 / 12 + 1 / 2) / 2)
    assert found["assessment_accuracy"].details["pairs"] == 14
    positives = [-0.1, -0.2, -0.3, -0.4]
    assert found["perplexity"].value == pytest.approx(sum(math.exp(-s) for s in positives) / 4)
    assert found["perplexity_negative_median"].value == pytest.approx(math.exp(0.5))
    area = found["score_auroc"]
    pairs = [(p, n) for p in (-0.1, -0.2, -0.3, -9.0, -0.4) for n in (-0.25, -0.5, -0.6, -0.3, -0.9, -0.2)]
    assert area.value == pytest.approx(sum((p > n) + 0.5 * (p == n) for p, n in pairs) / 30)
    assert area.n == 11
    assert area.details["low"] < area.value < area.details["high"]


def test_a_diverged_model_is_no_number() -> None:
    found = by_name(assessment_results([ScoredQuestion([-800.0], [-900.0])]))
    assert found["perplexity"].value is None
    assert found["perplexity"].details["overflow"] is True
    assert found["perplexity_negative_median"].value is None


def test_likeliest_letter_counts_and_of_equals_the_first() -> None:
    likelihoods = [{"A": -1.0, "B": -0.5}, {"A": -1.0, "B": -1.0}, {"A": -3.0, "B": -2.0, "C": -1.0, "D": -5.0}]
    (found,) = choice_results(likelihoods, ["B", "B", "C"])
    assert (found.metric, found.n) == ("choice_accuracy", 3)
    assert found.value == pytest.approx(2 / 3)
    assert found.details["chance"] == pytest.approx((0.5 + 0.5 + 0.25) / 3)


def test_mean_interval_is_students() -> None:
    interval = mean_interval([1.0, 2.0, 3.0, 4.0])
    assert interval is not None
    assert interval == pytest.approx((2.5 - 3.182446 * 1.290994 / 2, 2.5 + 3.182446 * 1.290994 / 2), abs=1e-5)
    assert mean_interval([1.0]) is None


@given(st.lists(st.floats(-1e6, 1e6), max_size=60))
def test_median_interval_holds_the_median_with_its_probability(values: list[float]) -> None:
    found = median_interval(values)
    n = len(values)
    if n < 6:
        assert found is None
        return
    assert found is not None
    low, high = sorted(values).index(found[0]), n - 1 - sorted(values)[::-1].index(found[1])
    assert low <= high
    smallest = sum(value < found[0] for value in values)
    outside = 2 * sum(math.comb(n, i) for i in range(smallest + 1)) / 2**n
    assert outside <= 0.05 + 1e-9


def test_tabled_median_interval() -> None:
    # n = 10: the 2nd and the 9th value, with a confidence of 97.9 %.
    assert median_interval([float(value) for value in range(1, 11)]) == (2.0, 9.0)
    with pytest.raises(ValueError, match="NaN"):
        median_interval([math.nan])


def test_auroc_interval_is_hanley_and_mcneils() -> None:
    # Their example: area 0.893, 51 abnormal and 58 normal images, standard error 0.032.
    found = auroc_interval(0.893, 51, 58)
    assert found is not None
    assert (found[1] - found[0]) / 2 / 1.959964 == pytest.approx(0.032, abs=1e-3)
    assert auroc_interval(0.5, 0, 3) is None
    with pytest.raises(ValueError, match="area"):
        auroc_interval(1.5, 1, 1)


def test_numbers_of_each_task_stand_beside_those_of_all() -> None:
    def share_right(verdicts: Sequence[str]) -> list[Measured]:
        return [Measured("task_accuracy", verdicts.count("right") / len(verdicts), len(verdicts))]

    verdicts = ["right", "wrong", "right", "right"]
    found = with_tasks(verdicts, ["gsm8k", "aqua", "aqua", "gsm8k"], share_right)
    assert [(item.metric, item.value, item.n) for item in found] == [
        ("task_accuracy", 0.75, 4), ("task_accuracy/aqua", 0.5, 2), ("task_accuracy/gsm8k", 1.0, 2),
    ]  # fmt: skip
    assert len(with_tasks(verdicts, [None] * 4, share_right)) == 1
