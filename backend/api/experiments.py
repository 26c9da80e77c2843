"""Experiments: plan, start, follow."""

from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from aft.config.method import method_label
from backend.api.deps import ReadSessionDep, SessionDep, problems
from backend.db.models import Experiment
from backend.errors import Conflict, Invalid, NotFound
from backend.schemas.common import Page
from backend.schemas.experiments import (
    ExperimentCell,
    ExperimentCreate,
    ExperimentExtension,
    ExperimentPlan,
    ExperimentPriority,
    ExperimentRead,
    ExperimentSummary,
    ExperimentUsage,
    PlanNode,
    PlanWarning,
    StateCounts,
)
from backend.services import alarms, blocks, experiment_actions, experiments, previews, run_views, usage
from backend.services.previews import Preview
from backend.services.sampling_endpoints import require_engine

router = APIRouter(prefix="/experiments", tags=["experiments"])


@router.post("/plan", response_model=ExperimentPlan, responses=problems(NotFound, Invalid))
def plan_experiment(session: ReadSessionDep, body: ExperimentSpec) -> ExperimentPlan:
    """The runs that would start, what is reused, estimates and warnings. Nothing is stored."""
    return _plan(previews.preview(session, body), body)


@router.post("", status_code=201, response_model=ExperimentRead, responses=problems(NotFound, Invalid))
def start_experiment(session: SessionDep, body: ExperimentCreate) -> ExperimentRead:
    """Create the experiment and queue its runs; the same request_id starts once."""
    require_engine(body.spec)
    previews.require_startable(session, body.spec)
    experiment = experiments.start(session, body.spec, request_id=body.request_id, repeat=body.repeat)
    return _read(session, experiment)


