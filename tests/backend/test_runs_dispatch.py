"""The dispatcher, worker slots, metrics and checkpoints' rows."""

import math
import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from backend import jobs
from backend.db.models import Run, WorkerSlot, utcnow
from backend.db.session import reading, transaction
from backend.services import dispatch, metrics, runs, workers
from backend.services.workers import Slot
from tests.backend.test_runs import claimed, created, state_of, with_child
from tests.backend.test_runs_leases import expire

SLOT = Slot(index=0, count=1, device="cpu", threads=1)
NOBODY = 2**22 - 3
"""No process has this id."""


def rung() -> list[tuple[str, int]]:
    with transaction() as session:
        dispatch.dispatch_once(session)
        return jobs.pending(session)


def sent_ago(run_id: str, seconds: float) -> None:
    with transaction() as session:
        session.execute(update(Run).where(Run.id == run_id).values(sent_at=utcnow() - timedelta(seconds=seconds)))


def hello(owner: str, pid: int, slot: Slot = SLOT) -> list[str]:
    with transaction() as session:
        return workers.hello(session, owner=owner, hostname="here", pid=pid, slot=slot)


@pytest.mark.usefixtures("database")
def test_unsent_run_is_rung_once() -> None:
    run_id = created()
    assert rung() == [(run_id, 1)]
    assert rung() == []


@pytest.mark.usefixtures("database")
def test_lost_message_is_sent_again_when_a_slot_is_free() -> None:
    run_id = created()
    rung()
    sent_ago(run_id, 20)
    assert rung() == []
    hello("here:0", os.getpid())
    assert rung() == [(run_id, 1)]
    assert rung() == []


@pytest.mark.usefixtures("data_directory")
def test_busy_slots_are_not_flooded() -> None:
    hello("here:0", os.getpid())
    created("busy")
    claimed_id = created("taken", priority=-1)
    claimed(claimed_id, "here:0")
    rung()
    with transaction() as session:
        session.execute(update(Run).values(sent_at=utcnow() - timedelta(seconds=60)))
    assert rung() == []


@pytest.mark.usefixtures("data_directory")
def test_dispatcher_settles_what_nobody_settled() -> None:
    parent_id = created()
    child_id = with_child(parent_id)
    with transaction() as session:
        session.execute(update(Run).where(Run.id == parent_id).values(state="succeeded"))
    assert rung() == [(child_id, 1)]


@pytest.mark.usefixtures("data_directory")
def test_tick_reaps_and_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, int]] = []

    def ring(run_id: str, attempt: int) -> bool:
        sent.append((run_id, attempt))
        return True

    monkeypatch.setattr(jobs, "ring", ring)
    run_id = created()
    claimed(run_id)
    expire(run_id)
    dispatch.tick()
    assert sent == [(run_id, 2)]


@pytest.mark.usefixtures("data_directory")
def test_broker_that_is_away_loses_nothing(monkeypatch: pytest.MonkeyPatch, data_directory: Path) -> None:
    monkeypatch.setenv("AFT_BROKER_URL", "redis://127.0.0.1:1/0")
    from backend.settings import get_settings

    get_settings.cache_clear()
    jobs.reset()
    run_id = created()
    assert not jobs.ring(run_id, 1)
    assert state_of(run_id) == "queued"


@pytest.mark.usefixtures("database")
def test_restarted_worker_frees_what_its_dead_predecessor_held() -> None:
    hello("old", NOBODY)
    run_id = created()
    claimed(run_id, "old")
    assert hello("new", os.getpid()) == [run_id]
    with reading() as session:
        assert [slot.owner for slot in workers.live(session)] == ["new"]
        assert runs.get(session, run_id).attempt == 2


@pytest.mark.usefixtures("data_directory")
def test_living_worker_in_the_same_slot_keeps_its_run() -> None:
    hello("old", os.getpid())
    run_id = created()
    claimed(run_id, "old")
    assert hello("new", os.getpid()) == []
    assert state_of(run_id) == "starting"


@pytest.mark.usefixtures("data_directory")
def test_other_process_with_the_same_number_is_not_mistaken_for_the_worker() -> None:
    hello("old", os.getpid())
    with transaction() as session:
        session.execute(update(WorkerSlot).values(details={"process_started": "an earlier boot:1"}))
    run_id = created()
    claimed(run_id, "old")
    assert hello("new", os.getpid()) == [run_id]


