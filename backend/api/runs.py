"""Runs: list, look, cancel, retry."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from backend.api.deps import ReadSessionDep, SessionDep, problems
from backend.errors import AppError, Conflict, Invalid, NotFound
from backend.schemas.common import Page
from backend.schemas.runs import (
    GroupedRun,
    LogChunk,
    RecomputedResult,
    RunAction,
    RunActionResult,
    RunGroup,
    RunKind,
    RunRead,
    RunState,
    RunSummary,
    RunTagging,
    Series,
    SeriesPoint,
    TagCount,
)
from backend.services import alarms, measurements, metrics, run_groups, run_tags, run_views, runs, usage

router = APIRouter(prefix="/runs", tags=["runs"])


def run_filter(
    state: Annotated[list[RunState] | None, Query(description="Only these states.")] = None,
    kind: RunKind | None = None,
    experiment_id: Annotated[str | None, Query(max_length=32)] = None,
    method: Annotated[str | None, Query(max_length=80)] = None,
    tag: Annotated[str | None, Query(max_length=40)] = None,
    q: Annotated[str | None, Query(max_length=200, description="Part of the name, or an id.")] = None,
) -> run_views.RunFilter:
    """Which runs, from the address."""
    return run_views.RunFilter(
        states=tuple(state or ()), kind=kind, experiment_id=experiment_id, method=method, text=q or None, tag=tag
    )


FilterDep = Annotated[run_views.RunFilter, Depends(run_filter)]
After = Annotated[str | None, Query(max_length=32, description="The last run of the page before.")]
Limit = Annotated[int, Query(ge=1, le=500)]


@router.get("", response_model=Page[RunSummary])
def list_runs(session: ReadSessionDep, wanted: FilterDep, after: After = None, limit: Limit = 100) -> Page[RunSummary]:
    """Runs, newest first, by keyset."""
    found = run_views.list_page(session, wanted, after=after, limit=limit)
    items = run_views.summaries(session, found[:limit])
    return Page(items=items, next_after=items[-1].id if len(found) > limit else None)


@router.get("/groups", response_model=list[RunGroup])
def list_groups(session: ReadSessionDep, wanted: FilterDep) -> list[RunGroup]:
    """Experiments and their methods with their runs by state, in the order of `/runs/grouped`."""
    return run_groups.outline(session, wanted)


@router.get("/grouped", response_model=Page[GroupedRun], responses=problems(Invalid))
def list_grouped_runs(
    session: ReadSessionDep,
    wanted: FilterDep,
    closed: Annotated[list[str] | None, Query(max_length=500, description="Groups without their runs.")] = None,
    after: Annotated[str | None, Query(max_length=160, description="`next_after` of the page before.")] = None,
    limit: Limit = 100,
) -> Page[GroupedRun]:
    """Runs by experiment and method, newest first in each, by keyset."""
    found, next_after = run_groups.list_page(session, wanted, closed=closed or (), after=after, limit=limit)
    rows = run_views.summaries(session, [run for run, _ in found])
    items = [GroupedRun(**row.model_dump(), group=key) for row, (_, key) in zip(rows, found, strict=True)]
    return Page(items=items, next_after=next_after)


@router.get("/tags", response_model=list[TagCount])
def list_tags(session: ReadSessionDep) -> list[TagCount]:
    """Every tag in use, with its number of runs."""
    return [TagCount(tag=tag, runs=n) for tag, n in run_tags.in_use(session)]


@router.post("/tags", response_model=RunActionResult, responses=problems(Invalid))
def tag_runs(session: SessionDep, body: RunTagging) -> RunActionResult:
    """Put tags on runs and take others off; runs that do not exist are passed over."""
    run_tags.change(session, body.run_ids, add=body.add, remove=body.remove)
    return RunActionResult(done=body.run_ids, refused=[])


@router.post("/clone", response_model=RunActionResult)
def clone_runs(session: SessionDep, body: RunAction) -> RunActionResult:
    """Compute the same once more, each as a run of its own; `done` holds the new ids."""
    made: list[str] = []
    result = _each(body, lambda run_id: made.append(runs.clone(session, run_id).id))
    return RunActionResult(done=made, refused=result.refused)


@router.get("/{run_id}", response_model=RunRead, responses=problems(NotFound))
def read_run(session: ReadSessionDep, run_id: str) -> RunRead:
    """One run with attempts, lineage, files, results and events."""
    run = runs.get(session, run_id)
    base = run_views.summaries(session, [run])[0]
    used = usage.of_runs(session, [run_id]).get(run_id, usage.Usage())
    parents, children = run_views.relations(session, run_id)
    return RunRead.model_validate(
        {
            **base.model_dump(),
            "config": run.config,
            "inputs": run.inputs,
            "fingerprint": run.fingerprint,
            "max_attempts": run.max_attempts,
            **run_views.details(session, run),
            "parents": parents,
            "children": children,
            "used_seconds": used.seconds,
            "used_bytes": used.bytes,
            "metric_names": metrics.names(session, run_id),
            "alarm": next(iter(alarms.of_runs(session, [run_id])), None),
            "config_difference": run_views.config_difference(session, run),
        }
    )


@router.post("/cancel", response_model=RunActionResult)
def cancel_runs(session: SessionDep, body: RunAction) -> RunActionResult:
    """Stop runs; those computing write a checkpoint first."""
    return _each(body, lambda run_id: runs.request_cancel(session, run_id))


@router.post("/retry", response_model=RunActionResult)
def retry_runs(session: SessionDep, body: RunAction) -> RunActionResult:
    """Queue failed or cancelled runs again; they resume from their newest checkpoint."""
    return _each(body, lambda run_id: runs.retry(session, run_id))


@router.get(
    "/{run_id}/results/recomputed", response_model=list[RecomputedResult], responses=problems(NotFound, Conflict)
)
def recompute_results(session: ReadSessionDep, run_id: str) -> list[RecomputedResult]:
    """An evaluation's numbers made anew from its stored responses and scores, beside the stored numbers."""
    return measurements.recompute(session, runs.get(session, run_id))


@router.get("/{run_id}/log", response_model=LogChunk, responses=problems(NotFound))
def read_log(
    session: ReadSessionDep,
    run_id: str,
    start: Annotated[int, Query(description="Byte to start at; negative counts from the end.")] = -65_536,
    q: Annotated[str | None, Query(max_length=200, description="Only lines that contain this.")] = None,
) -> LogChunk:
    """Part of the run's log, or the lines of it that match."""
    runs.get(session, run_id)
    return run_views.read_log(run_id, start=start, search=q or None)


@router.get("/{run_id}/series", response_model=list[Series], responses=problems(NotFound))
def read_series(
    session: ReadSessionDep, run_id: str, name: Annotated[list[str] | None, Query(max_length=50)] = None
) -> list[Series]:
    """The run's metrics, each thinned to at most 1,000 points with extremes kept."""
    runs.get(session, run_id)
    series = metrics.read_series(session, run_id, name)
    return [
        Series(name=key, points=[SeriesPoint(step=step, value=value) for step, value in points])
        for key, points in series.items()
    ]


def _each(body: RunAction, act: Callable[[str], object]) -> RunActionResult:
    done, refused = [], []
    for run_id in body.run_ids:
        try:
            act(run_id)
        except AppError as error:
            refused.append({"run_id": run_id, "reason": f"{error.detail} {error.remedy}".strip()})
        else:
            done.append(run_id)
    return RunActionResult(done=done, refused=refused)
