"""Series of points: written in batches by the run that measures, read thinned by whoever draws."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db.models import Metric, Result, utcnow
from backend.db.upserts import upsert
from backend.services import events
from backend.services.leases import Claim, fence

MAX_POINTS = 1000
_ROWS_PER_INSERT = 500


def record_points(session: Session, claim: Claim, points: Sequence[tuple[int, Mapping[str, float]]]) -> int:
    """Store ``(step, {name: value})`` points; a step measured again replaces the earlier value.

    Values that are not finite are left out, so that a curve shows a gap.

    Returns:
        How many values were stored.

    Raises:
        LeaseLost: If the claim does not hold any more.
    """
    fence(session, claim)
    now = utcnow()
    values = {
        (name, step): {
            "run_id": claim.run_id,
            "name": name,
            "step": step,
            "value": float(value),
            "attempt": claim.attempt,
            "created_at": now,
        }
        for step, named in points
        for name, value in named.items()
        if math.isfinite(value)
    }
    rows = list(values.values())
    for start in range(0, len(rows), _ROWS_PER_INSERT):
        upsert(session, Metric, rows[start : start + _ROWS_PER_INSERT], ("value", "attempt", "created_at"))
    if rows:
        data = {"names": sorted({name for name, _ in values}), "step": max(step for _, step in values)}
        events.publish(session, "metric", "points", run_id=claim.run_id, data=data)
    return len(rows)


def record_result(
    session: Session, claim: Claim, metric: str, value: float | None, n: int, details: dict[str, Any] | None = None
) -> None:
    """Store a final number; None when nothing could be measured.

    Raises:
        LeaseLost: If the claim does not hold any more.
    """
    fence(session, claim)
    row = {"run_id": claim.run_id, "metric": metric, "value": value, "n": n, "details": details}
    upsert(session, Result, [row], ("value", "n", "details"))


def names(session: Session, run_id: str) -> list[str]:
    """Names of the run's series."""
    return list(session.scalars(select(Metric.name).where(Metric.run_id == run_id).distinct().order_by(Metric.name)))


def read_series(
    session: Session, run_id: str, wanted: Sequence[str] | None = None, max_points: int = MAX_POINTS
) -> dict[str, list[tuple[int, float]]]:
    """The run's series by name as ``(step, value)`` in step order, each thinned to ``max_points``."""
    query = select(Metric.name, Metric.step, Metric.value).where(Metric.run_id == run_id)
    if wanted is not None:
        query = query.where(Metric.name.in_(wanted))
    series: dict[str, list[tuple[int, float]]] = {}
    for name, step, value in session.execute(query.order_by(Metric.name, Metric.step)):
        series.setdefault(name, []).append((step, value))
    return {name: thin(points, max_points) for name, points in series.items()}


def read_many(
    session: Session, run_ids: Sequence[str], name: str, max_points: int = 200
) -> dict[str, list[tuple[int, float]]]:
    """One series of many runs, each as means over equal stretches of its steps, about ``max_points`` of them.

    Unlike `read_series` it keeps no extremes: it is for means over runs, and a hundred runs of ten thousand steps are
    not carried out of the database for them.
    """
    longest = select(Metric.run_id, func.max(Metric.step)).where(Metric.run_id.in_(run_ids), Metric.name == name)
    strides = {
        run_id: max(1, -(-last // max_points)) for run_id, last in session.execute(longest.group_by(Metric.run_id))
    }
    series: dict[str, list[tuple[int, float]]] = {}
    for stride in sorted(set(strides.values())):
        wanted = [run_id for run_id, of_run in strides.items() if of_run == stride]
        stretch = Metric.step - Metric.step % stride
        query = select(Metric.run_id, stretch, func.avg(Metric.value))
        query = query.where(Metric.run_id.in_(wanted), Metric.name == name)
        for run_id, step, value in session.execute(
            query.group_by(Metric.run_id, stretch).order_by(Metric.run_id, stretch)
        ):
            series.setdefault(run_id, []).append((step, value))
    return series


def thin(points: list[tuple[int, float]], max_points: int = MAX_POINTS) -> list[tuple[int, float]]:
    """At most ``max_points`` of the points: both ends, and the lowest and highest of every stretch between."""
    if len(points) <= max_points or max_points < 4:
        return points
    stretches = (max_points - 2) // 2
    inner = points[1:-1]
    kept = [points[0]]
    for index in range(stretches):
        stretch = inner[index * len(inner) // stretches : (index + 1) * len(inner) // stretches]
        extremes = {min(stretch, key=lambda point: point[1]), max(stretch, key=lambda point: point[1])}
        kept.extend(sorted(extremes))
    return [*kept, points[-1]]
