"""Ranking sets through the API, and experiments that train on them."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from aft.config.experiment import ExperimentSpec
from backend.db.models import RankingSetEntry, Run
from backend.db.session import transaction
from backend.services import experiments, runs
from backend.services.planning import plan_runs
from backend.services.ranking_plan import GivenRatings, with_given_ratings
from tests.backend.client import client
from tests.backend.reviewing import (
    Sampled,
    make_queue,
    new_submission_id,
    reviewer,
    sample_set,
    submit,
    take,
)
from tests.backend.test_planning import make_spec
from tests.factories import make_base_model

BASE = "/api/v1/ranking-sets"


@pytest.fixture
def sampled(database: str) -> Sampled:
    return sample_set()


def body(name: str = "People", **changes: Any) -> dict[str, Any]:
    return {"name": name, **changes}


def ranked_queue(web: TestClient, sampled: Sampled) -> dict[str, Any]:
    """Ann ranks two COTs of each of the first four questions she meets."""
    queue = make_queue(web, sampled, mode="rank", candidates_per_item=2, reviews_per_item=1)
    with reviewer("Ann") as ann:
        for item in take(ann, queue["id"], 4):
            submit(ann, item)
    return queue


def test_a_version_is_made_once_and_never_changes(sampled: Sampled) -> None:
    with client() as web:
        queue = ranked_queue(web, sampled)
        asked = body(source={"queue_id": queue["id"]})
        preview = web.post(f"{BASE}/preview", json=asked).json()
        made = web.post(BASE, json={**asked, "request_id": new_submission_id()}).json()
        assert (made["version"], made["sha256"]) == (1, preview["sha256"])
        assert made["statistics"] == preview["statistics"]
        statistics = made["statistics"]
        assert (statistics["questions"], statistics["pairs"], statistics["candidates"]) == (4, 4, 8)
        assert statistics["dropped"] == {"no rating of these raters": 8}
        assert statistics["raters"] == {"Ann": 8}
        again = web.post(BASE, json=asked).json()
        assert again["id"] == made["id"]
        with reviewer("Ann") as ann:
            submit(ann, take(ann, queue["id"], 1)[0])
        second = web.post(BASE, json=asked).json()
        assert (second["version"], second["statistics"]["pairs"]) == (2, 5)
        assert web.get(f"{BASE}/{made['id']}").json() == made
        listed = web.get(BASE, params={"queue_id": queue["id"]}).json()["items"]
        assert [one["version"] for one in listed] == [2, 1]
    with transaction() as session:
        counted = select(func.count()).where(RankingSetEntry.ranking_set_id == made["id"])
        assert session.scalar(counted) == 8


def test_a_candidate_set_combines_judge_and_people(sampled: Sampled) -> None:
    with client() as web:
        queue = ranked_queue(web, sampled)
        raters = web.get(f"{BASE}/raters", params={"run_id": sampled.run_id}).json()
        assert raters == [
            {"source": "judge", "rater": "oracle", "scale": "1-10", "n": 32},
            {"source": "person", "rater": "Ann", "scale": "rank", "n": 8},
        ]
        settings = {"sources": ["person", "judge"]}
        mixed = body(source={"run_id": sampled.run_id}, settings=settings)
        refused = web.post(f"{BASE}/preview", json=mixed)
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "settings.scale"
        both = web.post(BASE, json={**mixed, "settings": {**settings, "scale": "1-10"}}).json()
        assert both["statistics"]["candidates"] == 32
        judged = body("Judge", source={"run_id": sampled.run_id}, settings={"sources": ["judge"]})
        assert web.post(BASE, json=judged).json()["statistics"]["pairs"] == 6 * 8
        nobody = body(source={"queue_id": queue["id"]}, settings={"raters": ["Nobody"]})
        assert web.post(BASE, json=nobody).status_code == 422
        unclear = body(source={"run_id": sampled.run_id, "queue_id": queue["id"]})
        assert web.post(BASE, json=unclear).status_code == 422
        assert web.get(f"{BASE}/none").status_code == 404


def test_a_blind_reviewer_sees_no_set_of_an_unfinished_queue(sampled: Sampled) -> None:
    with client() as web:
        queue = ranked_queue(web, sampled)
    with reviewer("Ann") as ann:
        asked = body(source={"queue_id": queue["id"]})
        assert ann.post(f"{BASE}/preview", json=asked).status_code == 403
        assert ann.post(BASE, json=asked).status_code == 403
        assert ann.get(f"{BASE}/raters", params={"queue_id": queue["id"]}).status_code == 403


def test_a_plan_on_a_ranking_set_samples_and_rates_nothing() -> None:
    methods = [{"name": "vft"}, {"name": "rft"}, {"name": "aft"}, {"name": "pro", "constraint": "detached"}]
    spec = make_spec(seeds=[1, 2], feedback="ranking", methods=methods)
    given = GivenRatings("set", "candidates", {"train_questions": 50, "question_seed": 9})
    planned = with_given_ratings(plan_runs(spec, None), given, "people")
    assert {run.stage for run in planned} == {"vft", "assessment-sample", "train", "evaluate"}
    cells = {run.cell for run in planned}
    for run in planned:
        assert set(run.parents.values()) <= cells
        assert (run.inputs["train_questions"], run.inputs["question_seed"]) == (50, 9)
        assert run.inputs.get("agreement_set_id") == ("people" if run.stage == "evaluate" else None)
    by_cell = {run.cell: run for run in planned}
    assert by_cell["seed 1/AFT · none/train"].outside == {"candidates": "candidates"}
    assert by_cell["seed 1/AFT · none/train"].inputs["ranking_set_id"] == "set"
    assert "ranking_set_id" not in by_cell["seed 1/RFT/train"].inputs
    assert by_cell["seed 2/assessment candidates"].outside == {"training": "candidates"}
    assert by_cell["seed 2/assessment candidates"].parents == {"checkpoint": "seed 2/VFT/train"}


def test_without_a_ranking_set_the_plan_is_unchanged() -> None:
    planned = plan_runs(make_spec(), None)
    assert with_given_ratings(planned, None, None) == planned


def test_an_experiment_starts_on_the_sets_candidates(sampled: Sampled) -> None:
    with transaction() as session:
        model_id = make_base_model(session)
        session.get_one(Run, sampled.run_id).state = "succeeded"
    with client() as web:
        judged = body("Judge", source={"run_id": sampled.run_id}, settings={"sources": ["judge"]})
        set_id = web.post(BASE, json=judged).json()["id"]
    spec = ExperimentSpec.model_validate(
        {
            "name": "on ratings",
            "dataset_version_id": sampled.version_id,
            "split_id": sampled.split_id,
            "base_model_id": model_id,
            "methods": [{"name": "vft"}, {"name": "aft", "constraint": "boundary"}],
            "seeds": [1],
            "feedback": "ranking",
            "ranking_set_id": set_id,
            "agreement_set_id": set_id,
        }
    )
    with transaction() as session:
        experiment = experiments.start(session, spec, request_id=None)
        cells = {cell.place.cell: cell.run for cell in experiments.cells(session, experiment.id)}
        assert {run.kind for run in cells.values()} == {"pretrain", "train", "sample", "evaluate"}
        parents = runs.parents_of(session, cells["seed 1/AFT · boundary/train"].id)
        assert parents["candidates"].id == sampled.run_id
        assert "ratings" not in parents
        assert cells["seed 1/AFT · boundary/evaluate"].inputs["agreement_set_id"] == set_id
    with client() as web:
        other = {**spec.model_dump(mode="json"), "dataset_version_id": "builtin:arithmetic", "split_id": None}
        refused = web.post("/api/v1/experiments/plan", json=other)
        assert refused.status_code in {404, 422}
        twice = {**spec.model_dump(mode="json"), "judge": "oracle"}
        assert "has its ratings" in web.post("/api/v1/experiments/plan", json=twice).json()["detail"]
        assert web.post("/api/v1/experiments/plan", json=spec.model_dump(mode="json")).status_code == 200
