"""A database as a large group would have it after a year: made up, reproducible, loaded in bulk."""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from aft.config.sampling import SampleConfig
from backend.db.models import (
    BaseModelEntry,
    Candidate,
    Dataset,
    DatasetVersion,
    Example,
    Experiment,
    ExperimentRun,
    Metric,
    Rating,
    Run,
    Score,
    Split,
    new_id,
    utcnow,
)
from backend.db.session import transaction
from backend.services import candidate_stats, metrics

K = 64
MODELS = 4
METHODS = 10
SEEDS = 10
STEPS = 10_000
SERIES = "validation/task_accuracy"
_ROWS = 20_000
_SENTENCES = 20_000
_RARE = 500
"""One COT in so many holds the word ``zebra``."""
Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Filled:
    """What was made, by id."""

    scale: float
    set_id: str
    model_ids: list[str]
    experiment_id: str
    example_ids: range
    n_candidates: int
    n_runs: int

    def write(self, place: Path) -> None:
        """Note it beside the data, for a later run."""
        kept = asdict(self) | {"example_ids": [self.example_ids.start, self.example_ids.stop]}
        place.write_text(json.dumps(kept), encoding="utf-8")

    @classmethod
    def read(cls, place: Path) -> "Filled":
        """What an earlier run noted."""
        kept = json.loads(place.read_text(encoding="utf-8"))
        return cls(**kept | {"example_ids": range(*kept["example_ids"])})


