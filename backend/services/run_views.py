"""Runs as people look at them: lists, one run with everything around it, its log."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import Select

from backend.db.models import (
    Checkpoint,
    Event,
    Experiment,
    ExperimentRun,
    Result,
    Run,
    RunAttempt,
    RunParent,
    RunTag,
    utcnow,
)
from backend.schemas.runs import LogChunk, RunError, RunProgress, RunRelation, RunSummary
from backend.services import alarms, external_checkpoints, run_tags, runs
from backend.services.runs import get

__all__ = [
    "RunFilter",
    "config_difference",
    "details",
    "get",
    "list_page",
    "matching",
    "progress",
    "read_log",
    "relations",
    "summaries",
    "summary",
]

LOG_BYTES = 64 * 1024
SEARCH_BYTES = 16 * 2**20
EVENTS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs to list."""

    states: tuple[str, ...] = ()
    kind: str | None = None
    experiment_id: str | None = None
    method: str | None = None
    text: str | None = None
    tag: str | None = None


def list_page(session: Session, wanted: RunFilter, *, after: str | None, limit: int) -> list[Run]:
    """Newest first by keyset, one more than ``limit`` at most."""
    query = matching(select(Run), wanted).order_by(Run.id.desc()).limit(limit + 1)
    if after:
        query = query.where(Run.id < after)
    return list(session.scalars(query))


def matching(query: Select[Any], wanted: RunFilter) -> Select[Any]:
    """The query's runs that fit the filter."""
    if wanted.states:
        query = query.where(Run.state.in_(wanted.states))
    # A checkpoint elsewhere is nothing that was done here.
    query = query.where(Run.kind == wanted.kind if wanted.kind else Run.kind != external_checkpoints.KIND)
    if wanted.method:
        query = query.where(Run.method == wanted.method)
    if wanted.experiment_id:
        places = select(ExperimentRun.run_id).where(ExperimentRun.experiment_id == wanted.experiment_id)
        query = query.where(Run.id.in_(places))
    if wanted.tag:
        query = query.where(Run.id.in_(select(RunTag.run_id).where(RunTag.tag == wanted.tag)))
    if wanted.text:
        query = query.where(or_(Run.name.icontains(wanted.text, autoescape=True), Run.id == wanted.text))
    return query


def summaries(session: Session, found: list[Run]) -> list[RunSummary]:
    """Rows of the run table."""
    places: dict[str, list[str]] = {run.id: [] for run in found}
    query = (
        select(ExperimentRun.run_id, ExperimentRun.experiment_id)
        .join(Experiment, Experiment.id == ExperimentRun.experiment_id)
        .where(ExperimentRun.run_id.in_(list(places)), Experiment.deleted_at.is_(None))
    )
    for run_id, experiment_id in session.execute(query.distinct()):
        places[run_id].append(experiment_id)
    tags = run_tags.of_runs(session, list(places))
    return [RunSummary(**summary(run, places[run.id], tags.get(run.id, []))) for run in found]


def summary(run: Run, experiment_ids: list[str], tags: list[str]) -> dict[str, Any]:
    """The fields of a ``RunSummary``."""
    return {
        "id": run.id,
        "kind": run.kind,
        "name": run.name,
        "method": run.method,
        "seed": run.seed,
        "state": run.state,
        "priority": run.priority,
        "attempt": run.attempt,
        "device": run.device,
        "progress": progress(run),
        "error": _error(run.error),
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "duration_seconds": _duration(run.started_at, run.finished_at),
        "experiments": experiment_ids,
        "tags": tags,
        "on_hold": run.on_hold and run.state in {"waiting", "queued"},
    }


def progress(run: Run) -> RunProgress:
    """How far it is; the ETA counts down between two reports."""
    eta = None
    if run.state in runs.HELD and run.progress_total and run.progress_rate:
        eta = max(0.0, (run.progress_total - run.progress_done) / run.progress_rate)
        if run.progress_at is not None:
            eta = max(0.0, eta - (utcnow() - run.progress_at).total_seconds())
    return RunProgress(
        done=run.progress_done,
        total=run.progress_total,
        phase=run.progress_phase,
        rate=run.progress_rate,
        eta_seconds=eta,
    )


