"""When the next request may leave: a steady rate, and a pause that an endpoint asks for and all heed."""

import threading
import time
from collections.abc import Callable


class Pace:
    """Hands out departure times to many threads.

    Args:
        requests_per_minute: Steady rate; None for no limit of our own.
        clock: Seconds, monotonic.
    """

    def __init__(self, requests_per_minute: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._gap = 60.0 / requests_per_minute if requests_per_minute else 0.0
        self._clock = clock
        self._next = 0.0
        self._lock = threading.Lock()

    def take(self) -> float:
        """Reserve the next departure; returns how many seconds to wait for it."""
        with self._lock:
            now = self._clock()
            start = max(now, self._next)
            self._next = start + self._gap
            return start - now

    def pause(self, seconds: float) -> None:
        """Let nobody depart for so long: the endpoint said that it has had enough."""
        with self._lock:
            self._next = max(self._next, self._clock() + seconds)
