"""The oracle of the built-in task: checks every step of a COT against the question."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aft.answers import FALLBACK_RULES, extract_answer, is_correct
from aft.arithmetic.problems import Problem, Step, parse_question
from aft.data.prompts import ANSWER_MARKER

BEST_RATING: Final = 10
WORST_RATING: Final = 1

_TOKEN: Final = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class OracleRating:
    """What is right and wrong about a COT.

    Attributes:
        rating: 10 minus the wrong and the missing steps, minus 1 for a wrong answer; at least 1.
        wrong_steps: Character spans ``(start, end)`` of the wrong steps, in order.
        missing_steps: How many needed steps the COT does not have, neither right nor wrong.
        answer_right: Whether the answer that is stated after a marker is the true one.
    """

    rating: int
    wrong_steps: tuple[tuple[int, int], ...]
    missing_steps: int
    answer_right: bool

    @property
    def first_wrong_step(self) -> tuple[int, int] | None:
        """The span of the first wrong step, if there is one."""
        return self.wrong_steps[0] if self.wrong_steps else None


def oracle_rating(question: str | Problem, response: str) -> OracleRating:
    """Rate a response by working the question out and checking each of its steps.

    A step is right if it states a true value of a person, the total or the difference from true
    values that are given or were derived before it, operands of ``+`` and ``*`` in any order. A
    step that follows correctly from a wrong one is wrong, too: its numbers are not true. Right
    steps that are not needed, and repeated ones, cost nothing.

    Args:
        question: The question's text, or the problem.
        response: Any text; what is no step counts as a wrong one.

    Raises:
        ValueError: If the question is none of the built-in task.
    """
    problem = parse_question(question) if isinstance(question, str) else question
    right_steps = _right_steps(problem)
    derived, attempted = {problem.names[0]}, set()
    wrong: list[tuple[int, int]] = []
    for tokens, span in _sentences(response):
        label = tokens[0]
        attempted.add(label)
        found = right_steps.get(" ".join(tokens)) if len(tokens) == 7 else None
        if found is not None and found <= derived:
            derived.add(label)
        else:
            wrong.append(span)
    missing = sum(step.label not in attempted for step in problem.steps)
    answer = extract_answer(response, "arithmetic")
    stated = answer is not None and answer.rule not in FALLBACK_RULES
    answer_right = stated and is_correct(answer, str(problem.answer), "arithmetic")
    rating = BEST_RATING - len(wrong) - missing - (not answer_right)
    return OracleRating(max(WORST_RATING, rating), tuple(wrong), missing, answer_right)


def _right_steps(problem: Problem) -> dict[str, frozenset[str]]:
    """Map each right step, as text without its full stop, to whose values it builds on."""
    values = problem.values
    true: list[tuple[Step, frozenset[str]]] = []
    for person, relation in enumerate(problem.relations, start=1):
        step = Step(problem.names[person], values[relation.of], relation.operator, relation.amount, values[person])
        true.append((step, frozenset({problem.names[relation.of]})))
    if problem.asked != "value":
        true.append((problem.steps[-1], frozenset(problem.names[person] for person in problem.people)))
    texts = {}
    for step, needs in true:
        texts[_text(step)] = needs
        if step.operator != "-":
            texts[_text(Step(step.label, step.right, step.operator, step.left, step.result))] = needs
    return texts


def _text(step: Step) -> str:
    return str(step).removesuffix(" .")


def _sentences(response: str) -> Iterator[tuple[list[str], tuple[int, int]]]:
    """Split the COT before the marker into sentences: their words and their spans."""
    words: list[str] = []
    start = end = 0
    for token in _TOKEN.finditer(response):
        if token[0] == ANSWER_MARKER:
            break
        if not words:
            start = token.start()
        end = token.end()
        if token[0] == ".":
            # A lone full stop is a step as well: an empty one.
            yield words or ["."], (start, end)
            words = []
        else:
            words.append(token[0])
    if words:
        yield words, (start, end)
