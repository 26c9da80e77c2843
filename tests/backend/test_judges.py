"""Judge endpoints: write-only keys, checked addresses, the test button, rating runs."""

import json
import logging
import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from aft.config.judge import EndpointConfig
from aft.config.sampling import RateConfig
from backend.db.models import Candidate, Run
from backend.db.session import transaction
from backend.errors import Invalid, NotFound
from backend.schemas.judges import JudgeRunCreate
from backend.services import experiments, judge_runs, judge_settings
from tests.backend.client import client
from tests.backend.reviewing import make_queue, sample_set
from tests.factories import make_base_model, make_dataset, make_run
from tests.stub_endpoint import Answer, Asked, chat, stub_endpoint

KEY = "sk-very-secret-123"
BODY: dict[str, Any] = {"base_url": "http://127.0.0.1:9/v1", "model": "m", "api_key": KEY}


@pytest.fixture(autouse=True)
def _data(data_directory: Path) -> None:
    """Every test has a data directory of its own."""


def test_key_goes_in_and_never_comes_out(data_directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with client() as web:
        stored = web.put("/api/v1/judges/main", json=BODY)
        assert stored.status_code == 200
        assert stored.json()["has_key"] is True
        answers = [stored, web.get("/api/v1/judges"), web.get("/api/v1/judges/main")]
        assert web.get("/api/v1/judges/other").status_code == 404
    assert all(KEY not in answer.text for answer in answers)
    assert KEY not in caplog.text
    place = data_directory / "judges.json"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    _, key = judge_settings.get("main")
    assert key is not None
    assert key.get_secret_value() == KEY
    assert KEY not in repr(key)


def test_key_stays_with_its_server_only() -> None:
    with client() as web:
        web.put("/api/v1/judges/main", json=BODY)
        kept = {**BODY, "model": "n", "base_url": "http://127.0.0.1:9/other/v1"}
        del kept["api_key"]
        assert web.put("/api/v1/judges/main", json=kept).json()["has_key"] is True
        elsewhere = {**kept, "base_url": "http://127.0.0.1:10/v1"}
        assert web.put("/api/v1/judges/main", json=elsewhere).json()["has_key"] is False
        web.put("/api/v1/judges/main", json=BODY)
        assert web.put("/api/v1/judges/main", json={**BODY, "api_key": ""}).json()["has_key"] is False


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"base_url": "http://169.254.169.254/v1"}, "base_url"),
        ({"base_url": "http://[fe80::1]:80/v1"}, "base_url"),
        ({"base_url": "file:///etc/passwd"}, "base_url"),
        ({"budget_usd": 3}, "budget_usd"),
        ({"concurrency": 0}, "concurrency"),
        ({"api_key": "two words"}, "api_key"),
        ({"api_key": "x" * 2000}, "api_key"),
        ({"api_key": 77123}, "api_key"),
    ],
)
def test_what_cannot_work_names_its_field(change: dict[str, Any], field: str) -> None:
    with client() as web:
        answer = web.put("/api/v1/judges/main", json={**BODY, **change})
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == [field]
        assert "xxxx" not in answer.text
        assert "77123" not in answer.text
        assert web.get("/api/v1/judges").json()["items"] == []
        assert web.put("/api/v1/judges/..$", json=BODY).status_code == 422


def test_endpoint_can_be_forgotten() -> None:
    with client() as web:
        web.put("/api/v1/judges/main", json=BODY)
        assert web.delete("/api/v1/judges/main").status_code == 204
        assert web.delete("/api/v1/judges/main").status_code == 404


def test_damaged_settings_are_said(data_directory: Path) -> None:
    (data_directory / "judges.json").write_text("{half")
    with client() as web:
        answer = web.get("/api/v1/judges")
    assert answer.status_code == 409
    assert "judges.json" in answer.json()["detail"]


def test_trying_shows_raw_replies_beside_the_oracle() -> None:
    def answer(asked: Asked, number: int) -> Answer:
        return chat("Nice!") if "Joe" in asked.body["messages"][1]["content"] else chat("Step by step.\nRating: 9")

    with stub_endpoint(answer) as stub, client() as web:
        web.put("/api/v1/judges/main", json={**BODY, "base_url": stub.url})
        found = web.post("/api/v1/judges/main/test", json={}).json()
    assert len(found["items"]) == 10
    assert {item["expected"] for item in found["items"]} > {10.0}
    assert found["problem"] == ""
    assert found["used"]["requests"] == 10
    for item in found["items"]:
        (reply,) = item["replies"]
        assert (item["rating"] is None) == ("Joe" in item["question"] or "Joe" in item["candidate"])
        assert reply["raw"] in {"Nice!", "Step by step.\nRating: 9"}
        assert (reply["problem"] == "") == (item["rating"] == 9)


def test_trying_a_judge_that_says_nothing_readable_shows_what_it_says() -> None:
    with stub_endpoint(lambda asked, number: chat("I like cheese.")) as stub, client() as web:
        web.put("/api/v1/judges/main", json={**BODY, "base_url": stub.url})
        found = web.post("/api/v1/judges/main/test", json={}).json()
    assert found["problem"] == ""
    assert [[reply["raw"] for reply in item["replies"]] for item in found["items"]] == [["I like cheese."]] * 10


