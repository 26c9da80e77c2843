"""Runs survive kill -9 of everything, with real Celery workers on the file-system broker and SQLite."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import select

from backend import jobs, storage
from backend.db.models import Event, Run, RunAttempt
from backend.db.session import reading, transaction
from backend.services import checkpoints, metrics, runs
from backend.services.dispatch import Dispatcher
from tests.factories import SLOW, TINY, make_run
from tests.integration.real_workers import RealWorker, a_worker, state, wait_for_state
from tests.waiting import wait_until
from worker.child import attempt_directory
from worker.sinks import StepFile

STEPS = 600
LONG = TINY.model_copy(update={"steps": STEPS})


@pytest.fixture
def dispatcher(data_directory: Path) -> Iterator[Dispatcher]:
    running = Dispatcher()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def worker(data_directory: Path, dispatcher: Dispatcher) -> Iterator[RealWorker]:
    with a_worker(data_directory / "worker.log", slots=2) as started:
        yield started


def submit(**values: Any) -> str:
    with transaction() as session:
        run = make_run(session, **values)
        doorbells = jobs.pending(session)
    for doorbell in doorbells:
        jobs.ring(*doorbell)
    return run.id


def exact_step(run_id: str) -> int:
    """The last step of the newest attempt, as its process remembers it."""
    with reading() as session:
        attempt = runs.get(session, run_id).attempt
    step = StepFile.read(attempt_directory(run_id, attempt) / "step")
    return -1 if step is None else step


def final_weights(run_id: str) -> bytes:
    with reading() as session:
        place = checkpoints.final_directory(session, run_id)
    assert place is not None
    return (place / "model.safetensors").read_bytes()


def kill_computing(worker: RealWorker) -> None:
    process = worker.computing()
    assert process is not None
    process.kill()


def attempts_of(run_id: str) -> list[RunAttempt]:
    with reading() as session:
        query = select(RunAttempt).where(RunAttempt.run_id == run_id).order_by(RunAttempt.number)
        return list(session.scalars(query))


def check_files(run_id: str) -> None:
    """What a finished run leaves: the final model, at most two resume points, its log."""
    with reading() as session:
        recorded = checkpoints.of_run(session, run_id)
    assert recorded[0].purpose == "final"
    assert all(storage.path(item.key).is_dir() for item in recorded)
    assert len(recorded) <= 3
    log = runs.log_path(run_id).read_text(encoding="utf-8")
    assert "attempt 1 of 'a run'" in log
    assert "succeeded after" in log
    assert [attempt.exit_code for attempt in attempts_of(run_id)] == [0]


def test_run_killed_at_three_moments_ends_bit_equal(worker: RealWorker) -> None:
    config = LONG.model_dump(mode="json")
    undisturbed = submit(config=config)
    wait_for_state(undisturbed, "succeeded", 240)
    check_files(undisturbed)
    killed = submit(config=config)
    wait_until(lambda: exact_step(killed) >= 100, "step 100", 120)
    kill_computing(worker)
    wait_until(lambda: exact_step(killed) >= 250, "step 250", 120)
    worker.kill()
    wait_until(lambda: not worker.left_behind(), "no process outlives its worker", 10)
    worker.restart()
    wait_until(lambda: exact_step(killed) >= 400, "step 400", 120)
    kill_computing(worker)
    wait_for_state(killed, "succeeded", 240)

    assert final_weights(killed) == final_weights(undisturbed)
    outcomes = [attempt.outcome for attempt in attempts_of(killed)]
    assert outcomes == ["process died", "worker lost", "process died", "succeeded"]
    resumed = [attempt.resumed_from_step for attempt in attempts_of(killed)]
    assert resumed[0] is None
    assert all(step is not None and step > 0 for step in resumed[1:])
    with reading() as session:
        curves = [metrics.read_series(session, run_id, ["train/loss"]) for run_id in (killed, undisturbed)]
    assert curves[0] == curves[1]
    assert len(curves[0]["train/loss"]) == STEPS // 10


def test_cancel_shutdown_and_a_lost_message(worker: RealWorker) -> None:
    run_id = submit(config=SLOW.model_dump(mode="json"))
    wait_until(lambda: exact_step(run_id) >= 10, "it computes", 120)
    computing = worker.computing()
    assert computing is not None
    with transaction() as session:
        runs.request_cancel(session, run_id)
    wait_for_state(run_id, "cancelled", 30)
    assert not computing.is_running()
    with reading() as session:
        saved = checkpoints.of_run(session, run_id)[0].step

    with transaction() as session:
        runs.retry(session, run_id)
        jobs.pending(session)  # taken, and never sent: the message is lost
    wait_until(lambda: exact_step(run_id) >= 10, "the dispatcher rings again", 60)
    assert attempts_of(run_id)[-1].resumed_from_step == saved

    worker.stop()
    assert state(run_id) == "queued"
    assert [attempt.outcome for attempt in attempts_of(run_id)] == ["cancelled", "requeued"]
    assert not worker.left_behind()
    with reading() as session:
        last = session.scalars(select(Event).where(Event.run_id == run_id).order_by(Event.id.desc())).first()
        assert last is not None
        assert last.action == "queued"


def test_frozen_worker_is_fenced(worker: RealWorker) -> None:
    run_id = submit(config=LONG.model_dump(mode="json"))
    wait_until(lambda: exact_step(run_id) >= 20, "it computes", 120)
    frozen = psutil.Process(worker.process.pid)
    computing = worker.computing()
    assert computing is not None
    frozen.suspend()
    with transaction() as session:
        run = session.get_one(Run, run_id)
        run.lease_expires_at = run.created_at
    wait_for_state(run_id, "queued", 30)
    # The process it started is fenced by its own next write, while its supervisor still sleeps.
    wait_until(lambda: not computing.is_running() or computing.status() == "zombie", "the process ends", 30)
    frozen.resume()
    wait_for_state(run_id, "succeeded", 240)
    assert [attempt.outcome for attempt in attempts_of(run_id)] == ["worker lost", "succeeded"]
