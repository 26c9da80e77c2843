"""Examples and pre-training text of the built-in task."""

from collections.abc import Iterator
from hashlib import blake2s
from random import Random
from typing import Final

from aft.arithmetic.problems import HOMES, Operator, Problem, Step, apply, generate_problem
from aft.arithmetic.vocabulary import LARGEST_NUMBER, SEP
from aft.data.examples import Example
from aft.data.prompts import response_text

EQUATION_SHARE: Final = 0.15
BARE_PROBLEM_SHARE: Final = 0.05
CORRUPTED_SHARE: Final = 0.85
SLIP_SHARE: Final = 0.05
_LARGEST_SLIP: Final = 3
_OPERATORS: Final[tuple[Operator, ...]] = ("+", "-", "*")


def make_examples(part: str, n: int, seed: int) -> list[Example]:
    """Make the questions of one part of the data set, each with one reference COT.

    Examples of different parts share no problem whatever the seeds; within a part the questions
    differ as texts. The first ``n`` examples are the same for any larger ``n``.

    Args:
        part: ``train``, ``validation`` or ``test``, or ``base`` for problems of the base corpus.
        n: How many.
        seed: Other seeds give other questions of the same part.

    Raises:
        ValueError: If the part is unknown, ``n`` is negative, or the part has too few questions.
    """
    if part not in HOMES:
        raise ValueError(f"Unknown part {part!r}. Use one of {', '.join(HOMES)}.")
    if n < 0:
        raise ValueError(f"{n} examples cannot be made. Ask for 0 or more.")
    rng = Random(f"arithmetic examples {part} {seed}")
    examples: dict[str, Example] = {}
    repeats = 0
    while len(examples) < n:
        problem = generate_problem(rng, HOMES[part])
        question = problem.question
        if question in examples:
            repeats += 1
            if repeats > 100 * n + 1000:
                raise ValueError(f"Part {part!r} has fewer than {n} questions. Ask for at most {len(examples)}.")
            continue
        cot = " ".join(map(str, write_steps(problem, rng)))
        identity = f"arithmetic-{blake2s(question.encode(), digest_size=8).hexdigest()}"
        examples[question] = Example(
            id=identity,
            question=question,
            reference=cot,
            answer=str(problem.answer),
            task="arithmetic",
            part=part,
        )
    return list(examples.values())


def write_steps(problem: Problem, rng: Random) -> list[Step]:
    """Write the steps of a problem in one of its valid orders, with operands commuted at random."""
    steps = list(problem.steps)
    # The only freedom in the order: two people who are both compared with the first one.
    if len(steps) == 3 and problem.relations[1].of == 0 and rng.random() < 0.5:
        steps[0], steps[1] = steps[1], steps[0]
    return [_commute(step, rng) for step in steps]


def _commute(step: Step, rng: Random) -> Step:
    if step.operator == "-" or rng.random() < 0.5:
        return step
    return Step(step.label, step.right, step.operator, step.left, step.result)


def pretraining_rows(
    seed: int,
    rows: int | None = None,
    *,
    equation_share: float = EQUATION_SHARE,
    bare_problem_share: float = BARE_PROBLEM_SHARE,
    corrupted_share: float = CORRUPTED_SHARE,
    slip_share: float = SLIP_SHARE,
) -> Iterator[str]:
    """Draw the text of the base corpus, row by row and without end unless ``rows`` is given.

    A row is some true equations, a bare question, or ``question <sep> COT [ANS] answer``; the other
    marks (``<bos>``, ``<eos>``) are the tokeniser's. Most steps of the COTs are corrupted, so
    the base model learns to write and to calculate but seldom which numbers to combine. Only
    problems whose home is the base corpus are drawn.

    Args:
        seed: Other seeds give other rows.
        rows: How many rows; endless when left out.
        equation_share: Share of rows of true equations.
        bare_problem_share: Share of rows that are a question only.
        corrupted_share: Probability that a step's operator and operands are random. Its arithmetic
            stays true and later steps build on its result.
        slip_share: Probability that a step's result is off by a little.

    Raises:
        ValueError: If a share is outside 0 to 1, or the two shares of rows exceed 1 together.
    """
    shares = {
        "equation_share": equation_share,
        "bare_problem_share": bare_problem_share,
        "corrupted_share": corrupted_share,
        "slip_share": slip_share,
    }
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise ValueError(f"{name} is {share}. Give a share from 0 to 1.")
    if equation_share + bare_problem_share > 1:
        raise ValueError(
            f"equation_share {equation_share} and bare_problem_share {bare_problem_share} exceed 1 together. Lower one."
        )
    return _draw_rows(seed, rows, equation_share, bare_problem_share, corrupted_share, slip_share)


