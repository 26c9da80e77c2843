"""Trackers get a run's numbers, and none of them can fail a run."""

import importlib
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from aft.training import trackers
from aft.training.trackers import TrackedRun, open_tracker
from backend.db.models import Event, Experiment, ExperimentRun
from backend.db.session import reset_engines, transaction
from backend.services import previews, runs
from backend.services.runs import Claim
from backend.settings import get_settings
from tests.backend.comparing import spec_of
from tests.factories import make_run
from worker import tracking
from worker.context import Stopped
from worker.sinks import RunSink, StepFile

RUN = TrackedRun("0" * 31 + "7", "Train AFT · boundary", "An <experiment>/..", {"method": {"name": "aft"}, "seed": 1})


class FakeMlflow:
    """As much of MLflow's client as is used."""

    def __init__(self) -> None:
        self.experiments: list[str] = []
        self.runs: dict[str, dict[str, Any]] = {}
        self.ended: dict[str, str] = {}

    def modules(self) -> dict[str, types.ModuleType]:
        mlflow, entities = types.ModuleType("mlflow"), types.ModuleType("mlflow.entities")
        mlflow.MlflowClient = lambda tracking_uri: self  # type: ignore[attr-defined]
        entities.Metric = lambda key, value, timestamp, step: (key, value, step)  # type: ignore[attr-defined]
        mlflow.entities = entities  # type: ignore[attr-defined]
        return {"mlflow": mlflow, "mlflow.entities": entities}

    def get_experiment_by_name(self, name: str) -> Any:
        return types.SimpleNamespace(experiment_id=name) if name in self.experiments else None

    def create_experiment(self, name: str) -> str:
        self.experiments.append(name)
        return name

    def search_runs(self, _ids: list[str], wanted: str) -> list[Any]:
        return [
            types.SimpleNamespace(info=types.SimpleNamespace(run_id=key))
            for key, run in self.runs.items()
            if run["tags"]["aft.run_id"] in wanted
        ]

    def create_run(self, experiment: str, run_name: str, tags: dict[str, str]) -> Any:
        key = f"m{len(self.runs)}"
        self.runs[key] = {"experiment": experiment, "name": run_name, "tags": tags, "params": {}, "points": []}
        return types.SimpleNamespace(info=types.SimpleNamespace(run_id=key))

    def log_param(self, run_id: str, name: str, value: str) -> None:
        self.runs[run_id]["params"][name] = value

    def log_batch(self, run_id: str, metrics: list[Any]) -> None:
        self.runs[run_id]["points"] += metrics

    def set_terminated(self, run_id: str, status: str) -> None:
        self.ended[run_id] = status


class FakeWandb(types.ModuleType):
    """As much of Weights & Biases as is used."""

    def __init__(self) -> None:
        super().__init__("wandb")
        self.given: dict[str, Any] = {}
        self.points: list[tuple[int, dict[str, float]]] = []
        self.exit_code: int | None = None
        self.Settings = dict

    def init(self, **given: Any) -> "FakeWandb":
        self.given = given
        return self

    def log(self, values: dict[str, float], step: int) -> None:
        self.points.append((step, values))

    def finish(self, exit_code: int) -> None:
        self.exit_code = exit_code


def test_mlflow_goes_on_with_the_run_of_an_earlier_attempt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = FakeMlflow()
    for name, module in fake.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    first = open_tracker("mlflow", RUN, tmp_path / "mlflow")
    first.write(10, {"train/loss": 0.5})
    first.close("stopped")
    second = open_tracker("mlflow", RUN, tmp_path / "mlflow")
    second.write(20, {"train/loss": 0.25})
    second.close("succeeded")
    assert list(fake.runs) == ["m0"]
    assert fake.runs["m0"]["points"] == [("train/loss", 0.5, 10), ("train/loss", 0.25, 20)]
    assert fake.runs["m0"]["params"] == {"method.name": "aft", "seed": "1"}
    assert fake.experiments == ["An _experiment__"]
    assert fake.ended == {"m0": "FINISHED"}


def test_wandb_is_offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = FakeWandb()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    tracker = open_tracker("wandb", RUN, tmp_path / "wandb")
    tracker.write(3, {"train/loss": 0.5})
    tracker.close("failed")
    assert fake.given["mode"] == "offline"
    assert fake.given["id"] == RUN.run_id
    assert fake.given["config"] == {"method.name": "aft", "seed": 1}
    assert fake.points == [(3, {"train/loss": 0.5})]
    assert fake.exit_code == 1


@pytest.mark.engine
def test_tensorboard_files_hold_the_numbers(tmp_path: Path) -> None:
    tracker = open_tracker("tensorboard", RUN, tmp_path)
    for step in range(3):
        tracker.write(step, {"train/loss": 1.0 / (1 + step)})
    tracker.close("succeeded")
    reading = importlib.import_module("tensorboard.backend.event_processing.event_accumulator")

    (place,) = {file.parent for file in tmp_path.rglob("events.out.*")}
    assert place.parent.parent == tmp_path
    read = reading.EventAccumulator(str(place))
    read.Reload()
    assert [(item.step, item.value) for item in read.Scalars("train/loss")] == [
        (0, 1.0),
        (1, 0.5),
        (2, pytest.approx(1 / 3)),
    ]