@pytest.mark.usefixtures("data_directory")
def test_silent_worker_is_not_live_and_forgotten_one_has_to_say_hello() -> None:
    hello("here:0", os.getpid())
    with transaction() as session:
        assert workers.heartbeat(session, "here:0")
        assert not workers.heartbeat(session, "never seen")
        session.execute(update(WorkerSlot).values(heartbeat_at=utcnow() - timedelta(minutes=1)))
        assert workers.live(session) == []
        workers.goodbye(session, "here:0")
        assert not workers.heartbeat(session, "here:0")


@pytest.mark.parametrize(
    ("cores", "gpus", "wanted", "expected"),
    [
        (1, 0, 0, [("cpu", 1)]),
        (8, 0, 0, [("cpu", 4), ("cpu", 4)]),
        (8, 2, 0, [("cuda:0", 4), ("cuda:1", 4)]),
        (2, 0, 3, [("cpu", 1)] * 3),
    ],
)
def test_slots_follow_the_machine(
    monkeypatch: pytest.MonkeyPatch, cores: int, gpus: int, wanted: int, expected: list[tuple[str, int]]
) -> None:
    from backend.settings import Settings

    monkeypatch.setattr(workers, "cpu_count", lambda: cores)
    monkeypatch.setattr(workers, "gpu_count", lambda: gpus)
    slots = workers.machine_slots(Settings(slots=wanted))
    assert [(slot.device, slot.threads) for slot in slots] == expected


def test_a_slot_may_have_several_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    from backend.settings import Settings
    from worker.guard import child_environment

    monkeypatch.setattr(workers, "cpu_count", lambda: 32)
    monkeypatch.setattr(workers, "gpu_count", lambda: 8)
    slots = workers.machine_slots(Settings(gpus_per_slot=4))
    assert [(slot.device, slot.threads) for slot in slots] == [("cuda:0,1,2,3", 16), ("cuda:4,5,6,7", 16)]
    seen = child_environment({}, device=slots[1].device)
    assert seen["CUDA_VISIBLE_DEVICES"] == "4,5,6,7"
    hidden = child_environment({"CUDA_VISIBLE_DEVICES": "7,6,5,4,3,2,1,0"}, device=slots[1].device)
    assert hidden["CUDA_VISIBLE_DEVICES"] == "3,2,1,0"
    monkeypatch.setattr(workers, "gpu_count", lambda: 2)
    assert [slot.device for slot in workers.machine_slots(Settings(gpus_per_slot=4))] == ["cuda:0,1"]


@pytest.mark.usefixtures("database")
def test_point_measured_again_replaces_the_earlier_one_and_gaps_stay_gaps() -> None:
    claim = claimed(created())
    with transaction() as session:
        metrics.record_points(session, claim, [(1, {"train/loss": 3.0}), (2, {"train/loss": math.nan})])
        metrics.record_points(session, claim, [(1, {"train/loss": 2.0, "train/grad_norm": 1.0})])
    with reading() as session:
        assert metrics.names(session, claim.run_id) == ["train/grad_norm", "train/loss"]
        assert metrics.read_series(session, claim.run_id, ["train/loss"])["train/loss"] == [(1, 2.0)]


@pytest.mark.usefixtures("database")
def test_curves_of_many_runs_are_means_over_stretches_whatever_came_twice() -> None:
    long, short = claimed(created()), claimed(created("another"))
    with transaction() as session:
        values = [(step, {"eval/x": float(step), "eval/y": 1.0}) for step in range(100)]
        for start in range(0, 100, 7):
            metrics.record_points(session, long, values[start : start + 7])
        metrics.record_points(session, long, [(57, {"eval/x": 357.0}), (58, {"eval/x": math.inf})])
        metrics.record_points(session, short, [(1, {"eval/x": 4.0}), (2, {"eval/x": 6.0})])
    with reading() as session:
        ids = [long.run_id, short.run_id, "no such run"]
        found = metrics.read_many(session, ids, "eval/x", 4)
        assert found.pop(short.run_id) == [(1, 4.0), (2, 6.0)]
        assert found == {long.run_id: [(0, 14.5), (30, 54.5), (60, 74.5), (90, 94.5)]}
        # Shorter than a stored sum: read from the points themselves.
        finer = metrics.read_many(session, ids[:1], "eval/x", 20)[long.run_id]
        assert finer[:2] == [(0, 2.0), (5, 7.0)]
        assert len(finer) == 20
        assert metrics.read_many(session, ids, "eval/z") == {}


def test_thinning_keeps_ends_and_extremes() -> None:
    points = [(step, math.sin(step / 50)) for step in range(10_000)]
    points[4321] = (4321, 9.0)
    points[8765] = (8765, -9.0)
    thinned = metrics.thin(points, 1000)
    assert len(thinned) <= 1000
    assert thinned == sorted(thinned)
    assert {points[0], points[-1], points[4321], points[8765]} <= set(thinned)
