"""Read the gold answer of a data row: a number, an expression, or the letter of a choice.

This parses what data sets store, strictly. What models write is read by `aft.answers`.
"""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from aft.answers.expressions import LONGEST_EXPRESSION, expression_text
from aft.data.examples import CHOICE_TASKS, EXPRESSION_TASK, choice_letter

_NUMBER: Final = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d{1,3})?(?:/[1-9]\d*)?")
_LONGEST_NUMBER: Final = 1000
_MARKERS: Final = ("####", "[ANS]")
_PHRASES: Final = (
    ("A:", re.compile(r"^[ \t]*A:[ \t]*([^\n]*)$", re.MULTILINE)),
    (
        "answer is",
        re.compile(r"(?:(?:[Ss]o|[Tt]herefore|[Hh]ence),? )?[Tt]he (?:final |correct )?answer is:?[ \t]*([^\n]*)"),
    ),
)
_LABEL: Final = re.compile(r"\s*\(?([A-Za-z0-9])\s*[).:]\s*")


def split_reference(text: str) -> tuple[str, str] | None:
    """Cut a reference COT at its last answer marker: ``####``, ``[ANS]``, ``A:`` or "the answer is".

    Returns:
        The COT without the marker and what follows it, or None where there is no marker.
    """
    for marker in _MARKERS:
        start = text.rfind(marker)
        if start >= 0 and (answer := text[start + len(marker) :].strip().split("\n", 1)[0].strip()):
            return text[:start].rstrip(), answer
    for words, phrase in _PHRASES:
        if words in text and (found := list(phrase.finditer(text))) and (answer := found[-1][1].strip()):
            return text[: found[-1].start()].rstrip(), answer
    return None


def number_text(value: Any) -> str:
    """Bring a gold number to its plain form: no thousands commas, currency or percent signs.

    Raises:
        ValueError: If it is not one finite number.
    """
    if type(value) is str and len(value) <= _LONGEST_NUMBER and value.isascii() and value.isdigit():
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"The gold answer {_short(value)} is not a number.")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip().replace("−", "-")
    sign = text[:1] if text[:1] in ("-", "+") else ""
    plain = sign + text[len(sign) :].strip().removeprefix("$").removesuffix(".").removesuffix("%").strip()
    if len(plain) > _LONGEST_NUMBER or not any(map(str.isdigit, plain)) or not _NUMBER.fullmatch(plain):
        raise ValueError(f"The gold answer {_short(value)} is not a number. Give a number such as 18, -3.5 or 1/2.")
    plain = plain.replace(",", "").removeprefix("+")
    try:
        for part in plain.split("/"):
            Decimal(part)
    except InvalidOperation as error:
        raise ValueError(f"The gold answer {_short(value)} is not a number.") from error
    return plain


def expression(value: Any) -> str:
    """Bring a gold expression to the form it is compared in.

    Raises:
        ValueError: If it is no text or number, empty, or too long for an answer.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"The gold answer {_short(value)} is no mathematical expression.")
    text = expression_text(str(value))
    if text is None:
        raise ValueError(
            f"The gold answer {_short(value)} is no mathematical expression of at most {LONGEST_EXPRESSION} characters."
        )
    return text


def choice_texts(value: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read the choices of a row in any of their published forms.

    ``["A)24", ...]``, ``["24", ...]``, ``[{"label", "text"}, ...]``, ``{"label": [...], "text": [...]}``,
    ``{"A": "24", ...}``, or one text with a choice a line.

    Returns:
        Labels as the source has them (letters by place where it has none), and texts without labels.

    Raises:
        ValueError: If there are fewer than two choices, or one is not a text.
    """
    if isinstance(value, str):
        lines = [line.strip() for line in value.replace("\\n", "\n").splitlines()]
        value = [line.removeprefix("- ") for line in lines if line]
    labels: list[Any] | None = None
    if isinstance(value, dict):
        if isinstance(value.get("text"), list) and isinstance(value.get("label"), list):
            labels, value = value["label"], value["text"]
        else:
            labels, value = list(value), list(value.values())
    if not isinstance(value, list | tuple):
        raise ValueError(f"The choices {_short(value)} are not a list.")
    if value and all(isinstance(item, dict) for item in value):
        labels = [item.get("label", choice_letter(i)) for i, item in enumerate(value)]
        value = [item.get("text") for item in value]
    if not 2 <= len(value) <= 26:
        raise ValueError(f"The row has {len(value)} choices; 2 to 26 are read.")
    texts = [_choice(item) for item in value]
    if labels is None:
        return _letters(len(texts)), _without_labels(texts)
    if len(labels) != len(texts):
        raise ValueError(f"The row has {len(labels)} labels for {len(texts)} choices.")
    return tuple(str(label).strip() for label in labels), tuple(texts)


def _letters(count: int) -> tuple[str, ...]:
    return tuple(map(choice_letter, range(count)))


def _choice(item: Any) -> str:
    if isinstance(item, bool) or not isinstance(item, str | int | float):
        raise ValueError(f"The choice {_short(item)} is not a text.")
    return str(item).strip()


def _without_labels(texts: Sequence[str]) -> tuple[str, ...]:
    """Drop ``A)`` to ``E)`` where every choice has its own; AQUA-RAT has some of them twice."""
    for letters in (_letters(len(texts)), tuple(letter.lower() for letter in _letters(len(texts)))):
        found = [_LABEL.match(text) for text in texts]
        if all(match and match[1] == letter for match, letter in zip(found, letters, strict=True)):
            return tuple(_without(text, letter) for text, letter in zip(texts, letters, strict=True))
    return tuple(texts)


def _without(text: str, letter: str) -> str:
    while (match := _LABEL.match(text)) and match[1] == letter:
        text = text[match.end() :]
    return text.strip()


def choice_answer(value: Any, labels: Sequence[str], texts: Sequence[str]) -> str:
    """Find the letter of the right choice.

    A label wins over a text, so a choice that reads "B" is not taken for choice B. Of choices with the
    same text (146 ECQA questions have two) the first is taken; nothing in such a row tells them apart.

    Args:
        value: A label, the choice's text, or its place counted from 0 (MMLU's Parquet form).
        labels: The source's labels of the choices.
        texts: The choices' texts.

    Raises:
        ValueError: If it is none of the choices.
    """
    letters = _letters(len(texts))
    if isinstance(value, int) and not isinstance(value, bool) and str(value) not in labels:
        if 0 <= value < len(texts):
            return letters[value]
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        text = str(value).strip()
        bare = text.strip("().: ").casefold()
        for label, letter in zip(labels, letters, strict=True):
            if bare == label.casefold():
                return letter
        for same in (lambda a, b: a == b, lambda a, b: _plain(a) == _plain(b)):
            for choice, letter in zip(texts, letters, strict=True):
                if text and same(choice, text):
                    return letter
    raise ValueError(
        f"The gold answer {_short(value)} is none of the {len(texts)} choices. "
        f"Give a letter from {letters[0]} to {letters[-1]} or the text of a choice."
    )


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold().rstrip(".")


def gold_answer(value: Any, task: str, labels: Sequence[str], texts: Sequence[str] | None) -> str:
    """Read a gold answer for a task.

    Raises:
        ValueError: If the value is no answer of the task.
    """
    if task == EXPRESSION_TASK:
        return expression(value)
    if task not in CHOICE_TASKS:
        return number_text(value)
    return choice_answer(value, labels, texts or ())


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
