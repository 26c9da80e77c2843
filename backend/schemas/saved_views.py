"""Named selections of filters of the COTs page."""

from datetime import datetime

from pydantic import Field

from backend.schemas.common import Schema


class SavedViewCreate(Schema):
    """A view to keep."""

    name: str = Field(min_length=1, max_length=120)
    experiment_id: str | None = Field(default=None, max_length=32)
    """Offer it on this experiment's COTs only; by default everywhere."""
    query: str = Field(max_length=4000)
    """The page's query string."""


class SavedViewChange(Schema):
    """A new name."""

    name: str = Field(min_length=1, max_length=120)


class SavedViewRead(Schema):
    """A view."""

    id: str
    name: str
    experiment_id: str | None
    query: str
    created_at: datetime


class SavedViews(Schema):
    """Views by name."""

    views: list[SavedViewRead]
