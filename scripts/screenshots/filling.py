"""Real content for the pictures, made over HTTP: an experiment, a run that fails, an import, reviews, a ranking set."""

import json
import random
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx

from tests.waiting import free_port

MORE_SEEDS = [2, 3]
"""Beside the one of the short demo, so that charts have a spread."""
REVIEWERS = {"Mira Okafor": 0.04, "Jonas Lindqvist": 0.12, "Aiko Tanaka": 0.2}
"""Share of judgements in which each of them differs."""
QUEUES: dict[str, dict[str, Any]] = {
    "verify": {"name": "Is the answer read rightly?", "source": {"strategy": "random", "n": 24}},
    "rate": {"name": "Quality of wrong COTs", "source": {"strategy": "random", "n": 20, "verdict": "wrong"}},
    "rank": {"name": "Order of four COTs", "source": {"strategy": "random", "n": 16}, "candidates_per_item": 4},
    "pair": {"name": "Violated pairs of VFT", "source": {"strategy": "violated-pair", "n": 16}},
}
GUIDELINES = "Read every step. A right answer by a wrong step is worth less than a slip in the last line."
Told = Callable[[str], None]


def fill(address: str, tell: Told) -> None:
    """Make everything the pictures show on a fresh installation with workers.

    Args:
        address: The server's.
        tell: Takes what is being made.
    """
    with httpx.Client(base_url=f"{address}/api/v1", timeout=120) as web:
        tell("an import with two rows that are refused")
        _import(web)
        tell("an experiment of three seeds")
        experiment_id = _experiment(web, tell)
        tell("reviews")
        set_id, model_id = _scored_set(web, experiment_id)
        queues = {mode: _queue(web, mode, set_id, model_id) for mode in QUEUES}
        web.put("/reviewer", json={"name": next(iter(REVIEWERS))}).raise_for_status()
        web.post("/ranking-sets", json={"name": "Ordered by people", "source": {"queue_id": queues["rank"]}})
        tell("a rating run that fails: nothing answers at the judge's address")
        _failing(web, set_id)


def _experiment(web: httpx.Client, tell: Told) -> str:
    """The short demo, with more seeds: real runs, whose numbers show how pages look and nothing else."""
    experiment_id: str = _post(web, "/demo?short=true", {})["experiment_id"]
    _post(web, f"/experiments/{experiment_id}/extend", {"seeds": MORE_SEEDS})
    told = -1
    while True:
        try:
            read = web.get(f"/experiments/{experiment_id}").json()
        except httpx.TransportError:  # a server at its limits closes connections that wait
            time.sleep(2)
            continue
        done = read["counts"]["succeeded"]
        if done != told:
            tell(f"{done} of {read['runs_total']} runs")
            told = done
        if read["state"] != "running":
            return experiment_id
        time.sleep(2)


def _scored_set(web: httpx.Client, experiment_id: str) -> tuple[str, str]:
    sets = web.get(f"/experiments/{experiment_id}/candidate-sets").json()["sets"]
    scored = next(one for one in sets if one["models"])
    return scored["run_id"], scored["models"][0]["model_run_id"]


def _queue(web: httpx.Client, mode: str, set_id: str, model_id: str) -> str:
    """A queue with most of its reviews done by everybody in turn."""
    queue = QUEUES[mode]
    source = {**queue["source"], "run_id": set_id}
    if source["strategy"] == "violated-pair":
        source["model_run_id"] = model_id
    body = {**queue, "mode": mode, "source": source, "reviews_per_item": 3, "guidelines": GUIDELINES}
    queue_id: str = _post(web, "/review-queues", body)["id"]
    for place, (name, noise) in enumerate(REVIEWERS.items()):
        with httpx.Client(base_url=web.base_url, timeout=60) as person:
            person.put("/reviewer", json={"name": name}).raise_for_status()
            left = 6 * place
            while items := _post(person, f"/review-queues/{queue_id}/next", {"count": 8})["items"]:
                for item in items:
                    _post(person, f"/review-items/{item['id']}/reviews", _judgement(item, name, noise))
                left += len(items)
                if place == 0 and left >= 8:
                    break
    return queue_id


def _judgement(item: dict[str, Any], name: str, noise: float) -> dict[str, Any]:
    """What a person says: the same worth for a text as everybody, with slips of their own."""
    chance = random.Random(f"{name} {item['id']}")
    worth = {}
    for one in item["candidates"]:
        value = random.Random(one["text"]).random()
        worth[one["label"]] = chance.random() if chance.random() < noise else value
    body: dict[str, Any] = {"submission_id": uuid.uuid4().hex, "seconds": round(chance.uniform(4, 22), 1)}
    if item["mode"] == "verify":
        body["values"] = {label: 1.0 if value < 0.55 else 0.0 for label, value in worth.items()}
    elif item["mode"] == "rate":
        body["values"] = {label: float(1 + round(9 * value)) for label, value in worth.items()}
    else:
        body["tiers"] = [[label] for label in sorted(worth, key=lambda label: -worth[label])]
    if chance.random() < 0.08:
        body |= {"note": "The second step drops a term.", "is_flagged": True}
    return body


def _import(web: httpx.Client) -> None:
    chance = random.Random(1)
    rows = []
    for _ in range(300):
        apples, price, paid = chance.randint(3, 30), chance.randint(2, 9), chance.choice([50, 100, 200])
        cost = apples * price
        rows.append(
            {
                "question": f"Noor buys {apples} melons at ${price} each and pays for a ${paid} delivery. "
                "How many dollars does she spend altogether?",
                "answer": f"The melons cost {apples}*{price} = $<<{apples}*{price}={cost}>>{cost}.\n"
                f"With the delivery she spends {cost}+{paid} = $<<{cost}+{paid}={cost + paid}>>{cost + paid}.\n"
                f"#### {cost + paid}",
            }
        )
    rows[40]["answer"] = "There is no final line."
    rows[120]["question"] = ""
    content = "\n".join(json.dumps(row) for row in rows).encode()
    upload = web.post("/uploads", params={"filename": "melons.jsonl"}, content=content)
    upload.raise_for_status()
    files = [{"upload_id": upload.json()["id"], "part": "train"}]
    _post(web, "/imports", {"dataset_name": "Melons (GSM8K form)", "task": "gsm8k", "files": files})


def _failing(web: httpx.Client, set_id: str) -> None:
    endpoint = {"base_url": f"http://127.0.0.1:{free_port()}/v1", "model": "judge-7b", "max_retries": 0}
    web.put("/judges/local", json=endpoint).raise_for_status()
    run_id = _post(web, "/judges/local/runs", {"candidates_run_id": set_id, "n": 20, "samples": 1})["run_id"]
    while web.get(f"/runs/{run_id}").json()["state"] not in {"failed", "succeeded", "cancelled"}:
        time.sleep(1)


def _post(web: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    answer = web.post(path, json=body)
    if answer.is_error:
        raise RuntimeError(f"{path} answered {answer.status_code}: {answer.text[:600]}")
    return answer.json()
