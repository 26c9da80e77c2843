"""The paper's tables and figures as experiments to start from."""

from aft.config.experiment import ExperimentSpec
from backend.schemas.common import Schema


class PublishedValue(Schema):
    """A value as the paper printed it, in this product's unit."""

    method: str
    """The paper's method by this product's key, e.g. ``aft:detached:binary``."""
    metric: str
    mean: float
    std: float | None


class PublishedTable(Schema):
    """One model on one data set."""

    key: str
    title: str
    values: list[PublishedValue]


class PresetRead(Schema):
    """One table or figure of the paper."""

    name: str
    title: str
    paper: str
    """What the paper did and found."""
    look_at: str
    miniature: str
    """What is different in miniature, beyond model, data and settings."""
    published: list[PublishedTable]
    published_source: str
    mini: ExperimentSpec
    """On the built-in model and task."""
    full: ExperimentSpec
    """With the paper's settings; data set and model are to be chosen."""


class PresetList(Schema):
    """Every preset, in the paper's order."""

    items: list[PresetRead]
