"""An experiment before it starts: runs, reuse, estimates and warnings together."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from aft.config.grid import FIRST_BLOCK
from aft.config.tiny import TinyModelConfig
from backend import storage
from backend.db.models import BaseModelEntry, Example, Experiment, ExperimentRun, Run, Split, SplitMember
from backend.errors import Invalid
from backend.schemas.comparison import BlockRead
from backend.services import base_models, blocks, datasets, estimates, experiments, workers
from backend.services.estimates import CHARACTERS_PER_TOKEN, Sizes
from backend.services.experiments import ACTIVE, PlannedExperiment
from backend.services.planning import PlannedRun
from backend.services.warnings import Finding, Surroundings, check, check_tested, sorted_findings

BUILTIN_WINDOW = 1024
"""Window of the built-in model, as ``aft.models`` makes it."""


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
    found = _blocks(session, planned.spec)
    seconds = {
        item.cell: estimates.run_seconds(item, found[item.block].spec, found[item.block].sizes)
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
    found = _findings(session, resolved, _blocks(session, resolved), 0)
    return [item for item in found if item.field is not None]


@dataclass(frozen=True, slots=True)
class _Sized:
    """A block with what its data and model bring."""

    spec: ExperimentSpec
    sizes: Sizes
    longest: float
    only_tests: bool


def _blocks(session: Session, spec: ExperimentSpec) -> dict[str, _Sized]:
    found = {}
    for block in spec.blocks:
        alone = spec.of_block(block)
        found[block.key] = _Sized(alone, *_sizes(session, alone), only_tests=block.trained is not None)
    return found


def _disk_bytes(planned: Sequence[PlannedRun], new: set[str], found: dict[str, _Sized]) -> int:
    total = 0
    for key, block in found.items():
        if block.only_tests:
            total += estimates.tested_bytes(block.spec, block.sizes)
        else:
            mine = [item for item in planned if item.block == key]
            total += estimates.disk_bytes(mine, new, block.spec, block.sizes)
    return total


def _findings(session: Session, spec: ExperimentSpec, found: dict[str, _Sized], disk: int) -> list[Finding]:
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
    """Seconds that each cell of a stored experiment was expected to take, and bytes that all of them leave."""
    spec = ExperimentSpec.model_validate(experiment.spec)
    planned = experiments.plan_only(session, spec)
    found = _blocks(session, spec)
    seconds = {
        item.cell: estimates.run_seconds(item, found[item.block].spec, found[item.block].sizes) for item in planned
    }
    return seconds, _disk_bytes(planned, set(seconds), found)


def remaining_seconds(session: Session, experiment: Experiment) -> float | None:
    """Time left: estimates of what has not run, scaled by how the finished runs compared with theirs."""
    spec = ExperimentSpec.model_validate(experiment.spec)
    planned = experiments.plan_only(session, spec)
    found = _blocks(session, spec)
    query = select(ExperimentRun.cell, Run).join(Run, Run.id == ExperimentRun.run_id)
    rows = session.execute(query.where(ExperimentRun.experiment_id == experiment.id))
    runs = {row[0]: row[1] for row in rows}
    expected, spent = 0.0, 0.0
    left: dict[str, float] = {}
    for item in planned:
        run = runs.get(item.cell)
        if run is None:
            continue
        guess = estimates.run_seconds(item, found[item.block].spec, found[item.block].sizes)
        if run.state in ACTIVE:
            fraction = run.progress_done / run.progress_total if run.progress_total else 0.0
            left[item.cell] = guess * (1.0 - min(1.0, fraction))
        elif run.state == "succeeded" and run.started_at and run.finished_at:
            expected += guess
            spent += (run.finished_at - run.started_at).total_seconds()
    pace = spent / expected if expected > 5.0 else 1.0
    scaled = {cell: seconds * pace for cell, seconds in left.items()}
    slots = len(workers.live(session))
    return estimates.wall_seconds(scaled, planned, slots) if slots else None


def _sizes(session: Session, spec: ExperimentSpec) -> tuple[Sizes, float]:
    """Sizes for the estimate, and the longest question in tokens."""
    split = session.get_one(Split, spec.split_id)
    model = base_models.get(session, spec.base_model_id)
    words = model.source == "builtin"
    question, reference, longest = session.execute(
        select(
            func.avg(func.length(Example.question)),
            func.avg(func.length(Example.reference)),
            func.max(func.length(Example.question)),
        )
        .join(SplitMember, SplitMember.example_id == Example.id)
        .where(SplitMember.split_id == split.id, SplitMember.position < 300)
    ).one()
    sizes = Sizes(
        parameters=_parameters(model),
        train_questions=int(split.counts.get("train", 0)),
        validation_questions=int(split.counts.get("validation", 0)),
        test_questions=int(split.counts.get("test", 0)),
        question_tokens=float(question or 0) / CHARACTERS_PER_TOKEN,
        # Words and marks are one token each for the built-in model.
        reference_tokens=float(reference or 0) / (2.2 if words else CHARACTERS_PER_TOKEN) + 3,
    )
    return sizes, float(longest or 0) / CHARACTERS_PER_TOKEN


def _parameters(model: BaseModelEntry) -> int:
    facts: dict[str, Any] = model.facts or {}
    made = base_models.made_config(model)
    if isinstance(made, TinyModelConfig):
        return estimates.llama_parameters(made, made.vocab_size)
    if made is not None:
        return estimates.llama_parameters(made)
    return int(facts.get("parameters") or 7_000_000_000)


def _surroundings(
    session: Session, spec: ExperimentSpec, sizes: Sizes, longest: float, disk_needed: int
) -> Surroundings:
    model = base_models.get(session, spec.base_model_id)
    window = _window(model)
    return Surroundings(
        task=datasets.get_version(session, spec.dataset_version_id).task,
        sizes=sizes,
        window=window,
        longest_question_tokens=longest,
        workers_alive=len(workers.live(session)),
        disk_free_bytes=storage.free_bytes(),
        disk_needed_bytes=disk_needed,
    )


def _window(model: BaseModelEntry) -> int | None:
    made = base_models.made_config(model)
    if isinstance(made, TinyModelConfig):
        return made.window
    known: int | None = (model.facts or {}).get("window")
    return known if made is None else BUILTIN_WINDOW
