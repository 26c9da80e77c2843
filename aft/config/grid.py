"""The blocks of an experiment: its data sets times its base models, each with every method and seed.

*Block* is the statistician's word: treatments (methods) are compared inside a block, on the same questions and from the
same model, and the experiment is repeated over blocks.
"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import Field

from aft.config.base import Config

FIRST_BLOCK: Final = "d1m1"
BUILTIN: Final = "builtin:arithmetic"
"""Stands for the built-in data set's version, and for the built-in model."""


class DataChoice(Config):
    """A data set version with one of its splits."""

    dataset_version_id: str = Field(max_length=64)
    """Id of a data set version, or ``builtin:arithmetic``."""
    split_id: str | None = Field(default=None, max_length=64)
    """Id of a split of that version; by default its newest one."""


class Block(Config):
    """A data set and a base model; or the test questions of another data set, answered by a block's models."""

    key: str
    """``d1m2``: first data set, second model; ``d1m2t1``: its models on the first data set of ``also_test_on``. Keys
    stay when an experiment is extended."""
    dataset_version_id: str
    split_id: str | None
    base_model_id: str
    model_number: int
    trained: str | None = None
    """Key of the block whose models are tested; None where the block trains its own."""


def grid_blocks(
    datasets: tuple[DataChoice, ...], models: tuple[str, ...], tested: tuple[DataChoice, ...]
) -> list[Block]:
    """Every block, those of the first data set first; what only tests comes behind what trains."""
    trained = [
        Block(
            key=f"d{place}m{number}",
            dataset_version_id=data.dataset_version_id,
            split_id=data.split_id,
            base_model_id=model,
            model_number=number,
        )
        for place, data in enumerate(datasets, 1)
        for number, model in enumerate(models, 1)
    ]
    only_tested = [
        Block(
            key=f"{block.key}t{place}",
            dataset_version_id=data.dataset_version_id,
            split_id=data.split_id,
            base_model_id=block.base_model_id,
            model_number=block.model_number,
            trained=block.key,
        )
        for block in trained
        for place, data in enumerate(tested, 1)
    ]
    return trained + only_tested


def dataset_versions(spec: Mapping[str, Any]) -> set[str]:
    """Every data set version that a stored experiment names."""
    more = [*spec.get("more_datasets", ()), *spec.get("also_test_on", ())]
    return {str(spec.get("dataset_version_id")), *(str(item["dataset_version_id"]) for item in more)}


def base_models(spec: Mapping[str, Any]) -> set[str]:
    """Every base model that a stored experiment names."""
    return {str(spec.get("base_model_id")), *map(str, spec.get("more_models", ()))}
