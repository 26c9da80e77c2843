"""Experiments: plan, progress, comparison."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from aft.config.experiment import ExperimentSpec
from backend.schemas.common import Schema
from backend.schemas.runs import DegradationAlarm, RunKind, RunProgress, RunState


class PlanNode(Schema):
    """A run that the experiment needs."""

    cell: str
    """Unique within the experiment."""
    kind: RunKind
    stage: str
    """base, vft, sample, rate, assessment-sample, train, paths, evaluate, validate or search."""
    name: str
    method: str | None
    seed: int | None
    parents: list[str]
    """Cells it waits for."""
    reused_run_id: str | None
    """A run with the same content that is finished or under way already."""
    reused_state: RunState | None
    estimate_seconds: float | None


class PlanWarning(Schema):
    """Something that will go wrong, or that a reader of the result must know."""

    level: Literal["error", "warning", "note"]
    field: str | None
    message: str
    remedy: str


class ExperimentPlan(Schema):
    """What would run, before anything starts."""

    nodes: list[PlanNode]
    warnings: list[PlanWarning]
    can_start: bool
    runs_new: int
    runs_reused: int
    estimate_seconds: float | None
    """Wall-clock, on the workers there are."""
    estimate_disk_bytes: int
    estimate_memory_bytes: int | None
    yaml: str
    command: str


class ExperimentCreate(Schema):
    """Start an experiment."""

    spec: ExperimentSpec
    request_id: str = Field(min_length=8, max_length=64)
    """Made once per press of the button: the same id starts once."""
    repeat: bool = False
    """Compute everything again instead of reusing finished runs."""


class StateCounts(Schema):
    """Runs per state."""

    waiting: int = 0
    queued: int = 0
    starting: int = 0
    running: int = 0
    cancelling: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0


ExperimentState = Literal["running", "finished", "failed", "cancelled"]


class ExperimentSummary(Schema):
    """A row of the experiment list."""

    id: str
    name: str
    is_demo: bool
    state: ExperimentState
    counts: StateCounts
    runs_total: int
    eta_seconds: float | None
    fraction_done: float
    methods: list[str]
    seeds: list[int]
    dataset_name: str
    base_model_name: str
    created_at: datetime
    finished_at: datetime | None


class ExperimentCell(Schema):
    """One run of the experiment with its state now."""

    cell: str
    run_id: str
    kind: RunKind
    stage: str
    name: str
    method: str | None
    seed: int | None
    reused: bool
    state: RunState
    progress: RunProgress
    error_title: str | None
    parents: list[str]
    """Cells."""


class ExperimentRead(ExperimentSummary):
    """Everything about one experiment."""

    spec: ExperimentSpec
    yaml: str
    notes: str
    dataset_id: str
    dataset_version_id: str
    base_model_id: str
    cells: list[ExperimentCell]
    warnings: list[PlanWarning]
    alarms: list[DegradationAlarm]
    """Degradation alarms of its training runs."""


class DemoStarted(Schema):
    """The demo's experiment."""

    experiment_id: str
    already_running: bool
