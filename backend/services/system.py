"""The machine's state in words: workers, disk, what an operator should look at."""

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from aft.version import VERSION
from backend import storage
from backend.db.models import BaseModelEntry, Dataset, Experiment, Run, WorkerSlot, utcnow
from backend.schemas.system import SystemRead, SystemWarning, WorkerRead
from backend.services import alarms, events, workers
from backend.services.run_states import OPEN
from backend.settings import get_settings

LOW_DISK_BYTES = 2 * 2**30
SHOWN_FOR = timedelta(days=1)
MOST_ALARMS = 5


def read(session: Session) -> SystemRead:
    """What the home and settings pages show."""
    settings = get_settings()
    free = storage.free_bytes()
    alive = {slot.owner for slot in workers.live(session)}
    active = session.scalar(select(func.count()).select_from(Run).where(Run.state.in_(OPEN))) or 0
    return SystemRead(
        version=VERSION,
        database=make_url(settings.database).get_backend_name(),
        broker=settings.broker.split(":", 1)[0],
        data_dir=str(settings.root),
        disk_free_bytes=free,
        workers=_workers(session, alive),
        warnings=[*_warnings(free, alive, active), *_degraded(session)],
        counts={
            "datasets": _count(session, Dataset),
            "models": _count(session, BaseModelEntry),
            "experiments": _count(session, Experiment),
            "active_runs": active,
        },
        newest_event_id=events.newest_id(session),
    )


def _workers(session: Session, alive: set[str]) -> list[WorkerRead]:
    query = (
        select(WorkerSlot, Run.name)
        .outerjoin(Run, Run.id == WorkerSlot.run_id)
        .where(WorkerSlot.heartbeat_at > utcnow() - SHOWN_FOR)
        .order_by(WorkerSlot.hostname, WorkerSlot.slot)
    )
    return [
        WorkerRead(
            owner=slot.owner,
            hostname=slot.hostname,
            pid=slot.pid,
            slot=slot.slot,
            device=slot.device,
            run_id=slot.run_id,
            run_name=run_name,
            started_at=slot.started_at,
            heartbeat_at=slot.heartbeat_at,
            alive=slot.owner in alive,
        )
        for slot, run_name in session.execute(query)
    ]


def _warnings(free: int, alive: set[str], active: int) -> list[SystemWarning]:
    found = []
    if not alive:
        waiting = f" {active} {'run waits' if active == 1 else 'runs wait'} for one." if active else ""
        found.append(
            SystemWarning(
                level="error" if active else "warning",
                title=f"No worker is running.{waiting}",
                remedy="`aft up` starts one with the server; `aft worker` starts one alone.",
                run_id=None,
            )
        )
    if free < LOW_DISK_BYTES:
        found.append(
            SystemWarning(
                level="warning",
                title=f"Only {free / 2**30:.1f} GiB are free on the data directory's disk.",
                remedy="Delete checkpoints on the Models page, or move the data directory (AFT_DATA_DIR).",
                run_id=None,
            )
        )
    return found


def _degraded(session: Session) -> list[SystemWarning]:
    return [
        SystemWarning(
            level="warning",
            title=f"{alarm.run_name}: it answers worse and assesses no worse since step {alarm.step}.",
            remedy=f"{alarm.words[0].upper()}{alarm.words[1:]}.",
            run_id=alarm.run_id,
        )
        for alarm in alarms.recent(session)[:MOST_ALARMS]
    ]


def _count(session: Session, table: type[Dataset] | type[BaseModelEntry] | type[Experiment]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0
