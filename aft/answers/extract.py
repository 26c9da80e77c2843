"""Extracting the final answer of a response."""

from collections.abc import Sequence

from aft.answers.attempts import attempts
from aft.answers.found import Answer


def extract_answer(text: str, task: str, choices: Sequence[str] | None = None) -> Answer | None:
    """Find the final answer of a response.

    Args:
        text: The response, any text.
        task: ``gsm8k`` or ``arithmetic`` (a number), ``math`` (an expression), ``aqua``, ``ecqa`` or ``mmlu``
            (a choice's letter).
        choices: Choice texts in the order of their letters. With them a choice may be named by its
            text; without them only by its letter.

    Returns:
        The answer, or None where no rule finds one (*unparsed*).

    Raises:
        ValueError: If the task is unknown.
    """
    return next((attempt.answer for attempt in attempts(text, task, choices) if attempt.decides), None)
