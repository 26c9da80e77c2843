"""Experiment trackers that people use already: TensorBoard, MLflow and Weights & Biases, each optional.

A tracker gets the same numbers as every other sink. None is imported before it is asked for, and none sends anything
over a network: TensorBoard and MLflow write files, Weights & Biases runs offline (``wandb sync`` uploads later), and
what the packages tell their makers about their own use is off unless the environment asks for it. A run that is killed
and resumed from a checkpoint has each step once.
"""

import fcntl
import math
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Protocol, get_args, runtime_checkable

from aft.config.trackers import TrackerName
from aft.training import wandb_log

TRACKERS: Final[tuple[TrackerName, ...]] = get_args(TrackerName)
_SUCCEEDED: Final = {"succeeded": "FINISHED", "failed": "FAILED"}
_PARAMS_PER_BATCH: Final = 100
_MLFLOW_NAME: Final = re.compile(r"[^\w\-. :/]", re.ASCII)
"""What MLflow refuses in the name of a metric or parameter."""


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
        self._make = import_module("torch.utils.tensorboard").SummaryWriter
        # By its id, since the experiment may have got another name after an earlier attempt, or been deleted.
        known = next(root.glob(f"*/* {run.run_id[-8:]}"), None)
        self._place = known or root / _plain(run.group) / f"{_plain(run.name)} {run.run_id[-8:]}"
        self._place.mkdir(parents=True, exist_ok=True)
        self._text = "\n".join(f"    {name}: {value}" for name, value in sorted(_flat(run.config).items()))
        self._writer: Any = None

    def write(self, step: int, values: Mapping[str, float]) -> None:
        if self._writer is None:
            self._writer = self._opened(step)
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        # Else a killed run leaves a gap of up to two minutes before the checkpoint from which it goes on.
        self._writer.flush()

    def close(self, outcome: str) -> None:
        if self._writer is not None:
            self._writer.close()

    def _opened(self, first_step: int) -> Any:
        """A writer; what an earlier attempt wrote from this step on is void, since it is about to be written again."""
        goes_on = any(self._place.glob("events.out.*"))
        writer = self._make(log_dir=str(self._place), purge_step=first_step if goes_on else None)
        if not goes_on or first_step <= 0:
            writer.add_text("configuration", self._text, 0)
        return writer


class _MLflow:
    """A database in one file: ``mlflow ui --backend-store-uri sqlite:///ROOT/mlflow.db``.

    MLflow has given up directories of files as a store.
    """

    def __init__(self, run: TrackedRun, root: Path) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        mlflow = import_module("mlflow")
        self._entities = import_module("mlflow.entities")
        root.mkdir(parents=True, exist_ok=True)
        with _alone(root / "lock"):
            # Of runs that begin side by side one makes the tables, the experiment and its own run at a time.
            self._client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{root / 'mlflow.db'}")
            self._id = self._run_of(run, root)
        known = self._client.get_run(self._id).data
        params = [
            self._entities.Param(name, str(value)[:500])
            for name, value in _named(_flat(run.config)).items()
            if name not in known.params
        ]
        for start in range(0, len(params), _PARAMS_PER_BATCH):
            self._client.log_batch(self._id, params=params[start : start + _PARAMS_PER_BATCH])
        self._last = {
            name: max(point.step for point in self._client.get_metric_history(self._id, name)) for name in known.metrics
        }

    def _run_of(self, run: TrackedRun, root: Path) -> str:
        """Its id in MLflow; an earlier attempt's, if there was one."""
        experiments = [experiment.experiment_id for experiment in self._client.search_experiments()]
        found = self._client.search_runs(experiments, f"tags.`aft.run_id` = '{run.run_id}'")
        if found:
            earlier: str = found[0].info.run_id
            self._client.update_run(earlier, status="RUNNING")
            return earlier
        group = " ".join(run.group.split())[:200] or "unnamed"
        known = self._client.get_experiment_by_name(group)
        experiment: str = (
            known.experiment_id
            if known is not None
            else self._client.create_experiment(group, artifact_location=(root / "artifacts").as_uri())
        )
        made = self._client.create_run(experiment, run_name=run.name, tags={"aft.run_id": run.run_id})
        return str(made.info.run_id)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        at = round(time.time() * 1000)
        points = [
            self._entities.Metric(name, value, at, step)
            for name, value in _named(values).items()
            # MLflow keeps both of two points of a step: what an earlier attempt wrote stays as it is.
            if step > self._last.get(name, -1)
        ]
        if points:
            self._client.log_batch(self._id, metrics=points)

    def close(self, outcome: str) -> None:
        self._client.set_terminated(self._id, status=_SUCCEEDED.get(outcome, "KILLED"))


class _WandB:
    """Offline files: ``wandb sync ROOT/wandb/offline-run-*`` uploads them when somebody wants to.

    A later attempt has a directory of its own with the same run id, which syncing joins to the first.
    """

    def __init__(self, run: TrackedRun, root: Path) -> None:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        wandb = import_module("wandb")
        root.mkdir(parents=True, exist_ok=True)
        self._last = wandb_log.last_step(root / "wandb", run.run_id)
        self._waiting: tuple[int, dict[str, float]] | None = None
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
        if step <= self._last:
            return
        # A row holds everything of its step: half a row of a killed run could not be completed later.
        if self._waiting is not None and self._waiting[0] != step:
            self._log()
        self._waiting = (step, {**(self._waiting[1] if self._waiting is not None else {}), **values})

    def close(self, outcome: str) -> None:
        self._log()
        self._run.finish(exit_code=0 if outcome == "succeeded" else 1)

    def _log(self) -> None:
        if self._waiting is None:
            return
        step, values = self._waiting
        self._run.log(values, step=step, commit=True)
        self._waiting = None


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock; the kernel lets go when the process ends, however it ends."""
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def finite(values: Mapping[str, float]) -> dict[str, float]:
    """What trackers can draw; NaN and infinity are gaps."""
    return {name: value for name, value in values.items() if math.isfinite(value)}


def _plain(text: str) -> str:
    """A name that is one directory, whatever a person typed."""
    kept = "".join(char if char.isalnum() or char in " -_.·,()+=&%" else "_" for char in text).strip(" .")
    return kept[:80] or "unnamed"


def _named(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same under names that MLflow takes."""
    return {_MLFLOW_NAME.sub("_", name): value for name, value in values.items()}


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        elif value is not None:
            flat[prefix + name] = value if isinstance(value, str | int | float | bool) else str(value)
    return flat
