"""What reading an answer yields."""

from dataclasses import dataclass
from typing import Final

EXTRACTOR_VERSION: Final = 2
"""Changes whenever some text is read or graded differently; stored with every verdict."""

CHOICE_TEXT_SUFFIX: Final = "+choice-text"
"""Ends the rule of an answer that named a choice by its text and not by its letter."""

FALLBACK_RULES: Final = frozenset({"last-number", "last-expression", "last-line", f"last-line{CHOICE_TEXT_SUFFIX}"})
"""Rules that found an answer without an explicit marker."""


@dataclass(frozen=True, slots=True)
class Answer:
    r"""An answer found in a response.

    Attributes:
        value: The canonical value: an exact number (``1218``, ``2.5``, ``1/3``), a choice's letter, or an
            expression as it is written, spacing aside (``\frac{\pi}{2}``).
        span: Character positions ``(start, end)`` of the answer in the response, as it is written there.
        rule: What found it: ``ans-marker``, ``hash-marker``, ``boxed``, ``the-answer-is``,
            ``answer-label`` (``Answer: 5``), ``answer-line`` (``A: 5``), ``choice-is-correct``, or one of
            `FALLBACK_RULES`. ``+choice-text`` is added where a choice was named by its text.
    """

    value: str
    span: tuple[int, int]
    rule: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A value read from a part of the text, before its rule is known."""

    value: str
    start: int
    end: int
    by_text: bool = False
