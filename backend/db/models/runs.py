"""Runs, their attempts, lineage, metrics, files and events. The row is the truth; a message is a doorbell."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Float, ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column

from backend.db.models.base import ID, Base, new_id, utcnow
from backend.db.models.datasets import BigId


class Run(Base):
    """One piece of work.

    States: waiting (for parents) -> queued -> starting -> running -> succeeded | failed | cancelled;
    cancelling while a running one is being stopped. Every transition is a conditional UPDATE.
    """

    __tablename__ = "runs"
    __table_args__ = (
        Index("ix_runs_state_priority_id", "state", "priority", "id"),
        Index("ix_runs_line", "state", "on_hold", "precedence", "priority", "id"),
        Index("ix_runs_fingerprint", "fingerprint"),
        Index("ix_runs_lease_expires_at", "lease_expires_at"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(16))
    """pretrain, train, sample, rate, score, evaluate, regrade, import, import-cots, export or checkpoint."""
    name: Mapped[str] = mapped_column(String(200))
    method: Mapped[str | None] = mapped_column(String(80))
    seed: Mapped[int | None]
    config: Mapped[dict[str, Any]]
    """The kind's config class as JSON."""
    inputs: Mapped[dict[str, Any]]
    """dataset_version_id, split_id, base_model_id, as far as they apply."""
    fingerprint: Mapped[str] = mapped_column(String(64))
    """sha256 of kind, config, data and model content, parents' fingerprints and code version."""

    state: Mapped[str] = mapped_column(String(16))
    priority: Mapped[int] = mapped_column(default=0)
    """Lower goes first."""
    precedence: Mapped[int] = mapped_column(default=0, server_default="0")
    """Before ``priority``; lower goes first. From the most urgent of the experiments that use the run."""
    on_hold: Mapped[bool] = mapped_column(default=False, server_default=false())
    """True while every experiment that uses the run is paused: it keeps its place and is not claimed."""
    attempt: Mapped[int] = mapped_column(default=1)
    max_attempts: Mapped[int] = mapped_column(default=5)
    owner: Mapped[str | None] = mapped_column(String(120))
    device: Mapped[str | None] = mapped_column(String(80))
    lease_expires_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    """When the doorbell was last rung."""
    cancel_requested_at: Mapped[datetime | None]

    progress_done: Mapped[int] = mapped_column(default=0)
    progress_total: Mapped[int | None]
    progress_phase: Mapped[str] = mapped_column(String(80), default="")
    progress_rate: Mapped[float | None]
    """Units per second over the last while, for the ETA."""
    progress_at: Mapped[datetime | None]

    error: Mapped[dict[str, Any] | None]
    """title (plain cause), detail, remedy, traceback excerpt, step."""
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    queued_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class RunParent(Base):
    """A run's input run, by role: base, start, candidates, ratings, assessment, paths, checkpoint."""

    __tablename__ = "run_parents"
    __table_args__ = (Index("ix_run_parents_parent_id", "parent_id"),)

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(16), primary_key=True)
    parent_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))


class RunTag(Base):
    """A word that people put on a run."""

    __tablename__ = "run_tags"
    __table_args__ = (Index("ix_run_tags_tag", "tag"),)

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(40), primary_key=True)


class RunAttempt(Base):
    """One try at a run by one worker."""

    __tablename__ = "run_attempts"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(String(120))
    device: Mapped[str | None] = mapped_column(String(80))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(40))
    """succeeded, failed, cancelled, worker lost, requeued."""
    resumed_from_step: Mapped[int | None]
    last_step: Mapped[int | None]
    exit_code: Mapped[int | None]


class Event(Base):
    """What happened, append-only; the live stream replays it."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_run_id_id", "run_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    topic: Mapped[str] = mapped_column(String(32))
    """run, metric, experiment, dataset, model, worker."""
    action: Mapped[str] = mapped_column(String(32))
    run_id: Mapped[str | None] = mapped_column(ID)
    subject_id: Mapped[str | None] = mapped_column(ID)
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Metric(Base):
    """A point of a series. A repeated step of a later attempt replaces the earlier value."""

    __tablename__ = "metrics"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[float] = mapped_column(Float)
    attempt: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class MetricStretch(Base):
    """Points of a series within ten steps, summed: what curves of a hundred long runs are drawn from.

    Follows from ``Metric`` and is written with it; ``services/metrics`` knows how.
    """

    __tablename__ = "metric_stretches"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    start: Mapped[int] = mapped_column(primary_key=True)
    """Its first step, a multiple of ten."""
    n: Mapped[int]
    total: Mapped[float] = mapped_column(Float)


class Checkpoint(Base):
    """Saved weights of a run: resume points, and the final model."""

    __tablename__ = "checkpoints"
    __table_args__ = (Index("ix_checkpoints_run_id_step", "run_id", "step"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(String(16))
    """resume, best (by validation task accuracy) or final."""
    step: Mapped[int]
    attempt: Mapped[int]
    key: Mapped[str] = mapped_column(String(255))
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    deleted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Artifact(Base):
    """A file a run made: its log, rejects, an export."""

    __tablename__ = "artifacts"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    key: Mapped[str] = mapped_column(String(255))
    sha256: Mapped[str | None] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Result(Base):
    """A final number of an evaluation, or a training's best evaluation and degradation alarm."""

    __tablename__ = "results"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    metric: Mapped[str] = mapped_column(String(80), primary_key=True)
    """task_accuracy, assessment_accuracy, assessment_accuracy_3x3, perplexity, unparsed_rate ..."""
    value: Mapped[float | None]
    """None when nothing could be measured."""
    n: Mapped[int]
    details: Mapped[dict[str, Any] | None]
    """Interval, coverage, and what else belongs to the number."""


class WorkerSlot(Base):
    """A worker process that said hello lately."""

    __tablename__ = "worker_slots"

    owner: Mapped[str] = mapped_column(String(120), primary_key=True)
    hostname: Mapped[str] = mapped_column(String(120))
    pid: Mapped[int]
    slot: Mapped[int]
    device: Mapped[str] = mapped_column(String(80))
    run_id: Mapped[str | None] = mapped_column(ID)
    started_at: Mapped[datetime]
    heartbeat_at: Mapped[datetime]
    details: Mapped[dict[str, Any] | None]
