"""Every task on a tiny model, in the test's own process: results, resuming, reasons to fail."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from aft.training import loop
from backend import storage
from backend.db.models import Candidate, Checkpoint, Rating, Result, RunAttempt, Score
from backend.db.session import reading, transaction
from backend.services import checkpoints, metrics, runs
from tests.factories import TINY, make_base_model, make_dataset, train_config
from tests.worker.computing import claim_it, compute, create
from worker.failures import RunFailure, describe

SAMPLING = {"kind": "sample", "k": 3, "max_new_tokens": 20, "seed": 4}


class Chain:
    """A data set, the tiny model and a VFT model made from it."""

    def __init__(self) -> None:
        with transaction() as session:
            version_id, split_id = make_dataset(session)
            model_id = make_base_model(session)
        self.inputs = {"dataset_version_id": version_id, "split_id": split_id, "base_model_id": model_id}
        self.base = self.made("pretrain", TINY.model_dump(mode="json"))
        self.vft = self.made("train", train_config(), start=self.base)

    def new(self, kind: str, config: dict[str, Any], **parents: str) -> str:
        return create(kind=kind, config=config, inputs=self.inputs, parents=parents)

    def made(self, kind: str, config: dict[str, Any], **parents: str) -> str:
        run_id = self.new(kind, config, **parents)
        compute(run_id)
        return run_id


@pytest.fixture
def chain(data_directory: Path) -> Chain:
    return Chain()


def weights(run_id: str) -> bytes:
    with reading() as session:
        place = checkpoints.final_directory(session, run_id)
    assert place is not None
    return (place / "model.safetensors").read_bytes()


def candidates(run_id: str) -> list[tuple[int, int, str, bytes]]:
    with reading() as session:
        rows = session.scalars(
            select(Candidate).where(Candidate.run_id == run_id).order_by(Candidate.example_id, Candidate.sample_index)
        )
        return [(row.example_id, row.sample_index, row.text, row.token_ids) for row in rows]


def test_whole_chain_ends_in_results(chain: Chain) -> None:
    sampled = chain.made("sample", SAMPLING, checkpoint=chain.vft)
    assert len(candidates(sampled)) == 12 * 3
    fresh = chain.made(
        "sample", {**SAMPLING, "purpose": "assessment", "seed": 4, "max_questions": 5}, checkpoint=chain.vft,
        training=sampled,
    )  # fmt: skip
    # The same seed samples the training candidates again, and every one of them is dropped.
    assert candidates(fresh) == []
    fresh = chain.made(
        "sample", {**SAMPLING, "purpose": "assessment", "seed": 9, "max_questions": 5}, checkpoint=chain.vft,
        training=sampled,
    )  # fmt: skip
    assert 0 < len(candidates(fresh)) <= 15
    rated = chain.made("rate", {"kind": "rate", "judge": "oracle"}, candidates=sampled)
    with reading() as session:
        values = session.scalars(select(Rating.value).where(Rating.run_id == rated)).all()
    assert len(values) == 36
    assert all(1 <= value <= 10 for value in values)
    method = {"name": "aft", "constraint": "boundary"}
    aft = chain.made(
        "train", train_config(method, feedback="ranking"), start=chain.base, candidates=sampled, ratings=rated
    )
    dpo = chain.made(
        "train", train_config({"name": "dpo"}, feedback="ranking"), start=chain.base, candidates=sampled, ratings=rated,
        reference=chain.vft,
    )  # fmt: skip
    rft = chain.made("train", train_config({"name": "rft"}), start=chain.vft, candidates=sampled)
    assert len({weights(run_id) for run_id in (chain.base, chain.vft, aft, dpo, rft)}) == 5
    evaluation = chain.made("evaluate", {"kind": "evaluate", "max_new_tokens": 20}, checkpoint=aft, assessment=fresh)
    with reading() as session:
        results = {row.metric: row for row in session.scalars(select(Result).where(Result.run_id == evaluation))}
        scored = session.scalar(select(func.count()).where(Score.model_run_id == aft))
    assert results.keys() >= {
        "task_accuracy", "assessment_accuracy", "assessment_accuracy_3x3", "perplexity",
        "perplexity_negative_median", "unparsed_rate", "truncated_rate",
    }  # fmt: skip
    assert results["task_accuracy"].n == 6
    assert len(candidates(evaluation)) == 6
    assert scored
    chain.made("score", {"kind": "score", "token_logprobs": True}, checkpoint=chain.vft, candidates=sampled)
    with reading() as session:
        rows = session.scalars(select(Score).where(Score.model_run_id == chain.vft)).all()
    assert len(rows) == 36
    for row in rows:
        assert row.token_logprobs is not None
        assert len(row.token_logprobs) == 2 * row.n_tokens


def test_stopped_training_ends_bit_equal(chain: Chain) -> None:
    run_id = chain.new("train", train_config(), start=chain.base)
    for looks in (3, 60, 5):
        compute(run_id, looks=looks)
    compute(run_id)
    assert weights(run_id) == weights(chain.vft)
    with reading() as session:
        ours, theirs = (metrics.read_series(session, key) for key in (run_id, chain.vft))
        kept = [item.purpose for item in checkpoints.of_run(session, run_id)]
    timing = "train/tokens_per_second"
    assert {name: points for name, points in ours.items() if name != timing} == {
        name: points for name, points in theirs.items() if name != timing
    }
    assert kept.count("final") == 1
    assert kept.count("resume") <= 2


def test_training_with_a_checkpoint_of_another_version_starts_from_the_beginning(
    chain: Chain, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = chain.new("train", train_config(), start=chain.base)
    with monkeypatch.context() as other_version:
        other_version.setattr(loop, "run_fingerprint", lambda *_: "another")
        compute(run_id, looks=60)
    with reading() as session:
        assert any(item.purpose == "resume" for item in checkpoints.of_run(session, run_id))
    compute(run_id)
    assert "was written by another version" in caplog.text
    assert weights(run_id) == weights(chain.vft)
    with reading() as session:
        resumed = select(RunAttempt.resumed_from_step).where(RunAttempt.run_id == run_id)
        assert session.scalars(resumed).all() == [None, None]
        assert all(storage.path(item.key).is_dir() for item in checkpoints.of_run(session, run_id))


def test_stopped_sampling_draws_what_is_missing_and_nothing_else(chain: Chain) -> None:
    whole = chain.made("sample", SAMPLING, checkpoint=chain.vft)
    run_id = chain.new("sample", SAMPLING, checkpoint=chain.vft)
    compute(run_id, looks=12)
    with transaction() as session:
        gone = select(Candidate.id).where(Candidate.run_id == whole).order_by(Candidate.id).limit(10)
        session.execute(delete(Candidate).where(Candidate.id.in_(gone)))
        runs.get(session, whole).state = "failed"
        runs.retry(session, whole)
    compute(whole)
    compute(run_id)
    assert candidates(run_id) == candidates(whole)
    assert len(candidates(run_id)) == 36


def test_stopped_rating_rates_everything_once(chain: Chain) -> None:
    sampled = chain.made("sample", SAMPLING, checkpoint=chain.vft)
    run_id = chain.new("rate", {"kind": "rate"}, candidates=sampled)
    compute(run_id, looks=1)
    compute(run_id)
    with reading() as session:
        assert session.scalar(select(func.count()).where(Rating.run_id == run_id)) == 36


def test_a_selection_is_rated_and_nothing_else(chain: Chain) -> None:
    sampled = chain.made("sample", SAMPLING, checkpoint=chain.vft)
    with reading() as session:
        ids = list(session.scalars(select(Candidate.id).where(Candidate.run_id == sampled).order_by(Candidate.id)))
    chosen = ids[3::5]
    run_id = create(
        kind="rate",
        config={"kind": "rate", "judge": "oracle"},
        inputs={**chain.inputs, "candidate_ids": chosen},
        parents={"candidates": sampled},
    )
    compute(run_id, looks=1)
    compute(run_id)
    with reading() as session:
        rated = session.scalars(select(Rating.candidate_id).where(Rating.run_id == run_id)).all()
    assert sorted(rated) == chosen


def test_missing_model_names_the_run_to_retry(chain: Chain) -> None:
    run_id = chain.new("sample", SAMPLING, checkpoint=chain.vft)
    with transaction() as session:
        session.execute(delete(Checkpoint).where(Checkpoint.run_id == chain.vft))
    with pytest.raises(RunFailure, match="model of input run"):
        compute(run_id)


def test_oracle_refuses_other_tasks(chain: Chain) -> None:
    from backend.db.models import DatasetVersion

    sampled = chain.made("sample", SAMPLING, checkpoint=chain.vft)
    with transaction() as session:
        session.get_one(DatasetVersion, chain.inputs["dataset_version_id"]).task = "gsm8k"
    with pytest.raises(RunFailure, match="cannot judge task 'gsm8k'"):
        compute(chain.new("rate", {"kind": "rate", "judge": "oracle"}, candidates=sampled))


def test_too_long_answers_are_a_plain_cause(chain: Chain) -> None:
    run_id = chain.new("sample", {**SAMPLING, "max_new_tokens": 5000}, checkpoint=chain.vft)
    with pytest.raises(ValueError, match="window") as caught:
        compute(run_id)
    error = describe(caught.value)
    assert "window" in error["detail"]
    assert error["title"]


@pytest.mark.usefixtures("data_directory")
def test_full_disk_is_seen_before_anything_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    from backend import storage

    monkeypatch.setattr(storage, "free_bytes", lambda: 1000)
    run_id = create()
    with pytest.raises(RunFailure, match="disk is nearly full"):
        compute(run_id)


@pytest.mark.usefixtures("data_directory")
def test_fenced_task_stops_at_its_next_write() -> None:
    from worker import child
    from worker.sinks import RunSink, StepFile

    run_id = create()
    claim = claim_it(run_id)
    request = child.make_request(claim, device="cpu", threads=1)
    directory = child.attempt_directory(run_id, claim.attempt)
    sink = RunSink(claim, directory / "metrics.jsonl", StepFile(directory / "step"))
    with transaction() as session:
        assert runs.requeue(session, claim)
    import threading

    with pytest.raises(runs.LeaseLost):
        child.compute(claim, request, sink, threading.Event())


@pytest.mark.usefixtures("data_directory")
def test_tiny_model_reads_and_writes_its_data_and_is_made_alike_again() -> None:
    from transformers import AutoTokenizer

    from aft.config.tiny import TinyModelConfig

    with transaction() as session:
        version_id, split_id = make_dataset(session)
    config = TinyModelConfig(dataset_version_id=version_id, split_id=split_id, hidden_size=16, window=96)
    inputs = {"dataset_version_id": version_id, "split_id": split_id}
    made = []
    for _ in range(2):
        run_id = create(kind="pretrain", config=config.model_dump(mode="json"), inputs=inputs)
        compute(run_id)
        made.append(run_id)
    assert weights(made[0]) == weights(made[1])
    with reading() as session:
        place = checkpoints.final_directory(session, made[0])
    tokenizer = AutoTokenizer.from_pretrained(place)
    text = "Ann has 7 apples, außer Ζ."
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text
    assert 261 < len(tokenizer) < 2048
    vft = create(kind="train", config=train_config(max_length=96), inputs=inputs, parents={"start": made[0]})
    compute(vft)
    assert weights(vft) != weights(made[0])
