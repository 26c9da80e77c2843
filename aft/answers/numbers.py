"""Numbers as people and models write them, read exactly.

Everything is a `Fraction`: no rounding, and no power of ten that a text of ten characters could blow up.
"""

import re
import unicodedata
from fractions import Fraction
from typing import Final

from aft.answers.found import Reading

_MOST_DIGITS: Final = 100
_LARGEST_EXPONENT: Final = 100
_MINUS: Final = "-−–"

_GROUP: Final = r"(?:,|\{,\}|\\,|\\!|[\u00a0\u2009\u202f])"
_DIGITS: Final = rf"(?:[0-9]{{1,3}}(?:{_GROUP}[0-9]{{2,3}}){{0,30}}{_GROUP}[0-9]{{3}}(?![0-9])|[0-9]+)"
_PLAIN: Final = rf"(?:{_DIGITS}(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+\-−]?[0-9]+(?![A-Za-z0-9]))?"
_CURRENCY: Final = r"(?:\\?\$|US\$|[€£¥₹])"
_NUMBER: Final = re.compile(
    rf"""
    (?<![A-Za-z0-9_.\\])(?<![0-9],)
    (?P<sign>(?<![A-Za-z0-9)\]}}])[{_MINUS}]\s?(?=[$€£¥₹\\])|(?<![A-Za-z0-9)\]}}][ ])(?<![A-Za-z0-9)\]}}])[{_MINUS}])?
    (?P<currency>{_CURRENCY}\s?)?
    (?P<inner>(?<=[$€£¥₹\s])[{_MINUS}])?
    (?:
        (?:(?P<whole>[0-9]{{1,30}})(?:\s|\\[ ,;!])?)?
        \\[dt]?frac\s?\{{\s?(?P<numerator>[{_MINUS}]?[0-9]{{1,100}})\s?\}}\s?\{{\s?(?P<denominator>[0-9]{{1,100}})\s?\}}
      | (?P<whole2>[0-9]{{1,30}})?[ ]?(?P<vulgar>[¼½¾⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞])
      | (?P<whole3>[0-9]{{1,30}})[ ](?P<over3>[0-9]{{1,30}})/(?P<under3>[0-9]{{1,30}})
      | (?P<over>{_PLAIN})(?:\s?/\s?(?P<under>{_PLAIN}))?
    )
    """,
    re.VERBOSE,
)
# What would make the number only a part of something else: 12,34  1.2.3  10:30  5-6  12 + 3  4 \times 2  2^3
_CONTINUES: Final = re.compile(
    r"(?:,[0-9]|\.[0-9]|:[0-9]|/[0-9]|[0-9]"
    r"|[ \t]{0,3}(?:[-+*/×÷·^−–]|\*\*|\\times|\\cdot|\\div|x(?=\s{0,2}[0-9]))[ \t]{0,3}[({]{0,2}\\?\$?[0-9.]{1,2}"
    r"|[ \t]{0,3}(?:[+×÷^−]|\\times|\\cdot|\\div)[ \t]{0,3}\S)"
)
_BEFORE: Final = re.compile(
    r"(?:[\s:=*_~\"'`“‘(\[{>|]|\\[(\[]|\\(?:text|mathrm|mathbf|textbf|boldsymbol)\s?\{|\\(?=\$)"
    r"|\b(?:exactly|about|approximately|approx\.?|only|around|equal\s+to|equals|a\s+total\s+of|Rs\.?|USD|is|are|be)\b)*",
    re.IGNORECASE,
)
_ANNOTATION: Final = re.compile(r"<<[^<>\n]{0,200}>>")


