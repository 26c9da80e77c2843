"""Several processes train what one would: data-parallel, ZeRO 1 to 3, LoRA; and go on after a kill."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from aft.config.scale import LoraConfig, ParallelConfig
from aft.config.training import TrainConfig
from aft.training.ranks import Ranks
from aft.training.strategies import make_strategy
from tests.aft.training.several import AT, STEPS

ROOT = Path(__file__).resolve().parents[3]
TIMED = "train/tokens_per_second"
DIFFERENT = {TIMED, "train/two_pass_questions", "train/scored_only"}
"""Depend on how a step is cut, and on the clock."""


def start(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    return subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True, timeout=300)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What every scenario left."""
    place = tmp_path_factory.mktemp("several")
    done = start(sys.executable, "tests/aft/training/several.py", str(place))
    assert done.returncode == 0, done.stderr[-4000:]
    return place


@pytest.fixture(scope="module")
def codes(trained: Path) -> dict[str, list[int]]:
    found: dict[str, list[int]] = json.loads((trained / "codes.json").read_text())
    return found


def weights(directory: Path) -> dict[str, torch.Tensor]:
    [file] = (directory / "final").glob("*model.safetensors")
    return load_file(file)


def largest_difference(one: Path, other: Path) -> float:
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    return max(float((ours[name].double() - theirs[name].double()).abs().max()) for name in ours)


def curves(directory: Path) -> dict[int, dict[str, float]]:
    """Metrics by step; the last attempt's count."""
    found: dict[int, dict[str, float]] = {}
    for line in (directory / "steps.jsonl").read_text().splitlines():
        values = json.loads(line)
        found.setdefault(values.pop("step"), {}).update(values)
    return {step: {k: v for k, v in found[step].items() if k not in DIFFERENT} for step in sorted(found)}


def ended(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(file.read_text()) for file in sorted(directory.glob("ended-*.json"))]


@pytest.mark.parametrize(
    ("name", "alone"),
    [("ddp", "one"), ("zero1", "one"), ("zero2", "one"), ("zero3", "one"), ("zero3-lora", "one-lora")],
)
def test_two_processes_train_what_one_does(trained: Path, codes: dict[str, list[int]], name: str, alone: str) -> None:
    assert codes[name] == [0, 0]
    assert largest_difference(trained / name, trained / alone) < 5e-6
    ours, theirs = curves(trained / name), curves(trained / alone)
    assert list(ours) == list(theirs) == list(range(1, STEPS + 1))
    for step, values in theirs.items():
        assert ours[step] == pytest.approx(values, rel=1e-4, abs=1e-6)
    assert "validation/logits" in ours[STEPS]


def test_in_float64_the_sum_over_processes_is_exact(trained: Path, codes: dict[str, list[int]]) -> None:
    assert codes["ddp float64"] == [0, 0]
    assert largest_difference(trained / "ddp-float64", trained / "one-float64") < 1e-12


def test_bfloat16_stays_close(trained: Path, codes: dict[str, list[int]]) -> None:
    assert codes["zero2-bfloat16"] == [0, 0]
    ours, theirs = curves(trained / "zero2-bfloat16"), curves(trained / "one")
    for step, values in theirs.items():
        assert ours[step]["train/loss"] == pytest.approx(values["train/loss"], rel=0.02)
    assert {tensor.dtype for tensor in weights(trained / "zero2-bfloat16").values()} == {torch.bfloat16}


@pytest.mark.parametrize("name", ["ddp", "zero1", "zero2", "zero3"])
def test_killed_and_resumed_ends_with_the_same_bits(trained: Path, codes: dict[str, list[int]], name: str) -> None:
    assert -9 in codes[f"{name} killed"]
    assert codes[f"{name} resumed"] == [0, 0]
    # The state before the step that never came is saved; a save that was cut short is no checkpoint.
    assert {each["resumed"] for each in ended(trained / f"{name}-killed")} == {AT - 2}
    assert largest_difference(trained / f"{name}-killed", trained / name) == 0
    assert curves(trained / f"{name}-killed") == curves(trained / name)


def test_one_process_goes_on_with_what_several_began(trained: Path, codes: dict[str, list[int]]) -> None:
    assert codes["alone"] == [0]
    assert ended(trained / "zero2-alone")[0]["resumed"] > 0
    assert largest_difference(trained / "zero2-alone", trained / "one") < 5e-6


def test_all_processes_stop_when_one_is_asked(trained: Path, codes: dict[str, list[int]]) -> None:
    assert codes["stopped"] == [0, 0]
    assert ended(trained / "stopped") == [{"steps": AT - 1, "resumed": 0, "stopped": True}] * 2


@pytest.mark.parametrize("name", ["ddp", "zero3"])
def test_all_processes_fail_when_one_diverges(trained: Path, codes: dict[str, list[int]], name: str) -> None:
    assert codes[f"{name} broken"] == [0, 0]
    first, last = (each["error"] for each in ended(trained / f"{name}-broken"))
    assert f"Training failed at step {AT} of {STEPS}" in first
    assert f"Training failed at step {AT} of {STEPS}: a score is not finite" in last


def test_torchrun_starts_it(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "zero2").mkdir()
    options = ["--standalone", "--nproc-per-node", "2"]
    program = ["tests/aft/training/several.py", str(tmp_path / "zero2"), "zero2"]
    done = start(sys.executable, "-m", "torch.distributed.run", *options, *program)
    assert done.returncode == 0, done.stderr[-4000:]
    assert largest_difference(tmp_path / "zero2", trained / "zero2") == 0


def test_another_number_of_processes_is_refused() -> None:
    config = TrainConfig.model_validate({"method": {"name": "vft"}, "parallel": {"processes": 4, "strategy": "ddp"}})
    with pytest.raises(ValueError, match=r"configured for 4 process\(es\), and 2 are running. .*--nproc-per-node 4"):
        make_strategy(None, config, Ranks(0, 2))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"parallel": {"processes": 2}}, "strategy none"),
        ({"parallel": {"processes": 2, "strategy": "ddp", "offload": True}}, "offload is on"),
        ({"lora": {"dropout": 0.1}}, "both passes must see"),
        ({"lora": {"target_modules": []}}, "names no layer"),
        ({"lora": {"quantize": "4bit"}, "parallel": {"processes": 2, "strategy": "zero3"}}, "cannot spread quantised"),
    ],
)
def test_what_cannot_work_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TrainConfig.model_validate({"method": {"name": "vft"}, **values})


def test_defaults_are_one_process_and_all_weights() -> None:
    config = TrainConfig.model_validate({"method": {"name": "vft"}})
    assert (config.lora, config.parallel) == (None, ParallelConfig())
    assert LoraConfig().target_modules == "all-linear"
