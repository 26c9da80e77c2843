"""Presets through the API and the command line, and the case study."""

from typing import Any

import pytest
import yaml
from sqlalchemy import select

from aft.arithmetic import oracle_rating
from aft.config.experiment import ExperimentSpec
from aft.config.method import method_label
from aft.paper.preset import mini_spec
from aft.paper.presets import NAMES, get_preset
from backend.db.models import BaseModelEntry, Candidate, Dataset, DatasetVersion, Example, ExperimentRun, Result
from backend.db.session import transaction
from tests.backend.cli import aft
from tests.backend.client import client
from tests.backend.test_experiments import finish, start
from tests.factories import TINY, make_dataset, make_other_bases

METHODS = [{"name": "vft"}, {"name": "aft"}, {"name": "aft", "constraint": "boundary"}]


@pytest.fixture
def body(database: str) -> dict[str, Any]:
    with transaction() as session:
        version_id, split_id = make_dataset(session)
        session.get_one(Dataset, session.get_one(DatasetVersion, version_id).dataset_id).builtin = True
        model = BaseModelEntry(name=f"small on {database}", source="builtin", config=TINY.model_dump(mode="json"))
        session.add(model)
        session.flush()
        make_other_bases(session)
        model_id = model.id
    return {
        "name": "case", "dataset_version_id": version_id, "split_id": split_id, "base_model_id": model_id,
        "methods": METHODS, "seeds": [1], "max_length": 128, "max_new_tokens": 32,
    }  # fmt: skip


def test_presets_come_with_both_forms_and_published_values(body: dict[str, Any]) -> None:
    with client() as web:
        items = web.get("/api/v1/presets").json()["items"]
        assert [item["name"] for item in items] == list(NAMES)
        for item in items:
            for form in ("mini", "full"):
                spec = ExperimentSpec.model_validate(item[form])
                assert spec.dataset_version_id == body["dataset_version_id"]
                assert spec.base_model_id == body["base_model_id"]
            plan = web.post("/api/v1/experiments/plan", json=item["mini"])
            assert plan.status_code == 200, plan.text
        table_2 = next(item for item in items if item["name"] == "table-2")
        values = {(v["method"], v["metric"]): v for v in table_2["published"][0]["values"]}
        assert values["aft:detached:binary", "task_accuracy"]["mean"] == pytest.approx(0.4043)
        assert table_2["full"]["optimizer"]["learning_rate"] == 2e-5
        assert "Alignment" in table_2["published_source"]


@pytest.mark.parametrize("options", [[], ["--mini"]])
def test_the_command_line_prints_a_preset_that_can_be_started(body: dict[str, Any], options: list[str]) -> None:
    shown = aft("experiments", "preset", "figure-2d", *options)
    spec = ExperimentSpec.model_validate(yaml.safe_load(shown))
    assert len(spec.self_consistency) == 5
    assert (spec.judge == "oracle") == bool(options)
    assert "Choose one of miniature, table-1" in aft("experiments", "preset", "table-99", status=1)


@pytest.mark.parametrize(
    ("name", "curves"),
    [
        ("figure-2a", {"AFT · none": [0, 0.1, 0.3, 0.6, 1], "RRHF · none": [0, 0.1, 0.3, 0.6, 1]}),
        ("figure-2b", {"AFT · detached": [3, 6, 12, 24], "AFT · boundary": [3, 6, 12, 24]}),
        ("figure-2c", {"AFT · boundary": [-0.8, -0.4, 0, 0.15, 0.4, 0.8]}),
        ("table-10", {"RRHF · none": [0.1, 0.3, 1]}),
    ],
)
def test_a_sweep_is_drawn_over_its_setting(body: dict[str, Any], name: str, curves: dict[str, list[float]]) -> None:
    spec = mini_spec(get_preset(name), (1, 2))
    labels = [method_label(method) for method in spec.methods]
    with client() as web:
        experiment_id = start(web, spec.model_dump(mode="json"))["id"]
        finish(experiment_id, {(label, seed): 0.01 * place for place, label in enumerate(labels) for seed in (1, 2)})
        answer = web.get(f"/api/v1/experiments/{experiment_id}/figures/sweep")
    assert answer.status_code == 200, answer.text
    drawn = {trace["name"]: trace for trace in answer.json()["figure"]["data"] if trace["meta"]["part"] == "sweep"}
    assert {curve: list(trace["x"]) for curve, trace in drawn.items()} == curves
    for curve, trace in drawn.items():
        assert len(set(trace["y"])) == len(curves[curve])


