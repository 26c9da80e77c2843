"""How far raters of a queue agree, where they do not, and what was decided."""

from typing import Annotated, Literal

from pydantic import Field

from backend.schemas.common import Schema
from backend.schemas.reviews import Mode, RowId, SubmissionId

RaterSource = Literal["person", "judge", "rule", "import", "people"]


class EstimateRead(Schema):
    """A statistic with its 95 % bootstrap interval over questions."""

    value: float | None
    """None where the data do not define it."""
    low: float | None
    high: float | None
    n: int
    """COTs, or pairs of COTs, behind it."""


class RaterRead(Schema):
    """Somebody or something that judges, with how much of the queue it has judged."""

    key: str
    name: str
    source: RaterSource
    n: int
    """COTs judged."""


class RaterPair(Schema):
    """Two raters on the COTs that both have judged."""

    one: str
    """Rater key."""
    other: str
    n: int
    exact: float | None
    """Share of equal values; None on different scales."""
    kappa: EstimateRead | None
    """Cohen's κ; None on different scales."""
    weighted_kappa: EstimateRead
    """Cohen's κ with squared distances."""
    tau: EstimateRead
    """Kendall's τ-b: over pairs of COTs of one question where people rank, over all pairs otherwise."""
    alpha: EstimateRead
    """Krippendorff's α of the two, at the queue's level."""
    bias: float | None
    """Mean of the other's value less the one's; None where people rank."""


class GoldRead(Schema):
    """A reviewer on the items of known judgement, in the order reviewed: does attention drift?"""

    rater: str
    name: str
    n: int
    agreed: float
    """Share of the gold items judged as expected."""
    early: float | None
    """Of the first half; None below four items."""
    late: float | None
    """Of the second half."""


class AgreementRead(Schema):
    """Agreement in a queue."""

    mode: Mode
    level: Literal["nominal", "ordinal", "interval"]
    """The level of α that fits the mode."""
    n_cots: int
    n_judged_twice: int
    """COTs with two reviews or more."""
    raters: list[RaterRead]
    alpha_nominal: EstimateRead
    alpha_ordinal: EstimateRead
    alpha_interval: EstimateRead
    fleiss: EstimateRead
    pairs: list[RaterPair]
    """Every two people."""
    against_people: list[RaterPair]
    """People together (one) against every judge, rule and import (other)."""
    gold: list[GoldRead]
    n_decided: int
    """Items that somebody decided."""


class Confusion(Schema):
    """How often one rater gave each value where the other gave each."""

    one: RaterRead
    other: RaterRead
    rows: list[str]
    """Values of the one."""
    columns: list[str]
    counts: list[list[int]]


class DisagreementCot(Schema):
    """A COT that raters judge differently."""

    candidate_id: int
    text: str
    text_truncated: bool
    verdict: str
    values: dict[str, float]
    """By rater key, on the queue's scale."""
    gap: float
    """Largest distance between two of the values compared, as a share of the scale."""


class DecisionRead(Schema):
    """What a person decided."""

    by: str
    values: dict[str, float]
    """By candidate id."""
    note: str


class Disagreement(Schema):
    """An item on which raters differ."""

    item_id: int
    position: int
    example_id: int
    question: str
    answer: str
    gap: float
    """The largest of its COTs."""
    cots: list[DisagreementCot]
    notes: dict[str, str]
    """Reviewers' notes by rater key."""
    decision: DecisionRead | None


class Disagreements(Schema):
    """A page of items, the largest disagreement first."""

    items: list[Disagreement]
    next_after: str | None
    n: int
    """Items with any disagreement."""
    n_decided: int


class Decide(Schema):
    """Decide an item; the decision counts in place of the reviews."""

    submission_id: SubmissionId
    values: dict[Annotated[str, Field(pattern=r"^\d{1,16}$")], float] = Field(default_factory=dict, max_length=16)
    """verify and rate: value by candidate id."""
    tiers: list[list[RowId]] = Field(default=[], max_length=16)
    """rank and pair: candidate ids from best to worst, ties side by side."""
    note: str = Field(default="", max_length=4000)


class Decided(Schema):
    """The decision of an item as it stands."""

    item_id: int
    decision: DecisionRead | None
