"""A table or figure of the paper as an experiment: on any model and data, and in miniature on the built-in ones.

A preset is data: which methods, and which settings differ from the paper's (``PAPER``) or the miniature's
(``MINIATURE``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aft.config.experiment import ExperimentSpec
from aft.config.grid import BUILTIN
from aft.config.method import MethodConfig
from aft.paper.bases import OTHER_BASES

PAPER: Final[Mapping[str, Any]] = {
    "seeds": (1, 2, 3),
    "k": 6,
    "temperature": 1.0,
    "max_new_tokens": 256,
    "max_length": 512,
    "optimizer": {"learning_rate": 2e-5, "epochs": 3, "warmup_fraction": 0.03},
}
"""Appendix B: 3 seeds, k = 6 at temperature 1, 2e-5 with 3 % warm-up and linear decay, 3 epochs, 512 tokens."""

MINIATURE: Final[Mapping[str, Any]] = {
    "seeds": (1, 2, 3),
    "judge": "oracle",
    "train_questions": 500,
    "k": 12,
    "max_new_tokens": 64,
    "max_length": 128,
    "optimizer": {"learning_rate": 2e-3, "epochs": 6},
    "vft_reduction": "batch-token-mean",
    "validation_questions": 200,
    "evaluations_per_run": 3,
    "test_questions": 2000,
    "assessment_questions": 300,
    "assessment_samples": 20,
    "beta_search": {"betas": (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5), "seeds": (0,)},
}
"""The configuration in which a model of 343 thousand parameters shows the paper's effects on a CPU; it was found on
validation questions of seed 0, which is never reported."""


@dataclass(frozen=True, slots=True)
class Preset:
    """One table or figure."""

    name: str
    """E.g. ``table-2``."""
    title: str
    paper: str
    """What the paper did and found."""
    look_at: str
    """Where its answer is in this product."""
    methods: tuple[MethodConfig, ...]
    published: tuple[str, ...] = ()
    """Published columns that belong to it."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """What it changes in the paper's settings."""
    mini_methods: tuple[MethodConfig, ...] = ()
    """Its methods in miniature, where not the same."""
    mini_changes: Mapping[str, Any] = field(default_factory=dict)
    """What it changes in the miniature's settings."""
    over_models: bool = False
    """Whether its miniature repeats everything from the other built-in base models."""
    miniature: str = ""
    """What is different in miniature, beyond model, data and settings."""


def paper_spec(
    preset: Preset, *, dataset_version_id: str, base_model_id: str, split_id: str | None = None
) -> ExperimentSpec:
    """The preset as the paper ran it, on the data and model given."""
    settings = {**PAPER, **preset.changes}
    return ExperimentSpec.model_validate(
        {
            "name": preset.title,
            "dataset_version_id": dataset_version_id,
            "split_id": split_id,
            "base_model_id": base_model_id,
            "methods": preset.methods,
            **settings,
        }
    )


def mini_spec(preset: Preset, seeds: tuple[int, ...] | None = None) -> ExperimentSpec:
    """The preset on the built-in model and task."""
    settings = {**MINIATURE, **preset.mini_changes}
    if preset.over_models:
        settings["more_models"] = tuple(base.key for base in OTHER_BASES)
    if seeds is not None:
        settings["seeds"] = seeds
    return ExperimentSpec.model_validate(
        {
            "name": preset.title if preset.title.endswith("in miniature") else f"{preset.title}, in miniature",
            "dataset_version_id": BUILTIN,
            "base_model_id": BUILTIN,
            "methods": preset.mini_methods or preset.methods,
            **settings,
        }
    )