def relations(session: Session, run_id: str) -> tuple[list[RunRelation], list[RunRelation]]:
    """Parents and children."""
    parents = select(RunParent.role, Run).join(Run, Run.id == RunParent.parent_id).where(RunParent.run_id == run_id)
    children = select(RunParent.role, Run).join(Run, Run.id == RunParent.run_id).where(RunParent.parent_id == run_id)
    return (
        [_relation(role, run) for role, run in session.execute(parents.order_by(RunParent.role))],
        [_relation(role, run) for role, run in session.execute(children.order_by(Run.id))],
    )


def details(session: Session, run: Run) -> dict[str, list[Any]]:
    """Attempts, checkpoints, results and newest events of a run."""
    return {
        "attempts": list(
            session.scalars(select(RunAttempt).where(RunAttempt.run_id == run.id).order_by(RunAttempt.number))
        ),
        "checkpoints": list(
            session.scalars(
                select(Checkpoint)
                .where(Checkpoint.run_id == run.id, Checkpoint.deleted_at.is_(None))
                .order_by(Checkpoint.step)
            )
        ),
        # The alarm is shown by itself.
        "results": list(
            session.scalars(
                select(Result).where(Result.run_id == run.id, Result.metric != alarms.ALARM).order_by(Result.metric)
            )
        ),
        "events": list(
            session.scalars(
                select(Event)
                .where(Event.run_id == run.id, Event.topic == "run")
                .order_by(Event.id.desc())
                .limit(EVENTS_SHOWN)
            )
        ),
    }


def config_difference(session: Session, run: Run) -> list[dict[str, Any]]:
    """Settings that differ from the run it starts from."""
    query = (
        select(Run)
        .join(RunParent, RunParent.parent_id == Run.id)
        .where(RunParent.run_id == run.id, RunParent.role.in_(("start", "checkpoint")))
    )
    parent = session.scalar(query)
    if parent is None or parent.kind != run.kind:
        return []
    here, there = _flat(run.config), _flat(parent.config)
    return [
        {"path": path, "here": here.get(path), "there": there.get(path)}
        for path in sorted(set(here) | set(there))
        if here.get(path) != there.get(path)
    ]


def read_log(run_id: str, *, start: int, search: str | None) -> LogChunk:
    """Part of the log from byte ``start`` (negative: from the end), or the lines that contain ``search``."""
    place = runs.log_path(run_id)
    try:
        size = place.stat().st_size
    except FileNotFoundError:
        return LogChunk(text="", start=0, end=0, size=0, matches=0 if search else None)
    with place.open("rb") as stream:
        if search:
            stream.seek(max(0, size - SEARCH_BYTES), os.SEEK_SET)
            wanted = search.casefold()
            lines = [
                line
                for line in stream.read(SEARCH_BYTES).decode(errors="replace").splitlines()
                if wanted in line.casefold()
            ]
            text = "\n".join(lines[-2000:])[-LOG_BYTES:]
            return LogChunk(text=text, start=0, end=size, size=size, matches=len(lines))
        begin = max(0, size + start) if start < 0 else min(start, size)
        stream.seek(begin)
        block = stream.read(LOG_BYTES)
    return LogChunk(text=block.decode(errors="replace"), start=begin, end=begin + len(block), size=size)


def _relation(role: str, run: Run) -> RunRelation:
    return RunRelation.model_validate(
        {"role": role, "run_id": run.id, "name": run.name, "kind": run.kind, "state": run.state}
    )


def _error(error: Mapping[str, Any] | None) -> RunError | None:
    if error is None:
        return None
    return RunError(
        **{key: value for key, value in error.items() if key in RunError.model_fields and value is not None}
    )


def _duration(started: datetime | None, finished: datetime | None) -> float | None:
    return None if started is None else ((finished or utcnow()) - started).total_seconds()


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
