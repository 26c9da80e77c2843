"""`kill -9` of the computing process, the worker and the server, while training, sampling and evaluating.

A chain of runs is computed twice under a real `aft up`, once left alone and once with nine kills. Both end with
the same weights bit by bit, the same candidates, scores, curves and results, and no process is left.
"""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import func, select

from aft.config.tiny import TinyModelConfig
from backend.db.models import Candidate, Event, Result, Run, RunAttempt, Score
from backend.db.session import reading, transaction
from backend.services import checkpoints, metrics, runs
from tests.factories import make_dataset, make_run, train_config
from tests.integration.product import PATIENCE_SECONDS, Product, get, running
from tests.integration.real_workers import wait_for_state
from tests.waiting import wait_until
from worker.child import attempt_directory
from worker.sinks import StepFile

K, TOKENS, BATCH = 40, 80, 256
TRAIN, TEST = 60, 5 * BATCH
STEPS = 150
TIMED = "train/tokens_per_second"


class Chain:
    """Base model, VFT, candidates, fresh candidates, AFT and its evaluation, queued at once."""

    def __init__(self, inputs: dict[str, str], base: str | None = None) -> None:
        self._inputs = inputs
        tiny = TinyModelConfig(
            dataset_version_id=inputs["dataset_version_id"], split_id=inputs["split_id"], hidden_size=16, layers=1,
            heads=1, mlp_size=16, vocab_size=300, window=224,
        )  # fmt: skip
        sampling = {"kind": "sample", "k": K, "max_new_tokens": TOKENS, "seed": 3}
        fresh = {**sampling, "purpose": "assessment", "k": 6, "max_questions": 10, "seed": 4}
        training: dict[str, Any] = {"max_length": 192, "validation_questions": 0, "checkpoint_every_seconds": 0.3}
        optimizer = {"learning_rate": 1e-3, "epochs": STEPS * 2 // TRAIN, "questions_per_step": 2}
        evaluation = {"kind": "evaluate", "max_new_tokens": TOKENS, "seed": 3}
        self.base = base or self._run("pretrain", tiny.model_dump(mode="json"))
        self.vft = self._run("train", train_config(optimizer=optimizer, **training), start=self.base)
        self.sampled = self._run("sample", sampling, checkpoint=self.vft)
        self.fresh = self._run("sample", fresh, checkpoint=self.vft, training=self.sampled)
        self.rft = self._run(
            "train", train_config({"name": "rft"}, optimizer={**optimizer, "epochs": 1}, **training), start=self.vft,
            candidates=self.sampled,
        )  # fmt: skip
        self.evaluated = self._run("evaluate", evaluation, checkpoint=self.rft, assessment=self.fresh)

    def _run(self, kind: str, config: dict[str, Any], **parents: str) -> str:
        with transaction() as session:
            needed = {role: runs.get(session, run_id) for role, run_id in parents.items()}
            return make_run(session, kind, kind=kind, config=config, inputs=self._inputs, parents=needed).id


@pytest.fixture
def product(data_directory: Path) -> Iterator[Product]:
    with running(data_directory) as started:
        yield started


@pytest.fixture
def inputs(data_directory: Path) -> dict[str, str]:
    assert data_directory.is_dir()
    with transaction() as session:
        version_id, split_id = make_dataset(session, train=TRAIN, validation=0, test=TEST)
    return {"dataset_version_id": version_id, "split_id": split_id}


class Killer:
    """Kills one part after the other of the product, and remembers every process it ever saw."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.address = product.said(r"http://\S+/login").removesuffix("/login")
        self.seen: set[psutil.Process] = set()

    def look(self) -> None:
        self.seen |= set(psutil.Process(self.product.process.pid).children(recursive=True))

    def computing(self, run_id: str) -> psutil.Process:
        """The process that computes the run: what the worker's nursery forked."""
        self.look()
        worker = self.worker(run_id)
        [found] = [item for child in worker.children() for item in child.children()]
        return found

    def worker(self, run_id: str) -> psutil.Process:
        with reading() as session:
            owner = session.get_one(Run, run_id).owner
        assert owner is not None
        return psutil.Process(int(owner.split(":")[2]))

    def kill_child(self, computing: psutil.Process, run_id: str) -> None:
        assert state_of(run_id) == "running"
        computing.kill()

    def kill_worker(self, computing: psutil.Process, run_id: str) -> None:
        worker = self.worker(run_id)
        family = [worker, *worker.children(recursive=True)]
        worker.kill()
        assert computing in family
        _, alive = psutil.wait_procs(family, timeout=PATIENCE_SECONDS)
        assert not alive, "a worker's processes outlive it"

    def kill_server(self, computing: psutil.Process, run_id: str) -> None:
        assert state_of(run_id) == "running"
        self.product.child("uvicorn").kill()
        # Nobody but the pages needs the server: its end is no reason to stop.
        assert computing.is_running()

    def server_answers(self) -> bool:
        return get(f"{self.address}/health")[0] == 200


def state_of(run_id: str) -> str:
    with reading() as session:
        return session.get_one(Run, run_id).state


def reaches(run_id: str, attempt: int, step: int) -> Callable[[], bool]:
    """Whether this attempt's process has done so much, by its own account."""

    def reached() -> bool:
        with reading() as session:
            run = session.get_one(Run, run_id)
        assert run.state not in runs.FINISHED, (
            f"{run.name} is {run.state} too early, attempt {run.attempt}: {run.error}"
        )
        done = StepFile.read(attempt_directory(run_id, attempt) / "step")
        return done is not None and done >= step

    return reached


def kill_three_times(killer: Killer, run_id: str, first: int, second: int, third: int) -> None:
    """Server, child and worker, each when the run has come so far."""
    assert killer.server_answers()
    for attempt, step, kill in (
        (1, first, killer.kill_server),
        (1, second, killer.kill_child),
        (2, third, killer.kill_worker),
    ):
        wait_until(reaches(run_id, attempt, 0), f"attempt {attempt} begins", 120)
        computing = killer.computing(run_id)
        wait_until(reaches(run_id, attempt, step), f"attempt {attempt} reaches {step}", 120)
        kill(computing, run_id)
    wait_for_state(run_id, "succeeded", 120)


def weights(run_id: str) -> bytes:
    with reading() as session:
        place = checkpoints.final_directory(session, run_id)
    assert place is not None
    return (place / "model.safetensors").read_bytes()


def candidates(run_id: str) -> list[tuple[Any, ...]]:
    with reading() as session:
        query = select(
            Candidate.example_id, Candidate.sample_index, Candidate.token_ids, Candidate.text, Candidate.verdict
        )
        query = query.where(Candidate.run_id == run_id).order_by(Candidate.example_id, Candidate.sample_index)
        return [tuple(row) for row in session.execute(query)]


def results(run_id: str) -> list[tuple[Any, ...]]:
    with reading() as session:
        query = select(Result.metric, Result.value, Result.n, Result.details).where(Result.run_id == run_id)
        return [tuple(row) for row in session.execute(query.order_by(Result.metric))]


def scores(model_run_id: str) -> list[tuple[Any, ...]]:
    with reading() as session:
        query = (
            select(Candidate.example_id, Candidate.sample_index, Score.score, Score.n_tokens)
            .join(Candidate, Candidate.id == Score.candidate_id)
            .where(Score.model_run_id == model_run_id)
        )
        return sorted(tuple(row) for row in session.execute(query))


def curves(run_id: str) -> dict[str, Any]:
    with reading() as session:
        series = metrics.read_series(session, run_id)
    return {name: points for name, points in series.items() if name != TIMED}


def outcomes(run_id: str) -> list[str | None]:
    with reading() as session:
        query = select(RunAttempt.outcome).where(RunAttempt.run_id == run_id).order_by(RunAttempt.number)
        return list(session.scalars(query))


def test_nine_kills_change_no_bit(inputs: dict[str, str], product: Product) -> None:
    alone = Chain(inputs)
    killer = Killer(product)
    wait_for_state(alone.evaluated, "succeeded", 180)
    killed = Chain(inputs, base=alone.base)
    kill_three_times(killer, killed.vft, 40, 80, 120)
    kill_three_times(killer, killed.sampled, 2 * BATCH, 5 * BATCH, 7 * BATCH)
    kill_three_times(killer, killed.evaluated, BATCH, 2 * BATCH, 3 * BATCH)

    assert weights(killed.vft) == weights(alone.vft)
    assert weights(killed.rft) == weights(alone.rft)
    assert curves(killed.vft) == curves(alone.vft)
    assert len(curves(killed.vft)["train/loss"]) == STEPS
    for ours, theirs, count in (
        (killed.sampled, alone.sampled, TRAIN * K),
        (killed.fresh, alone.fresh, None),
        (killed.evaluated, alone.evaluated, TEST),
    ):
        found = candidates(ours)
        assert found == candidates(theirs)
        assert len(found) == (len({row[:2] for row in found}) if count is None else count)
    assert results(killed.evaluated) == results(alone.evaluated)
    assert {row[0] for row in results(killed.evaluated)} >= {"task_accuracy", "assessment_accuracy", "perplexity"}
    assert scores(killed.rft) == scores(alone.rft)
    assert scores(killed.rft)

    for run_id in (killed.vft, killed.sampled, killed.evaluated):
        assert outcomes(run_id) == ["process died", "worker lost", "succeeded"]
        with reading() as session:
            ended = select(func.count()).where(Event.run_id == run_id, Event.action == "succeeded")
            assert session.scalar(ended) == 1
            finals = [item for item in checkpoints.of_run(session, run_id) if item.purpose == "final"]
        assert len(finals) == (run_id == killed.vft)
    assert outcomes(alone.vft) == ["succeeded"]

    assert killer.server_answers()
    killer.look()
    product.process.send_signal(signal.SIGINT)
    assert product.exit_status() == 0
    _, alive = psutil.wait_procs(list(killer.seen), timeout=PATIENCE_SECONDS)
    assert not alive
