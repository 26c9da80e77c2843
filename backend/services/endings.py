"""How attempts end: by their own word, given back in order, or lost without one."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from backend import jobs
from backend.db.models import Run, RunAttempt, WorkerSlot, utcnow
from backend.services.leases import Claim, first_in_line, held, held_by, note_attempt
from backend.services.run_states import HELD, children_of, move, queue, settle_waiting

WORKER_LOST = "worker lost"
PROCESS_DIED = "process died"
LOST = (WORKER_LOST, PROCESS_DIED)
"""Outcomes of attempts that ended without a word and count towards ``max_attempts``."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended by itself."""

    state: str
    """succeeded, failed or cancelled."""
    error: dict[str, Any] | None = None
    exit_code: int | None = None
    last_step: int | None = None


def finish(session: Session, claim: Claim, outcome: Outcome) -> bool:
    """End a run by what its attempt says; False when the claim no longer holds and nothing was changed."""
    values: dict[str, Any] = {"state": outcome.state, "error": outcome.error}
    values |= {"finished_at": utcnow(), "lease_expires_at": None}
    if outcome.state == "succeeded":
        values |= {"progress_done": func.coalesce(Run.progress_total, Run.progress_done), "error": None}
    if not move(session, claim.run_id, *held_by(claim), **values):
        return False
    _end_attempt(session, claim.run_id, claim.attempt, claim.owner, outcome.state, outcome.exit_code, outcome.last_step)
    _after_end(session, claim.run_id)
    return True


def requeue(session: Session, claim: Claim, *, exit_code: int | None = None) -> bool:
    """Give a run back that was stopped in order, e.g. because the worker shuts down; costs no attempt."""
    number = claim.attempt
    if _end_cancelling(session, claim.run_id, claim.attempt, claim.owner):
        return True
    if not queue(session, claim.run_id, *held_by(claim), attempt=number + 1):
        return False
    _end_attempt(session, claim.run_id, number, claim.owner, "requeued", exit_code)
    return True


def lose(
    session: Session,
    run_id: str,
    attempt: int,
    owner: str | None,
    *,
    outcome: str,
    error: dict[str, Any],
    exit_code: int | None = None,
    last_step: int | None = None,
) -> str | None:
    """Deal with an attempt that ended without a word.

    Args:
        session: The transaction.
        run_id: The run.
        attempt: The attempt that ended.
        owner: Who held it.
        outcome: ``WORKER_LOST`` or ``PROCESS_DIED``.
        error: What the run fails with, if this was its last try.
        exit_code: Of the child process, negative for a signal.
        last_step: The last step it is known to have done.

    Returns:
        The run's new state (queued, failed or cancelled), or None when somebody else dealt with it.
    """
    mine = held(attempt, owner)
    if _end_cancelling(session, run_id, attempt, owner):
        return "cancelled"
    run = session.scalar(select(Run).where(Run.id == run_id, *mine).with_for_update(key_share=True))
    if run is None:
        return None
    _end_attempt(session, run_id, attempt, owner, outcome, exit_code, last_step)
    reason = _reason_to_give_up(session, run, attempt)
    if reason is None:
        return "queued" if queue(session, run_id, *mine, attempt=attempt + 1) else None
    final = {**error, "detail": f"{error.get('detail', '')} {reason}".strip(), "attempt": attempt}
    move(session, run_id, *mine, state="failed", error=final, finished_at=utcnow(), lease_expires_at=None)
    note_attempt(session, run_id, attempt, outcome="failed")
    _after_end(session, run_id)
    return "failed"


def _end_cancelling(session: Session, run_id: str, attempt: int, owner: str | None) -> bool:
    """Turn a run that is being cancelled, and whose process is gone, into a cancelled one."""
    conditions = (Run.attempt == attempt, Run.owner == owner, Run.state == "cancelling")
    if not move(session, run_id, *conditions, state="cancelled", finished_at=utcnow(), lease_expires_at=None):
        return False
    _end_attempt(session, run_id, attempt, owner, "cancelled")
    _after_end(session, run_id)
    return True


def reap(session: Session) -> list[str]:
    """Take back the runs whose worker has not been heard of for a lease; returns their ids."""
    query = select(Run.id, Run.attempt, Run.owner).where(Run.state.in_(HELD), Run.lease_expires_at < utcnow())
    return [
        run_id
        for run_id, attempt, owner in session.execute(query).all()
        if lose_worker(session, run_id, attempt, owner)
    ]


def lose_worker(session: Session, run_id: str, attempt: int, owner: str | None) -> str | None:
    """``lose`` for a worker that vanished."""
    step = session.scalar(select(RunAttempt.last_step).where(RunAttempt.run_id == run_id, RunAttempt.number == attempt))
    error = {
        "title": "The worker was lost",
        "detail": f"The worker {owner} stopped answering during attempt {attempt}.",
        "remedy": "Look at the worker's log and at the machine's memory, then retry the run.",
        "step": step,
    }
    return lose(session, run_id, attempt, owner, outcome=WORKER_LOST, error=error, last_step=step)


def _reason_to_give_up(session: Session, run: Run, attempt: int) -> str | None:
    attempts = session.execute(
        select(RunAttempt.number, RunAttempt.outcome, RunAttempt.last_step).where(RunAttempt.run_id == run.id)
    ).all()
    lost = sum(outcome in LOST for _, outcome, _ in attempts)
    if lost >= run.max_attempts:
        return f"It was tried {lost} times."
    by_number = {number: (outcome, step) for number, outcome, step in attempts}
    outcome, step = by_number.get(attempt, (None, None))
    earlier_outcome, earlier_step = by_number.get(attempt - 1, (None, None))
    # Only a supervisor knows the exact step; a lost worker's is what it last reported, seconds before.
    if outcome == earlier_outcome == PROCESS_DIED and step is not None and step == earlier_step:
        return f"This happened twice at step {step}."
    return None


def _after_end(session: Session, run_id: str) -> None:
    """Let the next runs go: those that waited for this one, and the first in line for the free slot."""
    settle_waiting(session, children_of(session, [run_id]))
    following = first_in_line(session)
    if following is not None:
        jobs.doorbell(session, *following)


def _end_attempt(
    session: Session,
    run_id: str,
    number: int,
    owner: str | None,
    outcome: str,
    exit_code: int | None = None,
    last_step: int | None = None,
) -> None:
    values: dict[str, Any] = {"ended_at": utcnow(), "outcome": outcome, "exit_code": exit_code}
    if last_step is not None:
        values["last_step"] = last_step
    note_attempt(session, run_id, number, **values)
    session.execute(update(WorkerSlot).where(WorkerSlot.owner == owner).values(run_id=None))
