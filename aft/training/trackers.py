"""Experiment trackers that people use already: TensorBoard, MLflow and Weights & Biases, each optional.

A tracker gets the same numbers as every other sink. None is imported before it is asked for, and none sends anything
over a network: TensorBoard and MLflow write files, Weights & Biases runs offline (``wandb sync`` uploads later).
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Protocol, get_args, runtime_checkable

from aft.config.trackers import TrackerName

TRACKERS: Final[tuple[TrackerName, ...]] = get_args(TrackerName)
_SUCCEEDED: Final = {"succeeded": "FINISHED", "failed": "FAILED"}


@runtime_checkable
class Tracker(Protocol):
    """Receives the numbers of one run."""

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Record finite metrics named ``split/name`` at an optimizer step."""
        ...

    def close(self, outcome: str) -> None:
        """End the run by its outcome: succeeded, failed or stopped."""
        ...


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """What a tracker says about a run."""

    run_id: str
    name: str
    group: str
    """The experiment's name, or the kind of run outside of one."""
    config: Mapping[str, Any]


def is_installed(name: TrackerName) -> bool:
    """Whether the tracker's package is there; nothing is imported."""
    return find_spec(name) is not None


def open_tracker(name: TrackerName, run: TrackedRun, root: Path) -> Tracker:
    """Begin, or go on with, a run in a tracker.

    Args:
        name: tensorboard, mlflow or wandb.
        run: The run; a later attempt of it goes on in the same place.
        root: Directory of this tracker's files.

    Raises:
        ModuleNotFoundError: If the package is not installed.
        Exception: Whatever the package raises.
    """
    match name:
        case "tensorboard":
            return _TensorBoard(run, root)
        case "mlflow":
            return _MLflow(run, root)
        case "wandb":
            return _WandB(run, root)


class _TensorBoard:
    """Event files, one directory a run: ``tensorboard --logdir ROOT``."""

    def __init__(self, run: TrackedRun, root: Path) -> None:
        # Named first: torch's wrapper hides a missing package behind another error.
        import_module("tensorboard")
        writer = import_module("torch.utils.tensorboard").SummaryWriter
        self._writer = writer(log_dir=str(root / _plain(run.group) / f"{_plain(run.name)} {run.run_id[-8:]}"))
        text = "\n".join(f"    {name}: {value}" for name, value in sorted(_flat(run.config).items()))
        self._writer.add_text("configuration", text, 0)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self, outcome: str) -> None:
        self._writer.close()


class _MLflow:
    """A file store: ``mlflow ui --backend-store-uri ROOT``."""

    def __init__(self, run: TrackedRun, root: Path) -> None:
        mlflow = import_module("mlflow")
        self._entities = import_module("mlflow.entities")
        root.mkdir(parents=True, exist_ok=True)
        self._client = mlflow.MlflowClient(tracking_uri=root.as_uri())
        group = _plain(run.group)
        known = self._client.get_experiment_by_name(group)
        experiment = known.experiment_id if known is not None else self._client.create_experiment(group)
        found = self._client.search_runs([experiment], f"tags.`aft.run_id` = '{run.run_id}'")
        if found:
            self._id = found[0].info.run_id
            return
        made = self._client.create_run(experiment, run_name=run.name, tags={"aft.run_id": run.run_id})
        self._id = made.info.run_id
        for name, value in _flat(run.config).items():
            self._client.log_param(self._id, name, str(value)[:500])

    def write(self, step: int, values: Mapping[str, float]) -> None:
        at = round(time.time() * 1000)
        points = [self._entities.Metric(name, value, at, step) for name, value in values.items()]
        self._client.log_batch(self._id, metrics=points)

    def close(self, outcome: str) -> None:
        self._client.set_terminated(self._id, status=_SUCCEEDED.get(outcome, "KILLED"))


class _WandB:
    """Offline files: ``wandb sync ROOT/wandb/offline-run-*`` uploads them when somebody wants to."""

    def __init__(self, run: TrackedRun, root: Path) -> None:
        wandb = import_module("wandb")
        root.mkdir(parents=True, exist_ok=True)
        self._run = wandb.init(
            mode="offline",
            dir=str(root),
            project="aft-workbench",
            group=run.group,
            name=run.name,
            id=run.run_id,
            resume="allow",
            config=_flat(run.config),
            settings=wandb.Settings(console="off", silent=True),
        )

    def write(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)

    def close(self, outcome: str) -> None:
        self._run.finish(exit_code=0 if outcome == "succeeded" else 1)


def finite(values: Mapping[str, float]) -> dict[str, float]:
    """What trackers can draw; NaN and infinity are gaps."""
    return {name: value for name, value in values.items() if math.isfinite(value)}


def _plain(text: str) -> str:
    """A name that is one directory, whatever a person typed."""
    kept = "".join(char if char.isalnum() or char in " -_.·" else "_" for char in text).strip(" .")
    return kept[:80] or "unnamed"


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        elif value is not None:
            flat[prefix + name] = value if isinstance(value, str | int | float | bool) else str(value)
    return flat
