"""Runs as their makers see them: created once, cancelled, retried. Leases are in ``leases``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from backend import storage
from backend.db.models import Run, RunAttempt, RunParent, utcnow
from backend.errors import Conflict, NotFound
from backend.services import checkpoints
from backend.services.endings import LOST, Outcome, finish, lose, reap, requeue
from backend.services.fingerprints import fingerprint
from backend.services.leases import (
    Claim,
    LeaseLost,
    Order,
    beat,
    begin,
    claim,
    fence,
    first_in_line,
    is_queued,
    order,
    report_progress,
    resumed,
)
from backend.services.run_states import (
    FINISHED,
    HELD,
    OPEN,
    children_of,
    move,
    queue,
    revive_descendants,
    settle_waiting,
)
from backend.settings import get_settings

__all__ = [
    "FINISHED",
    "HELD",
    "OPEN",
    "Claim",
    "LeaseLost",
    "Order",
    "Outcome",
    "beat",
    "begin",
    "claim",
    "clone",
    "create",
    "fence",
    "find_reusable",
    "fingerprint",
    "finish",
    "first_in_line",
    "get",
    "is_queued",
    "log_key",
    "log_path",
    "lose",
    "order",
    "parents_of",
    "reap",
    "report_progress",
    "request_cancel",
    "requeue",
    "resumed",
    "retry",
]

_KINDS_WITH_MODEL = frozenset({"pretrain", "train"})


def create(
    session: Session,
    *,
    kind: str,
    name: str,
    config: dict[str, Any],
    inputs: dict[str, Any],
    parents: Mapping[str, Run] | None = None,
    method: str | None = None,
    seed: int | None = None,
    priority: int = 0,
    reuse: bool = True,
) -> tuple[Run, bool]:
    """Store a run and put it in line, or find the one that already does the same.

    Args:
        session: The transaction; the doorbell leaves after its commit.
        kind: pretrain, train, sample, rate, score, evaluate, regrade, import or export.
        name: For people.
        config: The kind's configuration as JSON.
        inputs: dataset_version_id, split_id, base_model_id and what else the run reads.
        parents: Input runs by role; the run waits until all have succeeded.
        method: The method's label, for lists.
        seed: The experiment's seed, for lists.
        priority: Lower goes first.
        reuse: Take a finished or unfinished run with the same fingerprint instead.

    Returns:
        The run, and whether it existed before.

    Raises:
        Conflict: If an input run has failed or was cancelled.
    """
    parents = dict(parents or {})
    states = _lock_parents(session, parents)
    key = fingerprint(session, kind, config, inputs, {role: parent.fingerprint for role, parent in parents.items()})
    if session.get_bind().dialect.name == "postgresql":
        # Two requests for the same run must not both find nothing.
        session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})
    if reuse:
        known = find_reusable(session, key)
        if known is not None:
            return known, True
    for role, parent in parents.items():
        if states[parent.id] in {"failed", "cancelled"}:
            raise Conflict(
                f"The run '{parent.name}' ({role}) is {states[parent.id]}, so '{name}' could never start.",
                remedy="Retry that run first.",
            )
    ready = all(states[parent.id] == "succeeded" for parent in parents.values())
    run = Run(
        kind=kind,
        name=name[:200],
        method=method,
        seed=seed,
        config=config,
        inputs=inputs,
        fingerprint=key,
        state="waiting",
        priority=priority,
        max_attempts=get_settings().max_attempts,
    )
    session.add(run)
    session.flush()
    session.add_all(RunParent(run_id=run.id, role=role, parent_id=parent.id) for role, parent in parents.items())
    session.flush()
    if ready:
        queue(session, run.id, Run.state == "waiting")
    else:
        move(session, run.id, state="waiting")
    return run, False


def get(session: Session, run_id: str) -> Run:
    """The run.

    Raises:
        NotFound: If there is none.
    """
    run = session.get(Run, run_id)
    if run is None:
        raise NotFound(f"There is no run {run_id}.", remedy="It may have been deleted; go back to the list of runs.")
    return run


def parents_of(session: Session, run_id: str) -> dict[str, Run]:
    """Input runs by role."""
    query = select(RunParent.role, Run).join(Run, Run.id == RunParent.parent_id).where(RunParent.run_id == run_id)
    return dict(session.execute(query).all())


def request_cancel(session: Session, run_id: str) -> Run:
    """Cancel a run at once if nobody computes it, else ask its worker to stop; runs that need it are cancelled too.

    Raises:
        NotFound: If there is none.
        Conflict: If it has ended already.
    """
    get(session, run_id)
    now = utcnow()
    idle = Run.state.in_(("waiting", "queued"))
    if move(session, run_id, idle, state="cancelled", finished_at=now, cancel_requested_at=now):
        settle_waiting(session, children_of(session, [run_id]))
    elif not move(session, run_id, Run.state.in_(("starting", "running")), state="cancelling", cancel_requested_at=now):
        run = session.get_one(Run, run_id, populate_existing=True)
        if run.state not in {"cancelling", "cancelled"}:
            raise Conflict(f"Run '{run.name}' is {run.state} already.", remedy="Only unfinished runs can be cancelled.")
    return session.get_one(Run, run_id, populate_existing=True)


def retry(session: Session, run_id: str) -> Run:
    """Put a failed or cancelled run in line again; it resumes from its newest checkpoint.

    Runs that were cancelled only because this one failed wait for it again.

    Raises:
        NotFound: If there is none.
        Conflict: If it has not failed, or an input of it has.
    """
    run = get(session, run_id)
    parents = parents_of(session, run_id)
    states = _lock_parents(session, parents)
    for parent in parents.values():
        if states[parent.id] in {"failed", "cancelled"}:
            raise Conflict(
                f"The input run '{parent.name}' is {states[parent.id]}.",
                remedy="Retry that run; this one then follows by itself.",
            )
    lost = select(func.count()).where(RunAttempt.run_id == run_id, RunAttempt.outcome.in_(LOST)).scalar_subquery()
    values: dict[str, Any] = {
        "state": "waiting",
        "attempt": Run.attempt + 1,
        "max_attempts": get_settings().max_attempts + lost,
        "error": None,
        "owner": None,
        "device": None,
        "finished_at": None,
        "cancel_requested_at": None,
        "progress_rate": None,
        "progress_phase": "",
    }
    if not move(session, run_id, Run.state.in_(("failed", "cancelled")), **values):
        raise Conflict(f"Run '{run.name}' is {run.state}.", remedy="Only failed or cancelled runs can be retried.")
    settle_waiting(session, [run_id])
    if not parents:
        queue(session, run_id, Run.state == "waiting")
    revive_descendants(session, run_id)
    return session.get_one(Run, run_id, populate_existing=True)


def clone(session: Session, run_id: str) -> Run:
    """Compute the same once more as a run of its own; nothing finished is reused.

    Raises:
        NotFound: If there is none.
        Conflict: If an input run has failed or was cancelled.
    """
    run = get(session, run_id)
    made, _ = create(
        session,
        kind=run.kind,
        name=run.name,
        config=run.config,
        inputs=run.inputs,
        parents=parents_of(session, run_id),
        method=run.method,
        seed=run.seed,
        priority=run.priority,
        reuse=False,
    )
    return made


def log_key(run_id: str) -> str:
    """Storage key of a run's log; all its attempts write to one file."""
    return storage.new_key("runs", run_id, "log.txt")


def log_path(run_id: str) -> Path:
    """Where a run's log is; it may not exist yet."""
    return storage.path(log_key(run_id))


def _lock_parents(session: Session, parents: Mapping[str, Run]) -> dict[str, str]:
    """States of the parents, which cannot change before this transaction ends."""
    ids = [parent.id for parent in parents.values()]
    query = select(Run.id, Run.state).where(Run.id.in_(ids)).order_by(Run.id).with_for_update(read=True)
    return dict(session.execute(query).all())


def find_reusable(session: Session, key: str) -> Run | None:
    """A finished run of this fingerprint whose files are there, or else one under way."""
    query = (
        select(Run)
        .where(Run.fingerprint == key, Run.state.in_((*OPEN, "succeeded")), Run.state != "cancelling")
        .order_by((Run.state == "succeeded").desc(), Run.id)
    )
    for run in session.scalars(query):
        if run.state != "succeeded" or run.kind not in _KINDS_WITH_MODEL:
            return run
        if checkpoints.final_directory(session, run.id) is not None:
            return run
    return None
