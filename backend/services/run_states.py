"""The state machine of runs: every transition is one conditional UPDATE, checked by its row count."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session, aliased

from backend import jobs
from backend.db.models import Run, RunParent, utcnow
from backend.services import events

HELD = ("starting", "running", "cancelling")
"""A worker holds a lease."""
OPEN = ("waiting", "queued", *HELD)
FINISHED = ("succeeded", "failed", "cancelled")
PARENT_FAILED = "parent"
"""``error["cause"]`` of runs cancelled because their input is not coming."""


IN_LINE = (Run.state == "queued", Run.on_hold.is_(False))
"""Conditions under which a run may be claimed."""
LINE_ORDER = (Run.precedence, Run.priority, Run.id)


def move(session: Session, run_id: str, *conditions: ColumnElement[bool], **values: Any) -> bool:
    """Change a run if ``conditions`` still hold, and publish its new state; False when they do not."""
    changed = session.execute(update(Run).where(Run.id == run_id, *conditions).values(**values))
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        return False
    if "state" in values:
        events.publish(session, "run", values["state"], run_id=run_id, data=_brief(values))
    return True


def queue(session: Session, run_id: str, *conditions: ColumnElement[bool], **values: Any) -> bool:
    """Put a run in line and note its doorbell."""
    values |= {"state": "queued", "queued_at": utcnow(), "sent_at": None, "owner": None, "lease_expires_at": None}
    if not move(session, run_id, *conditions, **values):
        return False
    attempt = session.scalar(select(Run.attempt).where(Run.id == run_id))
    jobs.doorbell(session, run_id, attempt or 1)
    return True


def settle_waiting(session: Session, run_ids: Iterable[str] | None = None) -> int:
    """Queue waiting runs whose inputs are ready, and cancel those whose inputs are not coming.

    Args:
        session: The transaction.
        run_ids: Only these runs and what follows from them; by default every waiting run.

    Returns:
        How many runs changed.
    """
    changed = 0
    looked_at = None if run_ids is None else list(run_ids)
    while looked_at is None or looked_at:
        cancelled = []
        for run_id, broken in _settleable(session, looked_at):
            if broken is None:
                changed += queue(session, run_id, Run.state == "waiting")
            elif move(
                session,
                run_id,
                Run.state == "waiting",
                state="cancelled",
                finished_at=utcnow(),
                error=_parent_error(session, broken),
            ):
                changed += 1
                cancelled.append(run_id)
        if not cancelled:
            break
        looked_at = children_of(session, cancelled)
    return changed


def revive_descendants(session: Session, run_id: str) -> None:
    """Let the runs wait again that were cancelled because ``run_id`` had failed."""
    for child_id in children_of(session, [run_id]):
        child = session.get(Run, child_id)
        if child is None or child.state != "cancelled" or (child.error or {}).get("cause") != PARENT_FAILED:
            continue
        values = {"state": "waiting", "error": None, "finished_at": None, "cancel_requested_at": None}
        if move(session, child_id, Run.state == "cancelled", **values):
            revive_descendants(session, child_id)


def children_of(session: Session, run_ids: list[str]) -> list[str]:
    """Ids of the runs that take any of ``run_ids`` as an input."""
    return list(session.scalars(select(RunParent.run_id).where(RunParent.parent_id.in_(run_ids)).distinct()))


def _settleable(session: Session, run_ids: list[str] | None) -> list[tuple[str, str | None]]:
    """Waiting runs that need not wait on, each with the id of a parent that is not coming, if there is one."""
    parent = aliased(Run)
    query = (
        select(Run.id, parent.id, parent.state)
        .join(RunParent, RunParent.run_id == Run.id)
        .join(parent, parent.id == RunParent.parent_id)
        .where(Run.state == "waiting")
        .order_by(*LINE_ORDER)
    )
    if run_ids is not None:
        query = query.where(Run.id.in_(run_ids))
    states: dict[str, dict[str, str]] = {}
    for run_id, parent_id, state in session.execute(query):
        states.setdefault(run_id, {})[parent_id] = state
    found: list[tuple[str, str | None]] = []
    for run_id, parents in states.items():
        broken = next((key for key, state in parents.items() if state in {"failed", "cancelled"}), None)
        if broken is not None or all(state == "succeeded" for state in parents.values()):
            found.append((run_id, broken))
    return found


def _parent_error(session: Session, parent_id: str) -> dict[str, Any]:
    parent = session.get_one(Run, parent_id)
    ended = "failed" if parent.state == "failed" else "was cancelled"
    return {
        "title": f"Its input run {ended}",
        "detail": f"'{parent.name}' {ended}, so its result is missing.",
        "remedy": "Retry that run; this one then follows by itself.",
        "cause": PARENT_FAILED,
        "parent_id": parent_id,
    }


def _brief(values: dict[str, Any]) -> dict[str, Any]:
    error = values.get("error")
    return {"error": error["title"]} if error else {}
