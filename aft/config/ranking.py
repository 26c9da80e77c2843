"""How ratings are combined into the qualities y of a ranking set."""

from typing import Literal

from pydantic import Field, model_validator

from aft.config.base import Config

RatingSource = Literal["person", "adjudication", "judge", "rule", "import"]
SOURCES: tuple[RatingSource, ...] = ("person", "adjudication", "judge", "rule", "import")


class RankingSetConfig(Config):
    """Which ratings count, and how several of one COT become one quality."""

    sources: tuple[RatingSource, ...] = Field(default=("person", "adjudication"), min_length=1, max_length=5)
    """Kinds of raters whose ratings count."""
    raters: tuple[str, ...] = Field(default=(), max_length=200)
    """Only these raters, by name; none means all of the sources."""
    combine: Literal["mean", "median", "latest"] = "mean"
    """Of the ratings of one COT, each rater's newest."""
    adjudicated_first: bool = True
    """Where somebody decided, the decision counts alone."""
    scale: Literal["as-rated", "0-1", "1-10"] = "as-rated"
    """Scale of the qualities. PRO's temperatures depend on it; no other loss does."""
    tie_tolerance: float = Field(default=0.0, ge=0, le=9)
    """Qualities this close or closer, on the scale chosen, are tied: they make no pair."""
    min_ratings: int = Field(default=1, ge=1, le=100)
    """COTs with fewer raters are left out; a decision is enough."""

    @model_validator(mode="after")
    def _sources_are_distinct(self) -> "RankingSetConfig":
        if len(set(self.sources)) != len(self.sources):
            msg = f"sources {list(self.sources)} repeat one. Name each once."
            raise ValueError(msg)
        return self
