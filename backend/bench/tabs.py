"""Open tabs on a run's page, each in a browser of its own: a stream, and what the page asks for again.

They keep to the page's own pace (``frontend/src/api/invalidation.ts``): what events put out of date is gathered for
400 ms and asked for together, never while the request before it is under way, and not at all while the tab is hidden.
"""

import http.client
import json
import queue
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from urllib.parse import urlsplit

from backend.bench.measuring import API, Measured, Web, percentiles

TABS = 50
FLUSH_SECONDS = 0.4
_PATIENCE_SECONDS = 60.0


def watched(address: str, run_id: str, seconds: float, n_seen: int) -> Measured:
    """How old a metric is when it is on screen, from the worker's record to the figure's answer read.

    Args:
        address: Of the server.
        run_id: A run that trains.
        seconds: How long the tabs stay open, longer while no metric came.
        n_seen: So many of the tabs are seen, the others are hidden.

    Raises:
        RuntimeError: If no metric came.
    """
    ages: list[float] = []
    end = time.monotonic() + seconds

    def is_over() -> bool:
        late = time.monotonic() - end
        return late > _PATIENCE_SECONDS or (late > 0 and len(ages) > 0)

    threads = [
        threading.Thread(target=_open, args=(address, run_id, is_over, ages if n < n_seen else None))
        for n in range(TABS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if not ages:
        raise RuntimeError(f"no metric of run {run_id} came within {seconds + _PATIENCE_SECONDS:g} s")
    p50, p95 = percentiles(ages)
    name = f"a metric on screen, {TABS} open tabs, {n_seen} of them seen"
    return Measured(name, "s", round(p50, 2), round(p95, 2), 2, len(ages))


def _open(address: str, run_id: str, is_over: Callable[[], bool], ages: list[float] | None) -> None:
    """One tab until it is over; a seen one notes ages in seconds."""
    arrived: queue.Queue[tuple[float, str, datetime]] = queue.Queue()
    looking = (
        threading.Thread(target=_look, args=(address, run_id, is_over, arrived, ages)) if ages is not None else None
    )
    if looking is not None:
        looking.start()
    with closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=_PATIENCE_SECONDS)) as stream:
        stream.request("GET", f"{API}/events")
        answer = stream.getresponse()
        while not is_over() and (line := answer.readline()):
            if not line.startswith(b"data:"):
                continue
            event = json.loads(line[len(b"data:") :])
            if event["run_id"] == run_id:
                arrived.put((time.monotonic(), event["topic"], datetime.fromisoformat(event["created_at"])))
    if looking is not None:
        looking.join()


def _look(
    address: str,
    run_id: str,
    is_over: Callable[[], bool],
    arrived: "queue.Queue[tuple[float, str, datetime]]",
    ages: list[float],
) -> None:
    unseen: list[datetime] = []
    topics: set[str] = set()
    with closing(Web(address)) as web:
        while not is_over():
            with suppress(queue.Empty):
                at, topic, created_at = arrived.get(timeout=FLUSH_SECONDS)
                topics.add(topic)
                if topic == "metric":
                    unseen.append(created_at)
                wait = at + FLUSH_SECONDS - time.monotonic()
                if wait < 0:  # it came while a request was under way; the next event asks again
                    continue
                time.sleep(wait)
                while not arrived.empty():
                    _, topic, created_at = arrived.get_nowait()
                    topics.add(topic)
                    if topic == "metric":
                        unseen.append(created_at)
                if "metric" in topics:
                    web.ask("GET", f"/runs/{run_id}/figures/loss")
                    now = datetime.now(UTC)
                    ages.extend((now - one).total_seconds() for one in unseen)
                    unseen.clear()
                if "run" in topics:
                    web.ask("GET", f"/runs/{run_id}")
                    web.ask("GET", f"/runs/{run_id}/log")
                    web.ask("GET", "/runs", state="running", limit=20)
                topics.clear()
