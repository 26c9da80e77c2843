"""The append-only event table that the live stream reads."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db.models import Event


def publish(
    session: Session,
    topic: str,
    action: str,
    *,
    run_id: str | None = None,
    subject_id: str | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Append an event; browsers see it once the transaction commits."""
    session.add(Event(topic=topic, action=action, run_id=run_id, subject_id=subject_id, data=data or {}))


def after(session: Session, last_id: int, limit: int = 500) -> list[Event]:
    """Events newer than ``last_id``, oldest first."""
    return list(session.scalars(select(Event).where(Event.id > last_id).order_by(Event.id).limit(limit)))


def newest_of_run(session: Session, run_id: str) -> int:
    """Id of the run's newest event; every batch of its points is one."""
    return session.scalar(select(func.max(Event.id)).where(Event.run_id == run_id)) or 0


def newest_id(session: Session) -> int:
    """Id of the newest event, 0 when there is none."""
    return session.scalar(select(Event.id).order_by(Event.id.desc()).limit(1)) or 0
