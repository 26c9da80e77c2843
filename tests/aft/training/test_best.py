"""The best evaluation's model is kept, can be the final one, and survives interruptions bit by bit."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from aft.config.method import MethodConfig
from aft.config.training import OptimizerConfig, TrainConfig
from aft.training.checkpoints import CheckpointStore
from aft.training.groups import Group
from aft.training.loop import Best, TrainResult, train
from aft.training.sinks import NullSink

ACCURACIES = {2: 0.3, 4: 0.5, 6: 0.5, 8: 0.2}
"""Best at step 4; step 6 only equals it."""
CONFIG = TrainConfig(
    method=MethodConfig(name="aft", constraint="detached"),
    optimizer=OptimizerConfig(learning_rate=3e-3, questions_per_step=6),
    evaluations_per_run=4,
    checkpoint_every_seconds=1e-6,
    seed=2,
)


class Seen:
    """Evaluates by the table, and keeps the weights it saw."""

    def __init__(self, accuracies: Mapping[int, float] = ACCURACIES) -> None:
        self.accuracies = accuracies
        self.weights: dict[int, dict[str, torch.Tensor]] = {}

    def __call__(self, model: Any, step: int) -> Mapping[str, float]:
        self.weights[step] = {name: value.detach().clone() for name, value in model.named_parameters()}
        return {"task_accuracy": self.accuracies[step]}


def run(
    directory: Path,
    parts: tuple[Any, Any, list[Group]],
    seen: Seen,
    *,
    keep: str = "last",
    stop_after: int | None = None,
    should_end: Callable[[], bool] = lambda: False,
) -> TrainResult:
    model, tokenizer, groups = parts
    looks = 0

    def should_stop() -> bool:
        nonlocal looks
        looks += 1
        return stop_after is not None and looks > stop_after

    config = CONFIG.model_copy(update={"keep": keep})
    return train(
        config, model, tokenizer, groups, sink=NullSink(), should_stop=should_stop, evaluate=seen,
        checkpoints=CheckpointStore(directory), should_end=should_end, epochs=4,
    )  # fmt: skip


def weights(directory: Path) -> dict[str, torch.Tensor]:
    return load_file(directory / "model.safetensors")


def assert_same(saved: dict[str, torch.Tensor], seen: dict[str, torch.Tensor]) -> None:
    for name, value in saved.items():
        assert torch.equal(value, seen[name]), name


@pytest.fixture
def parts(make_model: Callable[[], Any], tokenizer: Any, groups: list[Group]) -> Callable[[], Any]:
    return lambda: (make_model(), tokenizer, groups)


def test_last_model_is_final_and_the_best_lies_beside_it(tmp_path: Path, parts: Callable[[], Any]) -> None:
    seen = Seen()
    result = run(tmp_path, parts(), seen)
    assert result.best == Best(4, 0.5)
    assert (result.steps, result.ended_early) == (8, False)
    assert result.final is not None
    assert_same(weights(result.final), seen.weights[8])
    assert [path.name for path in tmp_path.glob("best-*")] == ["best-000000004"]
    assert_same(weights(tmp_path / "best-000000004"), seen.weights[4])


def test_best_model_can_be_final(tmp_path: Path, parts: Callable[[], Any]) -> None:
    seen = Seen()
    result = run(tmp_path, parts(), seen, keep="best")
    assert result.final is not None
    assert_same(weights(result.final), seen.weights[4])
    assert (result.final / "config.json").is_file()


@pytest.mark.parametrize("keep", ["last", "best"])
@pytest.mark.parametrize("stops", [(3,), (5,), (1, 3, 2)])
def test_interruptions_change_neither_the_best_nor_the_final_model(
    tmp_path: Path, parts: Callable[[], Any], keep: str, stops: tuple[int, ...]
) -> None:
    whole = run(tmp_path / "whole", parts(), Seen(), keep=keep)
    for looks in stops:
        assert run(tmp_path / "torn", parts(), Seen(), keep=keep, stop_after=looks).stopped
    torn = run(tmp_path / "torn", parts(), Seen(), keep=keep)
    assert torn.best == whole.best
    assert torn.final is not None
    assert whole.final is not None
    assert_same(weights(torn.final), weights(whole.final))
    assert_same(weights(tmp_path / "torn/best-000000004"), weights(tmp_path / "whole/best-000000004"))


def test_an_earlier_best_stays_while_a_resume_point_names_it(tmp_path: Path, parts: Callable[[], Any]) -> None:
    store = CheckpointStore(tmp_path)
    model, tokenizer, _ = parts()
    store.save_best(model, tokenizer, step=2)
    store.save_best(model, tokenizer, step=4)
    assert {path.name for path in tmp_path.glob("best-*")} == {"best-000000002", "best-000000004"}
    store.drop_best(but=4)
    assert {path.name for path in tmp_path.glob("best-*")} == {"best-000000004"}


def test_damaged_best_model_is_refused(tmp_path: Path, parts: Callable[[], Any]) -> None:
    store = CheckpointStore(tmp_path)
    model, tokenizer, _ = parts()
    place = store.save_best(model, tokenizer, step=2)
    (place / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="step 2, is gone or damaged"):
        store.promote_best(2)


def test_training_ends_where_it_is_told_to(tmp_path: Path, parts: Callable[[], Any]) -> None:
    seen = Seen()
    result = run(tmp_path, parts(), seen, should_end=lambda: 6 in seen.weights)
    assert (result.steps, result.total_steps, result.ended_early, result.stopped) == (6, 8, True, False)
    assert result.final is not None
    assert_same(weights(result.final), seen.weights[6])


def test_an_ending_at_the_only_evaluation_keeps_one_copy_of_the_model(tmp_path: Path, parts: Callable[[], Any]) -> None:
    result = run(tmp_path, parts(), Seen({2: 0.4}), should_end=lambda: True)
    assert result.final is not None
    best = tmp_path / "best-000000002" / "model.safetensors"
    assert best.samefile(result.final / "model.safetensors")
