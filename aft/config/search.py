"""Settings of a search: one of several values, chosen by what trainings with each did on validation questions."""

from typing import Literal

from pydantic import Field

from aft.config.base import Config


class SearchConfig(Config):
    """Choose β of the boundary; the evaluations of every value and seed are the run's parents."""

    kind: Literal["search"] = "search"
    betas: tuple[float, ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field(min_length=1)

    @staticmethod
    def role(place: int, seed: int) -> str:
        """Role of the evaluation of the value at ``place`` under a seed."""
        return f"{place}/{seed}"
