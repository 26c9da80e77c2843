"""The degradation alarm of a training run, and its best evaluation: stored once, shown wherever the run is."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.degradation import Alarm
from backend.db.models import ExperimentRun, Result, Run, utcnow
from backend.schemas.runs import DegradationAlarm
from backend.services import events, metrics
from backend.services.leases import Claim
from backend.services.run_states import OPEN

ALARM: Final = "degradation_alarm"
"""The result that holds a run's first alarm: its value is the step, its details the reasons."""
BEST: Final = "best_validation_task_accuracy"
"""The result that holds a run's best evaluation; its details name the step and whether it is the final model."""
SHOWN_FOR: Final = timedelta(days=1)
_NAMES: Final = {
    "assessment_accuracy": ("assessment accuracy", 100.0, 1, " %"),
    "task_accuracy": ("task accuracy", 100.0, 1, " %"),
    "perplexity": ("perplexity", 1.0, 2, ""),
}


def record_alarm(session: Session, claim: Claim, alarm: Alarm) -> None:
    """Store a run's first alarm with its reasons, and tell the pages; later ones and repetitions change nothing.

    Raises:
        LeaseLost: If the claim does not hold any more.
    """
    known = session.get(Result, (claim.run_id, ALARM))
    if known is not None and known.value is not None and known.value <= alarm.step:
        return
    details = alarm.as_json()
    metrics.record_result(session, claim, ALARM, float(alarm.step), 1, details)
    events.publish(session, "run", "degradation", run_id=claim.run_id, data=details | {"words": words(details)})


def record_best(session: Session, claim: Claim, step: int, task_accuracy: float, keep: str) -> None:
    """Store which evaluation was the best.

    Raises:
        LeaseLost: If the claim does not hold any more.
    """
    metrics.record_result(session, claim, BEST, task_accuracy, 1, {"step": step, "keep": keep})


def words(details: Mapping[str, Any]) -> str:
    """An alarm's reasons in numbers: what was, what is, and how likely chance is."""
    parts = []
    for change in details["changes"]:
        name, scale, decimals, unit = _NAMES[change["measure"]]
        before, after = (f"{change[key] * scale:.{decimals}f}" for key in ("before", "after"))
        chance = "" if change["p"] is None else f" (p = {change['p']:.2g})"
        parts.append(f"{name} {before} → {after}{unit}{chance}")
    return f"{', '.join(parts)}; compared with {details['against']}"


def of_runs(session: Session, run_ids: Sequence[str]) -> list[DegradationAlarm]:
    """Alarms of these runs, in their order."""
    query = select(Result, Run).join(Run, Run.id == Result.run_id)
    query = query.where(Result.run_id.in_(list(run_ids)), Result.metric == ALARM)
    place = {run_id: index for index, run_id in enumerate(run_ids)}
    return sorted(_read(session.execute(query).all()), key=lambda alarm: place[alarm.run_id])


def of_experiment(session: Session, experiment_id: str) -> list[DegradationAlarm]:
    """Alarms of an experiment's runs, in the plan's order."""
    query = (
        select(Result, Run)
        .join(Run, Run.id == Result.run_id)
        .join(ExperimentRun, ExperimentRun.run_id == Run.id)
        .where(ExperimentRun.experiment_id == experiment_id, Result.metric == ALARM)
        .order_by(ExperimentRun.position)
    )
    return _read(session.execute(query).all())


def recent(session: Session) -> list[DegradationAlarm]:
    """Alarms of training runs under way, and of those that ended within a day, newest first."""
    query = (
        select(Result, Run)
        .join(Run, Run.id == Result.run_id)
        .where(
            Run.kind == "train",
            Run.state.in_(OPEN) | (Run.finished_at > utcnow() - SHOWN_FOR),
            Result.metric == ALARM,
        )
        .order_by(Run.id.desc())
    )
    return _read(session.execute(query).all())


def _read(rows: Iterable[Any]) -> list[DegradationAlarm]:
    return [
        DegradationAlarm(
            run_id=run.id,
            run_name=run.name,
            method=run.method,
            seed=run.seed,
            step=int(result.value),
            against=result.details["against"],
            changes=result.details["changes"],
            words=words(result.details),
            stops=run.config.get("on_degradation") == "stop",
        )
        for result, run in rows
    ]
