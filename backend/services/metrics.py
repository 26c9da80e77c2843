"""Series of points: written in batches by the run that measures, read thinned by whoever draws."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from backend.db.models import Metric, MetricStretch, Result, Run, utcnow
from backend.db.upserts import insert_from, upsert
from backend.services import events
from backend.services.leases import Claim, fence

MAX_POINTS = 1000
STRETCH = 10
"""Steps whose points are summed as they are stored."""
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
        written, steps = {name for name, _ in values}, [step for _, step in values]
        sum_up(session, claim.run_id, written, min(steps), max(steps))
        data = {"names": sorted(written), "step": max(steps)}
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
    """One series of many runs, each as means over equal stretches of its steps, at most ``max_points`` of them.

    Unlike `read_series` it keeps no extremes: it is for means over runs, and a hundred runs of ten thousand steps are
    not carried out of the database for them.
    """
    mine = (Metric.run_id == Run.id, Metric.name == name)
    # The last entry of each run's part of the index; an aggregate over all runs would read every point.
    last = select(func.max(Metric.step)).where(*mine).scalar_subquery()
    strides: dict[int, list[str]] = {}
    for run_id, step in session.execute(select(Run.id, last).where(Run.id.in_(run_ids))):
        if step is not None:
            strides.setdefault(_stride(step, max_points), []).append(run_id)
    series: dict[str, list[tuple[int, float]]] = {}
    for stride, ids in sorted(strides.items()):
        for run_id, start, value in session.execute(_means(ids, name, stride)):
            series.setdefault(run_id, []).append((start, value))
    return series


def _stride(last_step: int, max_points: int) -> int:
    """Steps of a stretch; from ``STRETCH`` on a multiple of it, so that stored sums make it up."""
    stride = max(1, -(-(last_step + 1) // max_points))
    return stride if stride < STRETCH else -(-stride // STRETCH) * STRETCH


def _means(run_ids: list[str], name: str, stride: int) -> Select[str, int, float]:
    of: Any = Metric if stride < STRETCH else MetricStretch
    step = Metric.step if stride < STRETCH else MetricStretch.start
    mean = func.avg(Metric.value) if stride < STRETCH else func.sum(MetricStretch.total) / func.sum(MetricStretch.n)
    start = (step - step % stride).label("first_step")
    query = select(of.run_id, start, mean).where(of.run_id.in_(run_ids), of.name == name)
    return query.group_by(of.run_id, start).order_by(of.run_id, start)


def sum_up(session: Session, run_id: str, names: Collection[str], first_step: int, last_step: int) -> None:
    """Sum these series' points again over the stretches from that of one step to that of another."""
    start = (Metric.step - Metric.step % STRETCH).label("start")
    query = select(Metric.run_id, Metric.name, start, func.count(), func.sum(Metric.value)).where(
        Metric.run_id == run_id,
        Metric.name.in_(names),
        Metric.step >= first_step - first_step % STRETCH,
        Metric.step < last_step - last_step % STRETCH + STRETCH,
    )
    query = query.group_by(Metric.run_id, Metric.name, start)
    insert_from(session, MetricStretch, ("run_id", "name", "start", "n", "total"), query)


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
