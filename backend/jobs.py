"""Doorbells: messages that say a queued run is worth a look. The database row says everything else."""

import logging
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from backend.broker import transport_options
from backend.db.models import Run, utcnow
from backend.settings import get_settings

logger = logging.getLogger(__name__)

QUEUE = "runs"
_PENDING = "aft_doorbells"


class Job(StrEnum):
    """Names of the messages."""

    START = "runs.start"


def doorbell(session: Session, run_id: str, attempt: int) -> None:
    """Note that a message has to leave once this transaction is committed."""
    session.info.setdefault(_PENDING, {})[run_id] = attempt


def pending(session: Session) -> list[tuple[str, int]]:
    """The noted doorbells, for ``ring`` after the commit; called as the transaction's last act.

    A noted doorbell that nobody takes from here leaves ``sent_at`` empty, so the dispatcher sends it a second later.
    """
    noted: dict[str, int] = session.info.pop(_PENDING, {})
    now = utcnow()
    doorbells = []
    for run_id, attempt in noted.items():
        sent = session.execute(
            update(Run).where(Run.id == run_id, Run.attempt == attempt, Run.state == "queued").values(sent_at=now)
        )
        if sent.rowcount == 1:  # type: ignore[attr-defined]
            doorbells.append((run_id, attempt))
    return doorbells


def ring(run_id: str, attempt: int) -> bool:
    """Send one message; False when the broker is away, which the dispatcher makes good later."""
    try:
        celery_app().send_task(Job.START.value, args=[run_id, attempt], queue=QUEUE, retry=False)
    except Exception as error:
        # Whatever a broker raises, the run is safe in its row.
        logger.warning("doorbell for run %s could not be sent: %s", run_id, error)
        return False
    return True


@lru_cache(maxsize=1)
def celery_app() -> Any:
    """The process's Celery application, for sending and receiving."""
    # Imported here: the services need the doorbells' notes, not Celery.
    from celery import Celery
    from kombu.entity import Exchange, Queue

    settings = get_settings()
    exchange = Exchange(QUEUE, type="direct")  # type: ignore[no-untyped-call]  # kombu leaves it untyped
    queue = Queue(QUEUE, exchange, routing_key=QUEUE)  # type: ignore[no-untyped-call]
    on_files = settings.broker.startswith("filesystem")
    app = Celery("aft")
    app.conf.update(
        broker_url="filesystem://localhost//" if on_files else settings.broker,
        broker_transport="backend.broker:Transport" if on_files else None,
        broker_transport_options=transport_options(settings.root) if on_files else {"socket_connect_timeout": 3},
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        accept_content=["json"],
        task_serializer="json",
        task_queues=[queue],
        task_default_queue=QUEUE,
        task_ignore_result=True,
        task_acks_late=False,
        worker_prefetch_multiplier=1,
        worker_concurrency=1,
        worker_pool="solo",
        worker_enable_remote_control=not on_files,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
    )
    return app


def reset() -> None:
    """Forget the application and its connections; for tests and after a fork."""
    celery_app.cache_clear()
