"""Problems of the built-in task: drawing them, writing them, reading them back.

A problem has a *home*, decided by a hash of its canonical form (names by order of first use, the
object dropped). The base corpus, training, validation and test draw from different homes, so no
problem of one is ever in another, not even under other names.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from random import Random
from typing import Final, Literal
from zlib import crc32

from aft.arithmetic.vocabulary import LARGEST_NUMBER, NAMES, OBJECTS

Operator = Literal["+", "-", "*"]
Asked = Literal["value", "total", "difference"]

LARGEST_START: Final = 18
LARGEST_VALUE: Final = 40
LARGEST_ADDEND: Final = 9
LARGEST_FACTOR: Final = 3
FEWEST_STEPS: Final = 2

HOMES: Final[dict[str, frozenset[int]]] = {
    "base": frozenset(range(7)),
    "train": frozenset({7}),
    "validation": frozenset({8}),
    "test": frozenset({9}),
}
"""Which homes a part draws its problems from."""


@dataclass(frozen=True, slots=True)
class Relation:
    """How many a person has, compared with another: ``values[of] operator amount``."""

    of: int
    operator: Operator
    amount: int


@dataclass(frozen=True, slots=True)
class Step:
    """One true step of a COT: ``label : left operator right = result``."""

    label: str
    left: int
    operator: Operator
    right: int
    result: int

    def __str__(self) -> str:
        return f"{self.label} : {self.left} {self.operator} {self.right} = {self.result} ."


@dataclass(frozen=True, slots=True)
class Problem:
    """Three people in the order of their sentences, and what is asked about them.

    Attributes:
        names: Their names, in the order of their sentences.
        thing: The object counted, in the plural.
        start: How many the first person has.
        relations: The second and the third person, each compared with an earlier one.
        asked: A person's value, or a total or difference of two people.
        people: Positions of the person or the two people asked about; for a difference the
            first has more.
    """

    names: tuple[str, str, str]
    thing: str
    start: int
    relations: tuple[Relation, Relation]
    asked: Asked
    people: tuple[int, ...]

    @property
    def values(self) -> tuple[int, int, int]:
        """How many each person has."""
        second, third = self.relations
        values = (self.start, apply(self.start, second.operator, second.amount))
        return *values, apply(values[third.of], third.operator, third.amount)

    @property
    def answer(self) -> int:
        """The number asked for."""
        values = self.values
        if self.asked == "value":
            return values[self.people[0]]
        return apply(values[self.people[0]], "+" if self.asked == "total" else "-", values[self.people[1]])

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that are needed, each after those it builds on."""
        values = self.values
        needed = set(self.people)
        if 2 in needed:
            needed.add(self.relations[1].of)
        steps = []
        for person in sorted(needed - {0}):
            relation = self.relations[person - 1]
            left, operator, right = values[relation.of], relation.operator, relation.amount
            steps.append(Step(self.names[person], left, operator, right, values[person]))
        if self.asked != "value":
            left, right = (values[person] for person in self.people)
            steps.append(Step(self.asked, left, "+" if self.asked == "total" else "-", right, self.answer))
        return tuple(steps)

    @property
    def question(self) -> str:
        """The question as text, single spaces between its tokens."""
        names, thing = self.names, self.thing
        sentences = [f"{names[0]} has {self.start} {thing} ."]
        for name, relation in zip(names[1:], self.relations, strict=True):
            sentences.append(f"{name} has {_COMPARISONS[relation.operator](relation.amount)} {names[relation.of]} .")
        asked = [names[person] for person in self.people]
        if self.asked == "value":
            sentences.append(f"How many {thing} does {asked[0]} have ?")
        elif self.asked == "total":
            sentences.append(f"How many {thing} do {asked[0]} and {asked[1]} have together ?")
        else:
            sentences.append(f"How many more {thing} does {asked[0]} have than {asked[1]} ?")
        return " ".join(sentences)


_COMPARISONS: Final = {
    "+": "{} more than".format,
    "-": "{} fewer than".format,
    "*": "{} times as many as".format,
}


def apply(left: int, operator: Operator, right: int) -> int:
    """Work out one step."""
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    return left * right


def generate_problem(rng: Random, homes: Collection[int] | None = None) -> Problem:
    """Draw a problem of two or three steps.

    Args:
        rng: Where the randomness comes from.
        homes: Homes that are allowed, such as ``HOMES["test"]``; any when left out.

    Raises:
        ValueError: If no home is allowed.
    """
    if homes is not None and not set(homes) & set(range(10)):
        raise ValueError(f"No problem lives in the homes {sorted(homes)}. Give some of 0 to 9.")
    while True:
        problem = _draw(rng, homes)
        if problem is not None:
            return problem


