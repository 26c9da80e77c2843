"""Draw train, validation and test questions, the paper's numbers included.

A split depends on the questions and the seed only: not on the order of rows, the machine or the
Python process. The parts share no question: what stands in test or validation is never drawn for
training, also not from another row with the same text.
"""

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from aft.data.mapping import Part
from aft.data.questions import QuestionIndex, Repeats, normalise, question_digest

__all__ = ["PRESETS", "Draw", "Preset", "Repeats", "SplitSpec", "make_split", "normalise", "overlap"]

Id = TypeVar("Id", str, int)


@dataclass(frozen=True, slots=True)
class Draw:
    """How one part is drawn.

    Attributes:
        part: The part to fill.
        count: How many questions, or None for all that are left.
        sources: The parts to draw from, in order of preference; None stands for rows without a part.
    """

    part: Part
    count: int | None
    sources: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Preset:
    """The paper's split of a data set.

    Attributes:
        title: What it is, in words to show.
        draws: How its parts are drawn, in this order.
        pooled: Draw from all rows where the rows do not say which are train and which are test.
        overlapping: The published parts share questions, so leaving repeats out of training is no shortage.
    """

    title: str
    draws: tuple[Draw, ...]
    pooled: bool = False
    overlapping: bool = False

    @property
    def counts(self) -> dict[Part, int | None]:
        """Questions per part; None means all there are."""
        return {draw.part: draw.count for draw in self.draws}


# Test is drawn first and training last, so that overlaps are taken from training.
_GSM8K_HELD_OUT: Final = (Draw("validation", 400, ("test",)), Draw("test", 919, ("test",)))
PRESETS: Final[Mapping[str, Preset]] = MappingProxyType(
    {
        "gsm8k": Preset(
            "GSM8K: 7,473 train; 400 of the test file as validation, its other 919 as test",
            (*_GSM8K_HELD_OUT, Draw("train", 7473, ("train",))),
        ),
        "aqua": Preset(
            "AQUA-RAT: 5,000 / 400 / 1,254; what its dev and test files lack is drawn from train",
            (
                Draw("test", 1254, ("test", "train", None)),
                Draw("validation", 400, ("validation", "train", None)),
                Draw("train", 5000, ("train", None)),
            ),
        ),
        "ecqa": Preset(
            "ECQA: 7,598 / 1,090 / 2,194; the authors' parts where rows or ids say them, otherwise by seed",
            (
                Draw("test", 2194, ("test",)),
                Draw("validation", 1090, ("validation",)),
                Draw("train", 7598, ("train",)),
            ),
            pooled=True,
            overlapping=True,
        ),
        "gsm8k-rank": Preset(
            "GSM8K-RANK: 1,000 of GSM8K's training questions; validation and test as for GSM8K",
            (*_GSM8K_HELD_OUT, Draw("train", 1000, ("train",))),
        ),
        "mmlu": Preset("MMLU: test only", (Draw("test", None, ("test", None)),)),
        "arithmetic": Preset(
            "Built-in arithmetic: the parts its generator gives",
            (
                Draw("test", None, ("test",)),
                Draw("validation", None, ("validation",)),
                Draw("train", None, ("train",)),
            ),
        ),
    }
)
_NOWHERE: Final = np.array([], dtype=np.intp)
_EVERY: Final = ("train", "validation", "test", None)


