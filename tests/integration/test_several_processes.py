"""A training in two processes through the real worker: killed, resumed, cancelled, and nothing is left behind."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from safetensors.numpy import load_file

from backend.db.models import RunAttempt
from backend.db.session import reading, transaction
from backend.services import checkpoints, runs
from tests.factories import TINY, make_base_model, make_dataset, make_run, train_config
from tests.integration.real_workers import RealWorker, a_worker, state, wait_for_state
from tests.waiting import wait_until
from worker.child import attempt_directory
from worker.sinks import StepFile

TWO = {"processes": 2, "strategy": "zero2"}
STEPS = 20


@pytest.fixture
def inputs(data_directory: Path) -> dict[str, str]:
    with transaction() as session:
        version_id, split_id = make_dataset(session)
        model_id = make_base_model(session)
    return {"dataset_version_id": version_id, "split_id": split_id, "base_model_id": model_id}


@pytest.fixture
def worker(data_directory: Path, tmp_path: Path) -> Iterator[RealWorker]:
    with a_worker(tmp_path / "worker.log") as started:
        yield started


def make(inputs: dict[str, str], kind: str, config: dict[str, Any], **parents: str) -> str:
    with transaction() as session:
        needed = {role: runs.get(session, run_id) for role, run_id in parents.items()}
        run = make_run(session, kind, kind=kind, config=config, inputs=inputs, parents=needed)
        return run.id


def ring(run_id: str) -> None:
    from backend import jobs

    with reading() as session:
        attempt = runs.get(session, run_id).attempt
    jobs.ring(run_id, attempt)


def compute(run_id: str) -> None:
    ring(run_id)
    wait_for_state(run_id, "succeeded")


def config_of(epochs: int, parallel: dict[str, Any] | None = None) -> dict[str, Any]:
    optimizer = {"learning_rate": 1e-3, "epochs": epochs, "questions_per_step": 3}
    scale = {"parallel": parallel} if parallel else {}
    return train_config(optimizer=optimizer, validation_questions=2, checkpoint_every_seconds=0.05, **scale)


def members(worker: RealWorker) -> list[psutil.Process]:
    """The processes that compute, their launcher left out."""
    worker.descendants()
    nurseries = psutil.Process(worker.process.pid).children()
    return [rank for nursery in nurseries for launcher in nursery.children() for rank in launcher.children()]


def reaches(run_id: str, attempt: int, step: int) -> None:
    place = attempt_directory(run_id, attempt) / "step"

    def reached() -> bool:
        assert state(run_id) not in {"failed", "succeeded"}
        return (StepFile.read(place) or 0) >= step

    wait_until(reached, f"attempt {attempt} reaches step {step}", 120)


def weights(run_id: str) -> dict[str, Any]:
    with reading() as session:
        place = checkpoints.final_directory(session, run_id)
    assert place is not None
    return load_file(place / "model.safetensors")


def test_two_processes_are_killed_resumed_and_cancelled(inputs: dict[str, str], worker: RealWorker) -> None:
    base = make(inputs, "pretrain", TINY.model_dump(mode="json"))
    compute(base)
    alone = make(inputs, "train", config_of(STEPS // 4), start=base)
    compute(alone)
    killed = make(inputs, "train", config_of(STEPS // 4, TWO), start=base)
    ring(killed)
    reaches(killed, 1, 5)
    first, last = sorted(members(worker), key=lambda process: process.pid)
    last.kill()
    wait_until(lambda: not first.is_running() or first.status() == psutil.STATUS_ZOMBIE, "the other one ends", 20)
    with reading() as session:
        assert runs.get(session, killed).state in {"queued", "running", "starting"}
    ring(killed)
    wait_for_state(killed, "succeeded")
    with reading() as session:
        attempts = session.query(RunAttempt).filter_by(run_id=killed).order_by(RunAttempt.number).all()
        assert [each.outcome for each in attempts] == ["process died", "succeeded"]
        assert attempts[0].exit_code == -signal.SIGKILL
    ours, theirs = weights(killed), weights(alone)
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert abs(ours[name] - theirs[name]).max() < 1e-5, name

    endless = make(inputs, "train", config_of(1000, TWO), start=base)
    ring(endless)
    reaches(endless, 1, 2)
    with transaction() as session:
        runs.request_cancel(session, endless)
    wait_for_state(endless, "cancelled")
    with reading() as session:
        assert [item.purpose for item in checkpoints.of_run(session, endless)].count("resume") >= 1