def _draw(rng: Random, homes: Collection[int] | None) -> Problem | None:
    # Most draws are thrown away, so names, which decide nothing, are drawn last.
    start = rng.choice(_STARTS)
    values, relations = [start], []
    for person in (1, 2):
        of = rng.randrange(person)
        operator = rng.choice(_OPERATORS)
        amount = rng.choice(_FACTORS if operator == "*" else _ADDENDS)
        value = apply(values[of], operator, amount)
        if not 1 <= value <= LARGEST_VALUE:
            return None
        values.append(value)
        relations.append(Relation(of, operator, amount))
    asked = rng.choice(_ASKED)
    people: tuple[int, ...] = (2,)
    if asked != "value":
        people = rng.choice(_PAIRS)
        if asked == "difference":
            if values[people[0]] == values[people[1]]:
                return None
            people = tuple(sorted(people, key=lambda person: -values[person]))
        elif values[people[0]] + values[people[1]] > LARGEST_NUMBER:
            return None
    needed = {*people, relations[1].of} if 2 in people else set(people)
    if len(needed - {0}) + (asked != "value") < FEWEST_STEPS:
        return None
    problem = Problem(("", "", ""), "", start, (relations[0], relations[1]), asked, people)
    if homes is not None and home(canonical_form(problem)) not in homes:
        return None
    ann, ben, eva = rng.sample(NAMES, 3)
    return replace(problem, names=(ann, ben, eva), thing=rng.choice(OBJECTS))


_STARTS: Final = range(1, LARGEST_START + 1)
_ADDENDS: Final = range(1, LARGEST_ADDEND + 1)
_FACTORS: Final = range(2, LARGEST_FACTOR + 1)
_OPERATORS: Final[tuple[Operator, ...]] = ("+", "-", "*")
_ASKED: Final[tuple[Asked, ...]] = ("value", "total", "difference")
_PAIRS: Final = ((0, 1), (0, 2), (1, 2))


def canonical_form(problem: Problem | str) -> str:
    """Write a problem so that equal problems get equal texts.

    People are numbered by order of first use and the object is dropped. Where two people are both
    compared with the first one, the order of their sentences does not matter either.

    Args:
        problem: A problem, or its question's text.

    Raises:
        ValueError: If the text is no question of this task.
    """
    if isinstance(problem, str):
        problem = parse_question(problem)
    second, third = problem.relations
    form = _write_form(problem, second, third, problem.people)
    if third.of == 0:
        swapped = tuple((0, 2, 1)[person] for person in problem.people)
        form = min(form, _write_form(problem, third, second, swapped))
    return form


def _write_form(problem: Problem, second: Relation, third: Relation, people: tuple[int, ...]) -> str:
    if problem.asked == "total":
        people = tuple(sorted(people))
    return (
        f"0 : {problem.start} . 1 : 0 {second.operator} {second.amount} ."
        f" 2 : {third.of} {third.operator} {third.amount} . {problem.asked} {' '.join(map(str, people))}"
    )


def home(canonical: str) -> int:
    """Return the home of a canonical form, 0 to 9."""
    return crc32(canonical.encode()) % 10


def parse_question(question: str) -> Problem:
    """Read a question of this task back.

    Raises:
        ValueError: If the text is no question of this task.
    """
    try:
        return _parse(question.split())
    except (IndexError, KeyError, ValueError) as error:
        shown = question if len(question) <= 80 else f"{question[:80]}…"
        raise ValueError(
            f"{shown!r} is no question of the built-in task arithmetic. Rate other tasks by answer or by a judge."
        ) from error


def _parse(tokens: list[str]) -> Problem:
    stops = [index for index, token in enumerate(tokens) if token == "."]
    if len(stops) != 3 or len(tokens) > 60:
        raise ValueError("three sentences are expected before the question")
    first, *others = (
        tokens[start:stop] for start, stop in zip([0, *(stop + 1 for stop in stops)], stops, strict=False)
    )
    ask = tokens[stops[-1] + 1 :]
    names = [first[0]]
    relations = []
    for sentence in others:
        operator = next(sign for sign, words in _COMPARISON_WORDS.items() if sentence[3:-1] == words)
        relations.append(Relation(names.index(sentence[-1]), operator, _whole(sentence[2])))
        names.append(sentence[0])
    if len(set(names)) != 3:
        raise ValueError("three people are expected")
    thing = first[3]
    asked: Asked
    people: tuple[int, ...]
    match ask:
        case ["How", "many", _, "does", name, "have", "?"]:
            asked, people = "value", (names.index(name),)
        case ["How", "many", _, "do", one, "and", other, "have", "together", "?"]:
            asked, people = "total", (names.index(one), names.index(other))
        case ["How", "many", "more", _, "does", one, "have", "than", other, "?"]:
            asked, people = "difference", (names.index(one), names.index(other))
        case _:
            raise ValueError("the question is not understood")
    problem = Problem(
        (names[0], names[1], names[2]), thing, _whole(first[2]), (relations[0], relations[1]), asked, people
    )
    if problem.question.split() != tokens:
        raise ValueError("the sentences are not understood")
    return problem


_COMPARISON_WORDS: Final[dict[Operator, list[str]]] = {
    "+": ["more", "than"],
    "-": ["fewer", "than"],
    "*": ["times", "as", "many", "as"],
}


def _whole(token: str) -> int:
    if not (token.isascii() and token.isdigit() and len(token) <= 9):
        raise ValueError(f"{token!r} is no whole number")
    return int(token)
