"""Experiments and the runs that fill their cells."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from aft.config.grid import FIRST_BLOCK
from backend.db.models.base import ID, Base, new_id, utcnow


class Experiment(Base):
    """Methods x models x data sets x seeds, planned as runs."""

    __tablename__ = "experiments"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120))
    spec: Mapped[dict[str, Any]]
    """ExperimentSpec, with ids resolved."""
    spec_sha256: Mapped[str] = mapped_column(String(64), index=True)
    request_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    """Made by the client once per press of the button, so that starting twice starts once."""
    is_demo: Mapped[bool] = mapped_column(default=False)
    notes: Mapped[str] = mapped_column(Text, default="")
    priority: Mapped[int] = mapped_column(default=0, server_default="0")
    """Higher goes first, before the order within the plan."""
    paused_at: Mapped[datetime | None]
    """Since when no new run of it starts; those under way finish."""
    deleted_at: Mapped[datetime | None]
    """Hidden, and forgotten for good a day later, so that a deletion can be undone."""
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class ExperimentRun(Base):
    """A run's place in an experiment. Runs may be shared between experiments."""

    __tablename__ = "experiment_runs"
    __table_args__ = (Index("ix_experiment_runs_run_id", "run_id"),)

    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True)
    cell: Mapped[str] = mapped_column(String(160), primary_key=True)
    """Unique name within the experiment, e.g. ``seed 1/AFT · boundary/train``."""
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    stage: Mapped[str] = mapped_column(String(32))
    """base, vft, sample, rate, assessment-sample, train or evaluate."""
    method: Mapped[str | None] = mapped_column(String(80))
    """The method's label, or None for stages that all methods share."""
    seed: Mapped[int | None]
    block: Mapped[str] = mapped_column(String(16), default=FIRST_BLOCK, server_default=FIRST_BLOCK)
    """Key of the data set and model it belongs to, see `aft.config.grid`."""
    position: Mapped[int]
    """Order in the plan."""
    reused: Mapped[bool] = mapped_column(default=False)
    """True when the run was finished or queued before this experiment asked for it."""
