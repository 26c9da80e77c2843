"""An installation with something on every page: rows put into the database, the rest asked for over HTTP."""

import struct
import uuid
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db.models import (
    BaseModelEntry,
    Candidate,
    Checkpoint,
    Dataset,
    DatasetVersion,
    Event,
    Example,
    Experiment,
    ReferenceScore,
    RowReject,
    Run,
    RunAttempt,
    Score,
    TokenSpans,
    new_id,
    utcnow,
)
from backend.db.session import transaction
from backend.services import candidate_stats, experiments, runs
from tests.backend.comparing import METHODS, finished_experiment
from tests.backend.reviewing import judgement
from tests.factories import make_run

TOKEN = 5
"""Characters of a made-up token."""
MODES = ("verify", "rate", "rank", "pair")


@dataclass(frozen=True, slots=True)
class Words:
    """Every text that people and models can put in, so that a test chooses them."""

    name: str = "Constraints"
    """Of experiments, data sets, queues, models: up to 120 characters."""
    short: str = "checked"
    """Of people, tags and labels: up to 40 characters."""
    question: str = "A shop has 4 crates of 6 melons and sells 5. How many are left?"
    cot: str = "4 crates of 6 are 24.\n24 - 5 = 19.\nso [ANS] 19"
    longest: str = "We count, and count again. " * 40 + "\nso [ANS] 7"
    """Of one COT."""
    note: str = "The second step is right by luck."
    log: str = "RuntimeError: the boundary needs at least one positive; question 17 has none"


MARKUP = "<img src=x onerror=window.hacked=1><script>window.hacked=1</script>"
BIDI = "\u202eevil\u202c\u2066\u200f"
CONTROL = "\x07\x1b[31m\x08\ufeff"
WORD = "Donaudampfschifffahrtsgesellschaft"
HOSTILE = Words(
    name=f"{MARKUP[:71]}{BIDI}{WORD}"[:120],
    short="<b onclick=window.hacked=1>\u202eolleh",
    question=f"{MARKUP}{BIDI}{CONTROL} {WORD * 60} How many? ${{7*7}} {{{{7*7}}}}",
    cot=f"{MARKUP}\n{BIDI}{CONTROL} [x](javascript:window.hacked=1)\n{WORD * 80}\nso [ANS] 7",
    longest="We count, and count again. " * 190_000 + WORD * 2_000 + "\nso [ANS] 7",
    note=f"{MARKUP} {BIDI} {WORD * 20}",
    log=f"{MARKUP} \x1b[31mError\x1b[0m {BIDI} {WORD * 30}",
)
"""What somebody writes who wants to run code, turn lines around or break the page; one COT has 5 MB."""


@dataclass(frozen=True, slots=True)
class Filled:
    """Ids of what was made."""

    experiment_id: str
    set_id: str
    """Of a candidate set with scores of two models."""
    model_ids: list[str]
    example_id: int
    """A question whose first COT holds the words, and whose tokens are scored."""
    train_id: str
    failed_id: str
    waiting_id: str
    dataset_id: str


def fill(words: Words) -> Filled:
    """Put everything into the database that no request can make within seconds."""
    with transaction() as session:
        methods = [*METHODS[:-1], {**METHODS[-1], "label": words.short}]
        experiment = finished_experiment(session, name=words.name, methods=methods)
        _rename(session, experiment, words)
        set_id, model_ids, example_id = _scored(session, experiment, words)
        cells = experiments.cells(session, experiment.id)
        train_id = next(cell.run.id for cell in cells if cell.run.kind == "train" and cell.place.method == words.short)
        _watch(session, train_id)
        failed_id = _failed(session, words)
        waiting_id = make_run(session, words.name, kind="train", method="VFT", seed=7).id
        version = session.get_one(DatasetVersion, experiment.spec["dataset_version_id"])
        return Filled(experiment.id, set_id, model_ids, example_id, train_id, failed_id, waiting_id, version.dataset_id)


