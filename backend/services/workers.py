"""Worker processes: which slots this machine offers, who said hello lately, whose leases a restart frees."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from backend.db.models import Run, WorkerSlot, utcnow
from backend.services import events
from backend.services.endings import lose_worker
from backend.services.run_states import HELD
from backend.settings import Settings, get_settings

MAX_CPU_SLOTS = 2
_MISSED_BEATS = 3


@dataclass(frozen=True, slots=True)
class Slot:
    """One place on this machine where a run can be computed."""

    index: int
    count: int
    """Slots on this machine."""
    device: str
    """cpu, or cuda: with the indices of its GPUs, such as ``cuda:0`` or ``cuda:0,1``."""
    threads: int
    """CPU threads a run in this slot may use."""


def machine_slots(settings: Settings | None = None) -> list[Slot]:
    """The slots of this machine: one per GPU or group of GPUs, else one per core up to two, unless told otherwise."""
    settings = settings or get_settings()
    gpus, cores = gpu_count(), cpu_count()
    each = min(settings.gpus_per_slot, gpus)
    count = settings.slots or (gpus // each if gpus else min(cores, MAX_CPU_SLOTS))
    threads = max(1, cores // count)
    return [
        Slot(index=index, count=count, device=_device(index, each, gpus), threads=threads) for index in range(count)
    ]


def _device(slot: int, each: int, gpus: int) -> str:
    if not gpus:
        return "cpu"
    return "cuda:" + ",".join(str((slot * each + index) % gpus) for index in range(each))


def cpu_count() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpu_count() -> int:
    """NVIDIA GPUs that the driver reports and that are not hidden from us."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([item for item in visible.split(",") if item.strip() not in {"", "-1"}])
    program = shutil.which("nvidia-smi")
    if program is None:
        return 0
    try:
        listed = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return 0
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())


def hello(session: Session, *, owner: str, hostname: str, pid: int, slot: Slot) -> list[str]:
    """Register a worker that starts, and free the runs of its dead predecessors in the same slot.

    Returns:
        Ids of the runs that were taken back.
    """
    taken_back: list[str] = []
    before = session.scalars(
        select(WorkerSlot).where(
            WorkerSlot.hostname == hostname, WorkerSlot.slot == slot.index, WorkerSlot.owner != owner
        )
    ).all()
    for old in before:
        if is_alive(old.pid, (old.details or {}).get("process_started")):
            continue
        held = select(Run.id, Run.attempt).where(Run.owner == old.owner, Run.state.in_(HELD))
        for run_id, attempt in session.execute(held).all():
            if lose_worker(session, run_id, attempt, old.owner):
                taken_back.append(run_id)
        session.execute(delete(WorkerSlot).where(WorkerSlot.owner == old.owner))
    now = utcnow()
    details: dict[str, Any] = {"process_started": process_started(pid), "threads": slot.threads, "slots": slot.count}
    session.add(
        WorkerSlot(
            owner=owner,
            hostname=hostname,
            pid=pid,
            slot=slot.index,
            device=slot.device,
            started_at=now,
            heartbeat_at=now,
            details=details,
        )
    )
    events.publish(session, "worker", "started", data={"hostname": hostname, "slot": slot.index})
    return taken_back


def heartbeat(session: Session, owner: str) -> bool:
    """Say that the worker is there; False when its row is gone and it has to say hello again."""
    beaten = session.execute(update(WorkerSlot).where(WorkerSlot.owner == owner).values(heartbeat_at=utcnow()))
    return bool(beaten.rowcount)  # type: ignore[attr-defined]


def goodbye(session: Session, owner: str) -> None:
    """Forget a worker that ends in order."""
    session.execute(delete(WorkerSlot).where(WorkerSlot.owner == owner))
    events.publish(session, "worker", "stopped", data={"owner": owner})


def live(session: Session) -> list[WorkerSlot]:
    """Workers heard of lately."""
    limit = utcnow() - timedelta(seconds=_MISSED_BEATS * get_settings().heartbeat_seconds)
    query = select(WorkerSlot).where(WorkerSlot.heartbeat_at > limit)
    return list(session.scalars(query.order_by(WorkerSlot.hostname, WorkerSlot.slot)))


def process_started(pid: int) -> str | None:
    """When a process of this machine was started, in the kernel's own terms; None where that cannot be known."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    # The command's name, in parentheses, may itself hold blanks.
    return f"{boot}:{stat.rpartition(')')[2].split()[19]}"


def is_alive(pid: int, started: str | None) -> bool:
    """Whether the process that was started then is still running, not another one with its number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return started is None or process_started(pid) == started
