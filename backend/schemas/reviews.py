"""Review queues, their items as reviewers see them, and what reviewers send."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from backend.schemas.candidates import CandidateRating, CandidateScore, Span, Verdict
from backend.schemas.common import Schema

Mode = Literal["verify", "rate", "rank", "pair"]
Strategy = Literal["random", "violated-pair", "judge-against-people", "uncertainty", "selection"]
SubmissionId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,64}$")]
Label = Annotated[str, StringConstraints(pattern=r"^[A-P]$")]
ItemId = Annotated[int, Field(ge=1, le=2**53)]
RowId = Annotated[int, Field(ge=1, le=2**53)]

LEAST: dict[str, int] = {"verify": 1, "rate": 1, "rank": 2, "pair": 2}
MOST = 16
"""Candidates of one item: more do not fit a reviewer's head, nor the letters A to P."""


class PersonRead(Schema):
    """Somebody who reviews."""

    id: str
    name: str
    created_at: datetime


class PersonName(Schema):
    """Who sits here."""

    name: str = Field(min_length=1, max_length=200)


class Reviewer(Schema):
    """The person at this browser; None when nobody said."""

    person: PersonRead | None


class QueueSource(Schema):
    """How a queue's items are chosen."""

    run_id: str = Field(min_length=1, max_length=32)
    """The candidate set: a sampling or evaluation run."""
    strategy: Strategy = "random"
    n: int = Field(default=100, ge=1, le=10_000)
    """At most so many items."""
    model_run_id: str | None = Field(default=None, max_length=32)
    """Model whose scores decide: for violated-pair and uncertainty."""
    judge: str | None = Field(default=None, max_length=80)
    """For judge-against-people: one judge; by default all."""
    verdict: Verdict | None = None
    """For random: only candidates of this verdict."""
    candidate_ids: list[RowId] = Field(default=[], max_length=10_000)
    """For selection."""
    example_ids: list[RowId] = Field(default=[], max_length=10_000)
    """For selection: whole questions."""


class QueueCreate(Schema):
    """A new review queue."""

    name: str = Field(min_length=1, max_length=120)
    request_id: SubmissionId | None = None
    source: QueueSource
    mode: Mode
    candidates_per_item: int | None = Field(default=None, ge=1, le=MOST)
    """By default 1 to verify, 4 to rate or rank, 2 for a pair."""
    guidelines: str = Field(default="", max_length=20_000)
    """Markdown, shown as text."""
    is_blind: bool = True
    """Model, scores, labels, gold answer and other people's ratings are not in what reviewers get."""
    shows_reference: bool = False
    """Reviewers see the reference COT, from which the gold answer can be read."""
    reviews_per_item: int = Field(default=2, ge=1, le=50)
    reviewer_ids: list[str] = Field(default=[], max_length=200)
    """People who may review; empty means everybody."""
    gold_items: int = Field(default=0, ge=0, le=1000)
    """Items, of those chosen, whose right judgement is known: every reviewer meets them."""
    gold_rater: str | None = Field(default=None, max_length=80)
    """Whose ratings are the expected ones; by default the verdict by the gold answer."""
    seed: int = Field(default=0, ge=0, lt=2**31)

    @model_validator(mode="after")
    def _sizes_fit_the_mode(self) -> "QueueCreate":
        size = self.candidates_per_item
        if size is not None and size < LEAST[self.mode]:
            msg = f"candidates_per_item is {size}; mode '{self.mode}' compares at least {LEAST[self.mode]}."
            raise ValueError(msg)
        if self.mode == "pair" and size not in {None, 2}:
            msg = f"candidates_per_item is {size}; a pair has 2. Choose rank for more."
            raise ValueError(msg)
        if self.source.strategy == "selection" and not (self.source.candidate_ids or self.source.example_ids):
            msg = "the selection is empty. Choose candidates or questions, or another strategy."
            raise ValueError(msg)
        if self.mode == "rate" and self.gold_items and self.gold_rater is None:
            msg = "gold items to rate need gold_rater: a verdict is not a value from 1 to 10."
            raise ValueError(msg)
        return self


class QueuePreview(Schema):
    """What a queue would hold."""

    n_items: int
    n_candidates: int
    n_gold: int


class Progress(Schema):
    """How far a queue is, and how far I am in it."""

    n_items: int
    reviews_done: int
    """Of the reviews asked for; repeats of gold items do not count."""
    reviews_wanted: int
    mine_done: int
    mine_left: int
    """Items that I can still review, those that others hold at the moment included."""


