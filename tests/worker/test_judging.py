"""A rating run with an LLM judge: stored, resumed, paid for once."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from aft.config.judge import EndpointConfig
from backend.db.models import Example, Rating, Result, Run
from backend.db.session import reading, transaction
from backend.services import candidates, judge_settings, judges, runs
from backend.services.candidates import SampledRow
from tests.factories import make_dataset
from tests.stub_endpoint import Answer, Asked, StubEndpoint, chat
from tests.worker.computing import compute, create
from worker.failures import RunFailure
from worker.sinks import RunSink

LLM = {"endpoint": "main", "model": "m", "samples": 2}


class Bench:
    """A sampling run with six candidates and a stub server whose behaviour a test sets."""

    def __init__(self) -> None:
        with transaction() as session:
            version_id, split_id = make_dataset(session)
            examples = list(session.scalars(select(Example).where(Example.part == "train").limit(3)))
        self.inputs = {"dataset_version_id": version_id, "split_id": split_id}
        self.sampled = create(kind="sample", config={"kind": "sample"}, inputs=self.inputs)
        with transaction() as session:
            rows = [
                SampledRow(
                    example.id, index, (1, 2), f"{example.reference} [ANS] {index}", "stop", example.answer, None
                )
                for example in examples
                for index in range(2)
            ]
            candidates.record(session, run_id=self.sampled, task="arithmetic", samples=rows)
            session.get_one(Run, self.sampled).state = "succeeded"
        self.answer: Callable[[Asked, int], Answer] = lambda asked, number: chat("Step by step.\nRating: 6")
        self.stub = StubEndpoint(lambda asked, number: self.answer(asked, number))
        self.put()

    def put(self, **settings: object) -> None:
        values = {"base_url": self.stub.url, "model": "m", "concurrency": 1, "max_retries": 0, **settings}
        judge_settings.put("main", EndpointConfig.model_validate(values), None)

    def new(self) -> str:
        config = {"kind": "rate", "judge": "llm", "llm": LLM}
        return create(kind="rate", config=config, inputs=self.inputs, parents={"candidates": self.sampled})


@pytest.fixture
def bench(data_directory: Path) -> Iterator[Bench]:
    made = Bench()
    yield made
    made.stub.close()


def rated(run_id: str) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).where(Rating.run_id == run_id)) or 0


def retry(run_id: str) -> None:
    with transaction() as session:
        runs.get(session, run_id).state = "failed"
        session.flush()
        runs.retry(session, run_id)


def test_every_candidate_is_rated_with_its_evidence_and_cost(bench: Bench) -> None:
    bench.put(usd_per_million_input=10, usd_per_million_output=50)
    ratings = [6, 9]
    bench.answer = lambda asked, number: chat(f"Step by step.\nRating: {ratings[number % 2]}")
    run_id = bench.new()
    compute(run_id)
    with reading() as session:
        rows = session.scalars(select(Rating).where(Rating.run_id == run_id)).all()
        spent = session.get(Result, (run_id, judges.SPENDING))
        used = judges.used(session, "main")
    assert [row.value for row in rows] == [7.5] * 6
    assert {row.rater for row in rows} == {"judge:main"}
    assert rows[0].evidence is not None
    assert rows[0].evidence["ratings"] == [6, 9]
    assert [reply["raw"] for reply in rows[0].evidence["replies"]] == [
        "Step by step.\nRating: 6",
        "Step by step.\nRating: 9",
    ]
    assert spent is not None
    assert spent.n == 12
    assert spent.value == pytest.approx(12 * (100 * 10 + 20 * 50) / 1e6)
    assert used.requests == 12


def test_stopped_run_goes_on_and_pays_for_nothing_twice(bench: Bench) -> None:
    run_id = bench.new()
    compute(run_id, looks=12)
    before = rated(run_id)
    assert 0 < before < 6
    compute(run_id)
    assert rated(run_id) == 6
    # A candidate that was under way when it stopped may have been asked about once, and is in the cache.
    assert len(bench.stub.asked) == 12
    other = bench.new()
    compute(other)
    assert rated(other) == 6
    assert len(bench.stub.asked) == 12


def test_endpoint_that_goes_away_loses_nothing(bench: Bench) -> None:
    def dying(asked: Asked, number: int) -> Answer:
        return chat("x\nRating: 6") if number < 6 else Answer({}, 503)

    bench.answer = dying
    run_id = bench.new()
    with pytest.raises(RunFailure, match="could not go on") as caught:
        compute(run_id)
    assert "failed once" in caught.value.detail
    assert "3 of 6 candidates are rated" in caught.value.remedy
    assert rated(run_id) == 3
    bench.answer = lambda asked, number: chat("x\nRating: 6")
    retry(run_id)
    compute(run_id)
    assert rated(run_id) == 6
    with reading() as session:
        spent = session.get(Result, (run_id, judges.SPENDING))
    assert spent is not None
    assert spent.n == len(bench.stub.asked)


def test_a_run_that_waits_says_for_what(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aft.judge.judging.IDLE_SECONDS", 0.02)
    said: list[str] = []
    progress = RunSink.progress

    def listen(sink: RunSink, done: int, total: int | None, phase: str) -> None:
        said.append(phase)
        progress(sink, done, total, phase)

    monkeypatch.setattr(RunSink, "progress", listen)
    limited = Answer({}, 429, {"Retry-After": "0.3"})
    bench.put(max_retries=1)
    bench.answer = lambda asked, number: limited if number == 0 else chat("x\nRating: 6")
    run_id = bench.new()
    compute(run_id)
    assert "it answered 429; asked again in 0 s" in said
    assert said[-1] == "asking the judge"
    assert rated(run_id) == 6


def test_budget_ends_the_run_and_raising_it_lets_it_go_on(bench: Bench) -> None:
    bench.put(budget_requests=5)
    run_id = bench.new()
    with pytest.raises(RunFailure, match="could not go on") as caught:
        compute(run_id)
    assert "budget of 5 requests" in caught.value.detail
    assert len(bench.stub.asked) == 5
    assert rated(run_id) == 2
    bench.put(budget_requests=12)
    retry(run_id)
    compute(run_id)
    assert rated(run_id) == 6
    assert len(bench.stub.asked) == 12


def test_unreadable_candidates_are_counted_and_asked_again(bench: Bench) -> None:
    def answer(asked: Asked, number: int) -> Answer:
        return chat("lovely") if "[ANS] 1" in asked.body["messages"][1]["content"] else chat("x\nRating: 6")

    bench.answer = answer
    run_id = bench.new()
    with pytest.raises(RunFailure, match="3 of 6 candidates have no readable rating") as caught:
        compute(run_id)
    assert "no line with a rating" in caught.value.detail
    assert rated(run_id) == 3
    bench.answer = lambda asked, number: chat("x\nRating: 2")
    retry(run_id)
    compute(run_id)
    assert rated(run_id) == 6


def test_another_model_or_no_endpoint_is_said_before_anything_is_asked(bench: Bench) -> None:
    bench.put(model="n")
    with pytest.raises(RunFailure, match="has another model now"):
        compute(bench.new())
    judge_settings.remove("main")
    with pytest.raises(RunFailure, match="no judge endpoint 'main'"):
        compute(bench.new())
    assert bench.stub.asked == []
