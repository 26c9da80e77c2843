"""Finished experiments that grow by models and data sets: new blocks, and nothing computed twice."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.db.models import BaseModelEntry, Experiment
from backend.db.session import transaction
from backend.services import experiments
from tests.backend.cli import aft
from tests.backend.client import client
from tests.backend.comparing import finish, spec_of
from tests.backend.test_experiment_actions import act
from tests.backend.test_experiments import body, start
from tests.factories import TINY, make_dataset

__all__ = ["body"]


@pytest.fixture
def others(body: dict[str, Any]) -> dict[str, str]:
    """A second model and a second data set, by what they are."""
    assert body["methods"]
    with transaction() as session:
        model = BaseModelEntry(name="second", source="builtin", config=TINY.model_dump(mode="json") | {"layers": 1})
        session.add(model)
        session.flush()
        return {"model": model.id, "dataset": make_dataset(session, train=14, validation=2, test=20)[0]}


@pytest.fixture
def experiment(body: dict[str, Any], others: dict[str, str]) -> dict[str, Any]:
    """Finished, on one data set and one model."""
    assert others
    with client() as web:
        found = start(web, body)
        with transaction() as session:
            finish(session, session.get_one(Experiment, found["id"]))
        return read(web, found)


def read(web: TestClient, experiment: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = web.get(f"/api/v1/experiments/{experiment['id']}").json()
    return found


def run_ids(experiment: dict[str, Any]) -> dict[str, str]:
    return {cell["cell"]: cell["run_id"] for cell in experiment["cells"]}


def test_a_model_is_added_as_a_block_and_finished_cells_stay(
    experiment: dict[str, Any], others: dict[str, str]
) -> None:
    added: dict[str, Any] = {"more_models": [others["model"]]}
    with client() as web:
        table = web.get(f"/api/v1/experiments/{experiment['id']}/comparison").json()
        plan = act(web, experiment, "extend/plan", **added)
        grown = act(web, experiment, "extend", **added)
        assert web.get(f"/api/v1/experiments/{experiment['id']}/comparison").json()["rows"] == table["rows"]
        other = web.get(f"/api/v1/experiments/{experiment['id']}/comparison", params={"block": "d1m2"}).json()
    before, after = run_ids(experiment), run_ids(grown)
    assert {cell: after[cell] for cell in before} == before
    new = set(after) - set(before)
    assert new == {node["cell"] for node in plan["nodes"]}
    assert plan["runs_new"] == len(new) == len(before)
    assert {cell["block"] for cell in grown["cells"] if cell["cell"] in new} == {"d1m2"}
    assert [block["key"] for block in grown["blocks"]] == ["d1m1", "d1m2"]
    assert grown["state"] == "running"
    assert grown["counts"]["succeeded"] == len(before)
    assert other["rows"][0]["missing"] == ["seed 1: waiting", "seed 2: waiting"]


def test_a_data_set_is_added_and_its_model_is_not_made_again(
    experiment: dict[str, Any], others: dict[str, str]
) -> None:
    with client() as web:
        plan = act(web, experiment, "extend/plan", more_datasets=[{"dataset_version_id": others["dataset"]}])
        assert not any(node["stage"] == "base" for node in plan["nodes"])
        assert plan["runs_new"] == len(experiment["cells"]) - 1
        grown = act(web, experiment, "extend", more_datasets=[{"dataset_version_id": others["dataset"]}])
        assert grown["spec"]["more_datasets"][0]["split_id"] is not None
        # A method added later comes on every data set.
        both = act(web, grown, "extend/plan", methods=[{"name": "rrhf"}])
        assert {node["block"] for node in both["nodes"]} == {"d1m1", "d2m1"}
        # Both at once: the new model on either data set.
        corner = act(web, grown, "extend", more_models=[others["model"]])
    assert [block["key"] for block in corner["blocks"]] == ["d1m1", "d1m2", "d2m1", "d2m2"]
    assert {cell: run for cell, run in run_ids(corner).items() if cell in run_ids(grown)} == run_ids(grown)


def test_the_trained_models_are_tested_on_one_more_data_set(experiment: dict[str, Any], others: dict[str, str]) -> None:
    added: dict[str, Any] = {"also_test_on": [{"dataset_version_id": others["dataset"]}]}
    with client() as web:
        grown = act(web, experiment, "extend", **added)
        again = act(web, experiment, "extend", 422, **added)
    new = [cell for cell in grown["cells"] if cell["block"] == "d1m1t1"]
    assert {cell["stage"] for cell in new} == {"evaluate"}
    assert len(new) == len(grown["cells"]) - len(experiment["cells"]) == 6
    # Their inputs are done, so they wait for nothing.
    assert {cell["state"] for cell in new} == {"queued"}
    assert "named twice" in again["detail"]


def test_what_is_unknown_or_there_already_changes_nothing(experiment: dict[str, Any], others: dict[str, str]) -> None:
    with client() as web:
        assert "no" in act(web, experiment, "extend", 404, more_models=["0" * 32])["detail"]
        act(web, experiment, "extend", 404, more_datasets=[{"dataset_version_id": "0" * 32}])
        known = act(web, experiment, "extend", 422, more_models=[experiment["base_model_id"]])
        assert known["detail"].startswith("The experiment has model ")
        own = {"dataset_version_id": experiment["dataset_version_id"]}
        assert "named twice" in act(web, experiment, "extend", 422, more_datasets=[own])["detail"]
        twice = act(web, experiment, "extend", 422, more_models=[others["model"]] * 2)
        assert "named twice" in twice["detail"]
        assert read(web, experiment) == experiment


@pytest.mark.usefixtures("data_directory")
def test_the_command_adds_models_and_data_sets() -> None:
    with transaction() as session:
        experiment_id = experiments.start(session, spec_of(session, seeds=[1]), request_id=None).id
        cells = len(experiments.cells(session, experiment_id))
        dataset, split = make_dataset(session, train=14, validation=2, test=20)
        tested, _ = make_dataset(session, train=2, validation=2, test=10)
    out = aft("experiments", "extend", experiment_id, "--dataset", f"{dataset}/{split}", "--test-on", tested)
    # The base model is shared; five methods are tested on either data set's models.
    assert f"{cells - 1 + 2 * 5} runs added to the {cells} there were" in out
    assert "There is no" in aft("experiments", "extend", experiment_id, "--model", "luck", status=1)
