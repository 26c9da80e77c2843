"""Runs that somebody chose, compared whatever experiments they belong to."""

from html import escape
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.db.models import Experiment, Run, RunParent
from backend.db.session import transaction
from backend.services import bundle_verify, experiments, runs
from backend.services.bundle_archive import Bundle
from tests.backend.cli import aft
from tests.backend.client import client
from tests.backend.comparing import finish, spec_of

METHODS = [{"name": "vft"}, {"name": "rft"}, {"name": "aft", "constraint": "boundary"}]
URL = "/api/v1/chosen-runs"


@pytest.fixture
def cells(data_directory: Any) -> dict[str, str]:
    """Run ids by cell of a finished experiment with seeds 1 and 2, and of one (``k8/...``) with another k."""
    assert data_directory
    found: dict[str, str] = {}
    with transaction() as session:
        first = spec_of(session, methods=METHODS, seeds=[1, 2], self_consistency=[], pass_at_k=[])
        for prefix, spec in (("", first), ("k8/", first.model_copy(update={"k": 8, "name": "k8"}))):
            made = experiments.start(session, spec, request_id=None)
            finish(session, made)
            found |= {f"{prefix}{cell.place.cell}": cell.run.id for cell in experiments.cells(session, made.id)}
            found[f"{prefix}id"] = made.id
    return found


def ask(web: TestClient, ids: list[str], path: str = "", status: int = 200, **options: Any) -> Any:
    answer = web.get(f"{URL}{path}", params={"run": ids, **options})
    assert answer.status_code == status, answer.text
    return answer.json() if "json" in answer.headers["content-type"] else answer.text


def test_seeds_of_one_method_are_a_row_with_the_numbers_of_its_experiment(cells: dict[str, str]) -> None:
    ids = [cells[f"seed {seed}/{label}/evaluate"] for label in ("RFT", "VFT") for seed in (2, 1)]
    with client() as web:
        table = ask(web, ids)
        whole = web.get(f"/api/v1/experiments/{cells['id']}/comparison").json()
        named = {row["method"]: row for row in whole["rows"]}
        assert [row["method"] for row in table["rows"]] == ["RFT", "VFT"]
        assert table["baseline"] == "VFT"
        for row in table["rows"]:
            theirs = named[row["method"]]
            assert row["run_ids"] == theirs["run_ids"]
            for metric in ("task_accuracy", "assessment_accuracy", "perplexity"):
                mine, other = (one["statistics"][metric] for one in (row, theirs))
                for key in ("mean", "std", "n", "difference", "p_value", "difference_low"):
                    assert mine[key] == other[key]


def test_a_training_stands_for_its_evaluation_once(cells: dict[str, str]) -> None:
    train, evaluate = cells["seed 1/RFT/train"], cells["seed 1/RFT/evaluate"]
    with client() as web:
        table = ask(web, [train, evaluate, cells["seed 1/VFT/train"]])
    rft, vft = table["rows"]
    assert rft["run_ids"] == {"1": {"evaluate": evaluate, "train": train}}
    assert rft["missing"] == []
    assert vft["statistics"]["task_accuracy"]["n"] == 1


def test_two_runs_of_different_seeds_are_compared_by_question(cells: dict[str, str]) -> None:
    ids = [cells["seed 1/VFT/evaluate"], cells["seed 2/AFT · boundary/evaluate"]]
    with client() as web:
        table = ask(web, ids, test="mcnemar")
        statistic = table["rows"][1]["statistics"]["task_accuracy"]
        assert statistic["tested_n"] == 24
        assert 0 < statistic["p_value"] <= 1
        assert table["seed"] is None
        assert "seed" not in table["test_about"]
        flips = ask(web, ids, "/flips", method="AFT · boundary")
        assert flips["p_value"] == statistic["p_value"]
        assert flips["fixed"] - flips["broken"] == pytest.approx(24 * statistic["difference"])
        assert [flips["baseline_run_id"], flips["method_run_id"]] == ids
        boot = ask(web, ids, test="bootstrap")["rows"][1]["statistics"]["task_accuracy"]
        assert boot["difference"] == pytest.approx(statistic["difference"])
        # No seed in common and one each: nothing over seeds can be tested.
        assert ask(web, ids)["rows"][1]["statistics"]["task_accuracy"]["p_value"] is None


def test_rows_of_one_method_are_told_apart_by_what_differs(cells: dict[str, str]) -> None:
    ids = [cells[f"{prefix}seed 1/RFT/train"] for prefix in ("", "k8/")]
    assert len(set(ids)) == 2
    with transaction() as session:
        changed = session.get_one(Run, ids[1])
        changed.config = {**changed.config, "optimizer": {**changed.config["optimizer"], "epochs": 7}}
    with client() as web:
        labels = [row["method"] for row in ask(web, ids)["rows"]]
    assert labels[1] == "RFT · epochs 7"
    assert labels[0].startswith("RFT · epochs ")


