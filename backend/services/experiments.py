"""Experiments: start once, follow, cancel, retry."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import yaml
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from aft.config.training import TrainConfig
from backend.db.models import Experiment, ExperimentRun, Run, RunParent, utcnow
from backend.errors import Conflict, NotFound
from backend.services import (
    base_models,
    block_plans,
    blocks,
    candidates,
    datasets,
    events,
    judges,
    labels,
    ranking_sets,
    runs,
    standing,
)
from backend.services.planning import PlannedRun, plan_runs
from backend.services.ranking_plan import GivenRatings, with_given_ratings
from backend.services.sampling_endpoints import resolve as resolve_endpoint

ACTIVE = ("waiting", "queued", "starting", "running", "cancelling")
UNDO_WITHIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PlannedExperiment:
    """A specification with its ids resolved, and the runs it needs."""

    spec: ExperimentSpec
    runs: list[PlannedRun]
    fingerprints: dict[str, str]
    """By cell."""
    reusable: dict[str, Run]
    """Finished or active runs of equal content, by cell."""


def resolve(session: Session, spec: ExperimentSpec) -> ExperimentSpec:
    """Replace ``builtin:arithmetic`` and a missing split by ids.

    Raises:
        NotFound: If the version, split or model does not exist.
        Invalid: If the version has no split.
    """
    changes = blocks.resolve(session, spec)
    if spec.candidates_from is not None:
        candidates.require_fitting(session, spec.candidates_from, changes["dataset_version_id"])
    ranking_sets.require_fitting(session, spec.model_copy(update=changes))
    if spec.llm_judge is not None:
        changes["llm_judge"] = judges.resolve(spec.llm_judge)
    changes |= resolve_endpoint(spec)
    return spec.model_copy(update=changes)


def plan(session: Session, spec: ExperimentSpec) -> PlannedExperiment:
    """The runs the experiment needs, and which of them exist already."""
    spec = resolve(session, spec)
    planned: list[PlannedRun] = []
    fingerprints: dict[str, str] = {}
    reusable: dict[str, Run] = {}
    for wanted in plan_only(session, spec):
        item = _with_labels(session, wanted, reusable)
        planned.append(item)
        parents = {role: fingerprints[cell] for role, cell in item.parents.items()}
        parents |= {role: runs.get(session, run_id).fingerprint for role, run_id in item.outside.items()}
        print_ = runs.fingerprint(session, item.kind, item.config.model_dump(mode="json"), item.inputs, parents)
        fingerprints[item.cell] = print_
        found = runs.find_reusable(session, print_)
        if found is not None:
            reusable[item.cell] = found
    return PlannedExperiment(spec, planned, fingerprints, reusable)


def _with_labels(session: Session, item: PlannedRun, reusable: dict[str, Run]) -> PlannedRun:
    """The run with the corrected labels it is to count pinned, so that later corrections make another run."""
    if not isinstance(item.config, TrainConfig) or item.config.labels != "corrected":
        return item
    sampled = reusable.get(item.parents.get("candidates", ""))
    sampled_id = item.outside.get("candidates") or (sampled.id if sampled is not None else None)
    pinned = labels.pin(session, sampled_id) if sampled_id is not None else labels.NOTHING
    return replace(item, inputs={**item.inputs, "labels": pinned})


def plan_only(session: Session, spec: ExperimentSpec) -> list[PlannedRun]:
    """The runs of a resolved specification, without a look at what exists."""
    given = None
    if spec.ranking_set_id is not None:
        ranking = ranking_sets.get(session, spec.ranking_set_id)
        inputs = runs.get(session, ranking.run_id).inputs
        given = GivenRatings(set_id=ranking.id, run_id=ranking.run_id, inputs=inputs)
    elif spec.candidates_from is not None:
        inputs = candidates.get_set(session, spec.candidates_from).inputs
        given = GivenRatings(set_id=None, run_id=spec.candidates_from, inputs=inputs)

    def plan_block(alone: ExperimentSpec) -> list[PlannedRun]:
        model = base_models.get(session, alone.base_model_id)
        planned = plan_runs(alone, base_models.made_config(model))
        return with_given_ratings(planned, given, alone.agreement_set_id)

    return block_plans.join(spec, plan_block, blocks.titles(session, spec))


def start(
    session: Session, spec: ExperimentSpec, *, request_id: str | None, repeat: bool = False, is_demo: bool = False
) -> Experiment:
    """Create the experiment and its runs; the same ``request_id`` gives the same experiment.

    Runs of equal content that are finished or under way are shared unless ``repeat``.
    """
    if request_id is not None:
        existing = session.scalar(select(Experiment).where(Experiment.request_id == request_id))
        if existing is not None:
            return existing
    planned = plan(session, spec)
    body = planned.spec.model_dump(mode="json")
    experiment = Experiment(
        name=planned.spec.name,
        spec=body,
        spec_sha256=hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest(),
        request_id=request_id,
        is_demo=is_demo,
    )
    session.add(experiment)
    session.flush()
    add_runs(session, experiment, planned.runs, there={}, reuse=not repeat)
    standing.settle(session, experiment.id)
    events.publish(session, "experiment", "started", subject_id=experiment.id)
    return experiment


def add_runs(
    session: Session, experiment: Experiment, planned: Sequence[PlannedRun], *, there: Mapping[str, "Cell"], reuse: bool
) -> None:
    """Make the runs of the plan that the experiment does not have, and put every cell at its place in the plan.

    Args:
        session: The transaction.
        experiment: The experiment.
        planned: Every run it is to have, parents first.
        there: Its cells so far, which stay as they are.
        reuse: Share runs of equal content that are finished or under way.

    Raises:
        Conflict: If an input run has failed or was cancelled.
    """
    made: dict[str, Run] = {}
    for position, item in enumerate(planned):
        if item.cell in there:
            made[item.cell] = there[item.cell].run
            there[item.cell].place.position = position
            continue
        run, reused = runs.create(
            session,
            kind=item.kind,
            name=item.name,
            config=item.config.model_dump(mode="json"),
            inputs=item.inputs,
            parents={
                **{role: made[cell] for role, cell in item.parents.items()},
                **{role: runs.get(session, run_id) for role, run_id in item.outside.items()},
            },
            method=item.method,
            seed=item.seed,
            priority=item.priority,
            reuse=reuse,
        )
        made[item.cell] = run
        session.add(
            ExperimentRun(
                experiment_id=experiment.id, cell=item.cell, run_id=run.id, stage=item.stage, method=item.method,
                seed=item.seed, block=item.block, position=position, reused=reused,
            )
        )  # fmt: skip
    session.flush()


def get(session: Session, experiment_id: str) -> Experiment:
    """One experiment.

    Raises:
        NotFound: If it does not exist.
    """
    experiment = session.get(Experiment, experiment_id)
    if experiment is None or experiment.deleted_at is not None:
        raise NotFound(f"There is no experiment {experiment_id!r}.", remedy="Choose one from the Experiments page.")
    return experiment


def list_page(session: Session, *, after: str | None, limit: int) -> list[Experiment]:
    """Newest first, one more than ``limit`` at most."""
    query = select(Experiment).where(Experiment.deleted_at.is_(None)).order_by(Experiment.id.desc()).limit(limit + 1)
    if after:
        query = query.where(Experiment.id < after)
    return list(session.scalars(query))


@dataclass(frozen=True, slots=True)
class Cell:
    """A run in its place."""

    place: ExperimentRun
    run: Run
    parents: list[str]


def cells(session: Session, experiment_id: str) -> list[Cell]:
    """The experiment's runs in the plan's order, parents by cell."""
    query = (
        select(ExperimentRun, Run)
        .join(Run, Run.id == ExperimentRun.run_id)
        .where(ExperimentRun.experiment_id == experiment_id)
        .order_by(ExperimentRun.position)
    )
    rows = session.execute(query).all()
    cell_of = {run.id: place.cell for place, run in rows}
    parents: dict[str, list[str]] = {}
    links = select(RunParent).where(RunParent.run_id.in_(list(cell_of))).order_by(RunParent.role)
    for link in session.scalars(links):
        if link.parent_id in cell_of:
            parents.setdefault(link.run_id, []).append(cell_of[link.parent_id])
    return [Cell(place, run, parents.get(run.id, [])) for place, run in rows]


def state_counts(session: Session, experiment_ids: list[str]) -> dict[str, dict[str, int]]:
    """Runs per state, by experiment."""
    counts: dict[str, dict[str, int]] = {experiment_id: {} for experiment_id in experiment_ids}
    query = (
        select(ExperimentRun.experiment_id, Run.state, func.count())
        .join(Run, Run.id == ExperimentRun.run_id)
        .where(ExperimentRun.experiment_id.in_(experiment_ids))
        .group_by(ExperimentRun.experiment_id, Run.state)
    )
    for experiment_id, state, n in session.execute(query):
        counts[experiment_id][state] = n
    return counts


def state_of(counts: dict[str, int], *, paused: bool = False) -> str:
    """running, paused, finished, failed or cancelled."""
    if any(counts.get(state) for state in ACTIVE):
        return "paused" if paused else "running"
    if counts.get("failed"):
        return "failed"
    return "cancelled" if counts.get("cancelled") else "finished"


def finished_at(session: Session, experiment_id: str) -> datetime | None:
    """When its last run ended."""
    query = (
        select(func.max(Run.finished_at))
        .join(ExperimentRun, ExperimentRun.run_id == Run.id)
        .where(ExperimentRun.experiment_id == experiment_id)
    )
    return session.scalar(query)


def cancel(session: Session, experiment: Experiment) -> None:
    """Stop what is under way, except runs that another active experiment shares."""
    shared = _runs_of_others(session, experiment.id)
    for cell in cells(session, experiment.id):
        if cell.run.state in ACTIVE and cell.run.id not in shared:
            runs.request_cancel(session, cell.run.id)
    experiment.paused_at = None
    session.flush()
    standing.settle(session, experiment.id)
    events.publish(session, "experiment", "cancelled", subject_id=experiment.id)


def retry(session: Session, experiment: Experiment) -> int:
    """Queue the failed and cancelled runs again, parents first; returns how many."""
    again = [cell for cell in cells(session, experiment.id) if cell.run.state in {"failed", "cancelled"}]
    for cell in again:
        session.refresh(cell.run)
        if cell.run.state in {"failed", "cancelled"}:
            runs.retry(session, cell.run.id)
    if again:
        events.publish(session, "experiment", "retried", subject_id=experiment.id)
    return len(again)


def remove(session: Session, experiment: Experiment) -> None:
    """Hide the experiment, to be forgotten a day later; its runs stay, for others may use them.

    Raises:
        Conflict: If it is still running.
    """
    if state_of(state_counts(session, [experiment.id])[experiment.id]) == "running":
        raise Conflict(f"Experiment '{experiment.name}' is running.", remedy="Cancel it first.")
    experiment.deleted_at = utcnow()
    # The same specification may be started again.
    experiment.request_id = None
    session.flush()
    events.publish(session, "experiment", "deleted", subject_id=experiment.id)


def restore(session: Session, experiment_id: str) -> Experiment:
    """Take a deletion back.

    Raises:
        NotFound: If the experiment was never there, or is forgotten already.
    """
    experiment = session.get(Experiment, experiment_id)
    if experiment is None:
        raise NotFound(
            f"The experiment {experiment_id[:40]!r} cannot be brought back.",
            remedy="A deletion can be undone for a day. Its runs are still there, and a new experiment reuses them.",
        )
    if experiment.deleted_at is not None:
        experiment.deleted_at = None
        session.flush()
        events.publish(session, "experiment", "restored", subject_id=experiment.id)
    return experiment


def forget_deleted(session: Session) -> None:
    """Remove experiments that were deleted a day ago."""
    session.execute(delete(Experiment).where(Experiment.deleted_at < utcnow() - UNDO_WITHIN))


def to_yaml(spec: ExperimentSpec) -> str:
    """The specification as ``aft experiments start FILE`` takes it, without defaults."""
    return as_yaml(spec.model_dump(mode="json", exclude_defaults=True))


def as_yaml(body: dict[str, Any]) -> str:
    """Plain values as YAML in the order given."""
    return yaml.safe_dump(body, sort_keys=False, allow_unicode=True)


def names(session: Session, experiment: Experiment) -> tuple[str, str, str]:
    """Data sets (with versions) in words, the id of the first, and base models in words."""
    found = blocks.read(session, ExperimentSpec.model_validate(experiment.spec))
    version = datasets.get_version(session, experiment.spec["dataset_version_id"])
    own = [block for block in found if block.trained_on is None]
    return _listed([block.dataset for block in own]), version.dataset_id, _listed([block.model for block in own])


def _listed(repeated: Sequence[str]) -> str:
    first, *more = dict.fromkeys(repeated)
    return f"{first} and {len(more)} more" if len(more) > 1 else " and ".join([first, *more])


def _runs_of_others(session: Session, experiment_id: str) -> set[str]:
    mine = select(ExperimentRun.run_id).where(ExperimentRun.experiment_id == experiment_id)
    query = (
        select(ExperimentRun.run_id)
        .join(Experiment, Experiment.id == ExperimentRun.experiment_id)
        .where(
            ExperimentRun.experiment_id != experiment_id,
            ExperimentRun.run_id.in_(mine),
            Experiment.deleted_at.is_(None),
        )
    )
    return set(session.scalars(query))
