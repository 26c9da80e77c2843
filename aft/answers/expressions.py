r"""Mathematical answers as responses write them: ``\boxed{\frac{\pi}{2}}``, ``$x = 5$``, ``(1, 2)``, ``5 apples``.

Only what is said to be the answer is read here; whether it equals the gold answer is Math-Verify's to say
(`aft.answers.equality`).
"""

import itertools
import re
from typing import Final

from aft.answers.found import Reading
from aft.answers.numbers import canonical, last_number, mask_annotations, parse_number

LONGEST_EXPRESSION: Final = 400
"""Longest answer that is read, in characters; more is no answer but a derivation."""

_FORMULA: Final = re.compile(
    r"\$\$(?P<display>[^$]{1,400})\$\$|(?<!\\)\$(?P<inline>[^$\n]{1,400}?)(?<!\\)\$"
    r"|\\\((?P<round>.{1,400}?)\\\)|\\\[(?P<square>.{1,400}?)\\\]",
    re.DOTALL,
)
_LAST_FORMULA_WITHIN: Final = 2000
_OPENING: Final = re.compile(
    r"(?:[\s:*_\"'`“‘>]|\b(?:exactly|simply|just|therefore|thus|hence|equal\s+to|is)\b|=(?!=))*", re.IGNORECASE
)
_CLOSING: Final = " \t\n.,;:*_\"'`”’"
_BETWEEN: Final = re.compile(r"\s*(?:,|;|\band\b|\bor\b|,\s*and\b|,\s*or\b)\s*")
_UNITS: Final = re.compile(r"(?P<number>.*?[0-9.}%])\s*(?:(?:\\text|\\mathrm)\s?\{[^{}]*\}|(?:[A-Za-z]{2,}[²³]?\s*)+)")
_WRAPPED: Final = re.compile(r"(?:\\(?:text|textbf|mathrm|mathbf|boldsymbol)\s?)?\{(?P<inner>[^{}]*)\}")
_SPACING: Final = re.compile(r"(?<!\\)\\[,;: ]|~|\\displaystyle|\\q?quad")
_NEGATIVE_SPACE: Final = re.compile(r"(?<!\\)\\!")
# A number behind one of these is a part of what is written there: 2\sqrt{3}, x_1, 2^5.
_PART_OF: Final = frozenset("{^_\\(")


def read_expression(text: str, start: int, end: int) -> Reading | None:
    """Read the expression that a statement states.

    A formula between dollar signs wins over the words around it; several count together only where nothing but
    commas and "and" stands between them. Without one the whole statement counts, a unit after a number aside.

    Args:
        text: The response.
        start: Where the statement starts.
        end: Where it ends.
    """
    if text[start:end].rstrip().endswith("?") or text[end : end + 1] == "?":
        return None
    formulas = list(_FORMULA.finditer(text, start, end))
    if formulas:
        joined = all(_BETWEEN.fullmatch(text, one.end(), other.start()) for one, other in itertools.pairwise(formulas))
        opening = _OPENING.match(text, start, end)
        if joined or (opening and opening.end() == formulas[0].start()):
            counted = formulas if joined else formulas[:1]
            value = ", ".join(_inside(formula) for formula in counted)
            return _reading(value, counted[0].start(), counted[-1].end())
    opening = _OPENING.match(text, start, end)
    first = opening.end() if opening else start
    body = text[first:end].rstrip(_CLOSING)
    return _reading(body, first, first + len(body))


def last_expression(text: str, end: int) -> Reading | None:
    r"""Read the last formula between dollar signs, or the last number where one stands behind it.

    Of an equation the last side counts. A number inside a larger expression, such as the 3 of ``2\sqrt{3}``, is
    not taken for it.
    """
    start = max(0, end - _LAST_FORMULA_WITHIN)
    formula = None
    for formula in _FORMULA.finditer(text, start, end):  # noqa: B007  # the last one is wanted
        pass
    number = last_number(text, end)
    if formula is None or (number is not None and number.start >= formula.end()):
        if number is None or text[max(0, number.start - 1) : number.start] in _PART_OF:
            return None
        return number
    return _reading(_inside(formula).rpartition("=")[2], formula.start(), formula.end())


def last_box(text: str) -> str | None:
    r"""Return what the last ``\boxed{}`` of a reference COT holds, or None where there is none."""
    start = text.rfind("\\boxed{")
    if start < 0:
        return None
    depth = 0
    for position in range(start + len("\\boxed"), len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return text[start + len("\\boxed{") : position].strip() or None
    return None


def expression_text(text: str) -> str | None:
    """Bring an expression to the form it is stored and compared in; None where nothing is stated, or too much.

    Numbers become canonical, units behind a number and spacing commands are dropped, white space is collapsed.
    """
    if len(text) > LONGEST_EXPRESSION:
        return None
    grouped = _NEGATIVE_SPACE.sub("", mask_annotations(text)).strip(_CLOSING)
    if (number := parse_number(grouped)) is not None:  # 10\\,000, before spacing goes
        return canonical(number)
    plain = " ".join(_SPACING.sub(" ", grouped).split()).strip(_CLOSING)
    if plain.startswith("$") and plain.endswith("$") and plain.count("$") == 2:
        plain = plain[1:-1].strip()
    if not any(map(str.isalnum, plain)):
        return None
    number = parse_number(plain)
    if number is None and (quantity := _UNITS.fullmatch(plain)):
        number = parse_number(quantity["number"])
    return plain if number is None else canonical(number)


def words_of(expression: str) -> str | None:
    r"""Return the words of an answer that is a word and no formula (``\text{Evelyn}``, ``odd``), otherwise None.

    Math-Verify would read a bare word as a product of its letters, and "saw" as equal to "was".
    """
    wrapped = _WRAPPED.fullmatch(expression)
    plain = wrapped["inner"] if wrapped else expression
    is_word = wrapped is not None or len(plain) > 2
    return plain.strip().casefold() if is_word and plain.replace(" ", "").isalpha() else None


def _inside(formula: re.Match[str]) -> str:
    return str(formula[str(formula.lastgroup)]).strip()


def _reading(value: str, start: int, end: int) -> Reading | None:
    stored = expression_text(value)
    return None if stored is None else Reading(stored, start, end)
