"""Experiments: plan, progress, comparison."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from aft.config.experiment import ExperimentSpec
from aft.config.grid import DataChoice
from aft.config.method import MethodConfig
from backend.schemas.common import Schema
from backend.schemas.comparison import BlockRead
from backend.schemas.runs import DegradationAlarm, RunKind, RunProgress, RunState

Priority = Literal["low", "normal", "high"]


class PlanNode(Schema):
    """A run that the experiment needs."""

    block: str
    """Key of the data set and model it belongs to."""
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
    blocks: list[BlockRead]
    yaml: str
    command: str


class ExperimentCreate(Schema):
    """Start an experiment."""

    spec: ExperimentSpec
    request_id: str = Field(min_length=8, max_length=64)
    """Made once per press of the button: the same id starts once."""
    repeat: bool = False
    """Compute everything again instead of reusing finished runs."""


class ExperimentExtension(Schema):
    """What to add to an experiment; everything else stays as it is."""

    methods: list[MethodConfig] = Field(default=[], max_length=40)
    seeds: list[Annotated[int, Field(ge=0, lt=2**31)]] = Field(default=[], max_length=50)
    more_datasets: list[DataChoice] = Field(default=[], max_length=20)
    """Every method is trained and tested on each of them as well."""
    more_models: list[Annotated[str, Field(max_length=64)]] = Field(default=[], max_length=20)
    """Base models from which everything is repeated."""
    also_test_on: list[DataChoice] = Field(default=[], max_length=20)
    """Data sets whose test questions the trained models answer too."""


class ExperimentPriority(Schema):
    """Before or after other experiments."""

    priority: Priority


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


ExperimentState = Literal["running", "paused", "finished", "failed", "cancelled"]


class ExperimentSummary(Schema):
    """A row of the experiment list."""

    id: str
    name: str
    is_demo: bool
    state: ExperimentState
    """paused: runs under way finish, and no new one starts."""
    priority: Priority
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
    block: str
    """Key of the data set and model it belongs to."""
    reused: bool
    state: RunState
    progress: RunProgress
    error_title: str | None
    parents: list[str]
    """Cells."""
    on_hold: bool
    """True while the experiment is paused and no other one needs the run."""
    estimate_seconds: float | None
    used_seconds: float
    used_bytes: int


class ExperimentUsage(Schema):
    """Time and disk, expected and used."""

    estimate_seconds: float
    """Computing, all runs one after the other."""
    used_seconds: float
    """Computing of its own runs, over all attempts."""
    reused_seconds: float
    """Computing of runs that other experiments had done already."""
    estimate_bytes: int
    used_bytes: int
    """Weights, checkpoints and files of all its runs."""


class ExperimentRead(ExperimentSummary):
    """Everything about one experiment."""

    spec: ExperimentSpec
    yaml: str
    notes: str
    dataset_id: str
    dataset_version_id: str
    base_model_id: str
    blocks: list[BlockRead]
    """Data sets times models, and what is only tested."""
    cells: list[ExperimentCell]
    usage: ExperimentUsage
    warnings: list[PlanWarning]
    alarms: list[DegradationAlarm]
    """Degradation alarms of its training runs."""


class DemoStarted(Schema):
    """The demo's experiment."""

    experiment_id: str
    already_running: bool
