"""What an import finds out about its rows, in a few bytes a row."""

import array
import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import combinations

import numpy as np

from aft.data.examples import Example
from aft.data.questions import QuestionIndex
from backend.schemas.datasets import (
    Duplicates,
    Histogram,
    Overlap,
    Part,
    RejectReason,
    RepeatedQuestion,
    SourceFile,
    VersionReport,
)

PARTS: tuple[Part, ...] = ("train", "validation", "test")
UNMARKED = "unmarked"
SHOWN_REPEATS = 20
SHOWN_REASONS = 50
SHOWN_QUESTION = 300
_NAMES = (*PARTS, UNMARKED)
_CODES: dict[str | None, int] = {"train": 0, "validation": 1, "test": 2, None: 3}
_BINS = 24


class Tally:
    """Counts rows as they pass; 17 bytes are kept of each."""

    def __init__(self, *, with_tasks: bool = False) -> None:
        self._with_tasks = with_tasks
        """Whether each row's own task is part of the content."""
        self._index = QuestionIndex()
        self._parts = bytearray()
        self._question_lengths = array.array("I")
        self._reference_lengths = array.array("I")
        self._content = hashlib.sha256()
        self._ids = {str(part): hashlib.sha256() for part in PARTS}
        self._reasons: Counter[tuple[str | None, str]] = Counter()
        self.n_rejected = 0

    def __len__(self) -> int:
        return len(self._parts)

    def add(self, example: Example) -> None:
        """Count a row that will be stored."""
        self._index.add(example.question, example.part)
        self._parts.append(_CODES[example.part])
        self._question_lengths.append(len(example.question))
        self._reference_lengths.append(len(example.reference))
        self._content.update(canonical_row(example))
        if self._with_tasks:
            self._content.update(example.task.encode() + b"\0")
        if example.part is not None:
            self._ids[example.part].update(example.id.encode() + b"\0")

    def add_reject(self, column: str | None, reason: str) -> None:
        """Count a row that was refused."""
        self.n_rejected += 1
        known = (column, reason) in self._reasons
        # Reasons quote values, so a broken file could have as many reasons as rows.
        if known or len(self._reasons) < 1000:
            self._reasons[column, reason] += 1

    def content_sha256(self) -> str:
        """Hash over the normalised rows, in order."""
        return self._content.hexdigest()

    def ids_sha256(self) -> str:
        """``split_sha256`` of the parts as marked."""
        return hashlib.sha256(b"".join(self._ids[part].digest() for part in PARTS)).hexdigest()

    def part_counts(self) -> dict[str, int]:
        """Rows per part, without empty ones."""
        counts = {name: self._parts.count(code) for code, name in enumerate(_NAMES)}
        return {name: count for name, count in counts.items() if count}

    def report(
        self, sources: list[SourceFile], seconds: float, questions_at: Callable[[list[int]], dict[int, str]]
    ) -> VersionReport:
        """Everything found.

        Args:
            sources: The files.
            seconds: How long reading took.
            questions_at: Gives the questions at some positions, for the examples shown.
        """
        repeats = self._index.duplicates(show=SHOWN_REPEATS)
        within = {part: self._parts.count(code) - self._index.distinct(part) for part, code in _CODES.items()}
        overlaps = [
            (first, second, self._index.overlap(first, second, show=SHOWN_REPEATS))
            for first, second in combinations(PARTS, 2)
        ]
        shown = [*repeats.pairs, *(pair for *_, found in overlaps for pair in found.pairs)]
        questions = questions_at(sorted({position for pair in shown for position in pair}))

        def listed(pairs: list[tuple[int, int]]) -> list[RepeatedQuestion]:
            return [
                RepeatedQuestion(
                    question=questions.get(second, "")[:SHOWN_QUESTION],
                    first_position=first,
                    position=second,
                    first_part=self._part_at(first),
                    part=self._part_at(second),
                )
                for first, second in pairs
            ]

        return VersionReport(
            parts=self.part_counts(),
            question_length=histogram(self._question_lengths),
            reference_length=histogram(self._reference_lengths),
            rows_without_reference=self._reference_lengths.count(0),
            duplicates=Duplicates(
                rows=repeats.count,
                distinct_questions=len(self) - repeats.count,
                within_parts={part or UNMARKED: count for part, count in within.items() if count},
                examples=listed(repeats.pairs),
            ),
            overlap=[
                Overlap(parts=(first, second), rows=found.count, examples=listed(found.pairs))
                for first, second, found in overlaps
                if found.count
            ],
            sources=sources,
            reject_reasons=[
                RejectReason(column=column, reason=reason, rows=rows)
                for (column, reason), rows in self._reasons.most_common(SHOWN_REASONS)
            ],
            seconds=round(seconds, 3),
        )

    def _part_at(self, position: int) -> Part | None:
        code = self._parts[position]
        return PARTS[code] if code < len(PARTS) else None


def canonical_row(example: Example) -> bytes:
    """What a version's sha256 is made of: how many fields the row has, then each, ended by NUL.

    No field holds a NUL, so no two rows look the same.
    """
    fields = [example.id, example.part or "", example.question, example.reference, example.answer]
    fields += example.choices or ()
    return "\0".join([str(len(fields)), *fields, ""]).encode()


def split_sha256(ids: dict[str, Iterable[str]]) -> str:
    """Hash of a split: the examples' own ids per part, in order."""
    digests = []
    for part in PARTS:
        digest = hashlib.sha256()
        for identity in ids.get(part, ()):
            digest.update(identity.encode() + b"\0")
        digests.append(digest.digest())
    return hashlib.sha256(b"".join(digests)).hexdigest()


def histogram(lengths: "array.array[int]") -> Histogram | None:
    """A histogram over round edges; the longest 1 % share the last bin."""
    if not lengths:
        return None
    values = np.frombuffer(lengths, dtype=np.uint32)
    low, high = int(values.min()), int(values.max())
    median, p95, p99 = (float(value) for value in np.percentile(values, (50, 95, 99)))
    step = _round_step((p99 - low) / _BINS)
    start = low - low % step
    edges = [*range(start, max(start + 1, math.ceil(p99)), step)]
    edges.append(max(edges[-1] + step, high))
    counts, _ = np.histogram(values, bins=np.asarray(edges))
    return Histogram(edges=edges, counts=counts.tolist(), minimum=low, median=median, p95=p95, maximum=high)


def _round_step(width: float) -> int:
    if width <= 1:
        return 1
    power = 10 ** math.floor(math.log10(width))
    return int(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= width))