def canonical(number: Fraction) -> str:
    """Write a number so that equal numbers get equal texts: ``1218``, ``2.5``, ``-1/3``."""
    numerator, denominator = number.numerator, number.denominator
    if denominator == 1:
        return str(numerator)
    twos = fives = 0
    while denominator % 2 == 0:
        denominator, twos = denominator // 2, twos + 1
    while denominator % 5 == 0:
        denominator, fives = denominator // 5, fives + 1
    if denominator != 1:
        return f"{numerator}/{number.denominator}"
    places = max(twos, fives)
    digits = str(abs(numerator) * 10**places // number.denominator).rjust(places + 1, "0")
    return f"{'-' if numerator < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def parse_number(text: str) -> Fraction | None:
    """Read a text that is nothing but a number, a currency or percent sign and a full stop aside."""
    text = text.strip()
    match = _NUMBER.match(text)
    if match is None or text[match.end() :].strip() not in ("", ".", "%", "%.", "\\%", "$"):
        return None
    return _value(match)


def mask_annotations(text: str) -> str:
    """Blank the calculator annotations ``<<48/2=24>>`` of GSM8K, keeping every position."""
    return _ANNOTATION.sub(lambda match: " " * len(match[0]), text)


def read_number(text: str, start: int, end: int, *, only_first: bool = False) -> Reading | None:
    """Read the number that a statement states.

    The number right at its start counts, unless a calculation begins there: then the one after the last
    equals sign. Otherwise the only number there is; with several nothing is stated.

    Args:
        text: The response.
        start: Where the statement starts.
        end: Where it ends.
        only_first: Accept a number at the start or after an equals sign only.
    """
    statement = mask_annotations(text[start:end])
    if statement.rstrip().endswith("?") or text[end : end + 1] == "?":
        return None
    body = statement.rstrip(" .*_\n")
    opening = _BEFORE.match(body)
    first = opening.end() if opening else 0
    reading = _number_at(body, first)
    equals = _last_equals(body)
    if reading is None or (equals > reading.end and not _said_aside(body, reading.end, equals)):
        after = _BEFORE.match(body, equals + 1) if equals >= 0 else None
        result = _number_at(body, after.end()) if after else None
        reading = result or reading
    if reading is None and not only_first:
        found = {number.value: number for number in _numbers(body)}
        reading = next(iter(found.values())) if len(found) == 1 else None
    return None if reading is None else Reading(reading.value, start + reading.start, start + reading.end)


def last_number(text: str, end: int) -> Reading | None:
    """Read the last number of a text, looking at its last few hundred characters with a digit only."""
    last_digit = max(text.rfind(digit, 0, end) for digit in "0123456789")
    if last_digit < 0:
        return None
    start, stop = max(0, last_digit - 300), min(end, last_digit + 20)
    window = mask_annotations(text[start:stop])
    last: Reading | None = None
    for match in _NUMBER.finditer(window):
        if start and match.start() == 0:
            continue
        value = _value(match)
        last = None if value is None else _reading(match, value)
    return None if last is None else Reading(last.value, start + last.start, start + last.end)


def _last_equals(body: str) -> int:
    for position in range(len(body) - 1, -1, -1):
        if body[position] in "=≈" and body[position - 1 : position] not in ("<", ">", "!"):
            return position
    return -1


def _said_aside(body: str, start: int, equals: int) -> bool:
    """Tell whether an equals sign stands in brackets or another clause, as in ``18 (12 + 6 = 18)``."""
    between = body[start:equals]
    return between.count("(") > between.count(")") or "," in between or ";" in between


def _number_at(body: str, position: int) -> Reading | None:
    for start in (position, position - 1, position - 2):
        # The opening may have eaten a currency or an escape that belongs to the number.
        match = _NUMBER.match(body, start) if 0 <= start <= len(body) else None
        if match and match.end() > position:
            break
    else:
        return None
    if _CONTINUES.match(body, match.end()):
        return None
    value = _value(match)
    return None if value is None else _reading(match, value)


def _numbers(body: str) -> list[Reading]:
    readings = []
    for match in _NUMBER.finditer(body):
        value = _value(match)
        if value is None or _CONTINUES.match(body, match.end()):
            # Part of a calculation: what it comes to is not stated.
            return []
        readings.append(_reading(match, value))
    return readings


def _reading(match: re.Match[str], value: Fraction) -> Reading:
    return Reading(canonical(value), match.start(), match.end())


def _value(match: re.Match[str]) -> Fraction | None:
    groups = match.groupdict()
    value: Fraction | None
    if groups["denominator"]:
        top = groups["numerator"].replace("−", "-").replace("–", "-")
        value = _ratio(Fraction(int(top)), Fraction(int(groups["denominator"])), groups["whole"])
    elif groups["vulgar"]:
        part = Fraction(unicodedata.numeric(groups["vulgar"])).limit_denominator(10)
        value = Fraction(int(groups["whole2"] or 0)) + part
    elif groups["under3"]:
        value = _ratio(Fraction(int(groups["over3"])), Fraction(int(groups["under3"])), groups["whole3"])
    else:
        value = _plain(groups["over"])
        if value is not None and groups["under"]:
            under = _plain(groups["under"])
            value = None if under is None else _ratio(value, under, None)
    if value is not None and bool(groups["sign"]) != bool(groups["inner"]):
        value = -value
    return value


def _ratio(top: Fraction, bottom: Fraction, whole: str | None) -> Fraction | None:
    return None if bottom == 0 else int(whole or 0) + top / bottom


def _plain(literal: str) -> Fraction | None:
    mantissa, _, exponent = literal.replace("−", "-").lower().partition("e")
    digits = re.sub(_GROUP, "", mantissa)
    if len(digits) > _MOST_DIGITS or len(exponent) > 5 or abs(int(exponent or 0)) > _LARGEST_EXPONENT:
        return None
    return Fraction(f"{digits}e{exponent}" if exponent else digits)
