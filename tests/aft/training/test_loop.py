"""The loop: what it learns, what it reports, and that an interruption changes no bit."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from aft.config.method import MethodConfig
from aft.config.scale import LoraConfig
from aft.config.training import OptimizerConfig, TrainConfig
from aft.training.checkpoints import CheckpointStore
from aft.training.groups import Group
from aft.training.loop import TrainResult, evaluation_schedule, train
from aft.training.optimization import learning_rate

CONFIG = TrainConfig(
    method=MethodConfig(name="aft", constraint="boundary"),
    optimizer=OptimizerConfig(learning_rate=3e-3, questions_per_step=4),
    evaluations_per_run=2,
    seed=5,
)


class Recorder:
    """Keeps what a run reports."""

    def __init__(self) -> None:
        self.values: dict[int, dict[str, float]] = {}
        self.done: list[tuple[int, int, str]] = []

    def write(self, step: int, values: Mapping[str, float]) -> None:
        self.values.setdefault(step, {}).update(values)

    def progress(self, done: int, total: int, phase: str) -> None:
        self.done.append((done, total, phase))


def run(
    directory: Path,
    model: Any,
    tokenizer: Any,
    groups: list[Group],
    config: TrainConfig = CONFIG,
    *,
    stop_after: int | None = None,
    recorder: Recorder | None = None,
    evaluate: Callable[[Any, int], Mapping[str, float]] | None = None,
    epochs: int = 2,
) -> TrainResult:
    calls = 0

    def should_stop() -> bool:
        nonlocal calls
        calls += 1
        return stop_after is not None and calls > stop_after

    return train(
        config, model, tokenizer, groups, sink=recorder or Recorder(), should_stop=should_stop,
        checkpoints=CheckpointStore(directory), evaluate=evaluate, epochs=epochs,
    )  # fmt: skip


def weights(path: Path) -> dict[str, torch.Tensor]:
    return load_file(path / "model.safetensors")


def assert_same_bits(one: Path, other: Path) -> None:
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert torch.equal(ours[name], theirs[name]), name


def test_every_step_is_reported(
    tmp_path: Path, make_model: Callable[[], Any], tokenizer: Any, groups: list[Group]
) -> None:
    recorder = Recorder()
    result = run(tmp_path, make_model(), tokenizer, groups, recorder=recorder, evaluate=lambda model, step: {"x": 1.0})
    assert (result.steps, result.total_steps, result.stopped, result.resumed_from) == (6, 6, False, 0)
    assert sorted(recorder.values) == [1, 2, 3, 4, 5, 6]
    assert recorder.done == [(step, 6, "training") for step in range(1, 7)]
    for values in recorder.values.values():
        assert values.keys() >= {
            "train/loss", "train/loss_vft", "train/loss_rank", "train/push_up", "train/push_down", "train/grad_norm",
            "train/learning_rate", "train/groups_without_pairs", "train/tokens_per_second",
        }  # fmt: skip
        assert values["train/loss"] == pytest.approx(values["train/loss_vft"] + values["train/loss_rank"])
    assert [step for step, values in recorder.values.items() if "validation/x" in values] == [3, 6]


@pytest.mark.parametrize("name", ["vft", "rft", "aft", "rrhf", "pro", "dpo"])
def test_training_lowers_its_loss(
    tmp_path: Path, make_model: Callable[[], Any], tokenizer: Any, groups: list[Group], name: str
) -> None:
    recorder = Recorder()
    config = TrainConfig.model_validate(
        {"method": {"name": name}, "optimizer": {"learning_rate": 0.01, "questions_per_step": 11}}
    )
    run(tmp_path, make_model(), tokenizer, groups, config, recorder=recorder, epochs=8)
    losses = [recorder.values[step]["train/loss"] for step in sorted(recorder.values)]
    assert losses[-1] < 0.9 * losses[0]


def test_micro_batches_change_nothing_but_rounding(
    tmp_path: Path, make_model: Callable[[], Any], tokenizer: Any, groups: list[Group]
) -> None:
    recorders = []
    for number, budget in enumerate((64, 4096)):
        recorder = Recorder()
        config = CONFIG.model_copy(update={"tokens_per_microbatch": budget})
        run(tmp_path / str(number), make_model(), tokenizer, groups, config, recorder=recorder)
        recorders.append([recorder.values[step]["train/loss"] for step in sorted(recorder.values)])
    assert recorders[0] == pytest.approx(recorders[1], rel=1e-4)


@pytest.mark.parametrize("stops", [[0], [1], [3], [5], [2, 0, 2, 1]])
def test_a_stopped_and_resumed_run_ends_with_the_same_bits(
    tmp_path: Path, make_model: Callable[[], Any], tokenizer: Any, groups: list[Group], stops: list[int]
) -> None:
    whole = run(tmp_path / "whole", make_model(), tokenizer, groups)
    assert whole.final is not None
    done = 0
    for stop_after in stops:
        part = run(tmp_path / "parts", make_model(), tokenizer, groups, stop_after=stop_after)
        assert (part.stopped, part.resumed_from, part.final) == (True, done, None)
        done += stop_after
        assert part.steps == done
    last = run(tmp_path / "parts", make_model(), tokenizer, groups)
    assert (last.resumed_from, last.stopped) == (done, False)
    assert last.final is not None
    assert_same_bits(whole.final, last.final)


def test_an_interrupted_evaluation_is_made_up_for(
    tmp_path: Path, make_model: Callable[[], Any], tokenizer: Any, groups: list[Group]
) -> None:
    asked: list[int] = []

    def interrupted(model: Any, step: int) -> dict[str, float]:
        asked.append(step)
        return {}

    stopped = run(tmp_path, make_model(), tokenizer, groups, stop_after=6, evaluate=interrupted)
    assert (stopped.stopped, stopped.steps) == (True, 6)
    assert asked == [3, 6]
    recorder = Recorder()
    resumed = run(
        tmp_path, make_model(), tokenizer, groups, recorder=recorder, evaluate=lambda model, step: {"x": step + 0.5}
    )
    assert not resumed.stopped
    assert recorder.values == {6: {"validation/x": 6.5}}


def test_a_checkpoint_of_another_run_is_refused(
    tmp_path: Path, make_model: Callable[[], Any], tokenizer: Any, groups: list[Group]
) -> None:
    run(tmp_path, make_model(), tokenizer, groups, stop_after=2)
    for config, data in ((CONFIG.model_copy(update={"seed": 6}), groups), (CONFIG, groups[:-1])):
        with pytest.raises(ValueError, match="another configuration or other data"):
            run(tmp_path, make_model(), tokenizer, data, config)


class NewerConfig(TrainConfig):
    """What a later version may look like."""

    added_since: float = 0.0


def test_a_newer_version_goes_on_where_an_older_one_stopped(
    tmp_path: Path, make_model: Callable[[], Any], tokenizer: Any, groups: list[Group]
) -> None:
    run(tmp_path, make_model(), tokenizer, groups, stop_after=2)
    newer = NewerConfig.model_validate(CONFIG.model_dump())
    with pytest.raises(ValueError, match="another configuration"):
        run(tmp_path, make_model(), tokenizer, groups, newer.model_copy(update={"added_since": 0.5}))
    assert run(tmp_path, make_model(), tokenizer, groups, newer).resumed_from == 2


@pytest.mark.parametrize("lora", [None, LoraConfig(rank=2)], ids=["whole", "lora"])
def test_a_checkpoint_on_another_base_model_is_refused(
    lora: LoraConfig | None, tmp_path: Path, make_model: Callable[[], Any], tokenizer: Any, groups: list[Group]
) -> None:
    config = CONFIG.model_copy(update={"lora": lora})
    run(tmp_path, make_model(), tokenizer, groups, config, stop_after=2)
    other = make_model()
    with torch.no_grad():
        other.model.layers[1].mlp.up_proj.weight.mul_(1.01)
    with pytest.raises(ValueError, match="on another base"):
        run(tmp_path, other, tokenizer, groups, config)
    assert run(tmp_path, make_model(), tokenizer, groups, config).resumed_from == 2


def test_divergence_names_the_step(
    tmp_path: Path, make_model: Callable[[], Any], tokenizer: Any, groups: list[Group]
) -> None:
    model = make_model()

    def break_it(model: Any, step: int) -> dict[str, float]:
        torch.nn.init.constant_(model.model.norm.weight, float("nan"))
        return {"x": 0.0}

    with pytest.raises(ValueError, match=r"Training failed at step 4 of 6: .*not finite.*Lower the learning rate"):
        run(tmp_path, model, tokenizer, groups, evaluate=break_it)


def test_dropout_stays_off(tmp_path: Path, make_model: Callable[[], Any], tokenizer: Any, groups: list[Group]) -> None:
    model = make_model().train()

    def evaluate(model: Any, step: int) -> dict[str, float]:
        model.train()
        return {"x": 0.0}

    run(tmp_path, model, tokenizer, groups, evaluate=evaluate)
    assert not model.training


def test_schedule_warms_up_and_decays_without_a_wasted_step() -> None:
    config = OptimizerConfig(learning_rate=1.0, warmup_fraction=0.2)
    rates = [learning_rate(config, step, 10) for step in range(10)]
    assert rates == [0.5, 1.0, *(pytest.approx(rate / 8) for rate in range(8, 0, -1))]
    assert learning_rate(OptimizerConfig(learning_rate=1.0, warmup_fraction=0), 0, 1) == 1.0
    assert learning_rate(OptimizerConfig(learning_rate=1.0, warmup_fraction=1), 3, 4) == 1.0


def test_evaluations_are_spread_evenly_and_end_the_run() -> None:
    assert evaluation_schedule(10, 4) == {3, 5, 8, 10}
    assert evaluation_schedule(2, 4) == {1, 2}
    assert evaluation_schedule(10, 0) == frozenset()


def test_bfloat16_keeps_float32_weights(
    tmp_path: Path, make_model: Callable[[], Any], tokenizer: Any, groups: list[Group]
) -> None:
    model = make_model().to(torch.bfloat16)
    recorder = Recorder()
    run(tmp_path, model, tokenizer, groups, CONFIG.model_copy(update={"precision": "bfloat16"}), recorder=recorder)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert all(values["train/loss"] > 0 for values in recorder.values.values())


KILLED_PROGRAM = textwrap.dedent("""
    import sys
    from pathlib import Path
    import torch
    torch.set_num_threads(1)
    from aft.arithmetic import VOCABULARY
    from aft.config.training import BuiltinModelConfig, TrainConfig
    from aft.models import build_llama, build_tokenizer
    from aft.training.checkpoints import CheckpointStore
    from aft.training.groups import Group, TrainingCandidate
    from aft.training.loop import train
    from aft.training.sinks import NullSink

    class Sink(NullSink):
        def progress(self, done, total, phase):
            print(done, flush=True)

    groups = [
        Group(f"q{i}", (5 + i, 6), (7, 8, 2), (TrainingCandidate((9, 10 + i, 2), 1.0), TrainingCandidate((11, 2), 0.0)))
        for i in range(40)
    ]
    config = TrainConfig.model_validate({
        "method": {"name": "aft", "constraint": "detached"}, "checkpoint_every_seconds": 1e-9,
        "optimizer": {"learning_rate": 3e-3, "questions_per_step": 2},
    })
    tokenizer = build_tokenizer(VOCABULARY)
    model = build_llama(BuiltinModelConfig(hidden_size=16, layers=1, heads=2, mlp_size=16), tokenizer, seed=0)
    train(config, model, tokenizer, groups, sink=Sink(), should_stop=lambda: False,
          checkpoints=CheckpointStore(Path(sys.argv[1])), epochs=2)
""")


def test_killed_runs_end_with_the_same_bits(tmp_path: Path) -> None:
    """SIGKILL in the middle of training and saving: every step saves, so the kill often meets a save."""

    def start(directory: Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", KILLED_PROGRAM, str(directory)],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    whole, killed = start(tmp_path / "whole"), start(tmp_path / "killed")
    assert whole.stdout is not None
    assert killed.stdout is not None
    for _ in range(7):
        assert killed.stdout.readline()
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    killed.stdout.close()
    resumed = start(tmp_path / "killed")
    assert resumed.stdout is not None
    assert whole.stdout.read().split() == [str(step) for step in range(1, 41)]
    steps = [int(line) for line in resumed.stdout]
    assert steps == list(range(steps[0], 41))
    assert steps[0] > 6
    for process in (whole, resumed):
        assert process.wait() == 0
        assert process.stdout is not None
        process.stdout.close()
    assert_same_bits(tmp_path / "whole" / "final", tmp_path / "killed" / "final")