def fill(scale: float, tell: Told, seed: int = 0) -> Filled:
    """Make a candidate set of ``scale`` million COTs with scores of four models and ratings, and the runs beside it.

    Args:
        scale: 1 is the size that the targets are for.
        tell: Takes what is being made.
        seed: The same one makes the same rows.
    """
    random = np.random.default_rng(seed)
    n_questions = max(4, round(1_000_000 * scale) // K)
    with transaction() as session:
        inputs, examples = _questions(session, n_questions)
        sampled = _run("sample", "Benchmark COTs", inputs, config=SampleConfig(k=K).model_dump(mode="json"))
        models = [_run("train", f"Train model {number}", inputs, method="AFT", seed=number) for number in range(MODELS)]
        judge = _run("rate", "Rate", inputs)
        session.execute(insert(Run), [sampled, *models, judge])
    tell(f"{n_questions * K:,} COTs")
    texts = _Texts(random)
    _load(Candidate, (_candidate(random, texts, sampled["id"], one, at) for one in examples for at in range(K)))
    with transaction() as session:
        first = session.scalar(select(func.min(Candidate.id)).where(Candidate.run_id == sampled["id"])) or 0
    ids = range(first, first + n_questions * K)
    model_ids = [model["id"] for model in models]
    tell(f"{len(ids) * MODELS:,} scores")
    _load(Score, _scores(random, ids, model_ids, sampled["id"]))
    _load(Rating, _ratings(random, ids, judge["id"]))
    tell("statistics")
    with transaction() as session:
        candidate_stats.rebuild(session, sampled["id"])
    n_runs, steps = max(METHODS * SEEDS, round(10_000 * scale)), max(50, round(STEPS * min(1.0, scale)))
    tell(f"{n_runs:,} runs, {METHODS * SEEDS} of them with {steps:,} steps")
    experiment_id = _experiment(random, inputs, n_runs, steps)
    return Filled(scale, sampled["id"], model_ids, experiment_id, examples, len(ids), n_runs)


def write_rows(place: Path, count: int) -> None:
    """A JSONL file of ``count`` GSM8K rows of about 800 bytes."""
    filler = "She counts them once more, writes the number down and goes on with the next basket. " * 7
    with place.open("w", encoding="utf-8") as stream:
        for n in range(count):
            row = {
                "question": f"Ann has {n} apples in her basket and picks 2 more of them. How many has she now?",
                "answer": f"{filler}\n{n} + 2 = <<{n}+2={n + 2}>>{n + 2}\n#### {n + 2}",
            }
            stream.write(json.dumps(row) + "\n")


class _Texts:
    """COTs out of a stock of sentences whose words are as unevenly frequent as a language's."""

    def __init__(self, random: np.random.Generator) -> None:
        letters = np.array(list("abcdefghijklmnoprstuvw"))
        words = ["".join(random.choice(letters, random.integers(2, 10))) for _ in range(5_000)]
        weights = 1 / np.arange(10, 5_010)
        chosen = random.choice(len(words), (_SENTENCES, 12), p=weights / weights.sum())
        self._sentences = ["We see " + " ".join(words[one] for one in row) + "." for row in chosen]

    def one(self, numbers: Any, answer: int, *, is_rare: bool) -> str:
        """A COT of these sentences."""
        said = [self._sentences[number] for number in numbers]
        if is_rare:
            said.insert(1, "There is a zebra here.")
        return "\n".join([*said, f"So the answer is {answer}."])


def _questions(session: Session, count: int) -> tuple[dict[str, Any], range]:
    dataset = Dataset(name=f"Benchmark {new_id()[-8:]}", task="gsm8k")
    session.add(dataset)
    session.flush()
    version = DatasetVersion(
        dataset_id=dataset.id, number=1, state="ready", task="gsm8k", sha256="0" * 64, n_rows=count
    )
    session.add(version)
    session.flush()
    split = Split(version_id=version.id, name="all", spec={}, counts={"train": count}, sha256="0" * 64)
    session.add(split)
    session.flush()
    rows = [
        {
            "version_id": version.id,
            "position": number,
            "external_id": f"q{number}",
            "part": "train",
            "question": f"A farmer has {number} sheep and buys {number % 7} more. How many sheep has the farmer now?",
            "reference": "We add.",
            "answer": str(number % 10),
        }
        for number in range(count)
    ]
    for start in range(0, count, _ROWS):
        session.execute(insert(Example), rows[start : start + _ROWS])
    first = session.scalar(select(func.min(Example.id)).where(Example.version_id == version.id)) or 0
    return {"dataset_version_id": version.id, "split_id": split.id}, range(first, first + count)


def _run(kind: str, name: str, inputs: dict[str, Any], **values: Any) -> dict[str, Any]:
    now = utcnow()
    row = {
        "id": new_id(), "kind": kind, "name": name, "method": None, "seed": None, "config": {}, "inputs": inputs,
        "fingerprint": new_id(), "state": "succeeded", "created_at": now, "started_at": now, "finished_at": now,
    }  # fmt: skip
    return {**row, **values}


def _candidate(random: np.random.Generator, texts: _Texts, run_id: str, example_id: int, index: int) -> dict[str, Any]:
    draw = int(random.integers(0, 1000))
    verdict = "right" if draw < 450 else "wrong" if draw < 970 else "unparsed" if draw < 990 else "truncated"
    n_tokens = 40 + draw * 3 % 217 + index
    answer = example_id % 10 + (verdict == "wrong")
    text = texts.one(random.integers(0, _SENTENCES, 5), answer, is_rare=(example_id * K + index) % _RARE == 0)
    return {
        "run_id": run_id, "example_id": example_id, "sample_index": index, "text": text,
        "token_ids": b"\0" * (2 * n_tokens), "n_tokens": n_tokens,
        "finish_reason": "length" if verdict == "truncated" else "stop",
        "answer": None if verdict == "unparsed" else str(answer), "answer_start": len(text) - 2,
        "answer_end": len(text) - 1, "answer_rule": "benchmark", "verdict": verdict, "extractor_version": 1,
        "is_duplicate": draw % 50 == 0,
    }  # fmt: skip


def _scores(random: np.random.Generator, ids: range, model_ids: list[str], by_run_id: str) -> Iterator[dict[str, Any]]:
    for start in range(0, len(ids), _ROWS):
        some = ids[start : start + _ROWS]
        values = -np.abs(random.normal(0.6, 0.3, (len(some), len(model_ids)))).round(4)
        for candidate_id, row in zip(some, values.tolist(), strict=True):
            for model_run_id, score in zip(model_ids, row, strict=True):
                yield {
                    "candidate_id": candidate_id, "model_run_id": model_run_id, "by_run_id": by_run_id,
                    "score": score, "n_tokens": 60,
                }  # fmt: skip


def _ratings(random: np.random.Generator, ids: range, judge_id: str) -> Iterator[dict[str, Any]]:
    for candidate_id in ids[::20]:
        for rater, run_id in (("judge", judge_id), ("Ann", None)):
            yield {
                "candidate_id": candidate_id, "run_id": run_id, "rater": rater,
                "source": "judge" if run_id else "person", "scale": "1-10", "value": float(random.integers(1, 11)),
            }  # fmt: skip


def _experiment(random: np.random.Generator, inputs: dict[str, Any], n_runs: int, steps: int) -> str:
    """One experiment of a hundred training runs with curves, and runs of nobody for the rest."""
    methods = [{"name": "aft", "constraint": "boundary", "boundary_beta": 0.05 * (n + 1)} for n in range(METHODS)]
    with transaction() as session:
        model = BaseModelEntry(name="Benchmark", source="local", location="no files")
        session.add(model)
        session.flush()
        model_id = model.id
    spec = ExperimentSpec.model_validate(
        {
            "name": "Benchmark",
            "dataset_version_id": inputs["dataset_version_id"],
            "split_id": inputs["split_id"],
            "base_model_id": model_id,
            "methods": [{**method, "label": f"Method {n}"} for n, method in enumerate(methods)],
            "seeds": list(range(SEEDS)),
        }
    )
    cells = list(itertools.product(range(METHODS), range(SEEDS)))
    runs = [_run("train", f"Train {m}, seed {seed}", inputs, method=f"Method {m}", seed=seed) for m, seed in cells]
    others = [_run("evaluate", f"Evaluate {n}", inputs, method="VFT", seed=n) for n in range(n_runs - len(runs))]
    with transaction() as session:
        experiment = Experiment(name=spec.name, spec=spec.model_dump(mode="json"), spec_sha256="0" * 64)
        session.add(experiment)
        session.flush()
        experiment_id = experiment.id
        session.execute(insert(Run), [*runs, *others])
        places = [
            {
                "experiment_id": experiment_id, "cell": f"seed {seed}/Method {method}/train", "run_id": run["id"],
                "stage": "train", "method": f"Method {method}", "seed": seed, "position": position, "reused": False,
            }
            for position, ((method, seed), run) in enumerate(zip(cells, runs, strict=True))
        ]  # fmt: skip
        session.execute(insert(ExperimentRun), places)
    now = utcnow()
    points = (
        {"run_id": run["id"], "name": SERIES, "step": step, "value": value, "attempt": 1, "created_at": now}
        for run in runs
        for step, value in enumerate(random.random(steps).tolist())
    )
    _load(Metric, points)
    for run in runs:
        with transaction() as session:
            metrics.sum_up(session, run["id"], [SERIES], 0, steps)
    return experiment_id


def _load(model: Any, rows: Iterable[dict[str, Any]]) -> None:
    rows = iter(rows)
    while some := list(itertools.islice(rows, _ROWS)):
        with transaction() as session:
            # One statement for all rows, whichever of their values are None.
            session.execute(insert(model).execution_options(render_nulls=True), some)