class SplitSpec(BaseModel):
    """What to draw: a preset's numbers, or numbers of one's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: str | None = Field(default=None, description="A data set's split in the paper, instead of counts.")
    seed: int = Field(default=0, ge=0, lt=2**63, description="Another seed draws other questions.")
    train: int | None = Field(default=None, ge=0, description="Training questions.")
    validation: int | None = Field(
        default=None, ge=0, description="Validation questions; taken from train where no row is marked validation."
    )
    test: int | None = Field(default=None, ge=0, description="Test questions.")
    allow_fewer: bool = Field(default=False, description="Take what there is when a part has fewer questions.")

    @model_validator(mode="after")
    def _one_way(self) -> "SplitSpec":
        counts = [self.train, self.validation, self.test]
        if self.preset is not None:
            if self.preset not in PRESETS:
                raise ValueError(f"Unknown preset {self.preset!r}. Use one of {', '.join(PRESETS)}, or counts.")
            if any(count is not None for count in counts):
                raise ValueError(f"Preset {self.preset!r} brings its own counts. Give a preset or counts, not both.")
        elif not any(counts):
            raise ValueError(f"The split has no questions. Give a preset ({', '.join(PRESETS)}) or counts.")
        return self

    def draws(self) -> tuple[Draw, ...]:
        """How the parts are drawn, in this order."""
        if self.preset is not None:
            return PRESETS[self.preset].draws
        return (
            Draw("test", self.test or 0, ("test", None)),
            Draw("validation", self.validation or 0, ("validation", None, "train")),
            Draw("train", self.train or 0, ("train", None)),
        )


def make_split(
    rows: Iterable[tuple[Id, str | None, str]],
    spec: SplitSpec,
    *,
    part_ids: Mapping[str, Collection[Id]] | None = None,
) -> dict[str, list[Id]]:
    """Draw a split.

    Args:
        rows: Id, part and question of every row.
        spec: What to draw.
        part_ids: Ids per part from elsewhere, such as the ECQA authors' lists; rows in none are left out.
            An id of several parts belongs to test, then to validation.

    Returns:
        The drawn ids of each part, in an order that depends on question and seed only.

    Raises:
        ValueError: If there are fewer rows than asked for and the spec does not allow that.
    """
    listed = None if part_ids is None else _by_id(part_ids)
    ids: list[Id] = []
    places: dict[str | None, array[int]] = {}
    digests = array("Q")
    for id_, part, question in rows:
        if listed is not None:
            if id_ not in listed:
                continue
            part = listed[id_]
        places.setdefault(part, array("Q")).append(len(ids))
        ids.append(id_)
        digests.append(question_digest(question))
    draws = spec.draws()
    if listed is not None:
        draws = tuple(_as_listed(draw, Counter(listed.values())) for draw in draws)
    elif spec.preset and PRESETS[spec.preset].pooled and not {"train", "test"} <= set(places):
        draws = tuple(Draw(draw.part, draw.count, _EVERY) for draw in draws)
    by_part = {part: np.array(at, dtype=np.intp) for part, at in places.items()}
    drawing = _Drawing([str(id_) for id_ in ids], by_part, np.array(digests, dtype=np.uint64), spec)
    return {part: [ids[place] for place in chosen] for part, chosen in drawing.split(draws).items()}


def _by_id(part_ids: Mapping[str, Collection[Id]]) -> dict[Id, str]:
    # The ECQA authors' lists share 50 ids between parts; what is in test stays out of the others.
    return {id_: part for part in ("train", "validation", "test") for id_ in part_ids.get(part, ())}


def _as_listed(draw: Draw, listed: Mapping[str, int]) -> Draw:
    count = listed.get(draw.part, 0)
    return Draw(draw.part, count if draw.count is None else min(draw.count, count), (draw.part,))


class _Drawing:
    def __init__(
        self,
        ids: list[str],
        places: Mapping[str | None, NDArray[np.intp]],
        digests: NDArray[np.uint64],
        spec: SplitSpec,
    ) -> None:
        self._ids = ids
        self._spec = spec
        self._digests = digests
        self._keys = _shuffle_keys(digests, spec.seed)
        self._places = places
        self._drawn = np.zeros(len(ids), dtype=bool)

    def split(self, draws: tuple[Draw, ...]) -> dict[str, NDArray[np.intp]]:
        found: dict[str, NDArray[np.intp]] = dict.fromkeys(("train", "validation", "test"), _NOWHERE)
        held_out = np.array([], dtype=np.uint64)
        for draw in draws:
            chosen = self._draw(draw, held_out)
            held_out = np.union1d(held_out, self._digests[chosen])
            found[draw.part] = chosen
        return found

    def _draw(self, draw: Draw, held_out: NDArray[np.uint64]) -> NDArray[np.intp]:
        chosen: list[NDArray[np.intp]] = []
        wanted = draw.count
        available = repeats = 0
        for source in draw.sources:
            at = self._places.get(source, _NOWHERE)
            at = at[~self._drawn[at]]
            repeated = np.isin(self._digests[at], held_out)
            repeats += int(repeated.sum())
            at = self._in_order(at[~repeated])
            available += len(at)
            taken = at if wanted is None else at[:wanted]
            wanted = None if wanted is None else wanted - len(taken)
            chosen.append(taken)
        places = np.concatenate(chosen)
        self._drawn[places] = True
        overlapping = self._spec.preset is not None and PRESETS[self._spec.preset].overlapping
        short = (wanted or 0) > (repeats if overlapping else 0) or (draw.count is None and not available)
        if short and not self._spec.allow_fewer:
            raise ValueError(self._shortage(draw, available))
        return places

    def _in_order(self, at: NDArray[np.intp]) -> NDArray[np.intp]:
        at = at[np.lexsort((self._digests[at], self._keys[at]))]
        digests = self._digests[at]
        repeated = np.flatnonzero(digests[1:] == digests[:-1])
        # Rows with the same question are told apart by id, so that their order in the file does not matter.
        start = 0
        while start < len(repeated):
            end = start
            while end + 1 < len(repeated) and repeated[end + 1] == repeated[end] + 1:
                end += 1
            run = slice(int(repeated[start]), int(repeated[end]) + 2)
            at[run] = sorted(at[run], key=self._ids.__getitem__)
            start = end + 1
        return at

    def _shortage(self, draw: Draw, available: int) -> str:
        who = f"Preset '{self._spec.preset}'" if self._spec.preset else "The split"
        wants = "all" if draw.count is None else f"{draw.count:,}"
        sources = " or ".join("unmarked rows" if source is None else f"part '{source}'" for source in draw.sources)
        held = ", ".join(f"{len(self._places[part]):,} {part or 'unmarked'}" for part in _EVERY if part in self._places)
        return (
            f"{who} asks for {wants} {draw.part} questions from {sources}, and {available:,} are left there "
            f"(rows of the version: {held or 'none'}; repeats of questions drawn for another part do not count). "
            "Import the complete files, choose smaller counts, or allow fewer."
        )


def _shuffle_keys(digests: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    """A seeded pseudo-random key per question (the finaliser of splitmix64)."""
    with np.errstate(over="ignore"):
        start = np.array([seed + 1], dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        return _mix(digests ^ _mix(start))


def _mix(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


def overlap(train: Iterable[str], test: Iterable[str], *, show: int = 100) -> Repeats:
    """Test questions that stand in the training questions too.

    Args:
        train: Training questions.
        test: Test questions.
        show: How many pairs (place in train, place in test) to list.
    """
    index = QuestionIndex()
    n_train = 0
    for question in train:
        index.add(question, "train")
        n_train += 1
    for question in test:
        index.add(question, "test")
    found = index.overlap(show=show)
    return Repeats(found.count, [(left, right - n_train) for left, right in found.pairs])
