"""Sampling runs with a server or vLLM: checked first, stored as they come, resumed."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from aft.config.judge import EndpointConfig
from aft.models import build_llama, load_model
from backend.db.models import Candidate, Result, Run
from backend.db.session import reading, transaction
from backend.services import checkpoints, judge_settings, judges, runs
from tests.completions import Completions
from tests.factories import TINY, make_base_model, make_dataset
from tests.stub_endpoint import Answer, StubEndpoint
from tests.worker.computing import compute, create
from worker.failures import RunFailure, describe

SAMPLING = {
    "kind": "sample", "k": 3, "max_new_tokens": 12, "engine": "openai", "endpoint": "main", "endpoint_model": "tiny",
}  # fmt: skip


class Chain:
    """A finished model and a server of it."""

    def __init__(self) -> None:
        with transaction() as session:
            version_id, split_id = make_dataset(session)
            model_id = make_base_model(session)
        self.inputs = {"dataset_version_id": version_id, "split_id": split_id, "base_model_id": model_id}
        self.base = create(kind="pretrain", config=TINY.model_dump(mode="json"), inputs=self.inputs)
        compute(self.base)
        with reading() as session:
            place = checkpoints.final_directory(session, self.base)
        assert place is not None
        self.directory = place
        self.server = Completions(*load_model(place))
        self.stub = StubEndpoint(self.server)
        self.put()

    def put(self, **settings: Any) -> None:
        values = {"base_url": self.stub.url, "model": "tiny", "concurrency": 1, "max_retries": 0, **settings}
        judge_settings.put("main", EndpointConfig.model_validate(values), None)

    def new(self, **changes: Any) -> str:
        return create(
            kind="sample", config={**SAMPLING, **changes}, inputs=self.inputs, parents={"checkpoint": self.base}
        )


@pytest.fixture
def chain(data_directory: Path) -> Iterator[Chain]:
    made = Chain()
    yield made
    made.stub.close()


def candidates(run_id: str) -> list[Candidate]:
    with reading() as session:
        return list(session.scalars(select(Candidate).where(Candidate.run_id == run_id)))


def result(run_id: str, metric: str) -> Result:
    with reading() as session:
        return session.get_one(Result, (run_id, metric))


def test_samples_come_from_the_server_after_it_was_compared(chain: Chain) -> None:
    run_id = chain.new()
    compute(run_id)
    found = candidates(run_id)
    assert len(found) == 36
    assert not any(each.is_reencoded for each in found)
    engine = result(run_id, "sampling_engine")
    assert engine.details is not None
    assert engine.details["mode"] == "ids"
    assert engine.details["agreement"]["largest_gap"] < 1e-4
    # The budget counts every request: one to find out, one to compare, one for each of 12 questions.
    with reading() as session:
        assert judges.used(session, "main").requests == len(chain.stub.asked) == 14


def test_a_server_of_another_model_is_refused_with_the_command_that_serves_the_right_one(chain: Chain) -> None:
    other: Any = build_llama(TINY, chain.server.tokenizer, seed=99)
    chain.server.model = other.eval()
    run_id = chain.new()
    with pytest.raises(RunFailure) as failure:
        compute(run_id)
    assert "serves another model" in failure.value.detail
    assert f"--model {chain.directory} --served-model-name tiny" in failure.value.remedy
    assert candidates(run_id) == []


def test_what_a_dying_server_gave_stays_and_a_retry_goes_on(chain: Chain) -> None:
    run_id = chain.new()
    chain.server.interfere = lambda body, number: Answer({"error": "dead"}, status=500) if number > 6 else None
    with pytest.raises(RunFailure, match="could not go on"):
        compute(run_id)
    before = {(each.example_id, each.sample_index): each.token_ids for each in candidates(run_id)}
    assert len(before) == 15
    chain.server.interfere = lambda body, number: None
    with transaction() as session:
        session.get_one(Run, run_id).state = "failed"
        runs.retry(session, run_id)
    compute(run_id)
    after = {(each.example_id, each.sample_index): each.token_ids for each in candidates(run_id)}
    assert len(after) == 36
    assert before.items() <= after.items()


def test_samples_of_a_text_server_are_marked(chain: Chain) -> None:
    chain.server.takes_ids = False
    run_id = chain.new()
    compute(run_id)
    assert {each.is_reencoded for each in candidates(run_id)} == {True}
    details = result(run_id, "sampling_engine").details
    assert details is not None
    assert (details["mode"], details["agreement"]) == ("text", None)


def test_a_changed_endpoint_is_refused(chain: Chain) -> None:
    run_id = chain.new()
    chain.put(model="other")
    with pytest.raises(Exception, match="which has 'other' now") as failure:
        compute(run_id)
    assert "Set the endpoint's model back" in describe(failure.value)["remedy"]


def test_a_used_up_budget_stops_the_run(chain: Chain) -> None:
    chain.put(budget_requests=5)
    with pytest.raises(RunFailure) as failure:
        compute(chain.new())
    assert "budget of 5 requests is used up" in failure.value.detail


def test_without_vllm_the_run_says_how_to_get_it(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(RunFailure) as failure:
        compute(chain.new(engine="vllm", endpoint=None, endpoint_model=""))
    assert "pip install 'aft-workbench[vllm]'" in failure.value.detail
