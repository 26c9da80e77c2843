"""Saved weights: resume points and final models, recorded only after their files are complete."""

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend import storage
from backend.db.models import Checkpoint, utcnow
from backend.services import events
from backend.services.leases import Claim, fence

RESUME = "resume"
BEST = "best"
FINAL = "final"


def record(
    session: Session, claim: Claim, *, purpose: str, step: int, key: str, sha256: str, size_bytes: int
) -> Checkpoint:
    """Note a checkpoint whose files are in place; one written again at the same step replaces the older row.

    Raises:
        LeaseLost: If the claim does not hold any more.
    """
    fence(session, claim)
    same = select(Checkpoint).where(
        Checkpoint.run_id == claim.run_id,
        Checkpoint.purpose == purpose,
        Checkpoint.key == key,
        Checkpoint.deleted_at.is_(None),
    )
    checkpoint = session.scalar(same)
    if checkpoint is None:
        checkpoint = Checkpoint(run_id=claim.run_id, purpose=purpose, key=key)
        session.add(checkpoint)
    checkpoint.step, checkpoint.attempt = step, claim.attempt
    checkpoint.sha256, checkpoint.size_bytes = sha256, size_bytes
    session.flush()
    events.publish(
        session,
        "run",
        "checkpoint",
        run_id=claim.run_id,
        subject_id=checkpoint.id,
        data={"step": step, "purpose": purpose},
    )
    return checkpoint


def forget_missing(session: Session, claim: Claim) -> None:
    """Mark resume points and best models whose files were pruned."""
    fence(session, claim)
    for checkpoint in of_run(session, claim.run_id):
        if checkpoint.purpose in {RESUME, BEST} and not storage.path(checkpoint.key).exists():
            checkpoint.deleted_at = utcnow()


def of_run(session: Session, run_id: str) -> list[Checkpoint]:
    """The run's existing checkpoints, newest first."""
    query = (
        select(Checkpoint)
        .where(Checkpoint.run_id == run_id, Checkpoint.deleted_at.is_(None))
        .order_by(Checkpoint.step.desc(), Checkpoint.id.desc())
    )
    return list(session.scalars(query))


def final(session: Session, run_id: str) -> Checkpoint | None:
    """The run's final model, if it is recorded and not deleted."""
    return next((item for item in of_run(session, run_id) if item.purpose == FINAL), None)


def final_directory(session: Session, run_id: str) -> Path | None:
    """The directory of the run's final model, if it is recorded and still there."""
    checkpoint = final(session, run_id)
    if checkpoint is None:
        return None
    place = storage.path(checkpoint.key)
    return place if (place / "config.json").is_file() else None
