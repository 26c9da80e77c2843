"""An experiment before it starts: runs, reuse, estimates and warnings together."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from aft.config.grid import FIRST_BLOCK
from backend import storage
from backend.db.models import Experiment, ExperimentRun, Run
from backend.errors import Invalid
from backend.schemas.comparison import BlockRead
from backend.services import base_models, blocks, datasets, estimates, experiments, pace, sizing, workers
from backend.services.estimates import Sizes
from backend.services.experiments import ACTIVE, PlannedExperiment
from backend.services.planning import PlannedRun
from backend.services.sizing import Sized
from backend.services.warnings import Finding, Surroundings, check, check_tested, sorted_findings


@dataclass(frozen=True, slots=True)
class Preview:
    """What the page shows beside the form."""

    planned: PlannedExperiment
    seconds: dict[str, float]
    """Estimate of every run that would be new, by cell."""
    wall_seconds: float
    disk_bytes: int
    memory_bytes: int
    warnings: list[Finding]
    blocks: list[BlockRead]


def preview(session: Session, spec: ExperimentSpec, *, there: Collection[str] = ()) -> Preview:
    """Plan, estimate and check; nothing is stored.

    Args:
        session: The transaction.
        spec: The experiment.
        there: Cells that exist and will not be made again, whatever their state.
    """
    planned = experiments.plan(session, spec)
    found = sizing.of_blocks(session, planned.spec)
    rates = pace.measured(session)
    seconds = {
        item.cell: estimates.run_seconds(item, found[item.block].spec, found[item.block].sizes, rates)
        for item in planned.runs
        if item.cell not in planned.reusable and item.cell not in there
    }
    slots = len(workers.live(session))
    disk = _disk_bytes(planned.runs, set(seconds), found)
    return Preview(
        planned=planned,
        seconds=seconds,
        wall_seconds=estimates.wall_seconds(seconds, planned.runs, slots),
        disk_bytes=disk,
        memory_bytes=max(
            estimates.memory_bytes(block.spec, block.sizes) for block in found.values() if not block.only_tests
        ),
        warnings=_findings(session, planned.spec, found, disk),
        blocks=blocks.read(session, planned.spec),
    )


def warnings_of(session: Session, spec: ExperimentSpec) -> list[Finding]:
    """What a reader of a running or finished experiment must know: everything but the machine's state."""
    resolved = experiments.resolve(session, spec)
    found = _findings(session, resolved, sizing.of_blocks(session, resolved), 0)
    return [item for item in found if item.field is not None]


def _disk_bytes(planned: Sequence[PlannedRun], new: set[str], found: dict[str, Sized]) -> int:
    total = 0
    for key, block in found.items():
        if block.only_tests:
            total += estimates.tested_bytes(block.spec, block.sizes)
        else:
            mine = [item for item in planned if item.block == key]
            total += estimates.disk_bytes(mine, new, block.spec, block.sizes)
    return total


def _findings(session: Session, spec: ExperimentSpec, found: dict[str, Sized], disk: int) -> list[Finding]:
    """Of the first block as they are; of the others what the first has not, with the block's name in front."""
    titles = blocks.titles(session, spec)
    findings: list[Finding] = []
    for key, block in found.items():
        around = _surroundings(session, block.spec, block.sizes, block.longest, disk)
        known = {item.message for item in findings}
        mine = check_tested(block.spec, around) if block.only_tests else check(block.spec, around)
        findings += [
            item if key == FIRST_BLOCK else replace(item, message=f"{titles[key]}: {item.message}")
            for item in mine
            if item.message not in known
        ]
    return sorted_findings(findings)


def require_startable(session: Session, spec: ExperimentSpec) -> None:
    """Refuse an experiment that cannot work.

    Raises:
        Invalid: With the first error found.
    """
    for item in preview(session, spec).warnings:
        if item.level == "error":
            raise Invalid(item.message, remedy=item.remedy, field=item.field)


def estimates_of(session: Session, experiment: Experiment) -> tuple[dict[str, float], int]:
    """Seconds that each cell of a stored experiment was expected to take at its start, and bytes that all leave."""
    spec = ExperimentSpec.model_validate(experiment.spec)
    planned = experiments.plan_only(session, spec)
    found = sizing.of_blocks(session, spec)
    rates = pace.measured(session, before=experiment.created_at)
    seconds = {
        item.cell: estimates.run_seconds(item, found[item.block].spec, found[item.block].sizes, rates)
        for item in planned
    }
    return seconds, _disk_bytes(planned, set(seconds), found)


def remaining_seconds(session: Session, experiment: Experiment) -> float | None:
    """Time left: estimates of what has not run, scaled by how the finished runs compared with theirs."""
    spec = ExperimentSpec.model_validate(experiment.spec)
    planned = experiments.plan_only(session, spec)
    found = sizing.of_blocks(session, spec)
    query = select(ExperimentRun.cell, Run).join(Run, Run.id == ExperimentRun.run_id)
    rows = session.execute(query.where(ExperimentRun.experiment_id == experiment.id))
    runs = {row[0]: row[1] for row in rows}
    rates = pace.measured(session, before=experiment.created_at)
    expected, spent = 0.0, 0.0
    left: dict[str, float] = {}
    for item in planned:
        run = runs.get(item.cell)
        if run is None:
            continue
        guess = estimates.run_seconds(item, found[item.block].spec, found[item.block].sizes, rates)
        if run.state in ACTIVE:
            fraction = run.progress_done / run.progress_total if run.progress_total else 0.0
            left[item.cell] = guess * (1.0 - min(1.0, fraction))
        elif run.state == "succeeded" and run.started_at and run.finished_at:
            expected += guess
            spent += (run.finished_at - run.started_at).total_seconds()
    slower = spent / expected if expected > 5.0 else 1.0
    scaled = {cell: seconds * slower for cell, seconds in left.items()}
    slots = len(workers.live(session))
    return estimates.wall_seconds(scaled, planned, slots) if slots else None


def _surroundings(
    session: Session, spec: ExperimentSpec, sizes: Sizes, longest: float, disk_needed: int
) -> Surroundings:
    model = base_models.get(session, spec.base_model_id)

    return Surroundings(
        task=datasets.get_version(session, spec.dataset_version_id).task,
        sizes=sizes,
        window=sizing.window(model),
        longest_question_tokens=longest,
        workers_alive=len(workers.live(session)),
        disk_free_bytes=storage.free_bytes(),
        disk_needed_bytes=disk_needed,
    )