class QueueRead(Schema):
    """A queue in the list. It says nothing about how its items were chosen."""

    id: str
    name: str
    mode: Mode
    state: Literal["open", "closed"]
    guidelines: str
    is_blind: bool
    shows_reference: bool
    reviews_per_item: int
    reviewers: list[str]
    """Names; empty means everybody."""
    may_review: bool
    """Whether the person at this browser is among them."""
    task: str
    created_at: datetime
    progress: Progress


class QueueList(Schema):
    """All queues, newest first."""

    queues: list[QueueRead]


class QueueChange(Schema):
    """Open or close a queue, or change its words."""

    state: Literal["open", "closed"] | None = None
    name: str | None = Field(default=None, min_length=1, max_length=120)
    guidelines: str | None = Field(default=None, max_length=20_000)


class KnownCandidate(Schema):
    """What an open queue adds to a candidate."""

    candidate_id: int
    run_id: str
    """The candidate set."""
    example_id: int
    model: str
    verdict: Verdict
    why: str
    answer_span: Span | None
    scores: list[CandidateScore]
    ratings: list[CandidateRating]


class ItemCandidate(Schema):
    """A candidate under a letter that stands for it in this item and for this reviewer only."""

    label: str
    text: str
    text_truncated: bool
    known: KnownCandidate | None
    """None in a blind queue."""


class MyReview(Schema):
    """What I said about an item, by letter."""

    action: Literal["submit", "skip", "undo"]
    values: dict[str, float]
    steps: dict[str, list[tuple[int, int]]]
    note: str
    reason: str
    is_flagged: bool
    revision: int
    created_at: datetime


class ItemRead(Schema):
    """An item as its reviewer sees it."""

    id: int
    queue_id: str
    mode: Mode
    task: str
    state: Literal["leased", "done", "skipped", "lost"]
    """lost: others hold all the places there are."""
    question: str
    choices: list[str] | None
    reference: str | None
    """None unless the queue shows it."""
    gold_answer: str | None
    """None in a blind queue."""
    candidates: list[ItemCandidate]
    lease_expires_at: datetime | None
    review: MyReview | None
    """The newest review of mine, also after an undo."""


class NextRequest(Schema):
    """Ask for items to work on."""

    count: int = Field(default=3, ge=1, le=8)
    """Items held at once, those held already included."""


class NextItems(Schema):
    """Items leased to me, in their order."""

    items: list[ItemRead]
    progress: Progress


class ReviewSubmit(Schema):
    """A judgement, or a skip. The same ``submission_id`` is stored once, however often it is sent."""

    submission_id: SubmissionId
    action: Literal["submit", "skip"] = "submit"
    values: dict[Label, float] = Field(default_factory=dict)
    """By letter. verify: 1 right, 0 wrong, 0.5 unsure. rate: 1 to 10."""
    tiers: list[list[Label]] = Field(default=[], max_length=MOST)
    """rank and pair: letters from best to worst, ties side by side."""
    steps: dict[Label, list[tuple[int, int]]] = Field(default_factory=dict)
    """Steps marked wrong, as characters [start, end) of the text."""
    note: str = Field(default="", max_length=4000)
    reason: str = Field(default="", max_length=200)
    """Why it is skipped."""
    is_flagged: bool = False
    seconds: float = Field(ge=0, le=86_400)
    """Time spent on the item."""


class Submitted(Schema):
    """What was stored."""

    item_id: int
    submission_id: str
    revision: int
    action: Literal["submit", "skip", "undo"]
    progress: Progress


class UndoRequest(Schema):
    """Take my review of an item back."""

    submission_id: SubmissionId


class Undone(Schema):
    """The item as it was before, with what I had said."""

    item: ItemRead
    progress: Progress


class LeaseRequest(Schema):
    """Keep items while I am at work."""

    item_ids: list[ItemId] = Field(min_length=1, max_length=16)


class Leases(Schema):
    """Which of them I still hold."""

    held: list[int]
    lost: list[int]


class HistoryRow(Schema):
    """An item that I have been at."""

    item_id: int
    state: Literal["leased", "done", "skipped"]
    is_flagged: bool
    changed_at: datetime


class History(Schema):
    """My items in a queue, latest first."""

    items: list[HistoryRow]
