"""Trainings by several processes, forked by a program of its own that has loaded torch and DeepSpeed once.

``python several.py DIRECTORY`` runs every scenario of ``SCENARIOS`` and leaves its final models and step numbers below
the directory; ``torchrun ... several.py DIRECTORY NAME`` runs one of them as started by a launcher.
"""

import json
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from aft.arithmetic import VOCABULARY
from aft.config.training import BuiltinModelConfig, TrainConfig
from aft.models import build_llama, build_tokenizer
from aft.scoring import microbatch_token_logprobs
from aft.training import checkpoints, lockstep, passes
from aft.training.checkpoints import CheckpointStore
from aft.training.groups import Group, TrainingCandidate
from aft.training.loop import train
from aft.training.ranks import Ranks, join
from aft.training.zero import import_deepspeed

STEPS = 6
AT = 4
"""Where something happens to a training."""

BASE: dict[str, Any] = {
    "method": {"name": "aft", "constraint": "boundary"},
    "optimizer": {"learning_rate": 3e-3, "questions_per_step": 4, "max_grad_norm": 0.5, "weight_decay": 0.01},
    "tokens_per_microbatch": 96,
    "evaluations_per_run": 2,
    "checkpoint_every_seconds": 1e-6,
    "seed": 5,
}


def scenario(strategy: str = "none", processes: int = 1, **changes: Any) -> dict[str, Any]:
    """A configuration; ``offload`` belongs to its parallel part."""
    parallel = {"strategy": strategy, "processes": processes, "offload": changes.pop("offload", False)}
    return {**BASE, "parallel": parallel, **changes}


LORA = {"rank": 4, "alpha": 8.0}
SCENARIOS: dict[str, dict[str, Any]] = {
    "one": scenario(),
    "ddp": scenario("ddp", 2),
    "zero1": scenario("zero1", 2, offload=True),
    "zero2": scenario("zero2", 2),
    "zero3": scenario("zero3", 2, activation_checkpointing=True),
    "one-lora": scenario(lora=LORA),
    "zero3-lora": scenario("zero3", 2, lora=LORA),
    "zero2-bfloat16": scenario("zero2", 2, precision="bfloat16"),
}
KILLED = {"ddp": "step", "zero1": "step", "zero2": "save", "zero3": "step"}
"""Trained a second time, killed in the middle: the last process before a step, or the first while it saves."""
BROKEN = ("ddp", "zero3")
"""Trained once more with a score that is not finite in one process."""


