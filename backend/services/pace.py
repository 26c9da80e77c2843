"""How fast this installation computes: the rates of its finished runs, by kind of run, for estimates."""

import math
from datetime import datetime
from statistics import median
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from backend.db.models import Experiment, ExperimentRun, Run
from backend.errors import NotFound
from backend.services import estimates, experiments, sizing, workers
from backend.services.estimates import START_SECONDS, Rates

NEWEST_EXPERIMENTS: Final = 3
"""Older ones may tell of another machine or version, and planning each costs milliseconds."""
SHORTEST_SECONDS: Final = 10 * START_SECONDS
"""What runs of a size have to take, in the median, to be more than their own overhead."""

_Found = dict[str, list[tuple[int, float, float]]]
"""Kind of run -> parameters, operations and seconds."""


def measured(session: Session, *, before: datetime | None = None) -> Rates:
    """Rates of finished runs of the newest experiments on the devices that workers have now, or on any without workers.

    Args:
        session: The transaction.
        before: Only experiments created earlier, so that what one took does not explain itself.
    """
    devices = {device_kind(slot.device) for slot in workers.live(session)}
    finished = select(ExperimentRun.experiment_id).join(Run, Run.id == ExperimentRun.run_id)
    query = select(Experiment).where(
        Experiment.deleted_at.is_(None), Experiment.id.in_(finished.where(Run.state == "succeeded"))
    )
    if before is not None:
        query = query.where(Experiment.created_at < before)
    found: _Found = {}
    counted: set[str] = set()
    for experiment in session.scalars(query.order_by(Experiment.id.desc()).limit(NEWEST_EXPERIMENTS)).all():
        try:
            _collect(session, experiment, devices, counted, found)
        except NotFound:
            # Its data or model is gone, and with them the size of its runs.
            continue
    return Rates({kind: rates for kind, runs in found.items() if (rates := _rates(runs))})


def _rates(runs: list[tuple[int, float, float]]) -> list[tuple[int, float]]:
    """Parameters and rate of the runs that are large enough to tell of one.

    Runs are taken or left together with those of about their work: taking each by its own time would keep, of many
    that are all overhead, only the few that a busy machine made slow.
    """
    alike: dict[tuple[int, int], list[tuple[int, float, float]]] = {}
    for run in runs:
        alike.setdefault((run[0], int(math.log2(run[1]))), []).append(run)
    return [
        (parameters, work / max(seconds - START_SECONDS, START_SECONDS))
        for group in alike.values()
        if median(seconds for *_, seconds in group) >= SHORTEST_SECONDS
        for parameters, work, seconds in group
    ]


def device_kind(device: str | None) -> str:
    """``cuda`` of ``cuda:1``; a run without a device was computed on the CPU."""
    return (device or "cpu").split(":")[0].split()[0].lower()


def _collect(
    session: Session,
    experiment: Experiment,
    devices: set[str],
    counted: set[str],
    found: _Found,
) -> None:
    spec = ExperimentSpec.model_validate(experiment.spec)
    planned = {item.cell: item for item in experiments.plan_only(session, spec)}
    sized = sizing.of_blocks(session, spec)
    query = (
        select(ExperimentRun.cell, Run)
        .join(Run, Run.id == ExperimentRun.run_id)
        # A second attempt's time includes what was computed twice, and the wait between.
        .where(ExperimentRun.experiment_id == experiment.id, Run.state == "succeeded", Run.attempt == 1)
    )
    for cell, run in session.execute(query):
        item = planned.get(cell)
        if item is None or run.id in counted or run.started_at is None or run.finished_at is None:
            continue
        if devices and device_kind(run.device) not in devices:
            continue
        counted.add(run.id)
        block = sized[item.block]
        seconds = (run.finished_at - run.started_at).total_seconds()
        work = estimates.operations(item, block.spec, block.sizes)
        if work >= 1:
            found.setdefault(item.kind, []).append((block.sizes.parameters, work, seconds))