class Recorder:
    """A tracker that remembers, and breaks when told to."""

    def __init__(self) -> None:
        self.points: list[tuple[int, Mapping[str, float]]] = []
        self.closed: str | None = None
        self.breaks = False

    def write(self, step: int, values: Mapping[str, float]) -> None:
        if self.breaks:
            raise RuntimeError("the disk of the tracker is full")
        self.points.append((step, values))

    def close(self, outcome: str) -> None:
        self.closed = outcome


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    found = Recorder()
    monkeypatch.setattr(tracking, "is_installed", lambda name: name != "wandb")
    monkeypatch.setattr(tracking, "open_tracker", lambda name, run, root: found)
    return found


def claimed(kind: str = "train", **spec: Any) -> Claim:
    with transaction() as session:
        run = make_run(session, "a run", kind=kind)
        experiment = Experiment(name="mine", spec={"trackers": ["tensorboard"], **spec}, spec_sha256="0" * 64)
        session.add(experiment)
        session.flush()
        session.add(
            ExperimentRun(experiment_id=experiment.id, cell="a", run_id=run.id, stage="train", position=0, reused=False)
        )
        session.flush()
        claim = runs.claim(session, run.id, 1, "here")
    assert claim is not None
    return claim


def sink_of(claim: Claim, tmp_path: Path) -> RunSink:
    return RunSink(claim, tmp_path / "metrics.jsonl", StepFile(tmp_path / "step"))


def complaints() -> list[dict[str, Any]]:
    with transaction() as session:
        return [event.data for event in session.scalars(select(Event).where(Event.action == "tracker failed"))]


@pytest.mark.usefixtures("data_directory")
def test_a_tracker_gets_what_the_sink_gets(recorder: Recorder, tmp_path: Path) -> None:
    claim = claimed()
    sink = sink_of(claim, tmp_path)
    with tracking.following(claim, sink):
        sink.write(5, {"train/loss": 0.5, "train/odd": float("nan")})
    assert recorder.points == [(5, {"train/loss": 0.5})]
    assert recorder.closed == "succeeded"
    assert sink.also == []
    assert complaints() == []


@pytest.mark.usefixtures("data_directory")
def test_a_tracker_that_fails_is_left_out_and_said_so(recorder: Recorder, tmp_path: Path) -> None:
    claim = claimed()
    sink = sink_of(claim, tmp_path)
    recorder.breaks = True
    with tracking.following(claim, sink):
        sink.write(1, {"train/loss": 0.5})
        sink.write(2, {"train/loss": 0.4})
    sink.flush()
    assert complaints() == [{"tracker": "tensorboard", "problem": "RuntimeError: the disk of the tracker is full"}]
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 2


@pytest.mark.usefixtures("data_directory")
def test_a_tracker_that_is_not_installed_is_named(recorder: Recorder, tmp_path: Path) -> None:
    claim = claimed(trackers=["wandb", "mlflow"])
    with tracking.following(claim, sink_of(claim, tmp_path)):
        pass
    assert [item["tracker"] for item in complaints()] == ["wandb"]
    assert "not installed" in complaints()[0]["problem"]
    assert recorder.closed == "succeeded"


@pytest.mark.usefixtures("data_directory")
def test_a_stopped_run_is_stopped_in_the_tracker_too(recorder: Recorder, tmp_path: Path) -> None:
    claim = claimed()
    with pytest.raises(Stopped), tracking.following(claim, sink_of(claim, tmp_path)):
        raise Stopped
    assert recorder.closed == "stopped"


@pytest.mark.usefixtures("data_directory")
def test_the_settings_track_every_run_and_unknown_names_are_refused(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFT_TRACKERS", "mlflow, tensorboard")
    reset_engines()
    claim = claimed(trackers=[])
    with tracking.following(claim, sink_of(claim, tmp_path)) as _:
        pass
    assert recorder.closed == "succeeded"
    monkeypatch.setenv("AFT_TRACKERS", "comet")
    reset_engines()
    with pytest.raises(ValueError, match="'comet' is no tracker"):
        get_settings()
    monkeypatch.delenv("AFT_TRACKERS")
    reset_engines()


def test_a_missing_package_is_said_before_the_start(data_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.services.warnings.find_spec", lambda name: None if name == "wandb" else object())
    with transaction() as session:
        found = previews.preview(session, spec_of(session, trackers=["wandb", "mlflow"])).warnings
    assert [item.message for item in found if item.field == "trackers"] == [
        "The package 'wandb' is not installed on this machine: runs computed here are not logged to it."
    ]


def test_the_names_are_the_packages() -> None:
    assert trackers.TRACKERS == ("tensorboard", "mlflow", "wandb")
