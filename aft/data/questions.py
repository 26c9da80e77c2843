"""Tell equal questions by digests, so that a million of them fit into a few megabytes."""

import unicodedata
from array import array
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

_TYPOGRAPHY = (("’", "'"), ("‘", "'"), ("“", '"'), ("”", '"'), ("−", "-"), ("–", "-"))
_LOWER = bytes(range(256)).lower()
_SPACES = bytes(byte for byte in range(128) if chr(byte).isspace())


def normalise(question: str) -> str:
    """The canonical text of a question: two that differ in case, spacing or typography are the same one.

    White space is dropped altogether, so the tokenised variant of a file equals the plain one.
    """
    return _canonical_bytes(question).decode("utf-8", "surrogatepass")


def _canonical_bytes(question: str) -> bytes:
    if not question.isascii():
        for fancy, plain in _TYPOGRAPHY:
            question = question.replace(fancy, plain)
        if not question.isascii():
            folded = unicodedata.normalize("NFKC", question).casefold()
            return "".join(folded.split()).encode("utf-8", "surrogatepass")
    # Bytes are several times as fast as splitting and joining, and most rows are ASCII.
    return question.encode().translate(_LOWER, _SPACES)


def question_digest(question: str) -> int:
    """64 bits of the canonical text; two of a million questions collide with probability 3e-8."""
    return int.from_bytes(blake2b(_canonical_bytes(question), digest_size=8).digest(), "big")


@dataclass(frozen=True, slots=True)
class Repeats:
    """Rows that repeat another row's question.

    Attributes:
        count: How many rows there are.
        pairs: The first of them as (place of the earlier or training row, place of the row), from 0.
    """

    count: int
    pairs: list[tuple[int, int]]


class QuestionIndex:
    """Digests of a data set's questions in the order of its rows, 9 bytes a row."""

    def __init__(self) -> None:
        self._digests = array("Q")
        self._parts = array("b")
        self._part_codes: dict[str | None, int] = {}

    def __len__(self) -> int:
        return len(self._digests)

    def add(self, question: str, part: str | None = None) -> None:
        """Append the next row."""
        self._digests.append(question_digest(question))
        self._parts.append(self._part_codes.setdefault(part, len(self._part_codes)))

    def duplicates(self, *, show: int = 100) -> Repeats:
        """Rows whose question an earlier row has already, wherever the two stand.

        Args:
            show: How many pairs to list.
        """
        digests = self._all()
        order = np.argsort(digests, kind="stable")
        if not len(order):
            return Repeats(0, [])
        in_order = digests[order]
        new = np.concatenate([[True], in_order[1:] != in_order[:-1]])
        firsts = order[np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))]
        return _repeats(firsts[~new], order[~new], show)

    def distinct(self, part: str | None) -> int:
        """How many different questions the rows of a part have."""
        return len(np.unique(self._all()[self._places(part)]))

    def overlap(self, train: str | None = "train", test: str | None = "test", *, show: int = 100) -> Repeats:
        """Rows of one part whose question another part has too.

        Args:
            train: The part to look in.
            test: The part whose rows are counted.
            show: How many pairs to list.
        """
        left, right = self._places(train), self._places(test)
        return _overlap(self._all(), left, right, show)

    def _all(self) -> NDArray[np.uint64]:
        return np.array(self._digests, dtype=np.uint64)

    def _places(self, part: str | None) -> NDArray[np.intp]:
        code = self._part_codes.get(part, -1)
        return np.flatnonzero(np.array(self._parts, dtype=np.int8) == code)


def _overlap(digests: NDArray[np.uint64], left: NDArray[np.intp], right: NDArray[np.intp], show: int) -> Repeats:
    if not len(left) or not len(right):
        return Repeats(0, [])
    left = left[np.argsort(digests[left], kind="stable")]
    at = np.searchsorted(digests[left], digests[right])
    at[at == len(left)] = 0
    same = digests[left][at] == digests[right]
    return _repeats(left[at[same]], right[same], show)


def _repeats(earlier: NDArray[np.intp], rows: NDArray[np.intp], show: int) -> Repeats:
    shown = np.argsort(rows, kind="stable")[:show]
    pairs = [(int(a), int(b)) for a, b in zip(earlier[shown], rows[shown], strict=True)]
    return Repeats(len(rows), pairs)
