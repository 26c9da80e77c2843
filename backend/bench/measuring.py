"""What is timed: requests as pages make them, one after another over one connection, the answer read to its end."""

import http.client
import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from backend.bench.filling import Filled, Told, write_rows
from backend.bench.servers import Product

API = "/api/v1"
_POLL_SECONDS = 0.25
Call = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of the report."""

    name: str
    unit: str
    p50: float
    p95: float
    target: float
    n: int
    note: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the 95th percentile is within the target."""
        return self.p95 <= self.target

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        return {**asdict(self), "met": self.is_met}


class Web:
    """One kept connection, signed in as nobody."""

    def __init__(self, address: str) -> None:
        self._origin = address
        self._connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=600)
        self._cookie: dict[str, str] = {}

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def ask(self, verb: str, path: str, body: Any = None, /, **query: Any) -> Any:
        """JSON of an answer below ``/api/v1``.

        Raises:
            RuntimeError: If it is an error.
        """
        data = None if body is None else json.dumps(body).encode()
        content = self._send(verb, path, data, "application/json", query).read()
        return json.loads(content) if content else None

    def upload(self, path: str, place: Path, **query: Any) -> Any:
        """Send a file's bytes."""
        with place.open("rb") as stream:
            size = str(place.stat().st_size)
            answer = self._send("POST", path, stream, "application/octet-stream", query, {"Content-Length": size})
            return json.loads(answer.read())

    def drain(self, path: str, **query: Any) -> int:
        """Bytes of an answer that is read and thrown away."""
        answer = self._send("GET", path, None, "application/json", query)
        return sum(len(chunk) for chunk in iter(lambda: answer.read(1 << 20), b""))

    def _send(
        self, verb: str, path: str, data: Any, kind: str, query: dict[str, Any], more: dict[str, str] | None = None
    ) -> http.client.HTTPResponse:
        headers = {"Origin": self._origin, "Content-Type": kind, **self._cookie, **(more or {})}
        url = f"{API}{path}" + (f"?{urlencode(query)}" if query else "")
        self._connection.request(verb, url, data, headers)
        answer = self._connection.getresponse()
        if answer.status >= 400:
            raise RuntimeError(f"{verb} {url}: {answer.status} {answer.read()[:500]!r}")
        if cookie := answer.headers.get("Set-Cookie"):
            self._cookie = {"Cookie": cookie.split(";")[0]}
        return answer


