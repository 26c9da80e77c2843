"""Who computes a run: claims, leases with heartbeats, and fences against whoever lost one."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from backend.db.models import Run, RunAttempt, RunParent, WorkerSlot, utcnow
from backend.services import events
from backend.services.run_states import HELD, IN_LINE, LINE_ORDER, move
from backend.settings import get_settings


class LeaseLost(Exception):
    """The run belongs to another attempt now; whoever meets this writes nothing more."""


class Order(StrEnum):
    """What a heartbeat is answered with."""

    CONTINUE = "continue"
    CANCEL = "cancel"
    FENCED = "fenced"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to compute one attempt of a run, and what is to be computed."""

    run_id: str
    attempt: int
    owner: str
    kind: str
    name: str
    seed: int | None
    config: dict[str, Any]
    inputs: dict[str, Any]
    parents: dict[str, str]
    """Input runs by role."""

    def as_dict(self) -> dict[str, Any]:
        """JSON for the child process."""
        return asdict(self)


def claim(session: Session, run_id: str, attempt: int, owner: str, device: str | None = None) -> Claim | None:
    """Take a queued attempt; None when it is not queued any more, so a repeated message changes nothing."""
    now = utcnow()
    taken = move(
        session,
        run_id,
        Run.attempt == attempt,
        *IN_LINE,
        state="starting",
        owner=owner,
        device=device,
        heartbeat_at=now,
        lease_expires_at=_expiry(now),
        started_at=func.coalesce(Run.started_at, now),
        finished_at=None,
        error=None,
    )
    if not taken:
        return None
    session.add(RunAttempt(run_id=run_id, number=attempt, owner=owner, device=device, started_at=now))
    session.execute(update(WorkerSlot).where(WorkerSlot.owner == owner).values(run_id=run_id, heartbeat_at=now))
    run = session.get_one(Run, run_id, populate_existing=True)
    parents = session.execute(select(RunParent.role, RunParent.parent_id).where(RunParent.run_id == run_id))
    return Claim(
        run_id=run.id,
        attempt=attempt,
        owner=owner,
        kind=run.kind,
        name=run.name,
        seed=run.seed,
        config=run.config,
        inputs=run.inputs,
        parents=dict(parents.all()),
    )


def is_queued(session: Session, run_id: str, attempt: int) -> bool:
    """Whether this attempt can be claimed now."""
    query = select(Run.id).where(Run.id == run_id, Run.attempt == attempt, *IN_LINE)
    return session.scalar(query) is not None


def first_in_line(session: Session) -> tuple[str, int] | None:
    """The queued run, with its attempt, that should be claimed next."""
    query = select(Run.id, Run.attempt).where(*IN_LINE).order_by(*LINE_ORDER).limit(1)
    row = session.execute(query).first()
    return (row[0], row[1]) if row else None


def beat(session: Session, claim: Claim) -> Order:
    """Renew the lease and hear whether to go on."""
    now = utcnow()
    values = {"heartbeat_at": now, "lease_expires_at": _expiry(now)}
    if not move(session, claim.run_id, *held_by(claim), **values):
        return Order.FENCED
    session.execute(update(WorkerSlot).where(WorkerSlot.owner == claim.owner).values(heartbeat_at=now))
    return order(session, claim)


def order(session: Session, claim: Claim) -> Order:
    """What a heartbeat would be answered with; only reads."""
    query = select(Run.state, Run.cancel_requested_at).where(Run.id == claim.run_id, *held_by(claim))
    row = session.execute(query).first()
    if row is None:
        return Order.FENCED
    return Order.CANCEL if row[0] == "cancelling" or row[1] is not None else Order.CONTINUE


def fence(session: Session, claim: Claim) -> None:
    """Guard the writes of this transaction: nobody can take the run over before it ends.

    Raises:
        LeaseLost: If the claim does not hold any more.
    """
    query = select(Run.id).where(Run.id == claim.run_id, *held_by(claim)).with_for_update(key_share=True)
    if session.scalar(query) is None:
        msg = f"attempt {claim.attempt} of run {claim.run_id} is no longer held by {claim.owner}"
        raise LeaseLost(msg)


def begin(session: Session, claim: Claim) -> None:
    """The child process has started computing.

    Raises:
        LeaseLost: If the claim does not hold any more.
    """
    fence(session, claim)
    move(session, claim.run_id, Run.attempt == claim.attempt, Run.state == "starting", state="running")


def resumed(session: Session, claim: Claim, step: int) -> None:
    """Note the step from which this attempt goes on."""
    fence(session, claim)
    note_attempt(session, claim.run_id, claim.attempt, resumed_from_step=step)


def report_progress(
    session: Session, claim: Claim, done: int, total: int | None, phase: str, rate: float | None = None
) -> None:
    """Show how far the run is.

    Args:
        session: The transaction.
        claim: Whose run it is.
        done: Units done; optimizer steps, candidates, rows.
        total: Units in all, if known.
        phase: What is being done.
        rate: Units per second over the last while.

    Raises:
        LeaseLost: If the claim does not hold any more.
    """
    fence(session, claim)
    values = {"progress_done": done, "progress_total": total, "progress_phase": phase, "progress_rate": rate}
    move(session, claim.run_id, progress_at=utcnow(), **values)
    note_attempt(session, claim.run_id, claim.attempt, last_step=done)
    data = {"done": done, "total": total, "phase": phase, "rate": rate}
    events.publish(session, "run", "progress", run_id=claim.run_id, data=data)


def held(attempt: int, owner: str | None) -> tuple[ColumnElement[bool], ...]:
    """Conditions under which the attempt is still its owner's."""
    return (Run.attempt == attempt, Run.owner == owner, Run.state.in_(HELD))


def held_by(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    """Conditions under which the claim holds."""
    return held(claim.attempt, claim.owner)


def _expiry(now: datetime) -> datetime:
    return now + timedelta(seconds=get_settings().lease_seconds)


def note_attempt(session: Session, run_id: str, number: int, **values: Any) -> None:
    """Change the row of one attempt."""
    attempt = (RunAttempt.run_id == run_id, RunAttempt.number == number)
    session.execute(update(RunAttempt).where(*attempt).values(**values))
