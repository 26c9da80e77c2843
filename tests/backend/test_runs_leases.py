"""Claims, heartbeats, fences, and attempts that end without a word."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select, update

from backend.db.models import Candidate, Metric, Run, RunAttempt, utcnow
from backend.db.session import reading, transaction
from backend.services import checkpoints, endings, leases, metrics, runs
from backend.services.endings import PROCESS_DIED
from backend.services.runs import Claim, LeaseLost, Order, Outcome
from tests.backend.test_runs import claimed, created, state_of


def expire(run_id: str) -> None:
    with transaction() as session:
        session.execute(update(Run).where(Run.id == run_id).values(lease_expires_at=utcnow() - timedelta(seconds=1)))


def die(claim: Claim, last_step: int | None, outcome: str = PROCESS_DIED) -> str | None:
    with transaction() as session:
        return runs.lose(
            session,
            claim.run_id,
            claim.attempt,
            claim.owner,
            outcome=outcome,
            error={"title": "It died"},
            last_step=last_step,
        )


def reap() -> list[str]:
    with transaction() as session:
        return endings.reap(session)


def attempts(run_id: str) -> list[tuple[int, str | None, int | None]]:
    with reading() as session:
        query = select(RunAttempt).where(RunAttempt.run_id == run_id).order_by(RunAttempt.number)
        return [(item.number, item.outcome, item.last_step) for item in session.scalars(query)]


@pytest.mark.usefixtures("database")
def test_of_many_claims_at_once_exactly_one_wins() -> None:
    run_id = created()
    together = Barrier(8)

    def try_it(number: int) -> Claim | None:
        together.wait()
        with transaction() as session:
            return runs.claim(session, run_id, 1, f"host:{number}:1:x")

    with ThreadPoolExecutor(8) as pool:
        won = [claim for claim in pool.map(try_it, range(8)) if claim is not None]
    assert len(won) == 1
    with reading() as session:
        assert runs.get(session, run_id).owner == won[0].owner


@pytest.mark.usefixtures("database")
def test_repeated_and_outdated_messages_claim_nothing() -> None:
    run_id = created()
    claim = claimed(run_id)
    with transaction() as session:
        assert runs.claim(session, run_id, 1, "other") is None
        assert runs.claim(session, run_id, 2, "other") is None
        assert not runs.is_queued(session, run_id, 1)
        runs.finish(session, claim, Outcome("succeeded"))
        assert runs.claim(session, run_id, 1, "other") is None
    assert attempts(run_id) == [(1, "succeeded", None)]


@pytest.mark.usefixtures("data_directory")
def test_line_is_ordered_by_priority_then_age() -> None:
    late = created("late", priority=5)
    first, second = created("first"), created("second")
    order = []
    for _ in range(3):
        with transaction() as session:
            head = runs.first_in_line(session)
            assert head is not None
            order.append(head[0])
            runs.claim(session, *head, "host")
    assert order == [first, second, late]


@pytest.mark.usefixtures("database")
def test_beat_renews_the_lease() -> None:
    claim = claimed(created())
    expire(claim.run_id)
    with transaction() as session:
        assert runs.beat(session, claim) is Order.CONTINUE
    assert reap() == []


@pytest.mark.usefixtures("database")
def test_expired_lease_is_queued_again_under_the_next_attempt() -> None:
    claim = claimed(created())
    assert reap() == []
    expire(claim.run_id)
    assert reap() == [claim.run_id]
    with reading() as session:
        run = runs.get(session, claim.run_id)
        assert (run.state, run.attempt, run.owner) == ("queued", 2, None)
    assert attempts(claim.run_id)[0][:2] == (1, "worker lost")


@pytest.mark.usefixtures("database")
def test_fenced_attempt_can_write_nothing() -> None:
    claim = claimed(created())
    expire(claim.run_id)
    reap()
    newer = claimed(claim.run_id, "another")
    with transaction() as session:
        assert runs.beat(session, claim) is Order.FENCED
        assert not runs.finish(session, claim, Outcome("succeeded"))
        assert not runs.requeue(session, claim)
    assert die(claim, 3) is None
    for write in (
        lambda session: metrics.record_points(session, claim, [(1, {"train/loss": 1.0})]),
        lambda session: metrics.record_result(session, claim, "task_accuracy", 1.0, 1),
        lambda session: runs.report_progress(session, claim, 1, 2, "training"),
        lambda session: runs.begin(session, claim),
        lambda session: checkpoints.record(
            session, claim, purpose="resume", step=1, key="runs/x", sha256="", size_bytes=1
        ),
    ):
        with pytest.raises(LeaseLost), transaction() as session:
            write(session)
    with reading() as session:
        assert session.scalars(select(Metric)).all() == []
        assert session.scalars(select(Candidate)).all() == []
        assert runs.get(session, claim.run_id).owner == newer.owner


@pytest.mark.usefixtures("database")
def test_dying_twice_at_the_same_step_fails_the_run() -> None:
    run_id = created()
    assert die(claimed(run_id), 40) == "queued"
    assert die(claimed(run_id), 40) == "failed"
    with reading() as session:
        error = runs.get(session, run_id).error
    assert error is not None
    assert (error["title"], error["detail"]) == ("It died", "This happened twice at step 40.")


@pytest.mark.usefixtures("data_directory")
@pytest.mark.parametrize("steps", [(40, 41), (None, None), (41, 40)])
def test_dying_elsewhere_is_tried_again(steps: tuple[int | None, int | None]) -> None:
    run_id = created()
    assert [die(claimed(run_id), step) for step in steps] == ["queued", "queued"]


@pytest.mark.usefixtures("data_directory")
def test_lost_worker_is_not_held_against_the_step_it_last_reported() -> None:
    run_id = created()
    assert die(claimed(run_id), 256) == "queued"
    claim = claimed(run_id)
    with transaction() as session:
        runs.report_progress(session, claim, 256, 1000, "sampling")
    expire(run_id)
    reap()
    assert state_of(run_id) == "queued"
    assert die(claimed(run_id), 256) == "queued"


@pytest.mark.usefixtures("data_directory")
def test_lost_workers_use_up_the_attempts() -> None:
    run_id = created()
    states = []
    for step in range(5):
        claim = claimed(run_id)
        with transaction() as session:
            runs.report_progress(session, claim, step, 100, "training")
        expire(run_id)
        reap()
        states.append(state_of(run_id))
    assert states == ["queued"] * 4 + ["failed"]
    with reading() as session:
        error = runs.get(session, run_id).error
    assert error is not None
    assert error["title"] == "The worker was lost"
    assert "5 times" in error["detail"]


@pytest.mark.usefixtures("data_directory")
def test_retry_gives_the_attempts_back() -> None:
    run_id = created()
    for step in (7, 7):
        die(claimed(run_id), step)
    assert state_of(run_id) == "failed"
    with transaction() as session:
        runs.retry(session, run_id)
    assert die(claimed(run_id), 7) == "queued"


@pytest.mark.usefixtures("data_directory")
def test_orderly_stops_cost_no_attempt() -> None:
    run_id = created()
    for _ in range(8):
        claim = claimed(run_id)
        with transaction() as session:
            assert runs.requeue(session, claim)
    assert state_of(run_id) == "queued"
    assert {outcome for _, outcome, _ in attempts(run_id)} == {"requeued"}


@pytest.mark.usefixtures("data_directory")
@pytest.mark.parametrize("how", ["reaped", "died", "stopped"])
def test_a_run_being_cancelled_ends_cancelled_however_its_process_ends(how: str) -> None:
    claim = claimed(created())
    with transaction() as session:
        runs.request_cancel(session, claim.run_id)
    if how == "reaped":
        expire(claim.run_id)
        reap()
    elif how == "died":
        assert die(claim, 1) == "cancelled"
    else:
        with transaction() as session:
            assert runs.requeue(session, claim)
    assert state_of(claim.run_id) == "cancelled"


@pytest.mark.usefixtures("database")
def test_progress_is_shown_and_remembered_for_the_attempt() -> None:
    claim = claimed(created())
    with transaction() as session:
        runs.begin(session, claim)
        runs.report_progress(session, claim, 30, 60, "training", 10.0)
    with reading() as session:
        run = runs.get(session, claim.run_id)
        assert (run.state, run.progress_done, run.progress_total, run.progress_rate) == ("running", 30, 60, 10.0)
    assert attempts(claim.run_id) == [(1, None, 30)]


@pytest.mark.usefixtures("data_directory")
def test_claim_carries_everything_as_json() -> None:
    run_id = created(inputs={"split_id": "x"}, seed=3)
    claim = claimed(run_id)
    assert leases.Claim(**claim.as_dict()) == claim
    assert (claim.inputs, claim.seed, claim.parents) == ({"split_id": "x"}, 3, {})
