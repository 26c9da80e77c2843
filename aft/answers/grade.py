"""Deciding whether an answer is right."""

from collections.abc import Sequence

from aft.answers.choices import choice_texts, letters_of, read_choice, same_text
from aft.answers.equality import same_expression
from aft.answers.expressions import LONGEST_EXPRESSION, expression_text
from aft.answers.found import CHOICE_TEXT_SUFFIX, Answer
from aft.answers.numbers import parse_number
from aft.data.examples import CHOICE_TASKS, EXPRESSION_TASK, TASKS


def is_correct(answer: Answer | str | None, gold: str, task: str, choices: Sequence[str] | None = None) -> bool:
    """Tell whether an answer is the gold answer.

    Numbers are compared exactly, expressions by Math-Verify. Choices are compared by letter; an answer that named
    its choice by text is right for every choice with that text, since a text cannot tell them apart.

    Args:
        answer: What `extract_answer` returned, or a bare value.
        gold: The gold answer as stored: a number, an expression, or a choice's letter.
        task: One of the tasks `extract_answer` knows.
        choices: Choice texts in the order of their letters.

    Returns:
        False for an answer that is None or no number or choice at all.

    Raises:
        ValueError: If the task is unknown, or the gold answer is no number or no choice.
        RuntimeError: If Math-Verify's process cannot start.
    """
    if task not in TASKS:
        raise ValueError(f"Unknown task {task!r}. Use one of {', '.join(TASKS)}.")
    if task == EXPRESSION_TASK:
        return _is_same_expression(answer, gold)
    if task not in CHOICE_TASKS:
        right = parse_number(gold.rpartition("####")[2])
        if right is None:
            raise ValueError(f"The gold answer {gold[:80]!r} is no number. Map the answer column to the final number.")
        value = answer.value if isinstance(answer, Answer) else answer
        return value is not None and parse_number(value) == right
    letters, texts = letters_of(task, choices), choice_texts(choices)
    right_choice = read_choice(gold, 0, len(gold), letters, texts)
    if right_choice is None:
        raise ValueError(
            f"The gold answer {gold[:80]!r} is none of the choices {letters[0]} to {letters[-1]}."
            " Store the letter of the right choice."
        )
    if answer is None:
        return False
    if isinstance(answer, Answer):
        given, by_text = answer.value.upper(), answer.rule.endswith(CHOICE_TEXT_SUFFIX)
    else:
        reading = read_choice(answer, 0, len(answer), letters, texts)
        if reading is None:
            return False
        given, by_text = reading.value, reading.by_text
    if given == right_choice.value:
        return True
    if not (by_text or right_choice.by_text) or given not in letters or not texts:
        return False
    return same_text(texts[letters.index(given)], texts[letters.index(right_choice.value)])


def _is_same_expression(answer: Answer | str | None, gold: str) -> bool:
    wanted = expression_text(gold)
    if wanted is None:
        raise ValueError(
            f"The gold answer {gold[:80]!r} is empty or longer than {LONGEST_EXPRESSION} characters."
            " Map the answer column to the final answer."
        )
    given = expression_text(answer.value if isinstance(answer, Answer) else answer or "")
    return given is not None and same_expression(given, wanted)