def _rename(session: Session, experiment: Experiment, words: Words) -> None:
    version = session.get_one(DatasetVersion, experiment.spec["dataset_version_id"])
    dataset = session.get_one(Dataset, version.dataset_id)
    dataset.name, dataset.description = words.name, words.note
    version.n_rejected = 1
    session.add(
        RowReject(
            version_id=version.id, filename=words.name, row_number=3, column="answer", reason=words.note,
            excerpt=words.cot,
        )
    )  # fmt: skip
    for model in session.scalars(select(BaseModelEntry)):
        model.name = words.name
    for run in session.scalars(select(Run).where(Run.kind == "sample")):
        run.name = words.name
    for example in session.scalars(select(Example).where(Example.version_id == version.id).limit(3)):
        example.question, example.reference = words.question, words.cot


def _scored(session: Session, experiment: Experiment, words: Words) -> tuple[str, list[str], int]:
    """The words as COTs of one question of the assessed set, and its tokens under two models."""
    scores = select(Score.model_run_id, Candidate.run_id).join(Candidate, Candidate.id == Score.candidate_id)
    pairs = session.execute(scores.distinct().order_by(Candidate.run_id, Score.model_run_id)).all()
    set_id = pairs[0].run_id
    model_ids = [pair.model_run_id for pair in pairs if pair.run_id == set_id]
    of_set = select(Candidate).where(Candidate.run_id == set_id).order_by(Candidate.example_id, Candidate.sample_index)
    group = list(session.scalars(of_set.limit(8)))
    for candidate, text in zip(group, [words.cot, words.longest, words.cot + " "], strict=False):
        candidate.text, candidate.answer_start, candidate.answer_end = text, len(text) - 1, len(text)
    for candidate in group:
        n = min(300, max(1, len(candidate.text) // TOKEN))
        candidate.token_ids, candidate.n_tokens = b"\0\0\0\0" * n, n
        session.add(TokenSpans(candidate_id=candidate.id, ends=_ends(candidate.text, n)))
        for place, model_id in enumerate(model_ids[:2]):
            score = session.get_one(Score, (candidate.id, model_id))
            score.token_logprobs, score.n_tokens = _logprobs(n, place + candidate.sample_index), n
    example = session.get_one(Example, group[0].example_id)
    example.question, example.reference = words.question, words.cot
    n = max(1, len(example.reference) // TOKEN)
    for place, model_id in enumerate(model_ids[:2]):
        row = ReferenceScore(
            example_id=example.id, model_run_id=model_id, by_run_id=set_id, score=-0.4,
            token_logprobs=_logprobs(n, place), ends=_ends(example.reference, n),
        )  # fmt: skip
        session.add(row)
    session.flush()
    candidate_stats.rebuild(session, set_id)
    return set_id, model_ids, example.id


def _ends(text: str, n: int) -> bytes:
    ends = [min(len(text), TOKEN * (place + 1)) for place in range(n - 1)] + [len(text)]
    return struct.pack(f"<{n}I", *ends)


def _logprobs(n: int, seed: int) -> bytes:
    return (-np.random.default_rng(seed).exponential(1.0, n)).astype("<f2").tobytes()


def _watch(session: Session, run_id: str) -> None:
    """A training as it looks after a worker was lost and another went on: attempts, a checkpoint, events, a log."""
    run = session.get_one(Run, run_id)
    run.attempt = 2
    first = session.get_one(RunAttempt, (run_id, 1))
    first.outcome, first.last_step, first.exit_code = "worker lost", 20, -9
    now = utcnow()
    session.add(
        RunAttempt(
            run_id=run_id, number=2, owner="here", device="cpu", started_at=now, ended_at=now, outcome="succeeded",
            resumed_from_step=20, last_step=50, exit_code=0,
        )
    )  # fmt: skip
    session.add(
        Checkpoint(
            run_id=run_id, purpose="final", step=50, attempt=2, key=f"runs/{new_id()}", sha256="0" * 64,
            size_bytes=1_400_000,
        )
    )  # fmt: skip
    for action in ("queued", "started", "worker lost", "started", "succeeded"):
        session.add(Event(topic="run", action=action, run_id=run_id, data={"attempt": 1}))
    _log(run_id, [f"step {step}: loss {1 / (1 + step):.3f}" for step in range(60)])


def _failed(session: Session, words: Words) -> str:
    run = make_run(session, f"{words.name[:100]} failed", kind="train", method="AFT · none", seed=3)
    now = utcnow()
    run.state, run.started_at, run.finished_at = "failed", now, now
    run.error = {
        "title": words.log,
        "detail": words.note,
        "remedy": words.note,
        "traceback": f"Traceback (most recent call last):\n  {words.log}",
        "step": 12,
    }
    session.add(
        RunAttempt(
            run_id=run.id, number=1, owner="here", device="cpu", started_at=now, ended_at=now, outcome="failed",
            exit_code=1, last_step=12,
        )
    )  # fmt: skip
    _log(run.id, ["step 11: loss 0.4", words.log, words.cot])
    return run.id


def _log(run_id: str, lines: list[str]) -> None:
    place = runs.log_path(run_id)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("\n".join(lines) + "\n", encoding="utf-8")


def converse(address: str, filled: Filled, words: Words) -> dict[str, str]:
    """Queues in every mode with reviews, a saved view, a tag, a label and a judge; gives the queues' ids by mode."""
    queues = {}
    with httpx.Client(base_url=f"{address}/api/v1", timeout=60) as web:
        for mode in MODES:
            source = {"run_id": filled.set_id, "strategy": "random", "n": 6}
            if mode == "pair":
                source |= {"strategy": "violated-pair", "model_run_id": filled.model_ids[0]}
            if mode == "rate":
                source |= {"strategy": "selection", "example_ids": [filled.example_id]}
            body = {"name": words.name, "mode": mode, "source": source, "guidelines": words.note, "reviews_per_item": 3}
            queues[mode] = _post(web, "/review-queues", body)["id"]
            for place in range(2):
                _review(web, queues[mode], f"{words.short[:36]} {place}", words.note, place)
        group = web.get(f"/candidate-sets/{filled.set_id}/questions/{filled.example_id}").json()
        label = {"label": "unparsed", "reason": words.note, "person": words.short, "request_id": uuid.uuid4().hex}
        _post(web, f"/candidates/{group['candidates'][0]['id']}/labels", label)
        view = {"name": words.name, "query": "verdict=wrong", "experiment_id": filled.experiment_id}
        _post(web, "/saved-views", view)
        _post(web, "/runs/tags", {"run_ids": [filled.train_id], "add": [words.short], "remove": []})
        judge = {"base_url": "http://127.0.0.1:9/v1", "model": words.name}
        web.put("/judges/main", json=judge).raise_for_status()
        _post(web, "/ranking-sets", {"name": words.name, "source": {"queue_id": queues["rank"]}})
    return queues


def _review(web: httpx.Client, queue_id: str, name: str, note: str, place: int) -> None:
    with httpx.Client(base_url=web.base_url, timeout=60) as person:
        person.put("/reviewer", json={"name": name}).raise_for_status()
        for item in _post(person, f"/review-queues/{queue_id}/next", {"count": 4})["items"]:
            body = judgement(item, submission_id=uuid.uuid4().hex, note=note, is_flagged=place == 0)
            if place == 1 and "tiers" in body:
                body["tiers"] = body["tiers"][::-1]
            elif place == 1:
                body["values"] = dict.fromkeys(body["values"], 1.0 if item["mode"] == "rate" else 0.0)
            _post(person, f"/review-items/{item['id']}/reviews", body)


def _post(web: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    answer = web.post(path, json=body)
    assert answer.is_success, f"{path}: {answer.status_code} {answer.text[:500]}"
    return answer.json() if answer.content else None
