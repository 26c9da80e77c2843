"""Letters and texts of choices, as responses name them."""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from aft.answers.found import Reading
from aft.answers.numbers import parse_number
from aft.data.examples import choice_letter

DEFAULT_CHOICE_COUNTS: Final = {"aqua": 5, "ecqa": 5, "mmlu": 4}
LONGEST_CHOICE: Final = 2000

_OPENING: Final = re.compile(
    r"(?:[\s:=\-–—>*_\"'`“”‘~$]|\\[(\[]|\\(?:text|textbf|mathrm|mathbf|boxed|fbox|box)\s?\{|,(?=\s)"
    r"|\b(?:therefore|thus|hence|indeed|clearly|likely|definitely|probably)\b,?"
    r"|\b(?:the\s+)?(?:(?:correct|right|best|final)\s+)?(?:option|choice|answer|letter)\b(?:\s+is\b|:|\s+(?=[\"'(\[]?[A-Za-z]\b)))*",
    re.IGNORECASE,
)
_LETTER: Final = re.compile(r"(?P<open>[(\[{])?\s?(?P<letter>[A-Za-z])(?P<close>\s?[)\]}])?")
# What may follow a bare letter that is meant as one: an end, punctuation, or a reason.
_AFTER_LETTER: Final = re.compile(
    r"\s*(?:$|[.,:;!?)\]}*_\"'`”\\$|—–]|-(?=\s)|(?:because|since|as|is|which|due|for|with|or|and)\b)", re.IGNORECASE
)
_AFTER_SMALL_LETTER: Final = re.compile(r"\s*(?:$|[.:;!?)\]}*_\"'`”\\$])")
_LETTERS_BEFORE_WORDS: Final = frozenset("AI")
_ALTERNATIVE: Final = re.compile(
    r"\s*[)\]}]?\s*(?:or|and|/|,|&|\|)\s*(?:option\s+|choice\s+)?[(\[]?(?P<letter>[A-Z])[)\]]?(?![A-Za-z'’])"
)
_BRACKETED_ALTERNATIVE: Final = re.compile(r"\b(?:or|and)\s+(?:option\s+|choice\s+)?[(\[](?P<letter>[A-Za-z])[)\]]")
_NEGATION: Final = re.compile(r"\b(?:not|neither|nor|never|except)\b|n['’]t\b", re.IGNORECASE)
# "The answer will be greater than 8.5" names a bound, not the answer.
_COMPARISON: Final = re.compile(
    r"\b(?:greater|larger|more|higher|bigger|less|smaller|fewer|lower)\s+than\b", re.IGNORECASE
)
_ARTICLE: Final = re.compile(r"(?:(?:that|a|an|the|to|in|at|on|it|is|they|you|he|she|would|be)\s+)*", re.IGNORECASE)
_UNIT: Final = re.compile(r"[A-Za-z.\s²³%]{0,20}$")


def letters_of(task: str, choices: Sequence[str] | None) -> str:
    """Return the letters a question's answer may be, such as ``ABCDE``."""
    count = len(choices) if choices else DEFAULT_CHOICE_COUNTS[task]
    return "".join(choice_letter(index) for index in range(count))


def choice_texts(choices: Sequence[str] | None) -> list[str]:
    """Return the texts of choices without a letter written before them (``A)24``, ``A)A)59``)."""
    texts = []
    for index, choice in enumerate(choices or ()):
        letter = choice_letter(index)
        texts.append(re.sub(rf"^\s*(?:\(?{letter}\s?[).:]\s?){{1,3}}(?=.)", "", choice[:LONGEST_CHOICE]).strip())
    return texts