def _draw_rows(
    seed: int,
    rows: int | None,
    equation_share: float,
    bare_problem_share: float,
    corrupted_share: float,
    slip_share: float,
) -> Iterator[str]:
    rng = Random(f"arithmetic base corpus {seed}")
    written = 0
    while rows is None or written < rows:
        written += 1
        kind = rng.random()
        if kind < equation_share:
            yield _equations(rng)
            continue
        problem = generate_problem(rng, HOMES["base"])
        if kind < equation_share + bare_problem_share:
            yield problem.question
            continue
        steps = corrupt_steps(problem, rng, corrupted_share, slip_share)
        response = response_text(" ".join(map(str, steps)), str(steps[-1].result), "arithmetic")
        yield f"{problem.question} {SEP} {response}"


def _equations(rng: Random, count: int = 8) -> str:
    equations = []
    for _ in range(count):
        operator = rng.choice(_OPERATORS)
        left = rng.randint(1, LARGEST_NUMBER)
        if operator == "+":
            right = rng.randint(0, LARGEST_NUMBER - left)
        elif operator == "-":
            right = rng.randint(0, left)
        else:
            left, right = rng.randint(1, LARGEST_NUMBER // 3), rng.randint(1, 3)
        equations.append(f"{left} {operator} {right} = {apply(left, operator, right)} .")
    return " ".join(equations)


def corrupt_steps(problem: Problem, rng: Random, corrupted_share: float, slip_share: float) -> list[Step]:
    """Write the steps of a problem with random faults; later steps use the values written before.

    Args:
        problem: The problem solved.
        rng: Where the randomness comes from.
        corrupted_share: Probability of a random operator and random operands.
        slip_share: Probability of a result that is off by up to 3.
    """
    written: dict[str, int] = {problem.names[0]: problem.start}
    numbers = [problem.start, *(relation.amount for relation in problem.relations)]
    steps = []
    for true in write_steps(problem, rng):
        step = _rebase(true, problem, written)
        if step is None or rng.random() < corrupted_share:
            left, operator, right = _random_operands(numbers, rng)
            step = Step(true.label, left, operator, right, apply(left, operator, right))
        if rng.random() < slip_share:
            step = _slip(step, rng)
        written[step.label] = step.result
        numbers.append(step.result)
        steps.append(step)
    return steps


def _rebase(step: Step, problem: Problem, written: dict[str, int]) -> Step | None:
    """Redo a true step with the values written so far; None where that leaves the range of numbers."""
    if step.label in problem.names:
        relation = problem.relations[problem.names.index(step.label) - 1]
        base, amount = written[problem.names[relation.of]], relation.amount
        commuted = step.operator != "-" and step.left == relation.amount
        left, right = (amount, base) if commuted else (base, amount)
    else:
        one, other = (written[problem.names[person]] for person in problem.people)
        commuted = step.operator == "+" and step.left != problem.values[problem.people[0]]
        left, right = (other, one) if commuted else (one, other)
    result = apply(left, step.operator, right)
    return Step(step.label, left, step.operator, right, result) if 0 <= result <= LARGEST_NUMBER else None


def _random_operands(numbers: list[int], rng: Random) -> tuple[int, Operator, int]:
    while True:
        (left, right), operator = rng.sample(numbers, 2), rng.choice(_OPERATORS)
        if 0 <= apply(left, operator, right) <= LARGEST_NUMBER:
            return left, operator, right


def _slip(step: Step, rng: Random) -> Step:
    near = range(max(0, step.result - _LARGEST_SLIP), min(LARGEST_NUMBER, step.result + _LARGEST_SLIP) + 1)
    wrong = rng.choice([number for number in near if number != step.result])
    return Step(step.label, step.left, step.operator, step.right, wrong)
