"""Trackers get a run's numbers, and none of them can fail a run."""

import dataclasses
import importlib
import os
import re
import struct
import subprocess
import sys
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import select

from aft.training import trackers, wandb_log
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
RENAMED = dataclasses.replace(RUN, group="Another name")
"""The same run after its experiment was renamed or deleted."""


class Point(NamedTuple):
    """A metric of MLflow's."""

    key: str
    value: float
    step: int


class FakeMlflow:
    """As much of MLflow's client as is used."""

    def __init__(self) -> None:
        self.experiments: list[str] = []
        self.runs: dict[str, dict[str, Any]] = {}
        self.ended: dict[str, str] = {}

    def modules(self) -> dict[str, types.ModuleType]:
        mlflow, entities = types.ModuleType("mlflow"), types.ModuleType("mlflow.entities")
        mlflow.MlflowClient = self._opened  # type: ignore[attr-defined]
        entities.Metric = lambda key, value, timestamp, step: Point(key, value, step)  # type: ignore[attr-defined]
        entities.Param = lambda key, value: (key, value)  # type: ignore[attr-defined]
        mlflow.entities = entities  # type: ignore[attr-defined]
        return {"mlflow": mlflow, "mlflow.entities": entities}

    def _opened(self, tracking_uri: str) -> "FakeMlflow":
        # What MLflow has refused since its version 3 is a directory.
        assert tracking_uri.startswith("sqlite:///")
        return self

    def get_experiment_by_name(self, name: str) -> Any:
        return types.SimpleNamespace(experiment_id=name) if name in self.experiments else None

    def create_experiment(self, name: str, artifact_location: str) -> str:
        assert artifact_location.startswith("file:///")
        self.experiments.append(name)
        return name

    def search_experiments(self) -> list[Any]:
        return [types.SimpleNamespace(experiment_id=name) for name in self.experiments]

    def search_runs(self, ids: list[str], wanted: str) -> list[Any]:
        return [
            types.SimpleNamespace(info=types.SimpleNamespace(run_id=key))
            for key, run in self.runs.items()
            if run["tags"]["aft.run_id"] in wanted and run["experiment"] in ids
        ]

    def create_run(self, experiment: str, run_name: str, tags: dict[str, str]) -> Any:
        key = f"m{len(self.runs)}"
        self.runs[key] = {"experiment": experiment, "name": run_name, "tags": tags, "params": {}, "points": []}
        return types.SimpleNamespace(info=types.SimpleNamespace(run_id=key))

    def update_run(self, run_id: str, status: str) -> None:
        assert status == "RUNNING"
        del self.ended[run_id]

    def get_run(self, run_id: str) -> Any:
        run = self.runs[run_id]
        data = {"params": run["params"], "metrics": {point.key: point.value for point in run["points"]}}
        return types.SimpleNamespace(data=types.SimpleNamespace(**data))

    def get_metric_history(self, run_id: str, key: str) -> list["Point"]:
        return [point for point in self.runs[run_id]["points"] if point.key == key]

    def log_batch(self, run_id: str, metrics: Sequence["Point"] = (), params: Sequence[tuple[str, str]] = ()) -> None:
        for name in [*(point.key for point in metrics), *(key for key, _ in params)]:
            assert re.fullmatch(r"[\w\-. :/]+", name, re.ASCII), name
        self.runs[run_id]["points"] += metrics
        self.runs[run_id]["params"] |= params

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

    def log(self, values: dict[str, float], step: int, commit: bool) -> None:
        assert commit
        self.points.append((step, values))

    def finish(self, exit_code: int) -> None:
        self.exit_code = exit_code


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch) -> FakeMlflow:
    fake = FakeMlflow()
    for name, module in fake.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)
    return fake


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch) -> FakeWandb:
    fake = FakeWandb()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    monkeypatch.delenv("WANDB_ERROR_REPORTING", raising=False)
    return fake


