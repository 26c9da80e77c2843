"""Experiments through the API: planned, started once, followed, compared."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from backend.db.models import BaseModelEntry, ExperimentRun, Result, Run, utcnow
from backend.db.session import transaction
from tests.backend.client import client
from tests.factories import TINY, make_dataset

METHODS = [{"name": "vft"}, {"name": "rft"}, {"name": "aft", "constraint": "none"}]


@pytest.fixture
def body(database: str) -> dict[str, Any]:
    """A specification whose data and model exist, on either database."""
    with transaction() as session:
        version_id, split_id = make_dataset(session)
        model = BaseModelEntry(name="small", source="builtin", config=TINY.model_dump(mode="json"))
        session.add(model)
        session.flush()
        model_id = model.id
    return {
        "name": f"on {database}",
        "dataset_version_id": version_id,
        "split_id": split_id,
        "base_model_id": model_id,
        "methods": METHODS,
        "seeds": [1, 2],
        "max_length": 128,
        "max_new_tokens": 32,
        "validation_questions": 4,
    }


def start(web: TestClient, body: dict[str, Any], request_id: str = "request-1", **more: Any) -> dict[str, Any]:
    answer = web.post("/api/v1/experiments", json={"spec": body, "request_id": request_id, **more})
    assert answer.status_code == 201, answer.text
    result: dict[str, Any] = answer.json()
    return result


def finish(experiment_id: str, values: dict[tuple[str, int], float]) -> None:
    """Let every run succeed, with a task accuracy for some."""
    with transaction() as session:
        places = session.scalars(select(ExperimentRun).where(ExperimentRun.experiment_id == experiment_id)).all()
        for place in places:
            run = session.get_one(Run, place.run_id)
            run.state, run.started_at, run.finished_at = "succeeded", utcnow(), utcnow()
            value = values.get((place.method or "", place.seed or 0))
            if place.stage == "evaluate" and value is not None:
                for metric in ("task_accuracy", "assessment_accuracy", "perplexity"):
                    session.merge(Result(run_id=run.id, metric=metric, value=value, n=100))


def test_a_plan_names_every_run_and_stores_nothing(body: dict[str, Any]) -> None:
    with client() as web:
        plan = web.post("/api/v1/experiments/plan", json=body).json()
        assert web.get("/api/v1/experiments").json()["items"] == []
    assert plan["runs_new"] == len(plan["nodes"]) == 1 + 2 * (3 + 2 + 3)
    assert plan["can_start"] is True
    assert plan["estimate_seconds"] > 0
    assert any("No constraint on AFT · none" in item["message"] for item in plan["warnings"])
    assert "methods:" in plan["yaml"]


def test_starting_twice_starts_once(body: dict[str, Any]) -> None:
    with client() as web:
        first, second = start(web, body), start(web, body)
        assert first["id"] == second["id"]
        assert len(web.get("/api/v1/experiments").json()["items"]) == 1
    with transaction() as session:
        assert len(session.scalars(select(Run)).all()) == first["runs_total"]


def test_runs_of_equal_content_are_shared_unless_repeated(body: dict[str, Any]) -> None:
    with client() as web:
        first = start(web, body)
        more = body | {"methods": [*METHODS, {"name": "rrhf"}], "name": "one more method"}
        plan = web.post("/api/v1/experiments/plan", json=more).json()
        assert plan["runs_reused"] == first["runs_total"]
        assert plan["runs_new"] == 4
        second = start(web, more, "request-2")
        shared = {cell["run_id"] for cell in first["cells"]} & {cell["run_id"] for cell in second["cells"]}
        assert len(shared) == first["runs_total"]
        third = start(web, body, "request-3", repeat=True)
        assert not {cell["run_id"] for cell in first["cells"]} & {cell["run_id"] for cell in third["cells"]}


def test_only_runs_without_open_inputs_are_queued(body: dict[str, Any]) -> None:
    with client() as web:
        cells = start(web, body)["cells"]
    assert {cell["cell"] for cell in cells if cell["state"] == "queued"} == {"base"}
    assert all(cell["state"] == "waiting" for cell in cells if cell["cell"] != "base")


def test_cancelling_spares_runs_that_another_experiment_shares(body: dict[str, Any]) -> None:
    with client() as web:
        first = start(web, body)
        more = body | {"methods": [*METHODS, {"name": "rrhf"}]}
        second = start(web, more, "request-2")
        cancelled = web.post(f"/api/v1/experiments/{second['id']}/cancel").json()
        states = {cell["cell"]: cell["state"] for cell in cancelled["cells"]}
        assert states["seed 1/RRHF · none/train"] == "cancelled"
        assert states["seed 1/VFT/train"] == "waiting"
        assert web.get(f"/api/v1/experiments/{first['id']}").json()["state"] == "running"


def test_a_cancelled_experiment_can_be_retried(body: dict[str, Any]) -> None:
    with client() as web:
        experiment = start(web, body)
        cancelled = web.post(f"/api/v1/experiments/{experiment['id']}/cancel").json()
        assert cancelled["state"] == "cancelled"
        again = web.post(f"/api/v1/experiments/{experiment['id']}/retry").json()
    states = {cell["cell"]: cell["state"] for cell in again["cells"]}
    assert states.pop("base") == "queued"
    assert set(states.values()) == {"waiting"}


def test_the_comparison_has_means_spreads_and_says_what_is_missing(body: dict[str, Any]) -> None:
    with client() as web:
        experiment = start(web, body)
        values = {("VFT", 1): 0.30, ("VFT", 2): 0.32, ("RFT", 1): 0.36, ("RFT", 2): 0.40, ("AFT · none", 1): 0.2}
        finish(experiment["id"], values)
        table = web.get(f"/api/v1/experiments/{experiment['id']}/comparison").json()
        rows = {row["method"]: row["statistics"]["task_accuracy"] for row in table["rows"]}
        assert table["baseline"] == "VFT"
        assert rows["RFT"]["mean"] == pytest.approx(0.38)
        assert rows["RFT"]["std"] == pytest.approx(0.0282843, abs=1e-6)
        assert rows["RFT"]["difference"] == pytest.approx(0.07)
        assert 0 < rows["RFT"]["p_value"] < 1
        assert rows["AFT · none"]["n"] == 1
        assert rows["AFT · none"]["std"] is None
        assert rows["AFT · none"]["values"] == {"1": 0.2, "2": None}
        assert rows["VFT"]["difference"] is None
        csv = web.get(f"/api/v1/experiments/{experiment['id']}/comparison.csv").text
        assert "RFT,task_accuracy,0.38" in csv
        latex = web.get(f"/api/v1/experiments/{experiment['id']}/comparison.tex").text
        assert r"RFT & 2 & 38.0 $\pm$ 2.8 & 38.0" in latex
        for name in ("task", "assessment", "perplexity", "scatter", "curves"):
            figure = web.get(f"/api/v1/experiments/{experiment['id']}/figures/{name}").json()
            assert figure["figure"]["layout"]["xaxis"]
            assert figure["title"]
        page = web.get(f"/api/v1/experiments/{experiment['id']}/figures/task/file", params={"format": "html"})
        assert page.headers["content-type"].startswith("text/html")
        assert "attachment" in page.headers["content-disposition"]


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"k": 0}, "k", "greater than or equal to 2"),
        ({"seeds": []}, "seeds", "at least 1 item"),
        ({"methods": [{"name": "vft", "constraint": "boundary"}]}, "methods.0", "does not apply"),
        ({"methods": [{"name": "aft", "boundary_beta": 0.1}]}, "methods.0", "does not apply"),
        ({"nonsense": 1}, "nonsense", "not permitted"),
        ({"max_length": 100_000}, "max_length", "window is"),
        ({"base_model_id": "0" * 32}, None, "no base model"),
        ({"dataset_version_id": "f" * 32}, None, "version"),
        ({"split_id": "0" * 32}, None, "split"),
    ],
)
def test_an_impossible_setting_is_refused_with_its_name(
    body: dict[str, Any], change: dict[str, Any], field: str | None, words: str
) -> None:
    with client() as web:
        answer = web.post("/api/v1/experiments", json={"spec": body | change, "request_id": "request-9"})
        assert web.get("/api/v1/experiments").json()["items"] == []
    problem = answer.json()
    assert answer.status_code in {404, 422}
    assert answer.headers["content-type"] == "application/problem+json"
    text = problem["detail"] + " ".join(error["message"] for error in problem["errors"])
    assert words in text
    if field is not None:
        assert any(error["field"].endswith(field) for error in problem["errors"])


def test_an_experiment_that_runs_cannot_be_deleted_and_a_finished_one_can(body: dict[str, Any]) -> None:
    with client() as web:
        experiment = start(web, body)
        assert web.delete(f"/api/v1/experiments/{experiment['id']}").status_code == 409
        finish(experiment["id"], {})
        assert web.delete(f"/api/v1/experiments/{experiment['id']}").status_code == 204
        assert web.get(f"/api/v1/experiments/{experiment['id']}").status_code == 404
        assert len(web.get("/api/v1/runs").json()["items"]) == experiment["runs_total"]
