"""Experiments over several data sets and models: planned, compared block by block, and bundled whole."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from aft.config.experiment import ExperimentSpec
from aft.config.training import BuiltinModelConfig
from aft.statistics import paired_t
from backend.db.models import BaseModelEntry, Experiment
from backend.db.session import reading, transaction
from backend.services import block_plans, blocks, bundle_verify, bundles, experiments, planning, previews
from backend.services.bundle_archive import Bundle
from backend.services.planning import PlannedRun
from tests.backend.client import client
from tests.backend.comparing import finish, spec_of
from tests.backend.test_planning import make_spec
from tests.factories import TINY, make_dataset

METHODS = [{"name": "vft"}, {"name": "aft", "constraint": "boundary"}]
KEYS = ["d1m1", "d1m2", "d2m1", "d2m2", "d1m1t1", "d1m2t1", "d2m1t1", "d2m2t1"]


def joined(spec: ExperimentSpec) -> list[PlannedRun]:
    titles = {block.key: f"title of {block.key}" for block in spec.blocks}
    return block_plans.join(spec, lambda alone: planning.plan_runs(alone, BuiltinModelConfig()), titles)


def grid_spec(**changes: Any) -> ExperimentSpec:
    more: dict[str, Any] = {
        "methods": METHODS,
        "seeds": [1, 2],
        "more_datasets": [{"dataset_version_id": "v2", "split_id": "s2"}],
        "more_models": ["m2"],
        "also_test_on": [{"dataset_version_id": "v3", "split_id": "s3"}],
    }
    return make_spec(**more | changes)


def test_every_method_and_seed_is_planned_on_every_data_set_and_model() -> None:
    spec = grid_spec()
    planned = joined(spec)
    assert [block.key for block in spec.blocks] == KEYS
    cells = [run.cell for run in planned]
    assert len(cells) == len(set(cells))
    evaluated = {(run.block, run.method, run.seed) for run in planned if run.stage == "evaluate"}
    assert evaluated == {(key, label, seed) for key in KEYS for label in ("VFT", "AFT · boundary") for seed in (1, 2)}
    by_cell = {run.cell: run for run in planned}
    second = by_cell["d2m2/seed 1/AFT · boundary/train"]
    assert (second.inputs["dataset_version_id"], second.inputs["base_model_id"]) == ("v2", "m2")
    assert second.name == "Train AFT · boundary · seed 1 · title of d2m2"
    seen: set[str] = set()
    for run in planned:
        assert set(run.parents.values()) <= seen
        seen.add(run.cell)


def test_a_model_is_made_once_whatever_the_number_of_data_sets() -> None:
    planned = joined(grid_spec())
    assert [run.cell for run in planned if run.stage == "base"] == ["base", "m2/base"]
    parents = {run.cell: run.parents for run in planned}
    assert parents["d2m1/seed 1/VFT/train"]["start"] == "base"
    assert parents["d2m2/seed 1/VFT/train"]["start"] == "m2/base"


def test_a_data_set_that_is_only_tested_trains_and_assesses_nothing() -> None:
    planned = [run for run in joined(grid_spec()) if run.block == "d2m1t1"]
    assert {run.stage for run in planned} == {"evaluate"}
    tested = next(run for run in planned if run.cell == "d2m1t1/seed 2/AFT · boundary/evaluate")
    assert tested.parents == {"checkpoint": "d2m1/seed 2/AFT · boundary/train"}
    assert tested.inputs == {"dataset_version_id": "v3", "split_id": "s3", "base_model_id": "m1"} | {
        "base_model_id": "m"
    }


def test_the_first_block_is_planned_as_if_it_were_alone() -> None:
    """Finished runs of earlier experiments are taken over."""
    alone = planning.plan_runs(make_spec(methods=METHODS, seeds=[1, 2]), BuiltinModelConfig())
    assert [run for run in joined(grid_spec()) if run.block == "d1m1"] == alone


def test_seeds_come_before_blocks() -> None:
    """The first seed of every block is done before the second of any."""
    first, second = (
        [run.priority for run in joined(grid_spec()) if run.seed == seed and run.stage != "base"] for seed in (1, 2)
    )
    assert max(first) < min(second)


def test_one_candidate_set_does_not_answer_two_data_sets() -> None:
    with pytest.raises(ValueError, match="candidates_from is given, whose COTs answer the questions of one data set"):
        grid_spec(candidates_from="x")


@pytest.fixture
def experiment(data_directory: Path) -> Experiment:
    """Two data sets, two models, one more data set to test on; everything measured but one evaluation."""
    with transaction() as session:
        other, _ = make_dataset(session, train=14, validation=2, test=20)
        tested, _ = make_dataset(session, train=2, validation=2, test=10)
        model = BaseModelEntry(name="second", source="builtin", config=TINY.model_dump(mode="json") | {"layers": 1})
        session.add(model)
        session.flush()
        spec = spec_of(
            session,
            methods=METHODS,
            seeds=[1, 2],
            self_consistency=[],
            pass_at_k=[],
            more_datasets=[{"dataset_version_id": other}],
            more_models=[model.id],
            also_test_on=[{"dataset_version_id": tested}],
        )
        found = experiments.start(session, spec, request_id=None)
        finish(session, found)
        session.flush()
    return found


def ask(web: TestClient, experiment: Experiment, path: str, status: int = 200, **options: Any) -> Any:
    answer = web.get(f"/api/v1/experiments/{experiment.id}/{path}", params=options)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_each_block_is_compared_with_its_own_baseline(experiment: Experiment) -> None:
    with client() as web:
        read = web.get(f"/api/v1/experiments/{experiment.id}").json()
        assert [block["key"] for block in read["blocks"]] == KEYS
        assert read["dataset_name"] == "numbers 16 2 24 v1 and numbers 14 2 20 v1"
        assert read["base_model_name"] == "small and second"
        first = ask(web, experiment, "comparison")
        assert first["block"] == "d1m1"
        other = ask(web, experiment, "comparison", block="d2m2")
        runs = [
            {kinds["evaluate"] for row in table["rows"] for kinds in row["run_ids"].values()}
            for table in (first, other)
        ]
        assert len(runs[0]) == len(runs[1]) == 4
        assert not runs[0] & runs[1]
        tested = ask(web, experiment, "comparison", block="d1m2t1")["rows"][1]["statistics"]
        assert tested["task_accuracy"]["n"] == 2
        assert tested["assessment_accuracy"]["n"] == 0
        refused = ask(web, experiment, "comparison", 422, block="d9m1")
        assert "no block 'd9m1'" in refused["detail"]
        flips = ask(web, experiment, "flips", method="AFT · boundary", block="d2m1")
        assert flips["method_run_id"] in {kinds["evaluate"] for kinds in _runs(web, experiment, "d2m1")}
        study = ask(web, experiment, "case-study", block="d2m1")
        assert {answer["run_id"] for answer in study["answers"]} <= {
            kinds["evaluate"] for kinds in _runs(web, experiment, "d2m1", row=None)
        }


def test_a_block_is_named_by_what_tells_it_from_the_others(experiment: Experiment) -> None:
    spec = ExperimentSpec.model_validate(experiment.spec)
    one_data = spec.model_copy(update={"more_datasets": (), "also_test_on": ()})
    one_model = spec.model_copy(update={"more_models": ()})
    with reading() as session:
        named = [[block.short for block in blocks.read(session, each)] for each in (spec, one_data, one_model)]
        alone = blocks.read(session, one_data.model_copy(update={"more_models": ()}))
    assert named[0][1] == "numbers 16 2 24 v1 · second"
    assert named[1] == ["small", "second"]
    assert named[2][0] == "numbers 16 2 24 v1"
    assert named[2][2:] == [
        f"numbers 2 2 10 v1 (trained on numbers {trained} v1)" for trained in ("16 2 24", "14 2 20")
    ]
    assert [block.short for block in alone] == ["small"]


def _runs(web: TestClient, experiment: Experiment, block: str, row: int | None = 1) -> list[dict[str, str]]:
    rows = ask(web, experiment, "comparison", block=block)["rows"]
    return [kinds for item in (rows if row is None else [rows[row]]) for kinds in item["run_ids"].values()]


def test_the_overview_sets_all_blocks_side_by_side_and_says_what_is_missing(experiment: Experiment) -> None:
    with transaction() as session:
        found = {cell.place.cell: cell.run for cell in experiments.cells(session, experiment.id)}
        found["d2m1/seed 1/AFT · boundary/evaluate"].state = "cancelled"
        found["d2m1/seed 2/AFT · boundary/train"].state = "failed"
        found["d2m1/seed 2/AFT · boundary/evaluate"].state = "cancelled"
    with client() as web:
        overview = ask(web, experiment, "comparison/overview")
        assert [block["key"] for block in overview["blocks"]] == KEYS
        assert overview["blocks"][4]["trained_on"] == "numbers 16 2 24 v1"
        vft, boundary = overview["rows"]
        assert vft["over"] is None
        # Not of d2m1, which lacks runs, and not of what only tests.
        mine, theirs = ([row["cells"][key]["mean"] for key in ("d1m1", "d1m2", "d2m2")] for row in (boundary, vft))
        over = paired_t(mine, theirs)
        assert over is not None
        assert boundary["over"] == pytest.approx(asdict(over))
        assert boundary["over"]["n"] == 3
        assert vft["words"] == ""
        assert boundary["cells"]["d2m1"]["missing"] == ["seed 1: cancelled", "seed 2: failed"]
        assert boundary["cells"]["d2m1"]["n"] == 0
        one = ask(web, experiment, "comparison", block="d1m2")["rows"][1]["statistics"]["task_accuracy"]
        assert boundary["cells"]["d1m2"]["difference"] == one["difference"]
        tested = [cell["verdict"] for cell in boundary["cells"].values() if cell["verdict"] is not None]
        assert sum(int(part.split(" in ")[1].split()[0]) for part in boundary["words"].split(", ")) == len(tested)
        assert "no metric 'luck'" in ask(web, experiment, "comparison/overview", 422, metric="luck")["detail"]
        blocks = ask(web, experiment, "figures/blocks")
        assert len(blocks["rows"]) == 2 * len(KEYS)
        models = ask(web, experiment, "figures/models")
        assert [row[0] for row in models["rows"]] == ["small", "second"]
        assert "needs four models" in json.dumps(models["figure"])
        curves = ask(web, experiment, "figures/task", block="d2m2")
        assert len(curves["rows"]) == 2
        assert web.get(f"/api/v1/experiments/{experiment.id}/report.html").text.count("numbers 14 2 20 v1 · second") > 1


def test_a_bundle_holds_every_block_and_all_of_it_comes_out_again(experiment: Experiment, tmp_path: Path) -> None:
    place = tmp_path / "bundle.zip"
    place.write_bytes(b"".join(bundles.of_experiment(experiment.id)))
    with Bundle(place) as bundle:
        assert "tables/d2m1/bootstrap.json" in bundle.names
        assert "figures/d1m2t1/task.json" in bundle.names
        found = bundle_verify.verify(bundle)
    assert found.differences == []
    assert found.checked["tables"] > 4 * len(KEYS) * 50


def test_data_sets_and_models_know_the_experiments_that_use_them(experiment: Experiment) -> None:
    with client() as web:
        for path, ids in (
            ("models", experiment.spec["more_models"]),
            ("datasets", [web.get("/api/v1/datasets").json()["items"][0]["id"]]),
        ):
            for key in ids:
                users = web.get(f"/api/v1/{path}/{key}").json()["used_by"]
                assert [user["id"] for user in users] == [experiment.id]


def test_the_plan_sums_over_blocks_and_names_whose_finding_it_is(data_directory: Path) -> None:
    with transaction() as session:
        empty, _ = make_dataset(session, train=3, validation=0, test=0)
        alone = spec_of(session, methods=METHODS, seeds=[1])
        both = alone.model_copy(
            update={
                "more_datasets": ExperimentSpec.model_validate(
                    alone.model_dump() | {"more_datasets": [{"dataset_version_id": empty}]}
                ).more_datasets
            }
        )
        one, two = previews.preview(session, alone), previews.preview(session, both)
        assert two.disk_bytes > one.disk_bytes
        assert len(two.seconds) > len(one.seconds)
        errors = [item for item in two.warnings if item.level == "error"]
        assert [item.message for item in errors] == ["numbers 3 0 0 v1 · small: The split has no test questions."]
        twice = both.model_copy(update={"more_datasets": both.more_datasets * 2})
        with pytest.raises(Exception, match="is named twice"):
            previews.preview(session, twice)
