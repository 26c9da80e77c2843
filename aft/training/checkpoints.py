"""Checkpoints that are whole or not there: safetensors and JSON, never pickle.

A checkpoint is a directory. It is written under a temporary name, every file is flushed to the disk, a manifest
with the sha256 of each file is added last, and one rename makes it visible.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from aft.adapters import is_adapter, write_base

CheckpointKind = Literal["resume", "best", "final"]

MANIFEST = "manifest.json"
_STATE = "state.json"
_NAME = re.compile(r"step-(\d{9})")
_BEST = re.compile(r"best-(\d{9})")
_TEMPORARY = ".writing-"
_REMOVING = ".removing-"
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class SavedCheckpoint:
    """A checkpoint that is safely on the disk."""

    path: Path
    step: int
    kind: CheckpointKind
    sha256: str
    """Of the manifest, which holds the sha256 of every file."""
    size_bytes: int


@dataclass(frozen=True, slots=True)
class LoadedCheckpoint:
    """A verified checkpoint: named groups of tensors and the JSON state."""

    path: Path
    step: int
    tensors: dict[str, dict[str, Tensor]]
    state: dict[str, Any]


class CheckpointStore:
    """The checkpoints of one run in one directory."""

    def __init__(
        self,
        directory: Path,
        on_saved: Callable[[SavedCheckpoint], None] | None = None,
        *,
        keep: int = 2,
    ) -> None:
        self.directory = directory
        self._on_saved = on_saved
        self._keep = keep

    def save(self, step: int, tensors: Mapping[str, Mapping[str, Tensor]], state: Mapping[str, Any]) -> SavedCheckpoint:
        """Write a resumable checkpoint and drop all but the newest ones.

        Args:
            step: Optimizer steps done.
            tensors: One safetensors file for each name, e.g. ``model`` and ``optimizer``.
            state: Anything JSON holds exactly.
        """

        def write(directory: Path) -> None:
            for name, group in tensors.items():
                whole = {key: tensor.detach().cpu().contiguous() for key, tensor in group.items()}
                save_file(whole, directory / f"{name}.safetensors")
            (directory / _STATE).write_text(json.dumps({"step": step, **state}), encoding="utf-8")

        saved = self._publish(self.directory / f"step-{step:09d}", step, "resume", write)
        for _, path in self._newest_first()[self._keep :]:
            _remove(path)
        return saved

    def begin(self, fingerprint: str) -> None:
        """A training is about to look for its newest checkpoint.

        Here everything stays, for the directory may be anybody's and a training refuses what is not its own; a store
        that is one run's alone clears it away.
        """

    def clear(self) -> None:
        """Remove everything a training could go on from."""
        for _, path in self._newest_first():
            _remove(path)
        self.drop_best(but=None)

    def latest(self) -> LoadedCheckpoint | None:
        """The newest checkpoint whose files match their manifest, or None."""
        for _, path in self._newest_first():
            if is_whole(path):
                return self.read(path.name)
        return None

    def read(self, name: str) -> LoadedCheckpoint:
        """A checkpoint that is known to be whole, by its directory's name."""
        path = self.directory / name
        state = json.loads((path / _STATE).read_text(encoding="utf-8"))
        tensors = {file.stem: load_file(file) for file in sorted(path.glob("*.safetensors"))}
        return LoadedCheckpoint(path, int(state["step"]), tensors, state)

    def save_final(self, model: Any, tokenizer: Any, *, step: int = 0, target: Path | None = None) -> Path:
        """Write the finished model as a directory that ``from_pretrained`` reads (safetensors).

        Args:
            model: The finished model.
            tokenizer: Its tokenizer.
            step: Optimizer steps done.
            target: The directory to make; by default ``final`` beside the checkpoints.
        """
        write = partial(_write_model, model, tokenizer)
        return self._publish(target or self.directory / "final", step, "final", write).path

    def save_best(self, model: Any, tokenizer: Any, *, step: int) -> Path:
        """Write the model of the best evaluation so far, beside earlier ones that a resume point may still name."""
        return self._publish(self._best(step), step, "best", partial(_write_model, model, tokenizer)).path

    def drop_best(self, *, but: int | None) -> None:
        """Remove the models of evaluations that are not the best any more."""
        if not self.directory.is_dir():
            return
        for path in self.directory.iterdir():
            if (match := _BEST.fullmatch(path.name)) and int(match[1]) != but:
                _remove(path)

    def promote_best(self, step: int) -> Path:
        """Make the best evaluation's model the final one; the files are shared, not copied, where the disk can.

        Raises:
            ValueError: If its files are gone or damaged.
        """
        best = self._best(step)
        if not is_whole(best):
            msg = f"The best model, of step {step}, is gone or damaged. Start the run afresh."
            raise ValueError(msg)

        def write(directory: Path) -> None:
            for path in best.iterdir():
                if path.name != MANIFEST:
                    _link(path, directory / path.name)

        return self._publish(self.directory / "final", step, "final", write).path

    def _best(self, step: int) -> Path:
        return self.directory / f"best-{step:09d}"

    def _publish(self, target: Path, step: int, kind: CheckpointKind, write: Callable[[Path], None]) -> SavedCheckpoint:
        # What a killed attempt left half-written lies under names no reader looks at.
        for leftover in self.directory.glob(".*"):
            if leftover.name.startswith((_TEMPORARY, _REMOVING)):
                shutil.rmtree(leftover, ignore_errors=True)
        temporary = target.with_name(f"{_TEMPORARY}{target.name}")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        write(temporary)
        sha256, size_bytes = _seal(temporary)
        if target.exists():
            _remove(target)
        temporary.rename(target)
        _flush_directory(target.parent)
        saved = SavedCheckpoint(target, step, kind, sha256, size_bytes)
        if self._on_saved is not None:
            self._on_saved(saved)
        return saved

    def _newest_first(self) -> list[tuple[int, Path]]:
        if not self.directory.is_dir():
            return []
        found = [(int(match[1]), path) for path in self.directory.iterdir() if (match := _NAME.fullmatch(path.name))]
        return sorted(found, reverse=True)


