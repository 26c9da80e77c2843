"""Supervises the run of one slot: claim, heartbeat, a computing process, and how it ended. Never computes."""

import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from backend import jobs
from backend.db.session import reading, transaction
from backend.services import runs, workers
from backend.services.endings import PROCESS_DIED
from backend.services.runs import Claim, Order, Outcome
from backend.services.workers import Slot
from backend.settings import get_settings
from worker import child, failures
from worker.guard import child_environment
from worker.processes import Nursery, PlainProcess, Process
from worker.sinks import StepFile
from worker.tasks import WITHOUT_TORCH

logger = logging.getLogger(__name__)

WATCH_SECONDS = 0.2
ORDER_SECONDS = 1.0
SETTLE_SECONDS = 60.0
Result = TypeVar("Result")


class Supervisor:
    """One slot of this machine. Everything but the slot's heartbeat happens in the main thread."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.hostname = socket.gethostname()
        self.owner = f"{self.hostname}:{slot.index}:{os.getpid()}:{secrets.token_hex(4)}"
        self.stopping = threading.Event()
        self._closed = threading.Event()
        settings = get_settings()
        self._environment = child_environment(os.environ, device=slot.device)
        self.nursery = Nursery(self._environment, settings.root / "logs" / f"nursery-{slot.index + 1}.log")
        self._heart = threading.Thread(target=self._beat_for_slot, name="slot heartbeat", daemon=True)

    def open(self) -> None:
        """Warm up the nursery and say hello; frees what a dead predecessor in this slot held."""
        self.nursery.open()
        self._heart.start()

    def close(self) -> None:
        """Leave no process and no row behind."""
        self.stopping.set()
        self._closed.set()
        self.nursery.close()
        if self._heart.is_alive():
            self._heart.join(timeout=5)
        with suppress(SQLAlchemyError), transaction() as session:
            workers.goodbye(session, self.owner)

    def answer(self, run_id: str, attempt: int) -> None:
        """Answer a doorbell: claim and supervise, or nothing if the run is not queued any more."""
        if self.stopping.is_set():
            return
        claim = _and_ring(lambda session: self._claim(session, run_id, attempt))
        if claim is not None:
            self._supervise(claim)

    def _claim(self, session: Session, run_id: str, attempt: int) -> Claim | None:
        if not runs.is_queued(session, run_id, attempt):
            return None
        first = runs.first_in_line(session)
        if first is not None and first != (run_id, attempt):
            # Messages keep no order of priority. This one is spent on the first in line and sent again for its own.
            jobs.doorbell(session, run_id, attempt)
            return runs.claim(session, *first, self.owner, self.slot.device)
        return runs.claim(session, run_id, attempt, self.owner, self.slot.device)

    def _supervise(self, claim: Claim) -> None:
        logger.info("run %s, attempt %d: %s", claim.run_id, claim.attempt, claim.name)
        try:
            process = self._start(claim)
            reason, code = self._watch(claim, process)
        except OSError as error:
            logger.exception("run %s could not be started", claim.run_id)
            failed = Outcome("failed", error=failures.describe(error))
            _and_ring(lambda session: runs.finish(session, claim, failed))
            return
        if reason is Order.FENCED:
            logger.warning("run %s, attempt %d went to another worker", claim.run_id, claim.attempt)
            return
        state = self._settle(claim, reason, code)
        logger.info("run %s, attempt %d: exit code %d, %s", claim.run_id, claim.attempt, code, state)

    def _start(self, claim: Claim) -> Process:
        request = child.make_request(claim, device=self.slot.device, threads=self.slot.threads)
        self.nursery.open()
        if claim.kind in WITHOUT_TORCH and self.nursery.is_alive():
            self.nursery.pump(0)
        if not self.nursery.is_alive() or (claim.kind in WITHOUT_TORCH and not self.nursery.is_ready):
            return PlainProcess(request, self._environment)
        return self.nursery.start(request)

    def _watch(self, claim: Claim, process: Process) -> tuple[Order | None, int]:
        """Keep the lease until the process has ended; returns why it was stopped, if it was, and its exit code."""
        settings = get_settings()
        reason: Order | None = None
        asked = False
        kill_at = float("inf")
        beaten = looked = time.monotonic()
        while True:
            code = process.wait(WATCH_SECONDS)
            if code is not None:
                return reason, code
            now = time.monotonic()
            if now - looked >= ORDER_SECONDS:
                looked = now
                try:
                    order = self._beat(claim, now - beaten >= settings.heartbeat_seconds)
                    beaten = now if now - beaten >= settings.heartbeat_seconds else beaten
                except SQLAlchemyError as error:
                    logger.warning("no heartbeat for run %s: %s", claim.run_id, error)
                    # Nobody can say whose the run is once the lease is over.
                    order = Order.FENCED if now - beaten > settings.lease_seconds else Order.CONTINUE
                if order is not Order.CONTINUE and reason is not Order.FENCED:
                    reason = order
            if reason is Order.FENCED:
                process.signal(signal.SIGKILL)
            elif (reason is Order.CANCEL or self.stopping.is_set()) and not asked:
                asked = True
                kill_at = now + settings.cancel_grace_seconds
                process.signal(signal.SIGTERM)
            elif now > kill_at:
                process.signal(signal.SIGKILL)

    def _beat(self, claim: Claim, renew: bool) -> Order:
        if not renew:
            with reading() as session:
                return runs.order(session, claim)
        with transaction() as session:
            return runs.beat(session, claim)

    def _settle(self, claim: Claim, reason: Order | None, code: int) -> str:
        """Write down how the attempt ended; tries for a while if the database is away."""
        word = child.read_outcome(claim) or {}
        step = StepFile.read(child.attempt_directory(claim.run_id, claim.attempt) / "step")
        state = word.get("state")
        deadline = time.monotonic() + SETTLE_SECONDS

        def write(session: Session) -> str:
            if reason is Order.CANCEL:
                runs.finish(session, claim, Outcome("cancelled", exit_code=code, last_step=step))
                return "cancelled"
            if code == child.FENCED:
                return "fenced"
            if state in {"succeeded", "failed"}:
                outcome = Outcome(state, error=word.get("error"), exit_code=code, last_step=step)
                return state if runs.finish(session, claim, outcome) else "fenced"
            if state == "stopped" or self.stopping.is_set():
                runs.requeue(session, claim, exit_code=code)
                return "requeued"
            error = word.get("error") or failures.describe_exit(code, step)
            after = runs.lose(
                session,
                claim.run_id,
                claim.attempt,
                claim.owner,
                outcome=PROCESS_DIED,
                error=error,
                exit_code=code,
                last_step=step,
            )
            return after or "fenced"

        while True:
            try:
                return _and_ring(write)
            except SQLAlchemyError as error:
                if time.monotonic() > deadline or self.stopping.is_set():
                    logger.exception("run %s is left to the reaper", claim.run_id)
                    return "unknown"
                logger.warning("the end of run %s could not be stored, trying again: %s", claim.run_id, error)
                self.stopping.wait(1.0)

    def _beat_for_slot(self) -> None:
        known = False
        while True:
            try:
                known = self._hello_or_beat(known)
            except SQLAlchemyError as error:
                logger.warning("the worker could not report to the database: %s", error)
            if self._closed.wait(get_settings().heartbeat_seconds if known else 0.5):
                return

    def _hello_or_beat(self, known: bool) -> bool:
        if known:
            with transaction() as session:
                return workers.heartbeat(session, self.owner)
        taken = _and_ring(
            lambda session: workers.hello(
                session, owner=self.owner, hostname=self.hostname, pid=os.getpid(), slot=self.slot
            )
        )
        if taken:
            logger.info("took back %d run(s) of a worker that is gone", len(taken))
        return True


def _and_ring(act: Callable[[Session], Result]) -> Result:
    """One transaction, then the doorbells it noted."""
    with transaction() as session:
        result = act(session)
        doorbells = jobs.pending(session)
    for run_id, attempt in doorbells:
        jobs.ring(run_id, attempt)
    return result
