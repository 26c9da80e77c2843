"""Ratings from files and into files."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field, model_validator

from backend.schemas.common import Schema
from backend.schemas.reviews import SubmissionId

Scale = Literal["binary", "verify", "1-10", "rank", "pair"]


class RatingImportCreate(Schema):
    """Read the ratings of an uploaded file; rows are matched with the COTs of one candidate set."""

    upload_id: str = Field(min_length=1, max_length=32)
    run_id: str | None = Field(default=None, max_length=32)
    """The candidate set."""
    queue_id: str | None = Field(default=None, max_length=32)
    """Or a review queue: its candidate set."""
    scale: Scale
    """What the values mean; a value off it is an error of its row."""
    rater: str = Field(default="", max_length=80)
    """Who rated, where a row does not say."""
    request_id: SubmissionId | None = None
    """Made by the client, so that pressing twice imports once."""
    skip_errors: bool = False
    """Import the valid rows although others are not; otherwise nothing is stored."""

    @model_validator(mode="after")
    def _is_one_source(self) -> "RatingImportCreate":
        if (self.run_id is None) == (self.queue_id is None):
            msg = "give either run_id (a candidate set) or queue_id (a review queue)"
            raise ValueError(msg)
        return self


class RatingRowError(Schema):
    """A row that was not taken."""

    row: int
    column: str
    reason: str


class RatingImportReport(Schema):
    """What a file holds, matched with the set."""

    rows: int
    valid: int
    errors: int
    by_id: int
    """Rows matched by the COT's id."""
    by_text: int
    """Rows matched by question and the COT's text."""
    raters: dict[str, int]
    first_errors: list[RatingRowError]
    """At most a hundred."""


class RatingImportRead(Schema):
    """A file whose ratings are stored."""

    id: str
    filename: str
    sha256: str
    run_id: str
    settings: dict[str, Any]
    """How it was read; ``undone`` once it was taken back."""
    report: RatingImportReport
    created_at: datetime


class RatingImportUndone(Schema):
    """An import that no longer counts."""

    n_ratings: int
    """Ratings that counted before."""