def test_mlflow_goes_on_with_the_run_of_an_earlier_attempt(mlflow: FakeMlflow, tmp_path: Path) -> None:
    first = open_tracker("mlflow", RUN, tmp_path / "mlflow")
    first.write(10, {"train/loss": 0.5})
    first.close("stopped")
    second = open_tracker("mlflow", RENAMED, tmp_path / "mlflow")
    second.write(20, {"train/loss": 0.25})
    second.close("succeeded")
    assert list(mlflow.runs) == ["m0"]
    assert mlflow.runs["m0"]["points"] == [("train/loss", 0.5, 10), ("train/loss", 0.25, 20)]
    assert mlflow.runs["m0"]["params"] == {"method.name": "aft", "seed": "1"}
    assert mlflow.experiments == ["An <experiment>/.."]
    assert mlflow.ended == {"m0": "FINISHED"}
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_mlflow_keeps_one_point_of_a_step_written_again_after_a_kill(mlflow: FakeMlflow, tmp_path: Path) -> None:
    first = open_tracker("mlflow", RUN, tmp_path / "mlflow")
    for step in (10, 20, 30):
        first.write(step, {"train/loss": 1 / step})
    mlflow.ended["m0"] = "KILLED"
    second = open_tracker("mlflow", RUN, tmp_path / "mlflow")
    second.write(20, {"train/loss": 1 / 20, "validation/task_accuracy": 0.5})
    second.write(30, {"train/loss": 1 / 30})
    second.write(40, {"train/loss": 1 / 40})
    points = mlflow.runs["m0"]["points"]
    assert [point.step for point in points if point.key == "train/loss"] == [10, 20, 30, 40]
    assert [point.step for point in points if point.key == "validation/task_accuracy"] == [20]


def test_names_that_mlflow_refuses_are_changed(mlflow: FakeMlflow, tmp_path: Path) -> None:
    run = TrackedRun(RUN.run_id, RUN.name, RUN.group, {"tasks": {"Größe?": 3}})
    open_tracker("mlflow", run, tmp_path / "mlflow").write(1, {"eval/task_accuracy/my task (β)": 0.5})
    assert mlflow.runs["m0"]["params"] == {"tasks.Gr__e_": "3"}
    assert [point.key for point in mlflow.runs["m0"]["points"]] == ["eval/task_accuracy/my task ___"]


def test_wandb_is_offline(wandb: FakeWandb, tmp_path: Path) -> None:
    tracker = open_tracker("wandb", RUN, tmp_path / "wandb")
    tracker.write(3, {"train/loss": 0.5})
    tracker.close("failed")
    assert wandb.given["mode"] == "offline"
    assert wandb.given["id"] == RUN.run_id
    assert wandb.given["config"] == {"method.name": "aft", "seed": 1}
    assert wandb.points == [(3, {"train/loss": 0.5})]
    assert wandb.exit_code == 1
    assert os.environ["WANDB_ERROR_REPORTING"] == "false"


def test_wandb_gets_whole_rows_and_those_only_that_no_earlier_attempt_wrote(
    wandb: FakeWandb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aft.training.wandb_log.last_step", lambda directory, run_id: 1)
    again = open_tracker("wandb", RUN, tmp_path / "wandb")
    again.write(1, {"train/loss": 3.0})
    again.write(2, {"train/loss": 2.0})
    again.write(2, {"validation/task_accuracy": 0.5})
    # A step under way may still get values: were it written now, a kill would leave half a row.
    assert wandb.points == []
    again.write(3, {"train/loss": 1.0})
    again.close("succeeded")
    assert wandb.points == [(2, {"train/loss": 2.0, "validation/task_accuracy": 0.5}), (3, {"train/loss": 1.0})]


def test_records_of_a_wandb_file_are_read_up_to_where_a_kill_cut_it() -> None:
    def part(kind: int, data: bytes) -> bytes:
        return struct.pack("<IHB", 0, len(data), kind) + data

    whole = b":W&B" + bytes(3) + part(1, b"one")
    # A record over the end of a block: its first part fills the block.
    room = 32_768 - len(whole) - 7
    whole += part(2, b"a" * room) + part(3, b"b" * (32_768 - 7)) + part(4, b"c")
    # Too little room for a header at the end of a block: it is filled with zeros.
    whole += part(1, b"d" * (32_768 - len(whole) % 32_768 - 7 - 5)) + bytes(5) + part(1, b"last")
    found = list(wandb_log.records(whole))
    assert [len(record) for record in found] == [3, room + 32_768 - 7 + 1, 32_768 - 8 - 7 - 5, 4]
    assert found[-1] == b"last"
    for cut in (1, 4, 8, 11):
        assert list(wandb_log.records(whole[:-cut])) == found[:-1]


_KILLED = """
import os, sys
from pathlib import Path
from aft.training.trackers import TrackedRun, open_tracker
tracker = open_tracker("wandb", TrackedRun("0" * 31 + "7", "a run", "mine", {"seed": 1}), Path(sys.argv[1]))
for step in range(1, 200):
    tracker.write(step, {f"train/number {number}": step + number / 7 for number in range(20)})
os.kill(os.getpid(), 9)
"""


@pytest.mark.engine
def test_wandb_files_of_a_killed_run_hold_each_step_once(tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)], check=False)
    assert killed.returncode == -9
    before = wandb_log.last_step(tmp_path / "wandb", RUN.run_id)
    tracker = open_tracker("wandb", RUN, tmp_path)
    for step in range(50, 220):
        tracker.write(step, {"train/loss": 1.0 / step})
    tracker.close("succeeded")
    steps = [
        step for file in sorted((tmp_path / "wandb").glob("offline-run-*/*.wandb")) for step in wandb_log.steps(file)
    ]
    # The last rows of a killed process are lost, and made up for from the checkpoint.
    assert 50 < before < 199
    assert steps == list(range(1, 220))


