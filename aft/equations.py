"""The equations of a COT, and which COTs of a question are distinct reasoning paths by them.

Rejection sampling fine-tuning (RFT) as first published keeps, of a question's right COTs, one for every distinct
*equation list*: the calculations in the order they are written. COTs that state a wrong calculation are left out.
Read with a parser of numbers, ``+ - * / %`` and brackets; nothing is evaluated as code.
"""

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from aft.answers.numbers import canonical
from aft.data.dedupe import same_text

_ANNOTATION: Final = re.compile(r"<<([^<>\n]{1,200})>>")
_SIGNS: Final = str.maketrans("×·÷−–[]$£€", "**/--()   ")
_TOKEN: Final = re.compile(
    r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)|(?P<sign>[-+*/()%=]|[xX](?=[\s(]{0,4}[\d.]))"
    r"|(?P<word>[^\W\d_]+|\s+)|(?P<other>.)"
)
_LONGEST_LINE: Final = 2000
_LONGEST_SIDE: Final = 60
_LONGEST_NUMBER: Final = 30
_DEEPEST: Final = 20


@dataclass(frozen=True, slots=True)
class Equation:
    """One calculation.

    Attributes:
        text: It in one form: ``48/2=24``.
        holds: Whether the left side comes to the right one, rounding to the digits written there allowed.
    """

    text: str
    holds: bool


def equations(cot: str) -> tuple[Equation, ...]:
    """List the calculations of a COT in their order.

    Where it has calculator annotations (``<<48/2=24>>``) they are what counts, as in GSM8K; otherwise the equations
    in its lines, with words aside: ``He has 5 + 3 = 8 apples`` is ``5+3=8``. A plain ``x = 8`` is none.
    """
    annotated = _ANNOTATION.findall(cot)
    found = []
    for line in annotated or cot.splitlines():
        found += _in_line(line[:_LONGEST_LINE].translate(_SIGNS))
    return tuple(found)


def distinct_paths(cots: Iterable[str]) -> list[bool]:
    """Tell for each COT whether it is kept: the first of its equation list, with every calculation right.

    A COT without any equation is its own path, unless its text repeats.
    """
    seen: set[Sequence[str] | str] = set()
    kept = []
    for cot in cots:
        listed = equations(cot)
        path = tuple(equation.text for equation in listed) or same_text(cot)
        kept.append(path not in seen and all(equation.holds for equation in listed))
        if kept[-1]:
            seen.add(path)
    return kept


def _in_line(line: str) -> list[Equation]:
    """Equations of one line; ``2 + 3 = 5 = 1 * 5`` is two."""
    found: list[Equation] = []
    run: list[str] = []
    for token in _TOKEN.finditer(line):
        if token["number"]:
            run.append(token["number"].replace(",", ""))
        elif token["sign"]:
            run.append("*" if token["sign"] in "xX" else token["sign"])
        elif token["other"]:
            found += _of_run(run)
            run = []
        # A word is no part of an equation, nor does it end one: 5 apples + 3 apples = 8 apples.
    return found + _of_run(run)


def _of_run(tokens: list[str]) -> list[Equation]:
    sides: list[list[str]] = [[]]
    for token in tokens:
        if token == "=":
            sides.append([])
        else:
            sides[-1].append(token)
    found = []
    for before, after in itertools.pairwise(sides):
        left, right = _trimmed(before, from_end=True), _trimmed(after, from_end=False)
        if len(left) < 3:
            continue
        said, comes_to = _value(right), _value(left)
        if said is None or comes_to is None:
            continue
        found.append(Equation(f"{''.join(left)}={canonical(said)}", _rounds_to(comes_to, said, right)))
    return found


def _trimmed(side: list[str], *, from_end: bool) -> list[str]:
    """The longest part next to the equals sign that is an expression: of ``2 5 + 3 =`` only ``5 + 3``."""
    side = side[-_LONGEST_SIDE:] if from_end else side[:_LONGEST_SIDE]
    size = len(side)
    parts = (side[start:] for start in range(size)) if from_end else (side[:stop] for stop in range(size, 0, -1))
    return next((part for part in parts if _value(part) is not None), [])


def _rounds_to(exact: Fraction, said: Fraction, written: Sequence[str]) -> bool:
    decimals = len(written[0].partition(".")[2]) if len(written) == 1 else 0
    return exact == said or (decimals > 0 and abs(exact - said) <= Fraction(1, 2 * 10**decimals))


class _Unreadable(Exception):  # never leaves this module
    pass


def _value(tokens: Sequence[str]) -> Fraction | None:
    """Work an expression out exactly; None if it is none."""
    try:
        value, end = _sum(tokens, 0, 0)
    except (_Unreadable, ZeroDivisionError):
        return None
    return value if end == len(tokens) else None


def _sum(tokens: Sequence[str], at: int, depth: int) -> tuple[Fraction, int]:
    value, at = _product(tokens, at, depth)
    while at < len(tokens) and tokens[at] in "+-":
        sign = 1 if tokens[at] == "+" else -1
        term, at = _product(tokens, at + 1, depth)
        value += sign * term
    return value, at


def _product(tokens: Sequence[str], at: int, depth: int) -> tuple[Fraction, int]:
    value, at = _factor(tokens, at, depth)
    while at < len(tokens) and tokens[at] in "*/":
        divides = tokens[at] == "/"
        factor, at = _factor(tokens, at + 1, depth)
        value = value / factor if divides else value * factor
    return value, at


def _factor(tokens: Sequence[str], at: int, depth: int) -> tuple[Fraction, int]:
    if at >= len(tokens) or depth > _DEEPEST:
        raise _Unreadable
    token = tokens[at]
    if token in "+-":
        value, at = _factor(tokens, at + 1, depth + 1)
        return (-value if token == "-" else value), at
    if token == "(":
        value, at = _sum(tokens, at + 1, depth + 1)
        if at >= len(tokens) or tokens[at] != ")":
            raise _Unreadable
        at += 1
    elif token[0] in ".0123456789" and len(token) <= _LONGEST_NUMBER:
        value, at = Fraction(token), at + 1
    else:
        raise _Unreadable
    if at < len(tokens) and tokens[at] == "%":
        value, at = value / 100, at + 1
    return value, at