def same_text(one: str, other: str) -> bool:
    """Tell whether two choices have the same text, case and white space aside."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def read_choice(text: str, start: int, end: int, letters: str, texts: Sequence[str]) -> Reading | None:
    """Read the choice that a statement names, by its letter or by its text.

    None if it names several, or none that there is.
    """
    statement = text[start:end]
    opening = _OPENING.match(statement)
    position = opening.end() if opening else 0
    found, hedged = _read_letter(statement, position, letters, texts)
    if found is None:
        found = _read_text(statement, position, texts)
    if found is None or hedged:
        return None
    return Reading(found.value, start + found.start, start + found.end, found.by_text)


def _read_letter(statement: str, position: int, letters: str, texts: Sequence[str]) -> tuple[Reading | None, bool]:
    """Read a letter, and tell whether another one is named as an alternative to it."""
    match = _LETTER.match(statement, position)
    if match is None:
        return None, False
    written, rest = match["letter"], statement[match.end() :]
    letter = written.upper()
    if letter not in letters:
        return None, False
    text = texts[letters.index(letter)] if texts else ""
    if not match["close"] and not _stands_alone(written, bool(match["open"]), rest, text):
        return None, False
    named = _text_pattern(text)
    own = named.search(rest[: LONGEST_CHOICE + 20]) if named else None
    after = rest[own.end() :] if own and not any(map(str.isalnum, rest[: own.start()])) else rest
    alternatives = (_ALTERNATIVE.match(after), _BRACKETED_ALTERNATIVE.search(after))
    others = letters.replace(letter, "")
    hedged = any(other is not None and other["letter"].upper() in others for other in alternatives)
    at = match.start("letter")
    return Reading(letter, at, at + 1), hedged


def _stands_alone(written: str, bracketed: bool, rest: str, text: str) -> bool:
    """Tell whether a letter without a closing bracket is a choice's and not part of a word or an article."""
    if rest[:1].isalnum() or (rest[:1] in ("'", "’", "-") and rest[1:2].isalpha()):
        return False
    if written.islower() and not bracketed:
        alone = _AFTER_SMALL_LETTER.match(rest) is not None
    else:
        alone = written.upper() not in _LETTERS_BEFORE_WORDS or _AFTER_LETTER.match(rest) is not None
    return alone or _starts_with(rest, text)


def _starts_with(rest: str, text: str) -> bool:
    pattern = _text_pattern(text)
    return pattern is not None and pattern.match(rest.lstrip()) is not None


def _text_pattern(choice: str) -> re.Pattern[str] | None:
    words = choice.rstrip(" .").split()
    if not words:
        return None
    escaped = r"[\s~\\]{1,4}".join(map(re.escape, words))
    # A number is not found inside a longer one, nor a word inside a longer word.
    return re.compile(rf"(?<![\w])(?<![0-9][.,]){escaped}(?!\w)(?![.,][0-9])", re.IGNORECASE)


def _read_text(statement: str, position: int, texts: Sequence[str]) -> Reading | None:
    hits: list[tuple[int, int, int]] = []
    for index, choice in enumerate(texts):
        pattern = _text_pattern(choice)
        if pattern and (hit := pattern.search(statement, max(0, position - 2))):
            hits.append((hit.start(), hit.end(), index))
    # "to a dog house" names the house, not also the dog inside it.
    hits = [hit for hit in hits if not any(_inside(hit, other) for other in hits)]
    article = _ARTICLE.match(statement, position)
    leading = [hit for hit in hits if article and position - 2 <= hit[0] <= article.end()]
    named = leading or hits
    if not named:
        return _read_value(statement, position, texts)
    first = min(hit[0] for hit in named)
    if not leading and any(words.search(statement, 0, first) for words in (_NEGATION, _COMPARISON)):
        return None
    start, end, index = named[0]
    if any(not same_text(texts[index], texts[other]) for _, _, other in named):
        return None
    return Reading(choice_letter(index), start, end, by_text=True)


def _inside(hit: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    return other[0] <= hit[0] and hit[1] <= other[1] and other[1] - other[0] > hit[1] - hit[0]


def _read_value(statement: str, position: int, texts: Sequence[str]) -> Reading | None:
    """Read a choice named by an equal number: ``$770`` for ``Rs. 770``."""
    literal = statement[position:].strip(" .*$\\()[]{}")
    said = _only_number(literal)
    if said is None:
        return None
    equal = [index for index, choice in enumerate(texts) if _only_number(choice) == said]
    if not equal or any(not same_text(texts[equal[0]], texts[other]) for other in equal):
        return None
    start = statement.index(literal, position)
    return Reading(choice_letter(equal[0]), start, start + len(literal), by_text=True)


def _only_number(text: str) -> Fraction | None:
    text = re.sub(r"^(?:Rs\.?|USD|\\?\$|[€£₹])\s?", "", text.strip()[:80])
    unit = _UNIT.search(text)
    return parse_number(text[: unit.start()] if unit else text)
