"""The Celery application: ``celery -A worker.app worker -P solo -c 1``, one process per slot.

The process receives doorbells and supervises; torch is never imported here.
"""

import logging
import os
from functools import lru_cache
from typing import Any

from celery import signals

from backend import jobs
from backend.services.workers import Slot, machine_slots
from worker.supervisor import Supervisor

app = jobs.celery_app()
SLOT_VARIABLE = "AFT_SLOT"


def own_slot() -> Slot:
    """The slot this process serves, from ``AFT_SLOT`` (default 0).

    Raises:
        ValueError: If this machine has no such slot.
    """
    slots, text = machine_slots(), os.environ.get(SLOT_VARIABLE, "0")
    if not text.isdigit() or int(text) >= len(slots):
        msg = f"{SLOT_VARIABLE} is {text!r}, but this machine has slots 0 to {len(slots) - 1}. Set AFT_SLOTS for more."
        raise ValueError(msg)
    return slots[int(text)]


@lru_cache(maxsize=1)
def supervisor() -> Supervisor:
    """The process's supervisor."""
    return Supervisor(own_slot())


@app.task(name=jobs.Job.START.value, ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def start(run_id: str, attempt: int) -> None:
    """Supervise one run. A repeated message is harmless: only a queued attempt can be claimed."""
    supervisor().answer(run_id, attempt)


@signals.setup_logging.connect  # type: ignore[untyped-decorator]
def _set_up_logging(loglevel: Any = logging.INFO, **_: Any) -> None:
    level = loglevel if isinstance(loglevel, int) else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


@signals.worker_init.connect  # type: ignore[untyped-decorator]
def _open(**_: Any) -> None:
    supervisor().open()


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _stop(**_: Any) -> None:
    # Runs inside a signal handler: only a flag.
    supervisor().stopping.set()


@signals.worker_shutdown.connect  # type: ignore[untyped-decorator]
def _close(**_: Any) -> None:
    supervisor().close()
