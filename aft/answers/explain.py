"""Why a response counts as right, wrong or unparsed: what was read, by which rule, and how it was compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from aft.answers.attempts import Attempt, attempts
from aft.answers.choices import choice_texts, letters_of, read_choice, same_text
from aft.answers.expressions import expression_text, words_of
from aft.answers.found import CHOICE_TEXT_SUFFIX, Answer
from aft.answers.grade import is_correct
from aft.answers.markers import cut
from aft.answers.numbers import parse_number
from aft.data.examples import CHOICE_TASKS, EXPRESSION_TASK

MOST_ATTEMPTS: Final = 40
"""Attempts kept: a response that repeats a marker hundreds of times is a loop."""
_SHOWN: Final = 80

RULES: Final = {
    "ans-marker": "the marker [ANS]",
    "hash-marker": "the marker ####",
    "boxed": "a box",
    "the-answer-is": "“the answer is”",
    "answer-label": "“Answer:”",
    "answer-line": "a line “A:”",
    "choice-is-correct": "a choice said to be correct",
    "last-number": "the last number, as nothing announces an answer",
    "last-expression": "the last formula, as nothing announces an answer",
    "last-line": "a last line that is a choice, as nothing announces an answer",
}
"""Every rule in words."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """How the extractor of this version reads and grades one response.

    Attributes:
        cut_at: Where the response ends for the extractor; its length when nothing is cut.
        attempts: The rules in the order they were tried, at most `MOST_ATTEMPTS`; the ones behind the deciding
            attempt do not count.
        decided_by: Index of the deciding attempt, or None where no rule decides.
        answer: What was read.
        is_right: Whether it is the gold answer.
        steps: The comparison, one sentence each.
    """

    cut_at: int
    attempts: tuple[Attempt, ...]
    decided_by: int | None
    answer: Answer | None
    is_right: bool
    steps: tuple[str, ...]


def explain(text: str, gold: str, task: str, choices: Sequence[str] | None = None) -> Explanation:
    """Read and grade a response as `extract_answer` and `is_correct` do, and say how.

    Raises:
        ValueError: If the task is unknown, or the gold answer is no number or no choice.
    """
    tried: list[Attempt] = []
    decided: int | None = None
    for attempt in attempts(text, task, choices):
        if len(tried) < MOST_ATTEMPTS:
            tried.append(attempt)
        elif decided is None and attempt.decides:
            tried[-1] = attempt  # the deciding one is never left out
        if decided is None and attempt.decides:
            decided = len(tried) - 1
    answer = None if decided is None else tried[decided].answer
    end = cut(text)
    is_right = is_correct(answer, gold, task, choices)
    steps = (
        [] if end == len(text) else [f"The response ends at character {end}: an end mark or a new question follows."]
    )
    steps += _reading_steps(None if decided is None else tried[decided], answer)
    if answer is not None:
        if task == EXPRESSION_TASK:
            steps += _expression_steps(answer, gold, is_right)
        else:
            compare = _choice_steps if task in CHOICE_TASKS else _number_steps
            steps += compare(answer, gold, task, choices)
    return Explanation(end, tuple(tried), decided, answer, is_right, tuple(steps))


def rule_in_words(rule: str) -> str:
    """A rule's name in words."""
    words = RULES.get(rule.removesuffix(CHOICE_TEXT_SUFFIX), rule)
    return f"{words}, by the choice's text" if rule.endswith(CHOICE_TEXT_SUFFIX) else words


def _reading_steps(decided: Attempt | None, answer: Answer | None) -> list[str]:
    if decided is None:
        return ["No rule found an answer, so it is unparsed, which is not the same as wrong."]
    if answer is None:
        return [
            f"{_capital(rule_in_words(decided.rule))} states something that is no answer. It is only ever written to "
            "state the answer, so nothing before it is taken: unparsed."
        ]
    return [f"Read {_quoted(answer.value)} by {rule_in_words(answer.rule)}."]


def _number_steps(answer: Answer, gold: str, task: str, choices: Sequence[str] | None) -> list[str]:
    written = gold.rpartition("####")[2].strip()
    said, right = parse_number(answer.value), parse_number(written)
    if said is None or right is None:
        return [f"Gold is {_quoted(written)}."]
    same = said == right
    compared = "equal" if same else f"not equal: they differ by {_number(abs(said - right))}"
    return [
        f"As exact numbers: answer {_number(said)}, gold {_number(right)}.",
        f"They are {compared}, so it is {'right' if same else 'wrong'}. Numbers are compared exactly, never rounded.",
    ]


def _choice_steps(answer: Answer, gold: str, task: str, choices: Sequence[str] | None) -> list[str]:
    letters, texts = letters_of(task, choices), choice_texts(choices)
    right = read_choice(gold, 0, len(gold), letters, texts)
    if right is None:
        return []
    given = answer.value.upper()
    steps = [f"As letters: answer {given}, gold {right.value}."]
    if given == right.value:
        return [*steps, "They are the same, so it is right."]
    by_text = answer.rule.endswith(CHOICE_TEXT_SUFFIX) or right.by_text
    if by_text and texts and given in letters:
        named, wanted = (texts[letters.index(letter)] for letter in (given, right.value))
        if same_text(named, wanted):
            return [
                *steps,
                f"It was named by its text, and {given} and {right.value} have the same text, which cannot tell "
                "them apart: right.",
            ]
    return [*steps, "They differ, so it is wrong."]


def _expression_steps(answer: Answer, gold: str, is_right: bool) -> list[str]:
    wanted = expression_text(gold) or gold
    verdict = f"so it is {'right' if is_right else 'wrong'}"
    if parse_number(answer.value) is not None and parse_number(wanted) is not None:
        return _number_steps(answer, wanted, EXPRESSION_TASK, None)
    same = "the same" if is_right else "not the same"
    steps = [f"Answer {_quoted(answer.value)}, gold {_quoted(wanted)}."]
    if answer.value == wanted:
        return [*steps, f"They are written alike, {verdict}."]
    if words_of(answer.value) is not None or words_of(wanted) is not None:
        return [*steps, f"One of them is a word; as words they are {same}, {verdict}."]
    return [*steps, f"Math-Verify compared them, as numbers and as formulas: {same}, {verdict}."]


def _number(value: Fraction) -> str:
    digits = max(value.numerator.bit_length(), value.denominator.bit_length()) * 0.30103
    if digits > _SHOWN:  # a response may write numbers of thousands of digits
        return f"a number with about {digits:.0f} digits"
    return str(value)


def _quoted(text: str) -> str:
    return f"“{text if len(text) <= _SHOWN else text[: _SHOWN - 1] + '…'}”"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
