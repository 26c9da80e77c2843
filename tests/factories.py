"""Rows for tests, with only what matters spelled out. Every function flushes."""

from typing import Any

from sqlalchemy.orm import Session

from aft.arithmetic import make_examples
from aft.config.training import BuiltinModelConfig, OptimizerConfig, TrainConfig
from aft.paper.bases import OTHER_BASES
from backend.db.models import BaseModelEntry, Dataset, DatasetVersion, Example, Run, Split, SplitMember
from backend.services import builtin, runs

TINY = BuiltinModelConfig(
    hidden_size=16, layers=1, heads=1, mlp_size=16, steps=60, rows_per_step=4, checkpoint_every_seconds=0.2
)
"""A model that is made in about a second."""
SLOW = TINY.model_copy(update={"steps": 100_000})
"""A run that is certainly not over yet."""


def make_run(session: Session, name: str = "a run", **changes: Any) -> Run:
    """A run of kind pretrain; nothing is reused unless asked for."""
    values: dict[str, Any] = {
        "kind": "pretrain",
        "name": name,
        "config": TINY.model_dump(mode="json"),
        "inputs": {},
        "reuse": False,
    }
    run, _ = runs.create(session, **{**values, **changes})
    return run


def make_dataset(session: Session, *, train: int = 12, validation: int = 4, test: int = 6) -> tuple[str, str]:
    """A ready data set of the built-in task; returns the ids of its version and split."""
    dataset = Dataset(name=f"numbers {train} {validation} {test}", task="arithmetic")
    session.add(dataset)
    session.flush()
    version = DatasetVersion(dataset_id=dataset.id, number=1, state="ready", task="arithmetic", sha256="0" * 64)
    session.add(version)
    session.flush()
    counts = {"train": train, "validation": validation, "test": test}
    split = Split(version_id=version.id, name="parts", spec={}, counts=counts, sha256="1" * 64)
    session.add(split)
    session.flush()
    position = 0
    for part, count in counts.items():
        for index, item in enumerate(make_examples(part, count, 0)):
            example = Example(
                version_id=version.id,
                position=position,
                external_id=item.id,
                part=part,
                question=item.question,
                reference=item.reference,
                answer=item.answer,
            )
            session.add(example)
            session.flush()
            session.add(SplitMember(split_id=split.id, example_id=example.id, part=part, position=index))
            position += 1
    version.n_rows = position
    session.flush()
    return version.id, split.id


def make_base_model(session: Session) -> str:
    """The registry's entry of the tiny built-in model."""
    entry = BaseModelEntry(name="tiny", source="builtin", config=TINY.model_dump(mode="json"))
    session.add(entry)
    session.flush()
    return entry.id


def make_other_bases(session: Session) -> None:
    """What the server registers beside the default model, for presets over models."""
    for base in OTHER_BASES:
        builtin.registered(session, base.name, base.config)


def train_config(method: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """Settings of a short training."""
    values: dict[str, Any] = {
        "method": method or {"name": "vft"},
        "optimizer": OptimizerConfig(learning_rate=1e-3, epochs=4, questions_per_step=2),
        "validation_questions": 2,
        "evaluations_per_run": 2,
        "checkpoint_every_seconds": 0.1,
        "max_length": 256,
        "seed": 1,
    }
    return TrainConfig.model_validate({**values, **changes}).model_dump(mode="json")
