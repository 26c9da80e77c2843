"""Checkpoints are whole or not there."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from aft.config.training import OptimizerConfig
from aft.training.checkpoints import CheckpointStore, SavedCheckpoint, is_whole, restore_training, training_tensors
from aft.training.optimization import make_optimizer, update


def save(store: CheckpointStore, step: int) -> SavedCheckpoint:
    return store.save(step, {"model": {"weight": torch.full((4,), float(step))}}, {"note": f"at {step}"})


def test_latest_is_what_was_saved_last(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    assert store.latest() is None
    save(store, 3)
    save(store, 12)
    loaded = store.latest()
    assert loaded is not None
    assert (loaded.step, loaded.state["note"]) == (12, "at 12")
    assert loaded.tensors["model"]["weight"].tolist() == [12.0] * 4


def test_only_the_newest_two_are_kept(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    for step in (1, 2, 3, 4):
        save(store, step)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000000003", "step-000000004"]


def test_saving_a_step_again_replaces_it(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    save(store, 1)
    store.save(1, {"model": {"weight": torch.zeros(1)}}, {"note": "again"})
    loaded = store.latest()
    assert loaded is not None
    assert loaded.state["note"] == "again"


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: flip_a_byte(path / "model.safetensors"),
        lambda path: (path / "state.json").unlink(),
        lambda path: (path / "manifest.json").unlink(),
        lambda path: (path / "manifest.json").write_text("[]"),
        lambda path: (path / "model.safetensors").write_bytes(b""),
    ],
    ids=["flipped byte", "lost state", "lost manifest", "wrong manifest", "empty weights"],
)
def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    store = CheckpointStore(tmp_path)
    save(store, 1)
    damage(save(store, 2).path)
    loaded = store.latest()
    assert loaded is not None
    assert loaded.step == 1
    damage(loaded.path)
    assert store.latest() is None


def test_what_was_saved_is_reported_with_its_digest(tmp_path: Path) -> None:
    reported: list[SavedCheckpoint] = []
    store = CheckpointStore(tmp_path, reported.append)
    saved = save(store, 7)
    assert reported == [saved]
    manifest = json.loads((saved.path / "manifest.json").read_text())
    assert manifest["files"].keys() == {"model.safetensors", "state.json"}
    assert saved.size_bytes == sum(entry["size_bytes"] for entry in manifest["files"].values())
    twin = save(CheckpointStore(tmp_path / "other"), 7)
    assert twin.sha256 == saved.sha256


def test_left_over_temporary_directories_are_ignored_and_removed(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    save(store, 1)
    (tmp_path / ".writing-step-000000009").mkdir()
    (tmp_path / ".writing-step-000000009" / "model.safetensors").write_bytes(b"half")
    loaded = store.latest()
    assert loaded is not None
    assert loaded.step == 1
    save(store, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000000001", "step-000000002"]


def test_weights_and_optimizer_come_back_bit_by_bit(tmp_path: Path, make_model: Callable[[], Any]) -> None:
    model, other = make_model(), make_model()
    optimizer, other_optimizer = (make_optimizer(m, OptimizerConfig(learning_rate=0.01)) for m in (model, other))

    def step(model: Any, optimizer: torch.optim.Optimizer) -> None:
        model(input_ids=torch.tensor([[5, 6, 7]]), labels=torch.tensor([[5, 6, 7]])).loss.backward()
        update(model, optimizer, 0.01, 1.0)

    step(model, optimizer)
    store = CheckpointStore(tmp_path)
    store.save(1, training_tensors(model, optimizer), {})
    loaded = store.latest()
    assert loaded is not None
    restore_training(loaded, other, other_optimizer)
    step(model, optimizer)
    step(other, other_optimizer)
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)


def test_another_models_checkpoint_is_refused(tmp_path: Path, make_model: Callable[[], Any]) -> None:
    store = CheckpointStore(tmp_path)
    save(store, 1)
    loaded = store.latest()
    assert loaded is not None
    model = make_model()
    with pytest.raises(ValueError, match="holds another model"):
        restore_training(loaded, model, make_optimizer(model, OptimizerConfig()))


def test_final_model_loads_as_a_usual_directory(tmp_path: Path, make_model: Callable[[], Any], tokenizer: Any) -> None:
    model = make_model()
    reported: list[SavedCheckpoint] = []
    path = CheckpointStore(tmp_path, reported.append).save_final(model, tokenizer, step=5)
    assert path == tmp_path / "final"
    assert [(saved.kind, saved.step) for saved in reported] == [("final", 5)]
    assert is_whole(path)
    assert not [file for file in path.iterdir() if file.suffix in {".bin", ".pt", ".pkl"}]
    again = AutoModelForCausalLM.from_pretrained(path, local_files_only=True)
    for one, two in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, two)
    assert AutoTokenizer.from_pretrained(path, local_files_only=True).get_vocab() == tokenizer.get_vocab()


def test_killing_the_process_at_any_moment_leaves_a_whole_checkpoint(tmp_path: Path) -> None:
    """SIGKILL a process that does nothing but save; what is visible afterwards is never half-written."""
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        import torch
        from aft.training.checkpoints import CheckpointStore
        store = CheckpointStore(Path(sys.argv[1]), lambda saved: print(saved.step, flush=True))
        last = store.latest()
        step = last.step if last else 0
        while True:
            step += 1
            store.save(step, {"model": {"weight": torch.full((200_000,), float(step))}}, {"step_again": step})
    """)
    seen = 0
    for saves_before_kill in (1, 3):
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True, env={**os.environ}
        )
        assert process.stdout is not None
        for _ in range(saves_before_kill):
            seen = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        loaded = CheckpointStore(tmp_path).latest()
        assert loaded is not None
        assert loaded.step >= seen
        assert loaded.state["step_again"] == loaded.step
        assert bool((loaded.tensors["model"]["weight"] == loaded.step).all())
