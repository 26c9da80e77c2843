"""The dispatcher: once a second it rings for queued runs and takes back those whose worker is gone."""

import logging
import threading
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from backend import jobs
from backend.db.models import Event, Run, utcnow
from backend.db.session import reading, transaction
from backend.services import endings, experiments, imports, standing, workers
from backend.services.run_states import HELD, IN_LINE, LINE_ORDER, settle_waiting
from backend.settings import get_settings

logger = logging.getLogger(__name__)

IDLE_RESEND = timedelta(seconds=3)
"""A free slot answers a doorbell at once; after this long the message is taken for lost."""
EVENTS_KEPT = timedelta(days=7)
_RINGS_AT_ONCE = 100
_PRUNE_EVERY = 3600
_PURGED_AT_ONCE = 10
"""Transactions in one round for removing rows of discarded imports."""


def dispatch_once(session: Session) -> int:
    """Note doorbells for queued runs that have not been rung for, or not been answered; returns how many.

    While every slot is busy nothing is sent again: a worker that gets free looks for the next run by itself.
    """
    settle_waiting(session)
    standing.release(session)
    line = select(Run.id, Run.attempt).where(*IN_LINE).order_by(*LINE_ORDER)
    due = list(session.execute(line.where(Run.sent_at.is_(None)).limit(_RINGS_AT_ONCE)))
    free = sum(slot.run_id is None for slot in workers.live(session))
    if free:
        patience = min(IDLE_RESEND, timedelta(seconds=get_settings().resend_seconds))
        due += session.execute(line.where(Run.sent_at < utcnow() - patience).limit(free)).all()
    for run_id, attempt in due:
        jobs.doorbell(session, run_id, attempt)
    return len(due)


def reap_once(session: Session) -> list[str]:
    """Take back the runs whose lease ran out; returns their ids."""
    return endings.reap(session)


def has_work(session: Session) -> bool:
    """Whether a tick would write; most would not, and need no writer's lock."""
    now = utcnow()
    queries = (
        select(Run.id).where(Run.state == "waiting"),
        select(Run.id).where(*IN_LINE, Run.sent_at.is_(None) | (Run.sent_at < now - IDLE_RESEND)),
        standing.held_by_nobody(),
        select(Run.id).where(Run.state.in_(HELD), Run.lease_expires_at < now),
    )
    return any(session.scalar(query.limit(1)) is not None for query in queries)


def prune_events(session: Session) -> None:
    """Forget old progress and metric events; transitions stay."""
    old = Event.created_at < utcnow() - EVENTS_KEPT
    session.execute(delete(Event).where(old, Event.action.in_(("progress", "points"))))


def tick() -> None:
    """One round: reap, settle, ring after the commit."""
    with reading() as session:
        if not has_work(session):
            return
    with transaction() as session:
        reap_once(session)
        dispatch_once(session)
        doorbells = jobs.pending(session)
    for run_id, attempt in doorbells:
        if not jobs.ring(run_id, attempt):
            break


class Dispatcher:
    """Runs ``tick`` in a thread of the server until stopped; no error ends it."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="dispatcher", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for the round in progress."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _loop(self) -> None:
        interval = get_settings().dispatch_seconds
        rounds = 0
        untidy = False
        while not self._stop.wait(interval if rounds else 0):
            try:
                tick()
                if rounds % max(1, round(_PRUNE_EVERY / interval)) == 0:
                    with transaction() as session:
                        prune_events(session)
                        experiments.forget_deleted(session)
                    untidy = imports.sweep(_PURGED_AT_ONCE)
                elif untidy:
                    untidy = imports.purge(_PURGED_AT_ONCE)
            except Exception:
                logger.exception("the dispatcher could not complete a round; it tries again")
            rounds += 1
