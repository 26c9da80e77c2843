"""The text a model is asked with and the text it is taught to answer with.

Prompt and response are tokenised apart and their ids joined, so a prompt ends at a boundary
that no tokeniser merges over (a line break), and a response starts with a word.
Every response ends with ``[ANS]`` and the answer, as in Table 9 of the AFT paper.
"""

from collections.abc import Sequence
from typing import Final

from aft.data.examples import CHOICE_TASKS, TASKS, Example, choice_letter

ANSWER_MARKER: Final = "[ANS]"

_INSTRUCTIONS: Final = {
    "gsm8k": "Solve the problem step by step.",
    "aqua": "Solve the problem step by step and choose one option.",
    "ecqa": "Explain which choice answers the question best.",
    "math": "Solve the problem step by step.",
    "mmlu": "Think step by step and choose the right option.",
}
_CHOICES_HEADING: Final = {"aqua": "Options", "ecqa": "Choices", "mmlu": "Options"}


def prompt_text(question: Example | str, task: str | None = None, choices: Sequence[str] | None = None) -> str:
    """Write the prompt of a question.

    Args:
        question: An example, which brings its own task and choices, or the question's text.
        task: One of `TASKS`; needed with a bare text.
        choices: Choice texts in the order of their letters; needed with a bare text of a choice task.

    Raises:
        ValueError: If the task is unknown, or has choices and none are given.
    """
    if isinstance(question, Example):
        task = question.task if task is None else task
        choices = question.choices if choices is None else choices
        question = question.question
    if task not in TASKS:
        raise ValueError(f"Unknown task {task!r}. Use one of {', '.join(TASKS)}.")
    if task == "arithmetic":
        # The word-level tokeniser of this task puts its own marks around the question.
        return question.strip()
    lines = [_INSTRUCTIONS[task], f"Question: {question.strip()}"]
    if task in CHOICE_TASKS:
        if not choices:
            raise ValueError(f"A question of task '{task}' has no choices. Map the choices column.")
        lines.append(f"{_CHOICES_HEADING[task]}:")
        lines += [f"{choice_letter(i)}) {choice.strip()}" for i, choice in enumerate(choices)]
    return "\n".join([*lines, "Answer:", ""])


def response_text(reference: str, answer: str, task: str, choices: Sequence[str] | None = None) -> str:
    """Write the response that teaches a reference COT: the COT, then the marker and the answer.

    Args:
        reference: The reference COT without its final marker; may be empty.
        answer: The gold answer; the letter for tasks with choices.
        task: One of `TASKS`.
        choices: Choice texts; where given, the answer's letter has to be one of theirs.

    Raises:
        ValueError: If the task is unknown, the answer is empty, or no choice has its letter.
    """
    if task not in TASKS:
        raise ValueError(f"Unknown task {task!r}. Use one of {', '.join(TASKS)}.")
    answer = answer.strip()
    if not answer:
        raise ValueError("The answer is empty. Map the answer column, or leave the row out.")
    if task in CHOICE_TASKS and choices:
        letters = [choice_letter(i) for i in range(len(choices))]
        if answer not in letters:
            raise ValueError(
                f"The answer {answer!r} is none of the letters {letters[0]} to {letters[-1]}."
                " Store the letter of the right choice."
            )
    ending = f"{ANSWER_MARKER} {answer}"
    cot = reference.strip()
    if not cot:
        return ending
    # Word-level decoding joins words with single spaces, so that task has no line breaks.
    return f"{cot}{' ' if task == 'arithmetic' else chr(10)}{ending}"
