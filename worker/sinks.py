"""Where a run's numbers go: to a file beside the checkpoints at once, to the database once a second."""

import logging
import mmap
import struct
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from aft.training.sinks import JsonlSink, NullSink
from backend.db.session import transaction
from backend.services import metrics, runs
from backend.services.runs import Claim

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 1.0
RATE_SECONDS = 20.0
_KEPT_POINTS = 200_000
_CLOSING_TRIES = 5
_CLOSING_PAUSE_SECONDS = 2.0
_STEP = struct.Struct("<q")


class StepFile:
    """The last step done, in eight bytes that survive the process; the supervisor reads them after a crash."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_STEP.pack(-1))
        with path.open("r+b") as stream:
            self._memory = mmap.mmap(stream.fileno(), _STEP.size)

    def write(self, step: int) -> None:
        """Remember a step."""
        _STEP.pack_into(self._memory, 0, step)

    @staticmethod
    def read(path: Path) -> int | None:
        """The last step of a process, None if it did none."""
        try:
            (step,) = _STEP.unpack(path.read_bytes())
        except (OSError, struct.error):
            return None
        return int(step) if step >= 0 else None


class MetricWriter(Protocol):
    """Takes metrics, and never fails."""

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Record metrics at a step."""
        ...


class RunSink:
    """Metrics and progress of one attempt; a ``MetricSink``.

    A database that is away loses nothing: points wait here, and the file has them anyway.
    """

    def __init__(self, claim: Claim, lines: Path, steps: StepFile, clock: Callable[[], float] = time.monotonic) -> None:
        self._claim = claim
        self._lines = JsonlSink(lines)
        self._steps = steps
        self._clock = clock
        self._points: deque[tuple[int, Mapping[str, float]]] = deque(maxlen=_KEPT_POINTS)
        self._progress: tuple[int, int | None, str] | None = None
        self._history: deque[tuple[float, int]] = deque()
        self._phase = ""
        self._flushed_at = -FLUSH_SECONDS
        self.last_step: int | None = None
        self.also: list[MetricWriter] = []
        """Who else gets the metrics."""

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Record metrics named ``split/name`` at a step."""
        self._lines.write(step, values)
        self._points.append((step, dict(values)))
        for writer in self.also:
            writer.write(step, values)
        self._flush_if_due()

    def progress(self, done: int, total: int | None, phase: str) -> None:
        """Report how much of a phase is done."""
        now = self._clock()
        if phase != self._phase:
            self._phase = phase
            self._history.clear()
            self._flushed_at = -FLUSH_SECONDS
        self._history.append((now, done))
        while len(self._history) > 2 and now - self._history[0][0] > RATE_SECONDS:
            self._history.popleft()
        self._progress = (done, total, phase)
        self.last_step = done
        self._steps.write(done)
        self._flush_if_due()

    def flush(self, also: Callable[[Session], None] | None = None) -> None:
        """Write what has gathered, and ``also``, in one transaction.

        Raises:
            LeaseLost: If the run belongs to somebody else by now.
        """
        points = list(self._points)
        with transaction() as session:
            if points:
                metrics.record_points(session, self._claim, points)
            if self._progress is not None:
                done, total, phase = self._progress
                runs.report_progress(session, self._claim, done, total, phase, self._rate())
            if also is not None:
                runs.fence(session, self._claim)
                also(session)
        for _ in points:
            self._points.popleft()
        self._progress = None
        self._flushed_at = self._clock()

    def close(self) -> None:
        """Write the rest; tries for a while if the database is away."""
        for attempt in range(_CLOSING_TRIES):
            try:
                self.flush()
            except OperationalError:
                if attempt + 1 == _CLOSING_TRIES:
                    raise
                time.sleep(_CLOSING_PAUSE_SECONDS)
            else:
                return

    def _flush_if_due(self) -> None:
        if self._clock() - self._flushed_at < FLUSH_SECONDS:
            return
        try:
            self.flush()
        except OperationalError as error:
            logger.warning("the database did not take the metrics; they wait: %s", error.orig)
            self._flushed_at = self._clock()

    def _rate(self) -> float | None:
        (first_time, first), (last_time, last) = self._history[0], self._history[-1]
        seconds = last_time - first_time
        return (last - first) / seconds if seconds > 0 and last > first else None


class SilentSink(NullSink):
    """The sink of every process of a run but its first: nothing is written twice."""

    last_step: int | None = None

    def progress(self, done: int, total: int | None, phase: str) -> None:
        """Remember the step for an error's report."""
        self.last_step = done

    def flush(self, also: Callable[[Session], None] | None = None) -> None:
        """There is nothing to write."""

    def close(self) -> None:
        """There is nothing left."""
