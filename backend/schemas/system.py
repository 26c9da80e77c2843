"""The machine, its workers and warnings."""

from datetime import datetime
from typing import Literal

from backend.schemas.common import Schema


class WorkerRead(Schema):
    """A worker slot."""

    owner: str
    hostname: str
    pid: int
    slot: int
    device: str
    run_id: str | None
    run_name: str | None
    started_at: datetime
    heartbeat_at: datetime
    alive: bool


class SystemWarning(Schema):
    """Something an operator should look at."""

    level: Literal["warning", "error"]
    title: str
    remedy: str
    run_id: str | None
    """The run to look at."""


class SystemRead(Schema):
    """What the home and settings pages show."""

    version: str
    database: str
    """Kind of database, without credentials."""
    broker: str
    data_dir: str
    disk_free_bytes: int
    workers: list[WorkerRead]
    warnings: list[SystemWarning]
    counts: dict[str, int]
    """data sets, models, experiments, active runs."""
    newest_event_id: int
