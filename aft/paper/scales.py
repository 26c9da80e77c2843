"""How large ``aft reproduce`` runs the presets: in miniature on a CPU, larger on a GPU, or tiny to prove the path."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aft.config.experiment import ExperimentSpec
from aft.config.training import BuiltinModelConfig
from aft.paper.bases import OTHER_BASES, Base
from aft.paper.preset import Preset, mini_spec

REPRODUCED: Final = (
    "table-2",
    "table-4",
    "table-3",
    "table-8",
    "table-11",
    "dpo",
    "boundaries",
    "figure-2c",
    "figure-2b",
    "figure-2a",
    "figure-2d",
    "table-10",
    "table-1",
)
"""In the order they run: what most depends on comes first, and what they share runs once."""

SHORT_MODEL: Final = "Small Llama, hardly trained (short demo)"
SHORT_STEPS: Final = 120
"""Just enough that some of its sampled COTs are right."""


@dataclass(frozen=True, slots=True)
class Scale:
    """One size of the reproduction."""

    name: str
    about: str
    model_name: str | None
    """Name of the base model that is made for it; None takes the built-in one."""
    model: BuiltinModelConfig
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What it changes in the miniature's settings."""
    other_bases: tuple[Base, ...] = ()
    """What presets over models repeat everything from."""
    at_most: Mapping[str, int] = field(default_factory=dict)
    """Bounds on numbers that a preset sets itself."""
    needs_cuda: bool = False


SCALES: Final[Mapping[str, Scale]] = {
    "mini": Scale(
        name="mini",
        about=(
            "a model of 343 thousand parameters, and four others for Table 1; three seeds take some two hours on "
            "two cores"
        ),
        model_name=None,
        model=BuiltinModelConfig(),
        other_bases=OTHER_BASES,
    ),
    "gpu": Scale(
        name="gpu",
        about="a model of 25 million parameters and four times the questions, on one CUDA device",
        model_name="Llama of 25 million parameters (built-in task)",
        model=BuiltinModelConfig(
            hidden_size=512, layers=8, heads=8, mlp_size=1376, steps=4000, rows_per_step=128, learning_rate=8e-4
        ),
        settings={
            "train_questions": 2000,
            "k": 16,
            "optimizer": {"learning_rate": 2e-4, "epochs": 4},
            "tokens_per_microbatch": 32_768,
        },
        needs_cuda=True,
    ),
    "smoke": Scale(
        name="smoke",
        about="a model that has learned next to nothing, to prove the path; its numbers mean nothing",
        model_name=SHORT_MODEL,
        model=BuiltinModelConfig(steps=SHORT_STEPS),
        other_bases=(Base("", "Llama of one layer (short demo)", BuiltinModelConfig(layers=1, steps=SHORT_STEPS)),),
        settings={
            "train_questions": 60,
            "k": 4,
            "max_new_tokens": 48,
            "optimizer": {"learning_rate": 2e-3, "epochs": 1},
            "validation_questions": 4,
            "evaluations_per_run": 1,
            "test_questions": 20,
            "assessment_questions": 20,
            "assessment_samples": 4,
            "beta_search": {"betas": (0.0, 0.15), "seeds": (0,), "questions": 8},
        },
        at_most={"test_questions": 20},
    ),
}


def reproduced_spec(
    preset: Preset, scale: Scale, seeds: tuple[int, ...], base_model_id: str, other_model_ids: tuple[str, ...] = ()
) -> ExperimentSpec:
    """A preset's experiment at a scale.

    Args:
        preset: One of `REPRODUCED`.
        scale: The scale, whose settings win over the miniature's but not over what the preset itself
            varies, which is bounded.
        seeds: The seeds reported.
        base_model_id: Id of the scale's base model.
        other_model_ids: Ids of its other base models, for presets over models.
    """
    spec = mini_spec(preset, seeds)
    changes = {key: value for key, value in scale.settings.items() if key not in preset.mini_changes}
    own = {name: value for name in scale.at_most if (value := preset.mini_changes.get(name)) is not None}
    changes |= {name: min(value, scale.at_most[name]) for name, value in own.items()}
    body = spec.model_dump(mode="json", exclude_defaults=True)
    models = {"base_model_id": base_model_id, "more_models": other_model_ids if preset.over_models else ()}
    return ExperimentSpec.model_validate({**body, **changes, **models})
