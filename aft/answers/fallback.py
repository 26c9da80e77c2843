"""Choices that are named without a marker before them."""

import re
from collections.abc import Sequence
from typing import Final

from aft.answers.choices import read_choice
from aft.answers.found import Reading

_SAID_CORRECT: Final = re.compile(
    r"(?:[(\[](?P<bracketed>[A-Za-z])[)\]]|\b(?:[Oo]ption|[Cc]hoice|[Aa]nswer)\s{1,3}[(\[]?(?P<named>[A-Z])[)\]]?)"
    r"(?:\s{1,3}[^\s.()\n]{1,30}){0,4}?"
    r"\s{1,3}(?:is|must\s{1,3}be|would\s{1,3}be)\s{1,3}(?:therefore\s{1,3}|thus\s{1,3})?(?:the\s{1,3})?"
    r"(?:most\s{1,3}(?:likely|appropriate|suitable)|only\s{1,3}(?:correct|possible)|correct|right|best|answer)\b",
)
_LISTED: Final = re.compile(r"^[ \t]{0,8}[*_-]{0,3}[ \t]{0,3}\(?(?P<letter>[A-Z])[).:]", re.MULTILINE)
_LONGEST_LINE: Final = 400


def choice_said_correct(text: str, end: int, letters: str) -> Reading | None:
    """Find the last "(C) is correct", "option C is the best answer"."""
    found = None
    for match in _SAID_CORRECT.finditer(text, 0, end):
        group = "bracketed" if match["bracketed"] else "named"
        letter = match[group].upper()
        if letter in letters:
            found = Reading(letter, match.start(group), match.end(group))
    return found


def last_line(text: str, end: int, letters: str, texts: Sequence[str]) -> Reading | None:
    """Read a last line that is nothing but a choice: ``C``, ``(C) office``, ``office``.

    A line of a list of the choices is not meant as the answer.
    """
    stop = end
    while stop > 0 and text[stop - 1].isspace():
        stop -= 1
    start = text.rfind("\n", 0, stop) + 1
    if start == stop or stop - start > _LONGEST_LINE + max(map(len, texts), default=0):
        return None
    reading = read_choice(text, start, stop, letters, texts)
    if reading is None or any(map(str.isalnum, text[start : reading.start])):
        return None
    rest = text[reading.end : stop]
    if not reading.by_text and texts:
        rest = re.sub(re.escape(texts[letters.index(reading.value)]), "", rest, count=1, flags=re.IGNORECASE)
    listed = {match["letter"] for match in _LISTED.finditer(text, 0, start)} & set(letters)
    if any(map(str.isalnum, rest)) or len(listed - {reading.value}) > 1:
        return None
    return reading