def pages(web: Web, filled: Filled, rounds: int) -> Iterator[Measured]:
    """Lists, searches, a question, the review, runs and curves."""
    base = f"/candidate-sets/{filled.set_id}"
    model = {"model": filled.model_ids[0]}

    def get(path: str, **query: Any) -> Call:
        return lambda: web.ask("GET", path, **{"limit": 50, **query})

    middle = filled.example_ids[len(filled.example_ids) // 2]
    cots: list[dict[str, Any]] = [
        {}, {"verdict": "wrong"}, {"verdict": "truncated"}, {"sort": "length"}, {"sort": "length", "verdict": "right"},
        {**model, "sort": "score"}, {**model, "sort": "score", "verdict": "wrong"}, {"sort": "rating"},
        {"sort": "disagreement"}, {"min_tokens": 250, "max_tokens": 260, "verdict": "right"}, {"duplicate": True},
        {**model, "violated": True}, {**model, "min_score": -0.1}, {"max_rating": 0.2},
        {"after": json.dumps([middle, 3])},
    ]  # fmt: skip
    questions: list[dict[str, Any]] = [
        {}, model, {**model, "sort": "margin"}, {**model, "sort": "violated"}, {"sort": "rating"},
        {"sort": "disagreement"}, {"sort": "length"}, {"sort": "right"}, {**model, "verdict": "truncated"},
        {**model, "violated": True, "sort": "margin"}, {**model, "max_margin": -0.5},
        {"min_rating": 0.6, "min_disagreement": 0.3},
    ]  # fmt: skip
    words = ["zebra", "the answer is 7", '"the answer is 7"', "we see", "zebra -7", "farmer", "sheep 12", "answ*", "so"]
    found = [
        get(f"{base}/{what}", q=word, **more)
        for word in words
        for what, more in (("candidates", {}), ("questions", model), ("candidates", {"verdict": "wrong"}))
    ]
    listed = [get(f"{base}/candidates", **query) for query in cots]
    yield timed("list and filter COTs, a page of 50", 50, listed, rounds)
    yield timed(
        "list and filter questions, a page of 50", 50, [get(f"{base}/questions", **q) for q in questions], rounds
    )
    yield timed("text search", 150, found, rounds)
    chance = random.Random(1)
    some = [chance.choice(filled.example_ids) for _ in range(20)]
    groups = [get(f"{base}/questions/{one}") for one in some]
    yield timed("a question's page, 64 COTs, scores of 4 checkpoints", 60, groups, rounds)
    yield timed("review: submit, next item on screen", 100, _reviews(web, filled, 5 * rounds), 1)
    runs = [get("/runs"), get("/runs", kind="train"), get("/runs", state="succeeded", method="VFT")]
    yield timed(f"{filled.n_runs:,} runs, a page", 150, runs, 4 * rounds)
    grouped = [get("/runs/groups"), get("/runs/grouped"), get("/runs/grouped", state="succeeded", method="VFT")]
    yield timed(f"{filled.n_runs:,} runs, the outline and a page by experiment and method", 150, grouped, 4 * rounds)
    curves = f"/experiments/{filled.experiment_id}/figures/curves"
    yield timed("compare 100 runs: learning curves", 500, [lambda: web.ask("GET", curves)], rounds)


def timed(name: str, target: float, calls: Iterable[Call], rounds: int) -> Measured:
    """Times of calls in milliseconds, each made ``rounds`` times; the slowest kind's median is noted."""
    kinds: list[list[float]] = []
    for call in calls:
        kinds.append([])
        for _ in range(rounds):
            began = time.perf_counter()
            call()
            kinds[-1].append(1000 * (time.perf_counter() - began))
    p50, p95 = percentiles([one for kind in kinds for one in kind])
    medians = [percentiles(kind)[0] for kind in kinds]
    slowest = max(range(len(kinds)), key=medians.__getitem__)
    note = f"slowest: no. {slowest + 1} of {len(kinds)}, median {medians[slowest]:.0f} ms" if len(kinds) > 1 else ""
    return Measured(name, "ms", round(p50, 1), round(p95, 1), target, sum(map(len, kinds)), note)


def percentiles(values: list[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]


def exports(web: Web, filled: Filled) -> Iterator[Measured]:
    """The whole set, written while it is read."""
    for form, target in (("jsonl", 40), ("parquet", 60)):
        began = time.perf_counter()
        size = web.drain(f"/candidate-sets/{filled.set_id}/export", format=form)
        yield _once(f"export {filled.n_candidates:,} COTs, {form}", "s", began, target, f"{size / 1e6:.0f} MB as sent")


def importing(web: Web, running: Product, filled: Filled, rows: int, folder: Path, tell: Told) -> Iterator[Measured]:
    """A data set's import, with pages looked at meanwhile."""
    place = folder / "rows.jsonl"
    write_rows(place, rows)
    size = place.stat().st_size
    tell(f"{size / 1e6:.0f} MB to import")
    began = time.perf_counter()
    upload = web.upload("/uploads", place, filename="train.jsonl")
    note = f"{size / 1e9:.2f} GB; the upload took {time.perf_counter() - began:.1f} s before it"
    before, highest, stop = running.memory_bytes(), [0], threading.Event()
    looked: list[float] = []
    other = Web(running.address)

    def watch() -> None:
        while not stop.wait(_POLL_SECONDS):
            highest[0] = max(highest[0], running.memory_bytes())
            at = time.perf_counter()
            other.ask("GET", f"/candidate-sets/{filled.set_id}/candidates")
            looked.append(1000 * (time.perf_counter() - at))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        began = time.perf_counter()
        body = {
            "dataset_name": f"Imported {rows} {upload['id'][-8:]}",
            "task": "gsm8k",
            "files": [{"upload_id": upload["id"]}],
        }
        run_id = web.ask("POST", "/imports", body)["run_id"]
        while (run := web.ask("GET", f"/runs/{run_id}"))["state"] not in {"succeeded", "failed", "cancelled"}:
            time.sleep(_POLL_SECONDS)
    finally:
        stop.set()
        watcher.join()
        other.close()
    if run["state"] != "succeeded":
        raise RuntimeError(f"the import ended {run['state']}: {run['error']}")
    yield _once(f"import {rows:,} JSONL rows with checks", "s", began, 60, note)
    growth = round((highest[0] - before) / 1e6)
    yield Measured("its memory growth", "MB", growth, growth, 200, 1)
    p50, p95 = percentiles(looked or [0.0])
    yield Measured("a page meanwhile", "ms", round(p50, 1), round(p95, 1), 200, len(looked))


def _once(name: str, unit: str, began: float, target: float, note: str) -> Measured:
    seconds = round(time.perf_counter() - began, 1)
    return Measured(name, unit, seconds, seconds, target, 1, note)


def _reviews(web: Web, filled: Filled, items: int) -> Iterator[Call]:
    """Each call submits the item in hand and takes the next."""
    web.ask("PUT", "/reviewer", {"name": "Benchmark"})
    source = {"run_id": filled.set_id, "strategy": "random", "n": items + 1}
    body = {"name": "Benchmark", "mode": "rate", "reviews_per_item": 1, "source": source}
    queue_id = web.ask("POST", "/review-queues", body)["id"]
    held = web.ask("POST", f"/review-queues/{queue_id}/next", {"count": 1})["items"]

    def submit() -> None:
        item = held.pop()
        values = {one["label"]: 7.0 for one in item["candidates"]}
        review = {"submission_id": f"benchmark-{queue_id[-8:]}-{item['id']:08d}", "seconds": 3.0, "values": values}
        web.ask("POST", f"/review-items/{item['id']}/reviews", review)
        held.extend(web.ask("POST", f"/review-queues/{queue_id}/next", {"count": 1})["items"])

    return itertools.repeat(submit, min(items, len(filled.example_ids) - 1))
