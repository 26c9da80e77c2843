"""What every task is made of: a question, its reference COT and its gold answer."""

from dataclasses import dataclass
from string import ascii_uppercase
from typing import Final

TASKS: Final = ("gsm8k", "aqua", "ecqa", "mmlu", "math", "arithmetic")
"""Tasks whose answers can be extracted; data of any other origin is imported as one of these."""

MIXED: Final = "mixed"
"""What a data set of several tasks calls itself; each of its rows has its own one of `TASKS`."""

CHOICE_TASKS: Final = frozenset({"aqua", "ecqa", "mmlu"})
"""Tasks answered with the letter of one of several choices."""

EXPRESSION_TASK: Final = "math"
"""The task answered with any mathematical expression, compared by Math-Verify."""


@dataclass(frozen=True, slots=True)
class Example:
    r"""One question of a data set.

    Attributes:
        id: Stable within the data set version: the file's own id, otherwise one made from the content.
        question: The question without its choices.
        reference: The reference COT without the final marker line; empty where the source has none.
        answer: The gold answer as stored: ``18``, ``\frac{\pi}{2}``, or the letter of the right choice.
        task: One of `TASKS`.
        choices: Texts of the choices in the order of their letters, without the letters.
        part: ``train``, ``validation`` or ``test`` where the source says so.
    """

    id: str
    question: str
    reference: str
    answer: str
    task: str
    choices: tuple[str, ...] | None = None
    part: str | None = None


def choice_letter(index: int) -> str:
    """Name the choice at a position, counted from 0.

    Raises:
        ValueError: If there is no letter for it.
    """
    if not 0 <= index < len(ascii_uppercase):
        raise ValueError(f"Choice {index + 1} has no letter. Give at most {len(ascii_uppercase)} choices.")
    return ascii_uppercase[index]