def test_settings_that_vary_have_a_panel_each_and_all_candidates_are_a_k(body: dict[str, Any]) -> None:
    boundary = {"name": "aft", "constraint": "boundary"}
    methods = [{"name": "vft"}, boundary, boundary | {"k": 2}, boundary | {"boundary_beta": 0.3}]
    with client() as web:
        experiment_id = start(web, body | {"methods": methods, "k": 4})["id"]
        labels = ["VFT", "AFT · boundary", "AFT · boundary · k 2", "AFT · boundary · β 0.3"]
        finish(experiment_id, {(label, seed): 0.1 * place for place, label in enumerate(labels) for seed in (1, 2)})
        read = web.get(f"/api/v1/experiments/{experiment_id}/figures/sweep").json()
    drawn = [trace for trace in read["figure"]["data"] if trace["meta"]["part"] == "sweep"]
    assert [list(trace["x"]) for trace in drawn] == [[0.15, 0.3], [2, 4]]
    assert read["title"] == "Task accuracy over each setting that varies"


def test_majority_votes_are_drawn_over_paths(body: dict[str, Any]) -> None:
    with client() as web:
        experiment_id = start(web, body | {"self_consistency": [1, 4, 16]})["id"]
        empty = web.get(f"/api/v1/experiments/{experiment_id}/figures/votes").json()
        said = empty["figure"]["layout"]["annotations"][0]["text"].replace("<br>", " ")
        assert "they come with the evaluations where self_consistency is set" in said
        finish(experiment_id, {("VFT", 1): 0.2})
        with transaction() as session:
            for place in session.scalars(select(ExperimentRun).where(ExperimentRun.experiment_id == experiment_id)):
                if place.stage == "evaluate" and place.method != "AFT · none":
                    for paths, value in ((16, 0.5), (4, 0.4), (1, 0.25)):
                        session.add(Result(run_id=place.run_id, metric=f"self_consistency@{paths}", value=value, n=9))
        found = web.get(f"/api/v1/experiments/{experiment_id}/figures/votes").json()
    assert found["rows"] == [
        [method, paths, mean, None, 1]
        for method in ("VFT", "AFT · boundary")
        for paths, mean in ((1, 25.0), (4, 40.0), (16, 50.0))
    ]


ANSWERS = {"VFT": ("7", "wrong"), "AFT · none": ("9 " * 12, "truncated"), "AFT · boundary": (None, "right")}


def store_answers(experiment_id: str) -> list[int]:
    """Greedy answers of every method to every test question; the second is right under all."""
    with transaction() as session:
        examples = list(session.scalars(select(Example).where(Example.part == "test").order_by(Example.id)))
        for place in session.scalars(select(ExperimentRun).where(ExperimentRun.experiment_id == experiment_id)):
            if place.stage != "evaluate":
                continue
            for example in examples:
                text, verdict = ANSWERS[place.method or ""]
                if text is None or example is examples[1]:
                    text, verdict = f"{example.reference} [ANS] {example.answer}", "right"
                session.add(
                    Candidate(
                        run_id=place.run_id, example_id=example.id, sample_index=0, text=text, token_ids=b"",
                        n_tokens=1, finish_reason="length" if verdict == "truncated" else "stop", verdict=verdict,
                        extractor_version=1,
                    )
                )  # fmt: skip
        return [example.id for example in examples]


def test_a_case_shows_every_method_with_its_first_wrong_step(body: dict[str, Any]) -> None:
    with client() as web:
        experiment_id = start(web, body)["id"]
        before = web.get(f"/api/v1/experiments/{experiment_id}/case-study")
        assert before.status_code == 422
        assert "Wait until" in before.text
        finish(experiment_id, {("VFT", 1): 0.2, ("AFT · none", 1): 0.2, ("AFT · boundary", 1): 1.0})
        ids = store_answers(experiment_id)
        found = web.get(f"/api/v1/experiments/{experiment_id}/case-study").json()
        assert found["example_id"] == ids[0]
        assert found["next_example_id"] == ids[2]
        assert found["steps_checked"]
        by_method = {item["method"]: item for item in found["answers"]}
        assert list(by_method) == list(ANSWERS)
        assert by_method["AFT · boundary"]["wrong_start"] is None
        vft = by_method["VFT"]
        span = oracle_rating(found["question"], vft["text"]).first_wrong_step
        assert (vft["wrong_start"], vft["wrong_end"]) == span
        assert by_method["AFT · none"]["repetition"] == pytest.approx(1 - 1 / 9)
        assert found["repetition"]["AFT · none"] > found["repetition"]["AFT · boundary"]
        agreed = web.get(f"/api/v1/experiments/{experiment_id}/case-study", params={"example_id": ids[1]}).json()
        assert {item["verdict"] for item in agreed["answers"]} == {"right"}
        nowhere = web.get(f"/api/v1/experiments/{experiment_id}/case-study", params={"example_id": 10**6})
        assert nowhere.status_code == 404
