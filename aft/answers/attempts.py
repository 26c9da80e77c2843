"""Every rule in the order in which it is tried, with what it looked at and what it found there.

``extract_answer`` takes the first attempt that decides; the extraction debugger shows all of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from aft.answers.choices import LONGEST_CHOICE, choice_texts, letters_of, read_choice
from aft.answers.expressions import last_expression, read_expression
from aft.answers.fallback import choice_said_correct, last_line
from aft.answers.found import CHOICE_TEXT_SUFFIX, Answer, Reading
from aft.answers.markers import CONCLUSIVE_RULES, Marker, cut, last_markers, statement
from aft.answers.numbers import last_number, read_number
from aft.data.examples import CHOICE_TASKS, EXPRESSION_TASK, TASKS

_LONGEST_STATEMENT: Final = 300

Outcome = Literal["read", "concluded", "nothing", "skipped"]
"""read: an answer. concluded: a marker that only ever states the answer states something unreadable, so there is
none. nothing: the next rule is tried. skipped: looks like a marker and is not meant as one."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One rule at one place.

    Attributes:
        rule: The rule's name, as in `Answer.rule`.
        marker: Character positions of what announces an answer; None for rules without a marker.
        looked_at: Character positions of what was read.
        answer: What was found.
        outcome: What follows from it.
    """

    rule: str
    marker: tuple[int, int] | None
    looked_at: tuple[int, int]
    answer: Answer | None
    outcome: Outcome

    @property
    def decides(self) -> bool:
        """Whether no later attempt counts."""
        return self.outcome in {"read", "concluded"}


def attempts(text: str, task: str, choices: Sequence[str] | None = None) -> Iterator[Attempt]:
    """Try the rules in their order; the first attempt that decides gives the answer.

    Raises:
        ValueError: If the task is unknown.
    """
    if task not in TASKS:
        raise ValueError(f"Unknown task {task!r}. Use one of {', '.join(TASKS)}.")
    end = cut(text)
    if task in CHOICE_TASKS:
        return _choice_attempts(text, end, letters_of(task, choices), choice_texts(choices))
    return _expression_attempts(text, end) if task == EXPRESSION_TASK else _number_attempts(text, end)


def _number_attempts(text: str, end: int) -> Iterator[Attempt]:
    for marker, stop in _from_the_last(text, end):
        start, stated_to = statement(text, marker, stop, _LONGEST_STATEMENT)
        reading = read_number(text, start, stated_to, only_first=marker.rule == "hash-marker")
        yield _at_marker(text, marker, start, stated_to, reading)
    yield _unmarked("last-number", last_number(text, end), end)


def _expression_attempts(text: str, end: int) -> Iterator[Attempt]:
    for marker, stop in _from_the_last(text, end):
        start, stated_to = statement(text, marker, stop, _LONGEST_STATEMENT)
        yield _at_marker(text, marker, start, stated_to, read_expression(text, start, stated_to))
    yield _unmarked("last-expression", last_expression(text, end), end)


def _choice_attempts(text: str, end: int, letters: str, texts: Sequence[str]) -> Iterator[Attempt]:
    longest = _LONGEST_STATEMENT + min(LONGEST_CHOICE, max(map(len, texts), default=0))
    said = choice_said_correct(text, end, letters)
    for marker, stop in _from_the_last(text, end):
        if said is not None and said.start > marker.start:
            yield _unmarked("choice-is-correct", said, end)
            said = None
        start, stated_to = statement(text, marker, stop, longest)
        if marker.rule == "answer-line" and not text[start:stated_to].lstrip().startswith("("):
            # "A: office" is how a choice is listed
            yield Attempt(marker.rule, (marker.start, marker.end), (start, stated_to), None, "skipped")
            continue
        yield _at_marker(text, marker, start, stated_to, read_choice(text, start, stated_to, letters, texts))
    if said is not None:
        yield _unmarked("choice-is-correct", said, end)
    yield _unmarked("last-line", last_line(text, end, letters, texts), end)


def _at_marker(text: str, marker: Marker, start: int, stop: int, reading: Reading | None) -> Attempt:
    outcome: Outcome = "nothing"
    if reading is not None:
        outcome = "read"
    elif _concludes(text, marker, start, stop):
        outcome = "concluded"
    return Attempt(marker.rule, (marker.start, marker.end), (start, stop), _answer(reading, marker.rule), outcome)


def _unmarked(rule: str, reading: Reading | None, end: int) -> Attempt:
    if reading is None:
        return Attempt(rule, None, (end, end), None, "nothing")
    return Attempt(rule, None, (reading.start, reading.end), _answer(reading, rule), "read")


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


def _answer(reading: Reading | None, rule: str) -> Answer | None:
    if reading is None:
        return None
    return Answer(
        value=reading.value,
        span=(reading.start, reading.end),
        rule=f"{rule}{CHOICE_TEXT_SUFFIX}" if reading.by_text else rule,
    )