class Steps:
    """Notes metrics in a file."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def write(self, step: int, values: Mapping[str, float]) -> None:
        with self._place.open("a") as lines:
            lines.write(json.dumps({"step": step, **values}) + "\n")

    def progress(self, done: int, total: int, phase: str) -> None:
        """Not needed."""


def make_groups() -> list[Group]:
    """Eleven questions with 0 to 5 candidates on up to three levels."""
    rng = np.random.default_rng(0)

    def ids(shortest: int, longest: int) -> tuple[int, ...]:
        return tuple(int(token) for token in rng.integers(5, len(VOCABULARY), rng.integers(shortest, longest)))

    found = []
    for number in range(11):
        ratings = rng.choice([0.0, 1.0, 2.0], size=number % 6)
        candidates = tuple(TrainingCandidate(ids(3, 12), float(rating)) for rating in ratings)
        found.append(Group(f"q{number}", ids(4, 15), ids(3, 12), candidates))
    return found


def run(directory: Path, values: dict[str, Any], ranks: Ranks, *, event: str = "", double: bool = False) -> None:
    """Train to the end, unless something happens."""
    config = TrainConfig.model_validate(values)
    tokenizer = build_tokenizer(VOCABULARY)
    model: Any = build_llama(BuiltinModelConfig(hidden_size=16, layers=2, heads=2, mlp_size=32), tokenizer, seed=0)
    if double:
        model.double()
    is_last = ranks.rank == ranks.processes - 1
    calls = 0

    def should_stop() -> bool:
        nonlocal calls
        calls += 1
        if calls == AT and is_last and event == "step":
            os.kill(os.getpid(), signal.SIGKILL)
        if calls == AT and event == "save":
            checkpoints._seal = killed_while_sealing
        if calls == AT and is_last and event == "broken":
            for module in (passes, lockstep):
                vars(module)["microbatch_token_logprobs"] = broken_logprobs
        return calls == AT and is_last and event == "stop"

    def evaluate(model: Any, step: int) -> dict[str, float]:
        assert ranks.is_first
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([[5, 6, 7]])).logits
        return {"logits": float(logits.double().abs().sum())}

    try:
        result = train(
            config, model, tokenizer, make_groups(), sink=Steps(directory / "steps.jsonl"), should_stop=should_stop,
            checkpoints=CheckpointStore(directory), evaluate=evaluate, epochs=2, ranks=ranks,
        )  # fmt: skip
        ended: dict[str, Any] = {"steps": result.steps, "resumed": result.resumed_from, "stopped": result.stopped}
    except ValueError as error:
        ended = {"error": str(error)}
    (directory / f"ended-{ranks.rank}.json").write_text(json.dumps(ended))


def killed_while_sealing(directory: Path) -> tuple[str, int]:
    """The end of the process, the checkpoint's files written and not yet in place."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def broken_logprobs(*arguments: Any, **named: Any) -> tuple[torch.Tensor, ...]:
    """Scores that are not finite."""
    return tuple(tokens * torch.inf for tokens in microbatch_token_logprobs(*arguments, **named))


def fork_ranks(directory: Path, values: dict[str, Any], **how: Any) -> list[int]:
    """Fork the processes of a training and wait for them; returns their exit codes. When one dies, so do all."""
    directory.mkdir(parents=True, exist_ok=True)
    processes = values["parallel"]["processes"]
    meeting = directory / f"meeting-{time.monotonic_ns()}"
    pids: list[int] = []
    for rank in range(processes):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(processes))
                ranks = join(rendezvous=meeting)
                run(directory, values, ranks, **how)
                ranks.leave()
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        pids.append(pid)
    codes: dict[int, int] = {}
    while len(codes) < processes:
        pid, status = os.wait()
        codes[pid] = os.waitstatus_to_exitcode(status)
        if codes[pid]:
            for other in set(pids) - codes.keys():
                os.kill(other, signal.SIGKILL)
    return [codes[pid] for pid in pids]


def main(directory: Path) -> None:
    """Run every scenario."""
    torch.set_num_threads(1)
    import_deepspeed()
    codes: dict[str, list[int]] = {}
    for name, values in SCENARIOS.items():
        codes[name] = fork_ranks(directory / name, values)
        if name in KILLED:
            place = directory / f"{name}-killed"
            codes[f"{name} killed"] = fork_ranks(place, values, event=KILLED[name])
            shutil.copytree(place, directory / f"{name}-alone")
            codes[f"{name} resumed"] = fork_ranks(place, values)
        if name in BROKEN:
            codes[f"{name} broken"] = fork_ranks(directory / f"{name}-broken", values, event="broken")
    # What a process of several began, one alone goes on with.
    codes["alone"] = fork_ranks(directory / "zero2-alone", SCENARIOS["one"])
    codes["stopped"] = fork_ranks(directory / "stopped", SCENARIOS["ddp"], event="stop")
    for name in ("one", "ddp"):
        codes[f"{name} float64"] = fork_ranks(directory / f"{name}-float64", SCENARIOS[name], double=True)
    (directory / "codes.json").write_text(json.dumps(codes))


if __name__ == "__main__":
    if len(sys.argv) == 2:
        main(Path(sys.argv[1]))
    else:
        torch.set_num_threads(1)
        mine = join()
        run(Path(sys.argv[1]), SCENARIOS[sys.argv[2]], mine)
        mine.leave()
