"""Real Celery workers for tests: started, killed, and looked through for processes left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from backend.db.models import Run
from backend.db.session import reading
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]


class RealWorker:
    """One slot's Celery process, with everything it starts."""

    def __init__(self, log: Path, slot: int = 0, slots: int = 1) -> None:
        self._log, self._slot, self._slots = log, slot, slots
        self._seen: set[psutil.Process] = set()
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "AFT_SLOT": str(self._slot), "AFT_SLOTS": str(self._slots), "OMP_NUM_THREADS": "1"}
        options = ["-P", "solo", "-c", "1", "-n", f"slot{self._slot}-{os.getpid()}@%h", "-l", "INFO"]
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "worker.app", "worker", *options],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def restart(self) -> None:
        """Start it again after it ended."""
        self.process.wait(30)
        self.process = self._start()

    def descendants(self) -> set[psutil.Process]:
        """What it has started and what those have."""
        try:
            found = set(psutil.Process(self.process.pid).children(recursive=True))
        except psutil.NoSuchProcess:
            found = set()
        self._seen |= found
        return found

    def left_behind(self) -> list[psutil.Process]:
        """Processes it once had that still run."""
        return [item for item in self._seen if item.is_running() and item.status() != psutil.STATUS_ZOMBIE]

    def computing(self) -> psutil.Process | None:
        """The process of the present run: the nursery's child."""
        for item in self.descendants():
            try:
                parent = item.parent()
            except psutil.NoSuchProcess:
                continue
            if parent is not None and parent.pid != self.process.pid:
                return item
        return None

    def kill(self) -> None:
        """``kill -9`` of the Celery process alone."""
        self.descendants()
        self.process.kill()
        self.process.wait(30)

    def stop(self) -> None:
        """Warm shutdown, as ``aft up`` does."""
        self.descendants()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


@contextmanager
def a_worker(log: Path, slot: int = 0, slots: int = 1) -> Iterator[RealWorker]:
    """A worker that is gone at the end, and that leaves no process behind."""
    worker = RealWorker(log, slot, slots)
    try:
        yield worker
        worker.stop()
        wait_until(lambda: not worker.left_behind(), "no process is left behind", 10)
    finally:
        worker.descendants()
        if worker.process.poll() is None:
            worker.process.kill()
            worker.process.wait(30)
        for item in worker.left_behind():
            item.kill()


def state(run_id: str) -> str:
    """The run's state."""
    with reading() as session:
        return session.get_one(Run, run_id).state


def step(run_id: str) -> int:
    """Steps the database knows of."""
    with reading() as session:
        return session.get_one(Run, run_id).progress_done


def wait_for_state(run_id: str, wanted: str, seconds: float = 90) -> float:
    """Wait until the run has the state; returns for how long."""
    started = time.monotonic()

    def arrived() -> bool:
        with reading() as session:
            run = session.get_one(Run, run_id)
            assert run.state != "failed" or wanted == "failed", run.error
            return run.state == wanted

    wait_until(arrived, f"run is {wanted}", seconds)
    return time.monotonic() - started
