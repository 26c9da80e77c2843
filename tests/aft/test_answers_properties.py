"""Answer extraction on any text at all."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aft.answers import extract_answer, is_correct
from aft.answers.expressions import expression_text
from aft.answers.markers import cut
from aft.answers.numbers import canonical, parse_number

TASKS = st.sampled_from(["gsm8k", "arithmetic", "aqua", "ecqa", "mmlu", "math"])
PIECES = st.sampled_from(
    (
        *(
            "[ANS]",
            "####",
            "\\boxed{",
            "}",
            "The answer is ",
            "Answer: ",
            "\nA: ",
            "is correct",
            "(c)",
            "B",
            " or ",
            "pen",
        ),
        *("12", "-3", "1/2", "1,000", "$", "%", "=", " + ", "<<1+2=3>>", "\\frac{1}{2}"),
        *("\n", " ", ".", "Question:", "<eos>"),
    )
)
LETTER_FORMS = st.sampled_from(["{}", "({})", "{}.", "**{}**", "option {}", "\\boxed{{{}}}"])
TEXTS = st.text() | st.lists(PIECES, max_size=25).map("".join)
CHOICES = st.none() | st.lists(st.text(max_size=12) | PIECES, min_size=1, max_size=8)


@given(TEXTS, TASKS, CHOICES)
@example("[ANS] -", "gsm8k", None)
@example("İ [ANS] 5", "gsm8k", None)
def test_extraction_never_fails_and_its_span_is_inside_the_response(
    text: str, task: str, choices: list[str] | None
) -> None:
    answer = extract_answer(text, task, choices)
    if answer is None:
        return
    start, end = answer.span
    assert 0 <= start < end <= cut(text) <= len(text)
    written = text[start:end]
    if task in ("gsm8k", "arithmetic"):
        assert parse_number(written) == Fraction(answer.value)
    elif task == "math":
        assert expression_text(answer.value) == answer.value
    elif not answer.rule.endswith("+choice-text"):
        assert written.upper() == answer.value


@given(TEXTS, TASKS)
def test_the_same_text_gives_the_same_answer(text: str, task: str) -> None:
    assert extract_answer(text, task) == extract_answer(text, task)


@given(TEXTS, st.integers(-(10**9), 10**9))
def test_a_marker_at_the_end_wins_over_everything_before(text: str, number: int) -> None:
    response = f"{text}\n[ANS] {number}"
    if cut(response) == len(response):
        answer = extract_answer(response, "gsm8k")
        assert answer is not None
        assert (answer.value, answer.rule) == (str(number), "ans-marker")


@given(st.integers(-(10**15), 10**15), st.sampled_from(["{}", "{:,}", "${:,}", "{}.", "{}.00", "{} apples", "**{}**"]))
def test_a_whole_number_is_read_however_it_is_written(number: int, form: str) -> None:
    answer = extract_answer(f"So we get it.\n[ANS] {form.format(number)}", "gsm8k")
    assert is_correct(answer, str(number), "gsm8k")
    assert not is_correct(answer, str(number + 1), "gsm8k")


@given(st.decimals(-(10**6), 10**6, places=4))
def test_decimals_are_exact(number: Decimal) -> None:
    answer = extract_answer(f"[ANS] {number:f}", "gsm8k")
    assert answer is not None
    assert Fraction(answer.value) == Fraction(number)


@given(st.fractions(max_denominator=10**6))
def test_equal_numbers_have_one_canonical_text(number: Fraction) -> None:
    assert parse_number(canonical(number)) == number
    assert canonical(Fraction(number.numerator * 6, number.denominator * 6)) == canonical(number)


@pytest.mark.parametrize("task", ["aqua", "ecqa", "mmlu"])
@given(letter=st.sampled_from("ABCD"), form=LETTER_FORMS)
def test_a_letter_is_read_however_it_is_written(task: str, letter: str, form: str) -> None:
    answer = extract_answer(f"Let us think.\nThe answer is {form.format(letter)}", task)
    assert is_correct(answer, letter, task)
