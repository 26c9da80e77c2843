"""Ranking sets: immutable qualities of candidates, combined from ratings."""

from datetime import datetime

from pydantic import Field, model_validator

from aft.config.ranking import RankingSetConfig, RatingSource
from backend.schemas.common import Schema
from backend.schemas.reviews import SubmissionId


class RankingSource(Schema):
    """Whose COTs: a candidate set, or those of a review queue with its reviews and decisions."""

    run_id: str | None = Field(default=None, max_length=32)
    queue_id: str | None = Field(default=None, max_length=32)

    @model_validator(mode="after")
    def _is_one(self) -> "RankingSource":
        if (self.run_id is None) == (self.queue_id is None):
            msg = "give either run_id (a candidate set) or queue_id (a review queue)"
            raise ValueError(msg)
        return self


class RankingSetCreate(Schema):
    """A new version of a ranking set."""

    name: str = Field(min_length=1, max_length=120)
    request_id: SubmissionId | None = None
    """Made by the client, so that pressing twice makes one version."""
    source: RankingSource
    settings: RankingSetConfig = RankingSetConfig()


class Bin(Schema):
    """A bar of a histogram."""

    start: float
    end: float
    n: int


class RankingStatisticsRead(Schema):
    """What a set holds, and what was left out and why."""

    questions: int
    questions_with_pairs: int
    candidates: int
    pairs: int
    """Of one question, with different qualities: what ranking losses compare."""
    ties: int
    offered: int
    """COTs of the source."""
    dropped: dict[str, int]
    """COTs left out, by reason."""
    raters: dict[str, int]
    """COTs by rater."""
    distribution: list[Bin]
    low: float
    """Ends of the scale."""
    high: float


class RankingPreview(Schema):
    """What a set would hold, before it is made."""

    statistics: RankingStatisticsRead
    sha256: str


class AvailableRater(Schema):
    """A rater of the source."""

    source: RatingSource
    rater: str
    scale: str
    n: int
    """COTs rated."""


class RankingSetRead(Schema):
    """One version, as made."""

    id: str
    name: str
    version: int
    run_id: str
    run_name: str
    queue_id: str | None
    settings: RankingSetConfig
    statistics: RankingStatisticsRead
    sha256: str
    created_at: datetime
    dataset_version_id: str | None
    """Of the candidate set: an experiment on the set needs the same."""
    split_id: str | None
    base_model_id: str | None
    train_questions: int | None
    part: str
    """The part of the split that its questions are from; only train can be trained on."""


class RankingSetList(Schema):
    """Versions, newest first."""

    items: list[RankingSetRead]