@pytest.mark.engine
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")
def test_mlflow_files_of_a_killed_run_hold_each_step_once(tmp_path: Path) -> None:
    client = pytest.importorskip("mlflow").MlflowClient
    for run, steps in ((RUN, (1, 2, 3)), (RENAMED, (2, 3, 4))):
        tracker = open_tracker("mlflow", run, tmp_path / "x y")
        for step in steps:
            tracker.write(step, {"train/loss": 1.0 / step})
    tracker.close("succeeded")
    read = client(tracking_uri=f"sqlite:///{tmp_path / 'x y' / 'mlflow.db'}")
    experiment = read.get_experiment_by_name("An <experiment>/..")
    (run,) = read.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.params == {"method.name": "aft", "seed": "1"}
    assert [point.step for point in read.get_metric_history(run.info.run_id, "train/loss")] == [1, 2, 3, 4]


@pytest.mark.engine
def test_tensorboard_has_each_step_once_after_a_kill(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    first = open_tracker("tensorboard", RUN, tmp_path)
    for step in range(1, 6):
        first.write(step, {"train/loss": 1.0 / step})
    # Killed: what was written is in the file although nothing closed it.
    assert [step for step, _ in scalars(tmp_path)] == [1, 2, 3, 4, 5]
    second = open_tracker("tensorboard", RENAMED, tmp_path)
    for step in range(4, 8):
        second.write(step, {"train/loss": 1.0 / step})
    second.close("succeeded")
    assert [step for step, _ in scalars(tmp_path)] == [1, 2, 3, 4, 5, 6, 7]
    assert [value for _, value in scalars(tmp_path)] == pytest.approx([1.0 / step for step in range(1, 8)])


def scalars(root: Path) -> list[tuple[int, float]]:
    """Steps and losses of the only run below a directory, by TensorBoard's own reader."""
    reading = importlib.import_module("tensorboard.backend.event_processing.event_accumulator")
    (place,) = {file.parent for file in root.rglob("events.out.*")}
    read = reading.EventAccumulator(str(place))
    read.Reload()
    assert len(read.Tensors("configuration/text_summary")) == 1
    return [(item.step, item.value) for item in read.Scalars("train/loss")]


@pytest.mark.engine
def test_tensorboard_files_hold_the_numbers(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    tracker = open_tracker("tensorboard", RUN, tmp_path)
    for step in range(3):
        tracker.write(step, {"train/loss": 1.0 / (1 + step)})
    tracker.close("succeeded")
    (place,) = {file.parent for file in tmp_path.rglob("events.out.*")}
    assert place.parent.parent == tmp_path
    assert [step for step, _ in scalars(tmp_path)] == [0, 1, 2]
    assert [value for _, value in scalars(tmp_path)] == pytest.approx([1.0, 0.5, 1 / 3])


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