@router.get("", response_model=Page[ExperimentSummary])
def list_experiments(
    session: ReadSessionDep,
    after: Annotated[str | None, Query(max_length=32)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[ExperimentSummary]:
    """Experiments, newest first."""
    found = experiments.list_page(session, after=after, limit=limit)
    shown = found[:limit]
    return Page(items=summaries(session, shown), next_after=shown[-1].id if len(found) > limit else None)


@router.get("/{experiment_id}", response_model=ExperimentRead, responses=problems(NotFound))
def read_experiment(session: ReadSessionDep, experiment_id: str) -> ExperimentRead:
    """One experiment with every run's state."""
    return _read(session, experiments.get(session, experiment_id))


@router.post("/{experiment_id}/cancel", response_model=ExperimentRead, responses=problems(NotFound))
def cancel_experiment(session: SessionDep, experiment_id: str) -> ExperimentRead:
    """Stop its runs; those that another experiment shares go on."""
    experiment = experiments.get(session, experiment_id)
    experiments.cancel(session, experiment)
    return _read_anew(session, experiment_id)


@router.post("/{experiment_id}/retry", response_model=ExperimentRead, responses=problems(NotFound))
def retry_experiment(session: SessionDep, experiment_id: str) -> ExperimentRead:
    """Queue its failed and cancelled runs again."""
    experiment = experiments.get(session, experiment_id)
    experiments.retry(session, experiment)
    return _read_anew(session, experiment_id)


@router.post("/{experiment_id}/pause", response_model=ExperimentRead, responses=problems(NotFound, Conflict))
def pause_experiment(session: SessionDep, experiment_id: str) -> ExperimentRead:
    """Let no new run start; runs under way finish, and those that another experiment needs go on."""
    experiment = experiments.get(session, experiment_id)
    experiment_actions.pause(session, experiment)
    return _read_anew(session, experiment_id)


@router.post("/{experiment_id}/resume", response_model=ExperimentRead, responses=problems(NotFound))
def resume_experiment(session: SessionDep, experiment_id: str) -> ExperimentRead:
    """Let its runs start again."""
    experiment_actions.resume(session, experiments.get(session, experiment_id))
    return _read_anew(session, experiment_id)


@router.put("/{experiment_id}/priority", response_model=ExperimentRead, responses=problems(NotFound))
def prioritise_experiment(session: SessionDep, experiment_id: str, body: ExperimentPriority) -> ExperimentRead:
    """Put its runs before or after those of other experiments."""
    experiment_actions.prioritise(session, experiments.get(session, experiment_id), body.priority)
    return _read_anew(session, experiment_id)


@router.post("/{experiment_id}/extend/plan", response_model=ExperimentPlan, responses=problems(NotFound, Invalid))
def plan_extension(session: ReadSessionDep, experiment_id: str, body: ExperimentExtension) -> ExperimentPlan:
    """The runs that an extension would add. Nothing is stored."""
    experiment = experiments.get(session, experiment_id)
    spec = experiment_actions.extended(session, experiment, body)
    there = {cell.place.cell for cell in experiments.cells(session, experiment_id)}
    return _plan(experiment_actions.preview_extension(session, experiment, spec), spec, there)


@router.post("/{experiment_id}/extend", response_model=ExperimentRead, responses=problems(NotFound, Invalid, Conflict))
def extend_experiment(session: SessionDep, experiment_id: str, body: ExperimentExtension) -> ExperimentRead:
    """Add methods, seeds, models or data sets to the experiment; everything that is there stays as it is."""
    experiment = experiments.get(session, experiment_id)
    experiment_actions.extend(session, experiment, experiment_actions.extended(session, experiment, body))
    return _read_anew(session, experiment_id)


@router.post("/{experiment_id}/restore", response_model=ExperimentRead, responses=problems(NotFound))
def restore_experiment(session: SessionDep, experiment_id: str) -> ExperimentRead:
    """Take a deletion back, within a day."""
    return _read(session, experiments.restore(session, experiment_id))


@router.delete("/{experiment_id}", status_code=204, responses=problems(NotFound, Conflict))
def delete_experiment(session: SessionDep, experiment_id: str) -> None:
    """Delete the experiment; its runs stay, and for a day it can be restored."""
    experiments.remove(session, experiments.get(session, experiment_id))


def _plan(preview: Preview, spec: ExperimentSpec, there: Collection[str] = ()) -> ExperimentPlan:
    reusable = preview.planned.reusable
    nodes = [
        PlanNode.model_validate(
            {
                "block": item.block,
                "cell": item.cell,
                "kind": item.kind,
                "stage": item.stage,
                "name": item.name,
                "method": item.method,
                "seed": item.seed,
                "parents": sorted(set(item.parents.values()) - set(there)),
                "reused_run_id": reusable[item.cell].id if item.cell in reusable else None,
                "reused_state": reusable[item.cell].state if item.cell in reusable else None,
                "estimate_seconds": preview.seconds.get(item.cell),
            }
        )
        for item in preview.planned.runs
        if item.cell not in there
    ]
    return ExperimentPlan(
        nodes=nodes,
        warnings=[PlanWarning.model_validate(item) for item in preview.warnings],
        can_start=all(item.level != "error" for item in preview.warnings),
        runs_new=len(preview.seconds),
        runs_reused=len(nodes) - len(preview.seconds),
        estimate_seconds=preview.wall_seconds,
        estimate_disk_bytes=preview.disk_bytes,
        estimate_memory_bytes=preview.memory_bytes,
        blocks=preview.blocks,
        yaml=experiments.to_yaml(spec),
        command="aft experiments start experiment.yaml",
    )


def _read_anew(session: Session, experiment_id: str) -> ExperimentRead:
    session.flush()
    session.expire_all()
    return _read(session, experiments.get(session, experiment_id))


def summaries(session: Session, found: list[Experiment]) -> list[ExperimentSummary]:
    """Rows of a list of experiments."""
    counts = experiments.state_counts(session, [item.id for item in found])
    return [ExperimentSummary.model_validate(_summary(session, item, counts[item.id])) for item in found]


def _summary(session: Session, experiment: Experiment, counts: dict[str, int]) -> dict[str, object]:
    spec = ExperimentSpec.model_validate(experiment.spec)
    total = sum(counts.values())
    done = counts.get("succeeded", 0)
    state = experiments.state_of(counts, paused=experiment.paused_at is not None)
    dataset, _, model = experiments.names(session, experiment)
    return {
        "id": experiment.id,
        "name": experiment.name,
        "is_demo": experiment.is_demo,
        "state": state,
        "priority": experiment_actions.priority_name(experiment),
        "counts": StateCounts(**counts),
        "runs_total": total,
        "eta_seconds": previews.remaining_seconds(session, experiment) if state == "running" else None,
        "fraction_done": done / total if total else 0.0,
        "methods": [method_label(method) for method in spec.methods],
        "seeds": list(spec.seeds),
        "dataset_name": dataset,
        "base_model_name": model,
        "created_at": experiment.created_at,
        "finished_at": experiments.finished_at(session, experiment.id) if state not in {"running", "paused"} else None,
    }


def _read(session: Session, experiment: Experiment) -> ExperimentRead:
    counts = experiments.state_counts(session, [experiment.id])[experiment.id]
    spec = ExperimentSpec.model_validate(experiment.spec)
    found = experiments.cells(session, experiment.id)
    used = usage.of_runs(session, [item.run.id for item in found])
    seconds, disk = previews.estimates_of(session, experiment)
    nothing = usage.Usage()
    cells = [
        ExperimentCell.model_validate(
            {
                "cell": item.place.cell,
                "run_id": item.run.id,
                "kind": item.run.kind,
                "stage": item.place.stage,
                "name": item.run.name,
                "method": item.place.method,
                "seed": item.place.seed,
                "block": item.place.block,
                "reused": item.place.reused,
                "state": item.run.state,
                "progress": run_views.progress(item.run),
                "error_title": (item.run.error or {}).get("title"),
                "parents": item.parents,
                "on_hold": item.run.on_hold and item.run.state in {"waiting", "queued"},
                "estimate_seconds": seconds.get(item.place.cell),
                "used_seconds": used.get(item.run.id, nothing).seconds,
                "used_bytes": used.get(item.run.id, nothing).bytes,
            }
        )
        for item in found
    ]
    _, dataset_id, _ = experiments.names(session, experiment)
    return ExperimentRead.model_validate(
        _summary(session, experiment, counts)
        | {
            "spec": spec,
            "yaml": experiments.to_yaml(spec),
            "notes": experiment.notes,
            "dataset_id": dataset_id,
            "dataset_version_id": spec.dataset_version_id,
            "base_model_id": spec.base_model_id,
            "blocks": blocks.read(session, spec),
            "cells": cells,
            "usage": ExperimentUsage(
                estimate_seconds=sum(seconds.values()),
                used_seconds=sum(cell.used_seconds for cell in cells if not cell.reused),
                reused_seconds=sum(cell.used_seconds for cell in cells if cell.reused),
                estimate_bytes=disk,
                used_bytes=sum({cell.run_id: cell.used_bytes for cell in cells}.values()),
            ),
            "warnings": [PlanWarning.model_validate(item) for item in previews.warnings_of(session, spec)],
            "alarms": alarms.of_experiment(session, experiment.id),
        }
    )
