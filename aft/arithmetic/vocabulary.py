"""Every token of the built-in task."""

from typing import Final

PAD: Final = "<pad>"
BOS: Final = "<bos>"
EOS: Final = "<eos>"
SEP: Final = "<sep>"
UNK: Final = "<unk>"
SPECIAL_TOKENS: Final = (PAD, BOS, EOS, SEP, UNK)
"""In the order of their ids, from 0. A sequence is ``<bos> question <sep> response <eos>``."""

NAMES: Final = ("Ann", "Ben", "Eva", "Ian", "Joe", "Kim", "Leo", "Mia", "Sam", "Tom")
OBJECTS: Final = ("apples", "books", "cards", "coins", "eggs", "pens", "shells", "stamps")
LARGEST_NUMBER: Final = 60
"""Steps whose result would be larger are never written."""

_SYMBOLS: Final = ("[ANS]", ".", ":", "?", "+", "-", "*", "=")
_WORDS: Final = (
    *("has", "have", "more", "fewer", "times", "as", "many", "than"),
    *("How", "does", "do", "and", "together", "total", "difference"),
)

VOCABULARY: Final[tuple[str, ...]] = (
    *SPECIAL_TOKENS,
    *_SYMBOLS,
    *_WORDS,
    *NAMES,
    *OBJECTS,
    *(str(number) for number in range(LARGEST_NUMBER + 1)),
)
"""All tokens in the order of their ids; the special tokens come first."""
