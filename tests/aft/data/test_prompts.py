import pytest

from aft.data.examples import TASKS, Example, choice_letter
from aft.data.prompts import prompt_text, response_text

FIVE = ("1", "2", "3", "4", "5")


def test_prompt_of_a_number_task_ends_in_a_line_break() -> None:
    assert prompt_text("How many?", "gsm8k") == "Solve the problem step by step.\nQuestion: How many?\nAnswer:\n"


def test_prompt_lists_choices_with_their_letters() -> None:
    prompt = prompt_text("Which?", "aqua", ("10 m", "20 m"))
    assert "\nOptions:\nA) 10 m\nB) 20 m\nAnswer:\n" in prompt


def test_arithmetic_prompt_is_the_question_alone() -> None:
    assert prompt_text("Mia has 3 cups .", "arithmetic") == "Mia has 3 cups ."


def test_example_brings_its_task_and_choices() -> None:
    example = Example("1", "Which?", "Because.", "B", "mmlu", ("x", "y"))
    assert prompt_text(example) == prompt_text("Which?", "mmlu", ("x", "y"))


@pytest.mark.parametrize("task", TASKS)
def test_response_ends_with_the_marker_and_the_answer(task: str) -> None:
    answer = "B" if task in ("aqua", "ecqa", "mmlu") else "18"
    choices = FIVE if answer == "B" else None
    assert response_text("One step .", answer, task, choices).endswith(f"[ANS] {answer}")


def test_response_without_reference_is_the_answer_alone() -> None:
    assert response_text("", "C", "mmlu", FIVE) == "[ANS] C"


def test_arithmetic_response_has_no_line_break() -> None:
    assert response_text("Sam : 1 + 2 = 3 .", "3", "arithmetic") == "Sam : 1 + 2 = 3 . [ANS] 3"


def test_missing_choices_are_refused() -> None:
    with pytest.raises(ValueError, match="Map the choices column"):
        prompt_text("Which?", "ecqa")


def test_unknown_task_is_named() -> None:
    with pytest.raises(ValueError, match="Unknown task 'chess'"):
        prompt_text("Which?", "chess")
    with pytest.raises(ValueError, match="Unknown task 'chess'"):
        response_text("", "1", "chess")


def test_letter_outside_the_choices_is_refused() -> None:
    with pytest.raises(ValueError, match="none of the letters A to E"):
        response_text("", "F", "aqua", FIVE)
    with pytest.raises(ValueError, match="answer is empty"):
        response_text("x", " ", "gsm8k")


def test_letters_end_at_z() -> None:
    assert choice_letter(25) == "Z"
    with pytest.raises(ValueError, match="has no letter"):
        choice_letter(26)