def _write_model(model: Any, tokenizer: Any, directory: Path) -> None:
    if not torch.cuda.is_available():
        # Saving imports DeepSpeed where it is installed, which else prints that it sees no GPU.
        os.environ.setdefault("DS_ACCELERATOR", "cpu")
    model.save_pretrained(directory)
    if is_adapter(directory):
        # The factors' shapes and the base they belong to: with these the directory stands for a model.
        model.config.save_pretrained(directory)
        write_base(directory, model.name_or_path)
    tokenizer.save_pretrained(directory)


def is_whole(directory: Path) -> bool:
    """Whether every file of a checkpoint is there and matches the manifest."""
    try:
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
        return all(
            (directory / name).stat().st_size == entry["size_bytes"] and _sha256(directory / name) == entry["sha256"]
            for name, entry in manifest["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError):
        # Whatever is wrong with it, an older checkpoint is the answer.
        return False


def training_tensors(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, dict[str, Tensor]]:
    """Trained weights and optimizer state by parameter name; tied weights appear once, frozen ones not at all."""
    trained = _trained(model)
    names: dict[Tensor, str] = {parameter: name for name, parameter in trained.items()}
    moments = {
        f"{names[parameter]}|{key}": value
        for parameter, state in optimizer.state.items()
        for key, value in state.items()
        if isinstance(value, Tensor)
    }
    return {"model": dict(trained), "optimizer": moments}


def restore_training(loaded: LoadedCheckpoint, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Put weights and optimizer state back, in place.

    Raises:
        ValueError: If the checkpoint belongs to another model.
    """
    parameters = _trained(model)
    weights = loaded.tensors["model"]
    check_same_model(loaded, {name: parameter.shape for name, parameter in parameters.items()})
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(weights[name])
    for key, value in loaded.tensors["optimizer"].items():
        name, _, moment = key.rpartition("|")
        parameter = parameters[name]
        optimizer.state[parameter][moment] = value.to(parameter.device)


def check_same_model(loaded: LoadedCheckpoint, shapes: Mapping[str, torch.Size]) -> None:
    """Compare a checkpoint with the trained parameters' shapes.

    Raises:
        ValueError: If the checkpoint belongs to another model.
    """
    if {name: tuple(tensor.shape) for name, tensor in loaded.tensors["model"].items()} != {
        name: tuple(shape) for name, shape in shapes.items()
    }:
        msg = f"Checkpoint {loaded.path.name} holds another model than the one to resume. Start the run afresh."
        raise ValueError(msg)


def _trained(model: nn.Module) -> dict[str, nn.Parameter]:
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def _seal(directory: Path) -> tuple[str, int]:
    files = {}
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        _flush_file(path)
        size_bytes = path.stat().st_size
        files[path.relative_to(directory).as_posix()] = {"sha256": _sha256(path), "size_bytes": size_bytes}
    manifest = json.dumps({"files": files}, indent=1, sort_keys=True)
    (directory / MANIFEST).write_text(manifest, encoding="utf-8")
    _flush_file(directory / MANIFEST)
    _flush_directory(directory)
    total = sum(int(str(entry["size_bytes"])) for entry in files.values())
    return hashlib.sha256(manifest.encode()).hexdigest(), total


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_READ_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _remove(path: Path) -> None:
    """Rename first: a half-deleted directory must not look like a checkpoint."""
    doomed = path.with_name(f"{_REMOVING}{path.name}")
    shutil.rmtree(doomed, ignore_errors=True)
    path.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def _link(path: Path, target: Path) -> None:
    try:
        target.hardlink_to(path)
    except OSError:
        shutil.copyfile(path, target)


def _flush_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _flush_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
