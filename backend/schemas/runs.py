"""Runs as the API shows them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from backend.schemas.common import Schema

RunState = Literal["waiting", "queued", "starting", "running", "cancelling", "succeeded", "failed", "cancelled"]
RunKind = Literal[
    "pretrain",
    "train",
    "sample",
    "rate",
    "score",
    "evaluate",
    "search",
    "regrade",
    "import",
    "import-cots",
    "export",
    "checkpoint",
]


class RunProgress(Schema):
    """How far a run is."""

    done: int
    total: int | None
    phase: str
    rate: float | None
    """Units a second."""
    eta_seconds: float | None
    """None while unknown."""


class RunError(Schema):
    """Why a run failed: the plain cause first."""

    title: str
    detail: str = ""
    remedy: str = ""
    traceback: str = ""
    step: int | None = None


class RunSummary(Schema):
    """A row of the run table."""

    id: str
    kind: RunKind
    name: str
    method: str | None
    seed: int | None
    state: RunState
    priority: int
    attempt: int
    device: str | None
    progress: RunProgress
    error: RunError | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    duration_seconds: float | None
    """Since its first start, until now or the end."""
    experiments: list[str]
    """Ids of the experiments that use it."""
    tags: list[str]
    on_hold: bool
    """True while every experiment that uses it is paused."""


class RunGroup(Schema):
    """The runs of one method in one experiment."""

    key: str
    experiment_id: str | None
    """None for runs that belong to no experiment."""
    experiment_name: str | None
    method: str | None
    """None for what methods share: base model, sampling, rating."""
    runs: int
    states: dict[RunState, int]


class GroupedRun(RunSummary):
    """A row of the run table by experiment and method."""

    group: str
    """Key of its group. A run that several experiments use is in the one that made it."""


class RunAttemptRead(Schema):
    """One try at the run."""

    number: int
    owner: str
    device: str | None
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    resumed_from_step: int | None
    last_step: int | None
    exit_code: int | None


class RunRelation(Schema):
    """A parent or child of a run."""

    role: str
    run_id: str
    name: str
    kind: RunKind
    state: RunState


class CheckpointRead(Schema):
    """Saved weights."""

    id: str
    run_id: str
    purpose: Literal["resume", "best", "final"]
    step: int
    size_bytes: int
    sha256: str
    created_at: datetime


class ResultRead(Schema):
    """A final number."""

    metric: str
    value: float | None
    n: int
    details: dict[str, Any] | None


class RecomputedResult(Schema):
    """A stored number beside the same number made anew from the stored cases."""

    metric: str
    stored: float | None
    recomputed: float | None
    n: int
    details: dict[str, Any]
    is_equal: bool


class EventRead(Schema):
    """Something that happened to the run."""

    id: int
    topic: str
    action: str
    data: dict[str, Any]
    created_at: datetime


class MeasureChange(Schema):
    """A measure at the alarm's reference and at the alarm."""

    measure: Literal["task_accuracy", "assessment_accuracy", "perplexity"]
    before: float
    after: float
    p: float | None
    """One-sided p-value of the change; None where the questions allow no test."""


class DegradationAlarm(Schema):
    """Assessment accuracy rose while task accuracy fell and perplexity rose."""

    run_id: str
    run_name: str
    method: str | None
    seed: int | None
    step: int
    against: str
    """What the model is compared with: the VFT model, or an earlier step."""
    changes: list[MeasureChange]
    words: str
    """The reasons in one sentence."""
    stops: bool
    """Whether the run ended its training because of it."""


class RunRead(RunSummary):
    """Everything about one run."""

    config: dict[str, Any]
    inputs: dict[str, Any]
    fingerprint: str
    max_attempts: int
    attempts: list[RunAttemptRead]
    parents: list[RunRelation]
    children: list[RunRelation]
    checkpoints: list[CheckpointRead]
    results: list[ResultRead]
    events: list[EventRead]
    metric_names: list[str]
    alarm: DegradationAlarm | None
    """The training run's first degradation alarm."""
    used_seconds: float
    """Computing, over all attempts."""
    used_bytes: int
    """Weights, checkpoints and files."""
    config_difference: list[dict[str, Any]]
    """Settings that differ from the run it starts from: [{path, here, there}]."""


class LogChunk(Schema):
    """Part of a run's log."""

    text: str
    start: int
    """Byte offset of the text in the file."""
    end: int
    size: int
    matches: int | None = None
    """Lines found, when a search was asked for."""


class RunAction(Schema):
    """Runs to act on."""

    run_ids: list[str] = Field(min_length=1, max_length=10_000)


class RunTagging(RunAction):
    """Tags to put on runs and to take off."""

    add: list[str] = Field(default=[], max_length=20)
    remove: list[str] = Field(default=[], max_length=20)


class TagCount(Schema):
    """A tag in use."""

    tag: str
    runs: int


class RunActionResult(Schema):
    """What was done and what could not be."""

    done: list[str]
    refused: list[dict[str, str]]
    """[{run_id, reason}]"""


class SeriesPoint(Schema):
    """One point."""

    step: int
    value: float


class Series(Schema):
    """A metric's points, thinned to at most 1,000 with extremes kept."""

    name: str
    points: list[SeriesPoint]
