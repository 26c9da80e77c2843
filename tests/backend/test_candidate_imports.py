"""Candidate files: matched, graded, rated, decided about; hostile and broken ones refused by row."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from aft.config.experiment import ExperimentSpec
from aft.data.candidate_rows import detect_columns, parse_row
from aft.data.readers import RowError
from aft.data.splits import SplitSpec
from backend.db.models import Candidate, CandidateSet, Checkpoint, Rating, Run, Score
from backend.db.session import reading, transaction
from backend.errors import AppError
from backend.schemas.candidate_imports import CandidateImportConfig
from backend.services import (
    candidate_import_run,
    candidate_imports,
    candidates,
    datasets,
    experiments,
    runs,
    splits,
)
from backend.services.runs import Outcome
from tests.backend.cli import aft
from tests.backend.client import client
from tests.backend.importing import gsm8k, imported, jsonl, packed, send, stored_files
from tests.factories import make_base_model, make_run

API = "/api/v1/candidate-imports"
HOSTILE = "<img src=x onerror=alert(1)> \u202eevil\u202c \x07 #### 5"


def cot_rows(count: int) -> list[dict[str, Any]]:
    """Two COTs of each question of ``gsm8k(count)``, the second wrong, the first rated 9 and the second 2."""
    rows = []
    for item in gsm8k(count):
        answer = int(item["answer"].split("#### ")[1])
        for offset, rating in ((0, 9), (1, 2)):
            text = f"We add 2.\nThe answer is {answer + offset}."
            rows.append({"question": item["question"], "response": text, "model": f"m{offset}", "rating": rating})
    return rows


def compute(run_id: str) -> bool:
    """Do what the worker does."""
    with transaction() as session:
        run = runs.get(session, run_id)
        claim = runs.claim(session, run_id, run.attempt, "host:1:0:test")
        assert claim is not None
        config = CandidateImportConfig.model_validate(run.config)
    try:
        done = candidate_import_run.run_import(
            run_id=run_id, config=config, fence=lambda session: runs.fence(session, claim),
            progress=lambda done, total, phase: None, should_stop=lambda: False,
        )  # fmt: skip
    except AppError as error:
        with transaction() as session:
            runs.finish(session, claim, Outcome("failed", error={"title": error.title, "detail": error.detail}))
        raise
    with transaction() as session:
        assert runs.finish(session, claim, Outcome("succeeded"))
    return done


def start(web: TestClient, name: str, content: bytes, version_id: str, **values: Any) -> str:
    """Upload a file and ask for its import; gives the run."""
    body = {"upload_id": send(web, name, content)["id"], "dataset_version_id": version_id, "name": "pool", **values}
    answer = web.post(API, json=body)
    assert answer.status_code == 202, answer.text
    run_id: str = answer.json()["run_id"]
    return run_id


def test_a_rated_file_becomes_a_candidate_set(database: str) -> None:
    with client() as web:
        version = imported(web, {"train.jsonl": jsonl(gsm8k(6))})
        run_id = start(web, "cots.jsonl.gz", packed(jsonl(cot_rows(6))), version["id"], rater="Ann")
        assert web.get(f"/api/v1/candidate-sets/{run_id}/questions").status_code == 404
        compute(run_id)
        read = web.get(f"{API}/{run_id}").json()
        assert (read["state"], read["n_rows"], read["n_questions"], read["n_rated"]) == ("ready", 12, 6, 12)
        one = web.get(f"/api/v1/candidate-sets/{run_id}").json()
        assert one["counts"] | {"right": 6, "wrong": 6, "rated": 12, "all": 12, "questions": 6} == one["counts"]
        assert (one["kind"], one["purpose"], one["sources"]) == ("import-cots", "imported", {"m0": 6, "m1": 6})
        low = web.get(f"/api/v1/candidate-sets/{run_id}/candidates", params={"max_rating": 0.5}).json()["items"]
        assert [row["verdict"] for row in low] == ["wrong"] * 6
        named = web.get(f"/api/v1/candidate-sets/{run_id}/candidates", params={"source_model": "m0"}).json()["items"]
        assert {row["model"] for row in named} == {"m0"}
        assert len(named) == 6
        group = web.get(f"/api/v1/candidate-sets/{run_id}/questions/{low[0]['example_id']}").json()
        assert group["candidates"][0]["ratings"][0]["rater"] == "Ann"
        queue = {"name": "q", "mode": "verify", "source": {"run_id": run_id, "n": 3}, "reviews_per_item": 1}
        assert web.post("/api/v1/review-queues", json=queue).status_code == 201
        used = web.delete(f"{API}/{run_id}")
        assert used.status_code == 409
        assert "review queue" in used.json()["detail"]
    with reading() as session:
        ratings = list(session.scalars(select(Rating)))
        assert {(row.source, row.scale, row.rater) for row in ratings} == {("import", "1-10", "Ann")}
        assert len({row.import_id for row in ratings}) == 1
    assert stored_files() == []


def test_rows_that_cannot_be_taken_are_named_and_decided_about(data_directory: Path) -> None:
    rows = cot_rows(3)
    broken: list[Any] = [
        {**rows[0], "question": "What is love?"},
        {**rows[0], "response": "  "},
        {**rows[0], "rating": "splendid"},
        {**rows[0], "rating": 11},
        b"{broken",
        {"response": "no question named"},
    ]
    with client() as web:
        version = imported(web, {"train.jsonl": jsonl(gsm8k(3))})
        preview = web.post(
            f"{API}/preview",
            json={
                "upload_id": send(web, "a.jsonl", jsonl([*broken, *rows]))["id"],
                "dataset_version_id": version["id"],
            },
        ).json()
        assert preview["columns"]["text"] == "response"
        assert preview["scale"] == "1-10"
        assert [row["reason"] is None for row in preview["rows"]] == [False] * 6 + [True] * 6
        assert [row["verdict"] for row in preview["rows"][6:8]] == ["right", "wrong"]
        run_id = start(web, "cots.jsonl", jsonl([*broken, *rows]), version["id"], scale="1-10")
        compute(run_id)
        read = web.get(f"{API}/{run_id}").json()
        assert (read["state"], read["n_rows"], read["n_rejected"]) == ("review", 6, 6)
        reasons = {row["row_number"]: row["reason"] for row in read["rejects"]}
        assert "No question of the data set has this text: 'What is love?'" in reasons[1]
        assert "empty" in reasons[2]
        assert "splendid" in reasons[3]
        assert "1 to 10" in reasons[4]
        assert "names no question" in reasons[6]
        lines = web.get(f"{API}/{run_id}/rejects.jsonl").text.splitlines()
        assert [json.loads(line)["row"] for line in lines] == [1, 2, 3, 4, 5, 6]
        assert web.get(f"/api/v1/candidate-sets/{run_id}").status_code == 404
        assert web.post(f"{API}/{run_id}/accept").status_code == 204
        assert web.post(f"{API}/{run_id}/accept").status_code == 409
        assert web.get(f"/api/v1/candidate-sets/{run_id}").json()["counts"]["all"] == 6
        assert web.delete(f"{API}/{run_id}").status_code == 204
        assert web.get(f"/api/v1/candidate-sets/{run_id}").status_code == 404
    with reading() as session:
        assert session.scalars(select(Candidate)).all() == []
        assert session.scalars(select(Rating)).all() == []


def test_an_import_that_may_not_have_gaps_leaves_nothing(data_directory: Path) -> None:
    with client() as web:
        version = imported(web, {"train.jsonl": jsonl(gsm8k(3))})
        rows = [*cot_rows(3), {"question": "unknown", "response": "x"}]
        run_id = start(web, "cots.jsonl", jsonl(rows), version["id"], on_invalid="fail")
        with pytest.raises(AppError, match=r"1 rows cannot be imported.*Row|First, row 7"):
            compute(run_id)
        other = start(web, "cots.jsonl", jsonl([{"question": "unknown", "response": "x"}] * 3), version["id"])
        with pytest.raises(AppError, match="None of the 3 rows read"):
            compute(other)
        assert web.get(f"/api/v1/candidate-sets/{run_id}").status_code == 404
        unmapped = {
            "upload_id": send(web, "a.jsonl", jsonl([{"a": 1}]))["id"],
            "dataset_version_id": version["id"],
            "name": "x",
        }
        answer = web.post(API, json=unmapped)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "columns"


def test_an_interrupted_import_begins_anew(data_directory: Path) -> None:
    with client() as web:
        version = imported(web, {"train.jsonl": jsonl(gsm8k(4))})
        run_id = start(web, "cots.jsonl", jsonl(cot_rows(4)), version["id"])
        with transaction() as session:
            run = runs.get(session, run_id)
            claim = runs.claim(session, run_id, run.attempt, "host:1:0:test")
            config = CandidateImportConfig.model_validate(run.config)
        assert claim is not None
        fenced = iter([None] * 3)

        def fence(session: Any) -> None:
            if next(fenced, 1) is not None:
                raise RuntimeError("killed")

        for fails in (fence, lambda session: None):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(candidate_import_run, "BATCH_ROWS", 3)
                try:
                    candidate_import_run.run_import(
                        run_id=run_id, config=config, fence=fails, progress=lambda *_: None, should_stop=lambda: False
                    )
                except RuntimeError:
                    continue
        with reading() as session:
            totals = session.get_one(CandidateSet, run_id)
            assert (totals.state, totals.n_candidates, totals.n_rated) == ("ready", 8, 8)


def test_lists_of_steps_true_and_false_and_hostile_texts(data_directory: Path) -> None:
    question = gsm8k(1)[0]["question"]
    rows = [
        {"question": question, "model_output_steps": ["Step 1: a", "", "Step 2: 0 + 2 = 3", "#### 3"],
         "model_output_solution_correctness": "wrong", "model_output_solution_first_error_step": 2,
         "model_output_solution_first_error_reason": "a slip"},
        {"question": f"  {question.upper()} ", "model_output_steps": [HOSTILE, "x" * 200_000],
         "model_output_solution_correctness": "correct", "model_output_solution_first_error_step": "N/A"},
    ]  # fmt: skip
    with client() as web:
        version = imported(web, {"train.jsonl": jsonl(gsm8k(1))})
        run_id = start(web, "mr.jsonl", jsonl(rows), version["id"])
        compute(run_id)
        question_id = web.get(f"/api/v1/candidate-sets/{run_id}/questions").json()["items"][0]["example_id"]
        shown = web.get(f"/api/v1/candidate-sets/{run_id}/questions/{question_id}").json()["candidates"]
    rating = shown[0]["ratings"][0]
    assert (rating["value"], rating["note"]) == (0.0, "a slip")
    step = rating["wrong_steps"][0]
    assert shown[0]["text"][step["start"] : step["end"]] == "Step 2: 0 + 2 = 3"
    assert shown[1]["text"].startswith("<img src=x")
    assert shown[1]["text_truncated"] is True


def test_parquet_by_ids_from_the_command_line(data_directory: Path, tmp_path: Path) -> None:
    with client() as web:
        questions = [{**row, "id": f"q{index}"} for index, row in enumerate(gsm8k(3))]
        mapping = {"question": "question", "reference": "answer", "id": "id"}
        upload = send(web, "train.jsonl", jsonl(questions))
        from tests.backend.importing import ask, version_of
        from tests.backend.importing import compute as compute_questions

        started = ask(web, [{"upload_id": upload["id"], "mapping": mapping}])
        compute_questions(started["run_id"])
        version = version_of(web, started)
    file = tmp_path / "cots.parquet"
    table = {"qid": ["q0", "q2", "q9"], "said": ["The answer is 2.", "The answer is 9.", "The answer is 1."]}
    pq.write_table(pa.table(table), file)
    arguments = ["cots", "import", str(file), "--dataset-version", version["id"], "--column", "text=said", "--no-wait"]
    aft(*arguments)
    with reading() as session:
        run_id = session.scalar(select(CandidateSet.run_id).where(CandidateSet.state == "staging"))
    assert run_id is not None
    compute(run_id)
    with transaction() as session:
        report = candidate_imports.read(session, run_id)
        assert (report.n_rows, report.rejects[0].reason) == (2, "No question of the data set has the id 'q9'.")
    aft("cots", "accept", run_id)
    assert run_id in aft("cots", "list")


def test_an_experiment_trains_on_imported_cots(data_directory: Path) -> None:
    with client() as web:
        version = imported(web, {"sums.jsonl": jsonl(gsm8k(8))})
        run_id = start(web, "cots.jsonl", jsonl(cot_rows(8)), version["id"])
        spec = {
            "name": "on imported COTs",
            "dataset_version_id": version["id"],
            "methods": [{"name": "vft"}, {"name": "aft"}],
            "seeds": [1],
            "candidates_from": run_id,
        }
        with transaction() as session:
            spec["base_model_id"] = make_base_model(session)
            split_spec = SplitSpec(train=5, validation=1, test=2)
            splits.create(session, datasets.get_version(session, version["id"]), split_spec, None)
        # Not read yet.
        assert web.post("/api/v1/experiments/plan", json=spec).status_code == 404
        compute(run_id)
        with transaction() as session:
            experiment = experiments.start(session, ExperimentSpec.model_validate(spec), request_id=None)
            cells = {cell.place.cell: cell.run for cell in experiments.cells(session, experiment.id)}
            training = next(run for name, run in cells.items() if name.startswith("seed 1/AFT"))
            assert runs.parents_of(session, training.id)["candidates"].id == run_id
            assert "seed 1/candidates" not in cells
        with reading() as session, pytest.raises(AppError, match="another data set version"):
            candidates.require_fitting(session, run_id, "another")


def scored_rows(count: int) -> list[dict[str, Any]]:
    """``cot_rows`` with scores of two checkpoints: the wrong COT is ahead under ``before``, behind under ``after``."""
    rows = []
    for number, row in enumerate(cot_rows(count)):
        is_wrong = number % 2 == 1
        before, after = (-0.2 - 0.01 * number, -0.9) if is_wrong else (-0.5, -0.3)
        rows.append({**row, "score_before": before, "score_after": after})
    return rows


def test_scores_of_a_file_feed_violations_filters_and_the_beta_explorer(database: str) -> None:
    with client() as web:
        version = imported(web, {"train.jsonl": jsonl(gsm8k(3))})
        upload = send(web, "cots.jsonl", jsonl(scored_rows(3)))
        preview = web.post(f"{API}/preview", json={"upload_id": upload["id"], "dataset_version_id": version["id"]})
        assert preview.json()["columns"]["scores"] == ["score_before", "score_after"]
        assert preview.json()["rows"][0]["scores"] == {"before": -0.5, "after": -0.3}
        run_id = start(web, "cots.jsonl", jsonl(scored_rows(3)), version["id"], rater="Ann", scale="1-10")
        compute(run_id)
        read = web.get(f"{API}/{run_id}").json()
        assert (read["n_scored"], read["checkpoints"]) == (6, ["before", "after"])
        base = f"/api/v1/candidate-sets/{run_id}"
        models = {one["model"]: one for one in web.get(base).json()["models"]}
        assert {name: one["n_violated"] for name, one in models.items()} == {"before": 3, "after": 0}
        before = models["before"]["model_run_id"]
        worst = web.get(f"{base}/violations", params={"model": before}).json()
        assert [round(row["margin"], 2) for row in worst["items"]] == [-0.29, -0.27, -0.25]
        violated = web.get(f"{base}/candidates", params={"model": before, "violated": True, "verdict": "wrong"}).json()
        assert len(violated["items"]) == 3
        choices = web.get(f"{base}/beta/choices").json()
        assert [one["label"] for one in choices["feedback"]] == ["Right or wrong", "Ratings by Ann"]
        for one in choices["feedback"]:
            found = web.get(f"{base}/beta", params={"model": before, "beta": 0.15, "feedback": one["value"]}).json()
            assert (found["n_with_pairs"], found["n_worse"], found["n_under"]) == (3, 3, 0)
        assert web.get("/api/v1/runs").json()["items"][0]["kind"] == "import-cots"
        named_only = web.post(f"{base}/scores", json={"model_run_id": before})
        assert named_only.status_code == 422
        assert "imported file" in named_only.json()["detail"]
        assert web.delete(f"{API}/{run_id}").status_code == 204
    candidate_imports.purge()
    with reading() as session:
        assert session.scalars(select(Score)).all() == []
        assert session.scalars(select(Run.kind).where(Run.kind == "checkpoint")).all() == []


def test_a_score_run_of_a_whole_imported_set_is_asked_for_once(database: str) -> None:
    with client() as web:
        version = imported(web, {"train.jsonl": jsonl(gsm8k(2))})
        run_id = start(web, "cots.jsonl", jsonl(cot_rows(2)), version["id"])
        compute(run_id)
        base = f"/api/v1/candidate-sets/{run_id}"
        assert web.get(f"{base}/scores").json() == []
        with transaction() as session:
            model = make_run(session, "a model", kind="train", method="VFT", seed=1)
            model_id = model.id
        assert web.post(f"{base}/scores", json={"model_run_id": model_id}).status_code == 409
        with transaction() as session:
            session.get_one(Run, model_id).state = "succeeded"
            session.add(
                Checkpoint(run_id=model_id, purpose="final", step=1, attempt=1, key="k", sha256="0" * 64, size_bytes=1)
            )
        asked = [web.post(f"{base}/scores", json={"model_run_id": model_id}).json() for _ in range(2)]
        assert [one["reused"] for one in asked] == [False, True]
        waiting = web.get(f"{base}/scores").json()
        assert [(one["model_run_id"], one["run_id"]) for one in waiting] == [(model_id, asked[0]["run_id"])]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"scores": {"a": -1, "b": None}}, {"a": -1.0}),
        ({"scores": '[{"model": "a", "score": -0.5}]'}, {"a": -0.5}),
        ({"score_a": "-2", "mean_logprob": ""}, {"a": -2.0}),
        ({"scores": {"a": 0.00001}}, {"a": 0.0}),
        ({"scores": {"a": 3}}, "above 0"),
        ({"score_a": "nan"}, "no number"),
        ({"scores": [{"score": -1}]}, "names no checkpoint"),
        ({"scores": [-1]}, "not each of them"),
        ({"scores": "{broken"}, "no JSON"),
    ],
)
def test_scores_are_read_in_every_form_or_refused(values: dict[str, Any], expected: Any) -> None:
    row = {"question": "q", "cot": "c", **values}
    columns = detect_columns(row)
    assert columns is not None
    if isinstance(expected, dict):
        assert parse_row(row, columns).scores == expected
    else:
        with pytest.raises(RowError, match=expected):
            parse_row(row, columns)


def test_a_file_that_names_too_many_checkpoints_is_refused(data_directory: Path) -> None:
    with client() as web:
        version = imported(web, {"train.jsonl": jsonl(gsm8k(12))})
        rows = [{**row, "scores": {f"c{n}": -1.0}} for n, row in enumerate(cot_rows(12))]
        run_id = start(web, "cots.jsonl", jsonl(rows), version["id"])
        with pytest.raises(AppError, match="more than 20 checkpoints"):
            compute(run_id)
