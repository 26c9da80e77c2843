"""Extracting the final answer of a response."""

from collections.abc import Sequence
from typing import Final

from aft.answers.choices import LONGEST_CHOICE, choice_texts, letters_of, read_choice
from aft.answers.fallback import choice_said_correct, last_line
from aft.answers.found import CHOICE_TEXT_SUFFIX, Answer, Reading
from aft.answers.markers import CONCLUSIVE_RULES, Marker, cut, last_markers, statement
from aft.answers.numbers import last_number, read_number
from aft.data.examples import CHOICE_TASKS, TASKS

_LONGEST_STATEMENT: Final = 300


def extract_answer(text: str, task: str, choices: Sequence[str] | None = None) -> Answer | None:
    """Find the final answer of a response.

    Args:
        text: The response, any text.
        task: ``gsm8k`` or ``arithmetic`` (a number), ``aqua``, ``ecqa`` or ``mmlu`` (a choice's letter).
        choices: Choice texts in the order of their letters. With them a choice may be named by its
            text; without them only by its letter.

    Returns:
        The answer, or None where no rule finds one (*unparsed*).

    Raises:
        ValueError: If the task is unknown.
    """
    if task not in TASKS:
        raise ValueError(f"Unknown task {task!r}. Use one of {', '.join(TASKS)}.")
    end = cut(text)
    if task in CHOICE_TASKS:
        return _extract_choice(text, end, letters_of(task, choices), choice_texts(choices))
    return _extract_number(text, end)


def _extract_number(text: str, end: int) -> Answer | None:
    for marker, stop in _from_the_last(text, end):
        start, stated_to = statement(text, marker, stop, _LONGEST_STATEMENT)
        reading = read_number(text, start, stated_to, only_first=marker.rule == "hash-marker")
        if reading is not None:
            return _answer(reading, marker.rule)
        if _concludes(text, marker, start, stated_to):
            return None
    reading = last_number(text, end)
    return None if reading is None else _answer(reading, "last-number")


def _extract_choice(text: str, end: int, letters: str, texts: Sequence[str]) -> Answer | None:
    longest = _LONGEST_STATEMENT + min(LONGEST_CHOICE, max(map(len, texts), default=0))
    said = choice_said_correct(text, end, letters)
    for marker, stop in _from_the_last(text, end):
        if said is not None and said.start > marker.start:
            break
        start, stated_to = statement(text, marker, stop, longest)
        if marker.rule == "answer-line" and not text[start:stated_to].lstrip().startswith("("):
            continue  # "A: office" is how a choice is listed
        reading = read_choice(text, start, stated_to, letters, texts)
        if reading is not None:
            return _answer(reading, marker.rule)
        if _concludes(text, marker, start, stated_to):
            return None
    if said is not None:
        return _answer(said, "choice-is-correct")
    reading = last_line(text, end, letters, texts)
    return None if reading is None else _answer(reading, "last-line")


def _concludes(text: str, marker: Marker, start: int, end: int) -> bool:
    """Tell whether a marker states something as the answer, be it unreadable.

    ``[ANS] none`` says that there is no number; taking one from before would put it into its mouth.
    """
    return marker.rule in CONCLUSIVE_RULES and any(map(str.isalnum, text[start:end]))


def _from_the_last(text: str, end: int) -> list[tuple[Marker, int]]:
    """List the last markers, the last one first, each with where the next one starts."""
    markers = last_markers(text, end)
    stops = [*[marker.start for marker in markers], end][1:]
    return list(zip(markers, stops, strict=True))[::-1]


def _answer(reading: Reading, rule: str) -> Answer:
    return Answer(
        value=reading.value,
        span=(reading.start, reading.end),
        rule=f"{rule}{CHOICE_TEXT_SUFFIX}" if reading.by_text else rule,
    )