def test_trying_keeps_what_came_back_before_the_endpoint_refused() -> None:
    def answer(asked: Asked, number: int) -> Answer:
        return chat("Step by step.\nRating: 9") if number < 4 else Answer({"error": "no more"}, 403)

    with stub_endpoint(answer) as stub, client() as web:
        web.put("/api/v1/judges/main", json={**BODY, "base_url": stub.url, "concurrency": 1})
        found = web.post("/api/v1/judges/main/test", json={}).json()
    assert [item["rating"] for item in found["items"]] == [9.0] * 4
    assert "refuses the key (403)" in found["problem"]


def test_trying_a_dead_endpoint_says_so() -> None:
    with client() as web:
        web.put("/api/v1/judges/main", json={**BODY, "max_retries": 0})
        answer = web.post("/api/v1/judges/main/test", json={"n": 1})
    assert answer.status_code == 200
    assert answer.json()["items"] == []
    assert "failed" in answer.json()["problem"]


def test_rating_run_is_made_for_a_sampling_run(session: Session) -> None:
    judge_settings.put("main", _config(), None)
    sampled = make_run(session, "Sample", kind="sample")
    other = make_run(session, "Train", kind="train")
    started = judge_runs.start(session, "main", JudgeRunCreate(candidates_run_id=sampled.id))
    config = RateConfig.model_validate(started.config)
    assert config.llm is not None
    assert (config.judge, config.llm.endpoint, config.llm.model, config.llm.samples) == ("llm", "main", "m", 3)
    again = judge_runs.start(session, "main", JudgeRunCreate(candidates_run_id=sampled.id))
    assert (again.run_id, again.reused) == (started.run_id, True)
    with pytest.raises(Invalid, match="no candidates to rate"):
        judge_runs.start(session, "main", JudgeRunCreate(candidates_run_id=other.id))
    with pytest.raises(NotFound):
        judge_runs.start(session, "nobody", JudgeRunCreate(candidates_run_id=sampled.id))


def test_a_judge_rates_a_selection_or_a_queues_cots() -> None:
    judge_settings.put("main", _config(), None)
    sampled = sample_set(questions=4)
    base = "/api/v1/judges/main/runs"
    with client() as web:
        queue = make_queue(web, sampled, mode="rank", candidates_per_item=3, source={"n": 2})
        of_queue = {"queue_id": queue["id"], "samples": 2}
        assert web.post(f"{base}/preview", json=of_queue).json() == {"n_candidates": 6, "n_requests": 12}
        whole = {"candidates_run_id": sampled.run_id}
        assert web.post(f"{base}/preview", json=whole).json()["n_candidates"] == 16
        right = {**whole, "verdict": "right", "n": 5}
        assert web.post(f"{base}/preview", json=right).json()["n_candidates"] == 5
        started = web.post(base, json=right).json()
        assert web.post(base, json=right).json() == {**started, "reused": True}
        assert web.post(base, json=of_queue).json()["run_id"] != started["run_id"]
        (newest, drawn) = web.get(base).json()["items"]
        assert (newest["queue_id"], drawn["queue_id"]) == (queue["id"], None)
        assert (drawn["used"]["requests"], drawn["problem"]) == (0, "")
        for wrong in ({}, {**whole, **of_queue}, {**whole, "candidate_ids": [999]}, {**whole, "verdict": "truncated"}):
            assert web.post(f"{base}/preview", json=wrong).status_code == 422
        assert web.post(f"{base}/preview", json={"candidates_run_id": "none"}).status_code == 404
    with transaction() as session:
        ids = session.get_one(Run, started["run_id"]).inputs["candidate_ids"]
        verdicts = session.scalars(select(Candidate.verdict).where(Candidate.id.in_(ids))).all()
    assert verdicts == ["right"] * 5


def test_trying_takes_one_cot_a_question_of_a_queue() -> None:
    with stub_endpoint(lambda asked, index: chat("Step by step.\nRating: 9")) as stub, client() as web:
        judge_settings.put("main", _config().model_copy(update={"base_url": stub.url}), None)
        sampled = sample_set(questions=4)
        queue = make_queue(web, sampled, mode="rank", candidates_per_item=3, source={"n": 3})
        found = web.post("/api/v1/judges/main/test", json={"queue_id": queue["id"]}).json()
        assert len(found["items"]) == 3
        assert len({item["question"] for item in found["items"]}) == 3


def test_experiment_takes_the_endpoints_model() -> None:
    with transaction() as session:
        version_id, split_id = make_dataset(session)
        model_id = make_base_model(session)
    spec = ExperimentSpec.model_validate(
        {
            "name": "judged",
            "dataset_version_id": version_id,
            "split_id": split_id,
            "base_model_id": model_id,
            "methods": [{"name": "aft", "constraint": "boundary"}],
            "seeds": [1],
            "feedback": "ranking",
            "judge": "llm",
            "llm_judge": {"endpoint": "main"},
        }
    )
    with transaction() as session, pytest.raises(Invalid, match="no judge endpoint 'main'") as caught:
        experiments.resolve(session, spec)
    assert caught.value.field == "llm_judge.endpoint"
    judge_settings.put("main", _config(), None)
    with transaction() as session:
        planned = experiments.plan(session, spec)
    (rate,) = [run.config for run in planned.runs if run.kind == "rate"]
    assert isinstance(rate, RateConfig)
    assert rate.llm is not None
    assert rate.llm.model == "m"
    with pytest.raises(ValueError, match="llm_judge is missing"):
        ExperimentSpec.model_validate({**json.loads(spec.model_dump_json()), "llm_judge": None})


def _config() -> EndpointConfig:
    return EndpointConfig(base_url="http://127.0.0.1:9/v1", model="m")
