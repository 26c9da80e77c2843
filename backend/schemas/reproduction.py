"""The paper in miniature, as the API carries it."""

from typing import Annotated

from pydantic import Field

from backend.schemas.common import Schema
from backend.schemas.experiments import ExperimentSummary

Seeds = Annotated[list[Annotated[int, Field(ge=1, lt=2**31)]], Field(min_length=1, max_length=20)]


class ReproductionStart(Schema):
    """What to start."""

    seeds: Seeds = Field(default=[1, 2, 3])
    retry: bool = False
    """Queue failed and cancelled runs again."""


class ReproducedPreset(Schema):
    """A table or figure of the paper with its experiment."""

    name: str
    title: str
    paper: str
    experiment: ExperimentSummary | None
    """None before it was started with these seeds."""


class ReproductionRead(Schema):
    """Everything that ``aft reproduce`` runs in miniature."""

    about: str
    """Which model, and how long it takes."""
    seeds: list[int]
    items: list[ReproducedPreset]
