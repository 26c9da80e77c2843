"""Where a run stands in the line because of its experiments.

It is on hold while all of them are paused, and goes as early as the most urgent of them.

Both are columns of the run, so that claiming stays one conditional UPDATE. They are set anew whenever an experiment
changes; should two changes cross, the dispatcher releases what nobody holds any more.
"""

from sqlalchemy import ColumnElement, Select, and_, func, select, update
from sqlalchemy.orm import Session

from backend import jobs
from backend.db.models import Experiment, ExperimentRun, Run


def settle(session: Session, experiment_id: str) -> None:
    """Set hold and precedence of the experiment's runs, and note doorbells for those that may start now."""
    mine = select(ExperimentRun.run_id).where(ExperimentRun.experiment_id == experiment_id)
    first = (
        select(func.min(-Experiment.priority))
        .join(ExperimentRun, ExperimentRun.experiment_id == Experiment.id)
        .where(ExperimentRun.run_id == Run.id, Experiment.deleted_at.is_(None))
        .scalar_subquery()
    )
    values = {"precedence": func.coalesce(first, 0), "on_hold": and_(_used(paused=True), ~_used(paused=False))}
    session.execute(update(Run).where(Run.id.in_(mine)).values(**values).execution_options(synchronize_session=False))
    _ring(session, Run.id.in_(mine))


def release(session: Session) -> int:
    """Let runs go that are on hold though no paused experiment alone uses them; returns how many."""
    found = list(session.scalars(held_by_nobody()))
    if found:
        session.execute(update(Run).where(Run.id.in_(found)).values(on_hold=False))
        _ring(session, Run.id.in_(found))
    return len(found)


def held_by_nobody() -> Select[str]:
    """Runs whose hold has lost its reason."""
    reason = and_(_used(paused=True), ~_used(paused=False))
    return select(Run.id).where(Run.on_hold, Run.state.in_(("waiting", "queued")), ~reason).limit(500)


def _used(*, paused: bool) -> ColumnElement[bool]:
    state = Experiment.paused_at.is_not(None) if paused else Experiment.paused_at.is_(None)
    return (
        select(ExperimentRun.run_id)
        .join(Experiment, Experiment.id == ExperimentRun.experiment_id)
        .where(ExperimentRun.run_id == Run.id, Experiment.deleted_at.is_(None), state)
        .exists()
    )


def _ring(session: Session, which: ColumnElement[bool]) -> None:
    query = select(Run.id, Run.attempt).where(which, Run.state == "queued", Run.on_hold.is_(False))
    for run_id, attempt in session.execute(query.order_by(Run.precedence, Run.priority, Run.id)):
        jobs.doorbell(session, run_id, attempt)
