"""What the data and the model of an experiment's blocks bring: tokens, questions, parameters."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from aft.config.tiny import TinyModelConfig
from backend.db.models import BaseModelEntry, Example, Split, SplitMember
from backend.services import base_models, estimates
from backend.services.estimates import CHARACTERS_PER_TOKEN, Sizes

BUILTIN_WINDOW = 1024
"""Window of the built-in model, as ``aft.models`` makes it."""


@dataclass(frozen=True, slots=True)
class Sized:
    """A block with what its data and model bring."""

    spec: ExperimentSpec
    sizes: Sizes
    longest: float
    only_tests: bool


def of_blocks(session: Session, spec: ExperimentSpec) -> dict[str, Sized]:
    """Every block of a resolved experiment, by key."""
    found = {}
    for block in spec.blocks:
        alone = spec.of_block(block)
        found[block.key] = Sized(alone, *_sizes(session, alone), only_tests=block.trained is not None)
    return found


def _sizes(session: Session, spec: ExperimentSpec) -> tuple[Sizes, float]:
    """Sizes for the estimate, and the longest question in tokens."""
    split = session.get_one(Split, spec.split_id)
    model = base_models.get(session, spec.base_model_id)
    words = model.source == "builtin"
    question, reference, longest = session.execute(
        select(
            func.avg(func.length(Example.question)),
            func.avg(func.length(Example.reference)),
            func.max(func.length(Example.question)),
        )
        .join(SplitMember, SplitMember.example_id == Example.id)
        .where(SplitMember.split_id == split.id, SplitMember.position < 300)
    ).one()
    sizes = Sizes(
        parameters=_parameters(model),
        train_questions=int(split.counts.get("train", 0)),
        validation_questions=int(split.counts.get("validation", 0)),
        test_questions=int(split.counts.get("test", 0)),
        question_tokens=float(question or 0) / CHARACTERS_PER_TOKEN,
        # Words and marks are one token each for the built-in model.
        reference_tokens=float(reference or 0) / (2.2 if words else CHARACTERS_PER_TOKEN) + 3,
    )
    return sizes, float(longest or 0) / CHARACTERS_PER_TOKEN


def _parameters(model: BaseModelEntry) -> int:
    facts: dict[str, Any] = model.facts or {}
    made = base_models.made_config(model)
    if isinstance(made, TinyModelConfig):
        return estimates.llama_parameters(made, made.vocab_size)
    if made is not None:
        return estimates.llama_parameters(made)
    return int(facts.get("parameters") or 7_000_000_000)


def window(model: BaseModelEntry) -> int | None:
    """Tokens that the model can read; None where unknown."""
    made = base_models.made_config(model)
    if isinstance(made, TinyModelConfig):
        return made.window
    known: int | None = (model.facts or {}).get("window")
    return known if made is None else BUILTIN_WINDOW
