"""How fast the product reacts by itself: a press of Start, a kill, a metric on its way to open tabs."""

import http.client
import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

from aft.arithmetic import make_examples
from aft.config.training import BuiltinModelConfig
from backend.bench import tabs
from backend.bench.measuring import Measured, Web, percentiles
from backend.bench.servers import Product
from backend.db.models import BaseModelEntry, Dataset, DatasetVersion, Example, Split, SplitMember, new_id
from backend.db.session import transaction

PARTS = {"train": 40, "validation": 4, "test": 4}
STARTS = 10
KILLS = 3
WATCHED_SECONDS = 30.0
STEADY_SECONDS = 31.0
"""A process that ran longer than ``backend.cli.supervisor.STEADY_SECONDS`` is started again without a longer delay."""
_LOOK_SECONDS = 0.05
_PATIENCE_SECONDS = 180.0
_ENDED = frozenset({"succeeded", "failed", "cancelled"})


def reactions(web: Web, running: Product, rounds: int) -> Iterator[Measured]:
    """Starts, kills and live metrics, with a small model that trains meanwhile.

    Args:
        web: A connection of its own.
        running: The product, just started, with one worker.
        rounds: At most so many starts and kills, and four seconds of watching each.
    """
    inputs = _inputs()
    _until(lambda: _is_free(web), "the worker is there")
    waited: list[float] = []
    experiment_id = run_id = ""
    for number in range(min(STARTS, rounds) + 1):
        if number:
            _cancel(web, experiment_id, run_id)
            _until(lambda: _is_free(web), "the worker is free")
        experiment_id, run_id, seconds = _start(web, inputs, number)
        waited.append(seconds)
        # Once it computes, its libraries are loaded and the next one starts warm.
        _until(lambda: _run(web, run_id)["metric_names"], "the run has metrics")  # noqa: B023
    note = "the worker has just begun, and loads its libraries meanwhile"
    yield _seconds("start pressed, a new worker running", waited[:1], 1.5, note)
    yield _seconds("start pressed, worker running", waited[1:], 1.5, "the worker has computed before")
    for n_seen in (1, tabs.TABS):
        yield tabs.watched(running.address, run_id, min(WATCHED_SECONDS, 4.0 * rounds), n_seen)
        web.close()  # the server does it, too, where nothing is asked for some seconds
    yield from _kills(web, running, run_id, min(KILLS, rounds))
    _cancel(web, experiment_id, run_id)


def _start(web: Web, inputs: dict[str, str], number: int) -> tuple[str, str, float]:
    """Start an experiment whose first run trains a small model; seconds until a worker runs it."""
    steps = 1_000_000 - number  # a model of other content each time: an equal one would be reused
    config = BuiltinModelConfig(hidden_size=16, layers=1, heads=1, mlp_size=16, steps=steps)
    with transaction() as session:
        model = BaseModelEntry(name=f"Small {number}", source="builtin", config=config.model_dump(mode="json"))
        session.add(model)
        session.flush()
        model_id = model.id
    about = {"name": f"Reaction {number}", "methods": [{"name": "vft"}], "seeds": [1]}
    spec = {**about, **inputs, "base_model_id": model_id}
    began = time.perf_counter()
    made = web.ask("POST", "/experiments", {"spec": spec, "request_id": new_id()})
    run_id = next(cell["run_id"] for cell in made["cells"] if cell["kind"] == "pretrain")
    _until(lambda: _run(web, run_id)["state"] == "running", "the run is running")
    return made["id"], run_id, time.perf_counter() - began


def _cancel(web: Web, experiment_id: str, run_id: str) -> None:
    web.ask("POST", f"/experiments/{experiment_id}/cancel")
    _until(lambda: _run(web, run_id)["state"] in _ENDED, "the run is cancelled")


def _kills(web: Web, running: Product, run_id: str, rounds: int) -> Iterator[Measured]:
    waited: dict[str, list[float]] = {"worker": [], "server": []}
    for number in range(rounds):
        for who, word in (("worker", "celery"), ("server", "uvicorn")):
            victim = running.child(word)
            if number:
                _until(lambda: time.time() - victim.create_time() > STEADY_SECONDS, "it ran for a while")  # noqa: B023
            web.close()  # nothing was asked while it was waited for, and the server closes such connections
            attempt = _run(web, run_id)["attempt"]
            victim.kill()
            began = time.perf_counter()
            if who == "worker":
                _until(lambda: _goes_on(web, run_id, attempt), "the run goes on")  # noqa: B023
            else:
                _until(lambda: not victim.is_running() and _answers(web), "the server answers")  # noqa: B023
            waited[who].append(time.perf_counter() - began)
    for who, seconds in waited.items():
        yield _seconds(f"kill -9 of the {who}, going again", seconds, 5)


def _goes_on(web: Web, run_id: str, attempt: int) -> bool:
    run = _run(web, run_id)
    if run["state"] in _ENDED:
        raise RuntimeError(f"run {run_id} ended {run['state']}: {run['error']}")
    return bool(run["state"] == "running" and run["attempt"] > attempt)


def _answers(web: Web) -> bool:
    """Whether a page's request is answered; without a server it is made again over another connection."""
    try:
        web.ask("GET", "/runs")
    except (OSError, http.client.HTTPException):
        web.close()
        return False
    return True


def _run(web: Web, run_id: str) -> Any:
    return web.ask("GET", f"/runs/{run_id}")


def _is_free(web: Web) -> bool:
    return any(one["alive"] and one["run_id"] is None for one in web.ask("GET", "/system")["workers"])


def _seconds(name: str, values: list[float], target: float, note: str = "") -> Measured:
    p50, p95 = percentiles(values)
    return Measured(name, "s", round(p50, 2), round(p95, 2), target, len(values), note)


def _inputs() -> dict[str, str]:
    """A small data set of its own: what is measured is the way there, not the work."""
    with transaction() as session:
        dataset = Dataset(name=f"Reactions {new_id()[-8:]}", task="arithmetic")
        session.add(dataset)
        session.flush()
        about = {"state": "ready", "task": "arithmetic", "sha256": "0" * 64, "n_rows": sum(PARTS.values())}
        version = DatasetVersion(dataset_id=dataset.id, number=1, **about)
        session.add(version)
        session.flush()
        split = Split(version_id=version.id, name="parts", spec={}, counts=PARTS, sha256="0" * 64)
        session.add(split)
        session.flush()
        position = itertools.count()
        for part, count in PARTS.items():
            for place, item in enumerate(make_examples(part, count, 0)):
                row = {"external_id": item.id, "part": part, "question": item.question, "reference": item.reference}
                example = Example(version_id=version.id, position=next(position), answer=item.answer, **row)
                session.add(example)
                session.flush()
                session.add(SplitMember(split_id=split.id, example_id=example.id, part=part, position=place))
        return {"dataset_version_id": version.id, "split_id": split.id}


def _until(holds: Callable[[], object], what: str) -> None:
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > _PATIENCE_SECONDS:
            raise TimeoutError(f"after {_PATIENCE_SECONDS:g} s it does not hold that {what}")
        time.sleep(_LOOK_SECONDS)