def test_no_more_settings_are_named_than_tell_rows_apart(cells: dict[str, str]) -> None:
    ids = [cells[f"seed 1/{label}/train"] for label in ("RFT", "VFT", "AFT · boundary")]
    lora = {"rank": 4, "alpha": 32.0, "dropout": 0.0, "target_modules": "all-linear", "quantize": "none"}
    changes: list[dict[str, Any]] = [
        {"epochs": 7},
        {"epochs": 7, "lora": lora},
        {"epochs": 9, "watch_questions": 3, "max_length": 64},
    ]
    with transaction() as session:
        for run_id, change in zip(ids, changes, strict=True):
            run = session.get_one(Run, run_id)
            epochs = {**run.config["optimizer"], "epochs": change.pop("epochs")}
            run.config = {**run.config, **change, "optimizer": epochs, "method": {"name": "rft"}}
            run.method = "RFT"
        for label in ("VFT", "AFT · boundary"):
            session.get_one(Run, cells[f"seed 1/{label}/evaluate"]).method = "RFT"
    with client() as web:
        labels = [row["method"] for row in ask(web, ids)["rows"]]
    assert labels == ["RFT · epochs 7", "RFT · epochs 7 · rank 4", "RFT · epochs 9"]


def test_a_second_run_of_a_seed_is_said_to_be_left_out(cells: dict[str, str]) -> None:
    train, evaluate = cells["seed 1/RFT/train"], cells["seed 1/RFT/evaluate"]
    with transaction() as session:
        again = runs.clone(session, evaluate).id
    with client() as web:
        row = ask(web, [evaluate, again])["rows"][0]
        waiting = ask(web, [again])["rows"][0]
    assert row["statistics"]["task_accuracy"]["n"] == 1
    assert row["missing"] == [f"seed 1: a second run is left out, {evaluate} is counted"]
    assert waiting["missing"] == ["seed 1: queued"]
    assert train


def test_figures_and_files_come_from_the_chosen_runs(cells: dict[str, str]) -> None:
    ids = [cells[f"seed {seed}/{label}/train"] for label in ("VFT", "RFT") for seed in (1, 2)]
    with client() as web:
        task = ask(web, ids, "/figures/task", hidden=["RFT"])
        assert [row[0] for row in task["rows"]] == ["VFT"]
        curves = ask(web, ids, "/figures/curves")
        assert {row[0] for row in curves["rows"]} == {"VFT", "RFT"}
        for name in ("assessment", "perplexity", "scatter", "push", "scores", "calibration", "degradation", "votes"):
            assert ask(web, ids, f"/figures/{name}")["figure"]["data"] is not None
        assert ask(web, ids, "/comparison.csv").startswith("method,metric,mean")
        assert "\\toprule" in ask(web, ids, "/comparison.tex")
        page = web.get(f"{URL}/figures/task/file", params={"run": ids, "format": "html"})
        assert page.status_code == 200


def test_what_cannot_be_compared_is_named(cells: dict[str, str]) -> None:
    with client() as web:
        assert "kind sample" in ask(web, [cells["seed 1/candidates"]], status=422)["detail"]
        ask(web, ["0" * 32], status=404)
        ask(web, [], status=422)
        ask(web, [cells["base"]] * 101, status=422)
        one = [cells["seed 1/RFT/evaluate"]]
        assert "no method 'VFT'" in ask(web, one, status=422, baseline="VFT")["detail"]
        assert "no seed 9" in ask(web, one, status=422, seed=9)["detail"]
        with transaction() as session:
            experiment = session.get_one(Experiment, cells["id"])
            lonely = runs.clone(session, cells["seed 2/RFT/train"])
            assert session.get(RunParent, (experiment.id, "checkpoint")) is None
            lonely_id = lonely.id
        assert "has no evaluation" in ask(web, [lonely_id], status=422)["detail"]


def test_the_bundle_of_chosen_runs_makes_every_number_again(cells: dict[str, str], tmp_path: Path) -> None:
    ids = [cells[f"seed {seed}/{label}/evaluate"] for label in ("VFT", "AFT · boundary") for seed in (1, 2)]
    ids.append(cells["seed 1/RFT/train"])
    place = tmp_path / "chosen.zip"
    with client() as web:
        answer = web.get(f"{URL}/bundle", params={"run": ids, "baseline": "RFT"})
        assert answer.headers["content-type"] == "application/zip"
        ask(web, ids, "/bundle", status=422, baseline="nothing")
        ask(web, ["0" * 32], "/bundle", status=404)
    place.write_bytes(answer.content)
    with Bundle(place) as opened:
        found = bundle_verify.verify(opened)
        assert {"chosen.json", "settings.yaml", "figures/scatter.json"} <= set(opened.names)
        # What the trainings learned from is in it too.
        assert {"sample", "train", "evaluate"} <= {row["kind"] for row in opened.lines("runs.jsonl")}
        assert opened.json("tables/welch.json")["table"]["baseline"] == "RFT"
    assert found.differences == []
    assert found.experiment == "Chosen runs"
    assert found.checked["tables"] >= 4 * 3 * 4 * 13
    assert found.checked["results"] > 5 * 10 * 2


