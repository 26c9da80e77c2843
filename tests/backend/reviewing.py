"""A candidate set to review, and reviewers at their browsers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select

from aft.config.sampling import SampleConfig
from backend.db.models import Candidate, Example
from backend.db.session import transaction
from backend.services import candidates, ratings, scores
from backend.services.candidates import SampledRow
from backend.services.ratings import RatedRow
from backend.services.scores import ScoredRow
from tests.backend.client import client
from tests.factories import make_dataset, make_run

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> \u202eevil\u202c \x00 [ANS] 7"
MODEL_NAME = "SECRET-MODEL"
_ids = count()


@dataclass(frozen=True)
class Sampled:
    """A candidate set with four COTs a question: right, wrong, right in other words, hostile."""

    run_id: str
    model_id: str
    judge_id: str
    version_id: str
    split_id: str
    example_ids: list[int]


def sample_set(questions: int = 8) -> Sampled:
    """Store candidates, a model's scores and an oracle's ratings."""
    with transaction() as session:
        version_id, split_id = make_dataset(session, train=questions)
        inputs = {"dataset_version_id": version_id, "split_id": split_id}
        config = SampleConfig().model_dump(mode="json")
        run = make_run(session, f"sampled by {MODEL_NAME}", kind="sample", config=config, inputs=inputs)
        model = make_run(session, "a model", kind="train", method=MODEL_NAME, seed=1)
        judge = make_run(session, "judged", kind="rate", inputs=inputs, parents={"candidates": run})
        query = select(Example).where(Example.version_id == version_id).order_by(Example.position).limit(questions)
        examples = list(session.scalars(query))
        samples = []
        for example in examples:
            wrong = int(example.answer) + 1
            texts = [
                f"First we look.\nso [ANS] {example.answer}",
                f"A guess.\nso [ANS] {wrong}",
                f"Then we see.\nthus [ANS] {example.answer}",
                HOSTILE,
            ]
            samples += [
                SampledRow(example.id, index, [index], text, "stop", example.answer, None)
                for index, text in enumerate(texts)
            ]
        candidates.record(session, run_id=run.id, task="arithmetic", samples=samples)
        rows = list(session.scalars(select(Candidate).where(Candidate.run_id == run.id)))
        # The wrong one is ahead, most of all in the first question.
        ahead = {row.id: 0.1 + 0.001 * (examples[0].id - row.example_id) for row in rows if row.sample_index == 1}
        scored = [ScoredRow(row.id, -0.5 + ahead.get(row.id, 0.0), 2) for row in rows]
        scores.record(session, model_run_id=model.id, by_run_id=run.id, rows=scored)
        levels = {0: 9.0, 1: 3.0, 2: 8.0, 3: 1.0}
        rated = [RatedRow(row.id, levels[row.sample_index], {"note": "SECRET-EVIDENCE"}) for row in rows]
        ratings.record(session, run_id=judge.id, rater="oracle", rows=rated)
        ids = [example.id for example in examples]
        return Sampled(run.id, model.id, judge.id, version_id, split_id, ids)


def queue_body(sampled: Sampled, **changes: Any) -> dict[str, Any]:
    """A queue to create: random questions, one COT each, one review."""
    source = {"run_id": sampled.run_id, "strategy": "random", "n": 50, **changes.pop("source", {})}
    return {"name": "Blind check", "mode": "verify", "reviews_per_item": 1, "source": source, **changes}


def make_queue(web: TestClient, sampled: Sampled, **changes: Any) -> dict[str, Any]:
    """Create a queue through the API."""
    answer = web.post("/api/v1/review-queues", json=queue_body(sampled, **changes))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


@contextmanager
def reviewer(name: str) -> Iterator[TestClient]:
    """A browser at which somebody of this name sits."""
    with client() as web:
        sit_down(web, name)
        yield web


def sit_down(web: TestClient, name: str) -> None:
    """Say who sits here."""
    assert web.put("/api/v1/reviewer", json={"name": name}).status_code == 200


def new_submission_id() -> str:
    """An id as the page makes it."""
    return f"submission-{next(_ids):08d}"


def take(web: TestClient, queue_id: str, count: int = 1) -> list[dict[str, Any]]:
    """The items leased."""
    answer = web.post(f"/api/v1/review-queues/{queue_id}/next", json={"count": count})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def judgement(item: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A submission that fits the item: everything right, 7, or ranked in the order shown."""
    letters = [one["label"] for one in item["candidates"]]
    body: dict[str, Any] = {"submission_id": new_submission_id(), "seconds": 2.5}
    if item["mode"] in {"rank", "pair"}:
        body["tiers"] = [[letter] for letter in letters]
    else:
        body["values"] = dict.fromkeys(letters, 1.0 if item["mode"] == "verify" else 7.0)
    return {**body, **changes}


def submit(web: TestClient, item: dict[str, Any], **changes: Any) -> Any:
    """Send a judgement; gives the answer."""
    return web.post(f"/api/v1/review-items/{item['id']}/reviews", json=judgement(item, **changes))
