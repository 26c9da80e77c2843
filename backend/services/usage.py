"""Time and disk that runs have used."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db.models import Artifact, Checkpoint, RunAttempt, utcnow


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one run."""

    seconds: float = 0.0
    """Computing, over all attempts."""
    bytes: int = 0
    """Weights, checkpoints and files; rows of the database are not counted."""


def of_runs(session: Session, run_ids: Sequence[str]) -> dict[str, Usage]:
    """Usage by run; runs that used nothing are left out."""
    seconds: dict[str, float] = {}
    attempts = select(RunAttempt.run_id, RunAttempt.started_at, RunAttempt.ended_at)
    now = utcnow()
    for run_id, started, ended in session.execute(attempts.where(RunAttempt.run_id.in_(run_ids))):
        seconds[run_id] = seconds.get(run_id, 0.0) + ((ended or now) - started).total_seconds()
    sizes: dict[str, int] = {}
    saved = select(Checkpoint.run_id, func.sum(Checkpoint.size_bytes)).where(
        Checkpoint.run_id.in_(run_ids), Checkpoint.deleted_at.is_(None)
    )
    files = select(Artifact.run_id, func.sum(Artifact.size_bytes)).where(Artifact.run_id.in_(run_ids))
    for query in (saved.group_by(Checkpoint.run_id), files.group_by(Artifact.run_id)):
        for run_id, size in session.execute(query):
            sizes[run_id] = sizes.get(run_id, 0) + int(size or 0)
    return {key: Usage(seconds.get(key, 0.0), sizes.get(key, 0)) for key in {*seconds, *sizes}}