def test_a_bundle_of_one_run_each_is_compared_across_seeds(cells: dict[str, str], tmp_path: Path) -> None:
    place = tmp_path / "two.zip"
    with transaction() as session:
        ids = [cells["seed 1/VFT/evaluate"], cells["seed 2/AFT · boundary/evaluate"]]
        waiting = runs.clone(session, cells["seed 1/RFT/evaluate"]).id
    with client() as web:
        place.write_bytes(web.get(f"{URL}/bundle", params={"run": [*ids, waiting]}).content)
    with Bundle(place) as opened:
        found = bundle_verify.verify(opened)
        table = opened.json("tables/mcnemar.json")["table"]
    assert found.differences == []
    assert table["rows"][1]["statistics"]["task_accuracy"]["p_value"] is not None
    assert "1 runs had not ended well" in found.notes[0]


def test_the_report_of_chosen_runs_holds_their_table_figures_and_settings(cells: dict[str, str]) -> None:
    ids = [cells["seed 1/VFT/evaluate"], cells["seed 2/AFT · boundary/evaluate"]]
    with client() as web:
        page = ask(web, ids, "/report.html", test="mcnemar")
        table = ask(web, ids, test="mcnemar")
        ask(web, ids, "/report.html", status=422, baseline="nothing")
    assert "<h1>Chosen runs</h1>" in page
    assert all(escape(note) in page for note in table["notes"])
    for part in ('id="figure-task"', 'id="figure-calibration"', "seed 2/AFT · boundary/evaluate", "fixed, ", "epochs:"):
        assert part in page


def test_the_command_line_writes_the_files_of_the_page(cells: dict[str, str], tmp_path: Path) -> None:
    ids = [cells[f"seed {seed}/{label}/train"] for label in ("VFT", "RFT") for seed in (1, 2)]
    chosen = [word for run_id in ids for word in ("--run", run_id)]
    with client() as web:
        for ending in ("csv", "tex"):
            place = tmp_path / f"table.{ending}"
            assert str(place) in aft("runs", "table", str(place), *chosen, "--baseline", "RFT", "--test", "welch")
            theirs = ask(web, ids, f"/comparison.{ending}", baseline="RFT", test="welch")
            # The server sends the bytes that the file holds, whose lines end as CSV's do.
            assert place.read_bytes().decode() == theirs
        page = tmp_path / "report.html"
        aft("runs", "report", str(page), *chosen, "--test", "mcnemar", "--seed", "2")
        assert "seed 2" in ask(web, ids, test="mcnemar", seed=2)["test_about"]
        assert escape(ask(web, ids, test="mcnemar", seed=2)["test_about"]) in page.read_text()
    bundle = tmp_path / "runs.zip"
    assert f"aft verify {bundle}" in aft("runs", "bundle", str(bundle), *chosen, "--baseline", "RFT")
    assert "Every value comes out as stored." in aft("verify", str(bundle))
    with Bundle(bundle) as opened:
        assert opened.json("tables/welch.json")["table"]["baseline"] == "RFT"


def test_the_command_line_says_why_it_writes_nothing(cells: dict[str, str], tmp_path: Path) -> None:
    run = ["--run", cells["seed 1/RFT/train"]]
    there = tmp_path / "there.zip"
    there.write_text("kept")
    assert "exists already" in aft("runs", "bundle", str(there), *run, status=1)
    assert there.read_text() == "kept"
    new = {form: str(tmp_path / f"new.{form}") for form in ("csv", "html", "zip", "xlsx")}
    assert "'new.xlsx' names no form of a table. End it in .csv or .tex." in aft(
        "runs", "table", new["xlsx"], *run, status=1
    )
    for command, form in (("table", "csv"), ("report", "html"), ("bundle", "zip")):
        assert "There is no run" in aft("runs", command, new[form], "--run", "nothing", status=1)
        assert "kind sample" in aft("runs", command, new[form], "--run", cells["seed 1/candidates"], status=1)
        assert "no method 'VFT'" in aft("runs", command, new[form], *run, "--baseline", "VFT", status=1)
        assert "at most 80 characters" in aft("runs", command, new[form], *run, "--baseline", "V" * 81, status=1)
        assert "--run" in aft("runs", command, new[form], status=2)
        nowhere = str(tmp_path / "nowhere" / f"x.{form}")
        assert "cannot be written: No such file" in aft("runs", command, nowhere, *run, status=1)
    assert {place.name for place in tmp_path.iterdir()} == {"data", "there.zip"}


def test_a_question_is_shown_under_every_chosen_row(cells: dict[str, str]) -> None:
    two = [cells["seed 1/VFT/evaluate"], cells["seed 2/AFT · boundary/evaluate"]]
    more = [*two, cells["seed 1/AFT · boundary/evaluate"]]
    with client() as web:
        alone = ask(web, two, "/case-study")
        assert [one["run_id"] for one in alone["answers"]] == two
        assert alone["seeds"] == [1]
        # With a seed in common that seed's answers stand side by side.
        paired = ask(web, more, "/case-study", example_id=alone["example_id"])
        assert [one["run_id"] for one in paired["answers"]] == [more[0], more[2]]
        assert paired["seeds"] == [1, 2]
        ask(web, two, "/case-study", status=422, seed=9)
        ask(web, two, "/case-study", status=404, example_id=10**9)
