"""Reading a judge's reply: strictly, so that nonsense is asked again and never becomes a rating."""

import re
from dataclasses import dataclass
from typing import Final

LOWEST: Final = 1
HIGHEST: Final = 10
LONGEST_REPLY: Final = 200_000

_RATING_LINE: Final = re.compile(
    r"[ \t]{0,8}[*_#>`-]{0,4}[ \t]{0,3}(?:final[ \t]+)?rating[ \t]{0,3}[*_`]{0,3}[ \t]{0,3}[:=](?P<value>[^\n]{0,80})",
    re.IGNORECASE,
)
_VALUE: Final = re.compile(
    r"[ \t*_`\[(]{0,8}(?P<number>[0-9]{1,3})(?:[ \t]{0,2}/[ \t]{0,2}10)?[ \t*_`\])]{0,8}\.?[*_`]{0,3}"
)
_WRONG_STEP: Final = re.compile(
    r"^[ \t]{0,8}[-*•]{0,3}[ \t]{0,3}[*_`]{0,3}wrong step[*_`]{0,3}[ \t]{0,3}:[*_`]{0,3}[ \t]{0,8}"
    r"(?P<step>[^\n]{1,2000})$",
    re.IGNORECASE | re.MULTILINE,
)
_QUOTES: Final = "\"'“”‘’«»`*"


class Unreadable(ValueError):
    """The reply has not the form that was asked for."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reply says.

    Attributes:
        rating: 1 to 10.
        evidence: Everything before the rating.
        wrong_steps: Steps that the judge quoted as wrong, as it wrote them.
    """

    rating: int
    evidence: str
    wrong_steps: tuple[str, ...]


def parse_reply(text: str) -> Verdict:
    """Read a reply: evidence, then one rating as the last line.

    Raises:
        Unreadable: If there is no evidence, no rating, a rating that is no whole number from 1 to 10, two
            different ones, or something behind it.
    """
    text = text[:LONGEST_REPLY].replace("\r\n", "\n")
    lines = text.rstrip().split("\n")
    found = [(number, match) for number, line in enumerate(lines) if (match := _RATING_LINE.fullmatch(line))]
    if not found:
        raise Unreadable("it has no line with a rating")
    values = {_number(match["value"]) for _, match in found}
    if len(values) > 1:
        raise Unreadable("it has several different ratings")
    number, _ = found[-1]
    if any(line.strip() for line in lines[number + 1 :]):
        raise Unreadable("the rating is not its last line")
    evidence = "\n".join(lines[: found[0][0]]).strip()
    if not any(map(str.isalnum, evidence)):
        raise Unreadable("it gives no evidence before the rating")
    steps = tuple(step for match in _WRONG_STEP.finditer(evidence) if (step := match["step"].strip(_QUOTES + " \t")))
    return Verdict(values.pop(), evidence, steps)


def _number(written: str) -> int:
    match = _VALUE.fullmatch(written.rstrip())
    if match is None:
        raise Unreadable(f"its rating {written.strip()[:40]!r} is no whole number")
    number = int(match["number"])
    if not LOWEST <= number <= HIGHEST:
        raise Unreadable(f"its rating {number} is not from {LOWEST} to {HIGHEST}")
    return number


def find_step(step: str, candidate: str) -> tuple[int, int] | None:
    """Find a quoted step in the candidate, white space aside; None unless it stands there word for word.

    Returns:
        Character positions ``(start, end)`` of its first place.
    """
    words = step.split()
    if not words or len(words) > 400:
        return None
    match = re.search(r"\s+".join(map(re.escape, words)), candidate)
    if match is None and (shorter := step.rstrip(" .")) != step:
        return find_step(shorter, candidate)
    return match.span() if match else None
