"""References with wrong steps and the right answer."""

import pytest

from aft.arithmetic import make_examples, oracle_rating
from aft.data.references import noisy_references

QUESTIONS = [(item.id, item.question, item.reference) for item in make_examples("train", 40, 0)]
ANSWERS = {item.id: item.answer for item in make_examples("train", 40, 0)}


def test_half_of_the_references_get_steps_that_the_oracle_calls_wrong() -> None:
    found = noisy_references(QUESTIONS, 0.5, 3, "arithmetic")
    assert len(found) == 20
    questions = {key: question for key, question, _ in QUESTIONS}
    wrong = [
        oracle_rating(questions[key], f"{cot} [ANS] {ANSWERS[key]}").first_wrong_step is not None
        for key, cot in found.items()
    ]
    # A random step may be the true one.
    assert sum(wrong) >= 18


def test_the_same_seed_draws_the_same_and_a_smaller_share_is_part_of_a_larger() -> None:
    half, quarter = (noisy_references(QUESTIONS, share, 3, "arithmetic") for share in (0.5, 0.25))
    assert noisy_references(QUESTIONS, 0.5, 3, "arithmetic") == half
    assert quarter.items() <= half.items()
    assert noisy_references(QUESTIONS, 0.5, 4, "arithmetic").keys() != half.keys()


def test_elsewhere_a_question_gets_the_cot_of_another() -> None:
    rows = [("a", "?", "one"), ("b", "?", "two"), ("c", "?", "three")]
    assert noisy_references(rows, 1.0, 0, "gsm8k") == {"a": "two", "b": "three", "c": "one"}


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_a_share_outside_0_to_1_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="Give a number from 0 to 1"):
        noisy_references(QUESTIONS, share, 0, "arithmetic")
