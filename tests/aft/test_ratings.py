"""Ratings by answer and by the oracle."""

import pytest

from aft.answers import Answer, extract_answer
from aft.ratings import rate_by_answer, rate_by_oracle

QUESTION = "Ann has 7 pens . Tom has 5 more than Ann . Joe has 2 fewer than Tom . How many pens does Joe have ?"
RESPONSE = "Tom : 7 + 5 = 12 . Joe : 12 - 2 = 10 . [ANS] 10"


def test_right_is_1_and_wrong_is_0() -> None:
    assert rate_by_answer(Answer("18", (6, 8), "ans-marker"), "18.0", "gsm8k") == 1
    assert rate_by_answer(extract_answer("[ANS] 17", "gsm8k"), "18", "gsm8k") == 0


def test_an_unparsed_candidate_is_negative() -> None:
    assert rate_by_answer(None, "18", "gsm8k") == 0


def test_a_truncated_candidate_is_never_positive() -> None:
    assert rate_by_answer("18", "18", "gsm8k", truncated=True) == 0
    rating = rate_by_oracle(QUESTION, RESPONSE, truncated=True)
    assert (rating.rating, rating.answer_right) == (9, False)


def test_choices_are_passed_on() -> None:
    assert rate_by_answer(extract_answer("[ANS] pen", "ecqa", ["pen", "cup"]), "A", "ecqa", ["pen", "cup"]) == 1


def test_the_oracle_rates_from_1_to_10() -> None:
    assert rate_by_oracle(QUESTION, RESPONSE).rating == 10


def test_a_gold_answer_that_is_none_is_an_error_and_not_a_0() -> None:
    with pytest.raises(ValueError, match="'eighteen' is no number"):
        rate_by_answer("18", "eighteen", "gsm8k")
