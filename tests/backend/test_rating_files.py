"""Ratings from files and into files: matched by id or text, errors by row, revisions kept, exports complete."""

import csv
import io
import json
import zipfile
from typing import Any

import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from backend.db.models import Candidate, Example, Rating
from backend.db.session import transaction
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


@pytest.fixture
def sampled(data_directory: object) -> Sampled:
    return sample_set(questions=4)


def upload(web: TestClient, name: str, content: str) -> str:
    answer = web.post("/api/v1/uploads", params={"filename": name}, content=content.encode())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def jsonl(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def cots(sampled: Sampled) -> list[tuple[int, str, str, str]]:
    """(id, text, question id, question) of every COT."""
    with transaction() as session:
        query = (
            select(Candidate.id, Candidate.text, Example.external_id, Example.question)
            .join(Example, Example.id == Candidate.example_id)
            .where(Candidate.run_id == sampled.run_id)
            .order_by(Candidate.id)
        )
        return [tuple(row) for row in session.execute(query)]  # type: ignore[misc]


def current(rater: str) -> dict[int, float]:
    with transaction() as session:
        query = select(Rating.candidate_id, Rating.value).where(Rating.rater == rater, Rating.is_current)
        return dict(session.execute(query).all())


def exported(web: TestClient, **query: Any) -> tuple[str, bytes, dict[str, Any]]:
    answer = web.get("/api/v1/ratings/export", params=query)
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        (name,) = [one for one in archive.namelist() if one != "manifest.json"]
        return name, archive.read(name), json.loads(archive.read("manifest.json"))


def test_rows_are_matched_by_id_or_by_question_and_text(sampled: Sampled) -> None:
    one, two, three, _ = cots(sampled)[:4]
    rows: list[dict[str, Any]] = [
        {"candidate_id": one[0], "value": 9, "note": "good", "wrong_steps": [[0, 5]], "seconds": 12},
        {"question_id": two[2], "text": two[1], "value": 2.5, "rater": "Bob"},
        {"question": three[3], "response": f"  {three[1]} ", "rating": "7"},
    ]
    with client() as web:
        body = {"upload_id": upload(web, "ratings.jsonl", jsonl(rows)), "run_id": sampled.run_id}
        body |= {"scale": "1-10", "rater": "Eve"}
        report = web.post("/api/v1/rating-imports/check", json=body).json()
        assert (report["rows"], report["valid"], report["by_id"], report["by_text"]) == (3, 3, 1, 2)
        assert current("Eve") == {}
        stored = {**body, "request_id": new_submission_id()}
        made = web.post("/api/v1/rating-imports", json=stored).json()
        assert web.post("/api/v1/rating-imports", json=stored).json()["id"] == made["id"]
        assert current("Eve") == {one[0]: 9.0, three[0]: 7.0}
        assert current("Bob") == {two[0]: 2.5}
        again = {**body, "upload_id": upload(web, "b.csv", f"candidate_id,value\n{one[0]},4\n")}
        second = web.post("/api/v1/rating-imports", json=again).json()
        assert current("Eve") == {one[0]: 4.0, three[0]: 7.0}
        undone = web.post(f"/api/v1/rating-imports/{second['id']}/undo").json()
        assert undone == {"n_ratings": 1}
        assert current("Eve") == {three[0]: 7.0}
        listed = web.get("/api/v1/rating-imports", params={"run_id": sampled.run_id}).json()
        assert [item["id"] for item in listed] == [second["id"], made["id"]]
        assert web.post("/api/v1/rating-imports/none/undo").status_code == 404


def test_a_file_with_errors_stores_nothing_unless_they_are_skipped(sampled: Sampled) -> None:
    one, two = cots(sampled)[:2]
    rows: list[dict[str, Any]] = [
        {"candidate_id": one[0], "value": 3},
        {"candidate_id": one[0], "value": 4},
        {"candidate_id": 999_999, "value": 4},
        {"candidate_id": two[0], "value": 11},
        {"candidate_id": two[0], "value": "many"},
        {"value": 4},
        {"question_id": one[2], "text": "never said", "value": 4},
        {"candidate_id": two[0], "value": 4, "wrong_steps": [[5, 1]]},
    ]
    with client() as web:
        body = {"upload_id": upload(web, "r.jsonl", jsonl(rows)), "run_id": sampled.run_id}
        body |= {"scale": "1-10", "rater": "Eve"}
        report = web.post("/api/v1/rating-imports/check", json=body).json()
        assert (report["valid"], report["errors"]) == (1, 7)
        assert [(error["row"], error["column"]) for error in report["first_errors"]] == [
            (2, "rater"), (3, "candidate_id"), (4, "value"), (5, "value"), (6, "candidate_id"), (7, "text"),
            (8, "wrong_steps"),
        ]  # fmt: skip
        refused = web.post("/api/v1/rating-imports", json=body)
        assert refused.status_code == 422
        assert "7 of 8 rows" in refused.json()["detail"]
        assert current("Eve") == {}
        assert web.post("/api/v1/rating-imports", json={**body, "skip_errors": True}).status_code == 201
        assert current("Eve") == {one[0]: 3.0}
        unnamed = {**body, "rater": ""}
        errors = web.post("/api/v1/rating-imports/check", json=unnamed).json()["first_errors"]
        assert errors[0]["column"] == "rater"


def test_exports_hold_every_revision_with_its_evidence(sampled: Sampled) -> None:
    with client() as nobody, reviewer("Ann") as ann:
        queue = make_queue(nobody, sampled, mode="rate", source={"n": 2}, candidates_per_item=1)
        item = take(ann, queue["id"])[0]
        submit(ann, item, note="=SUM(A1)", steps={"A": [[0, 5]]}, seconds=4.5)
        submit(ann, item, values={"A": 3.0}, note="=SUM(A1)")
        name, content, manifest = exported(nobody, queue_id=queue["id"])
        (row,) = [json.loads(line) for line in content.splitlines()]
        assert name.endswith(".jsonl")
        assert (row["rater"], row["value"], row["revision"], row["queue_id"]) == ("Ann", 3.0, 2, queue["id"])
        assert (manifest["rows"], manifest["revisions"]) == (1, False)
        _, content, _ = exported(nobody, queue_id=queue["id"], revisions=True)
        rows = [json.loads(line) for line in content.splitlines()]
        assert [(one["value"], one["is_current"]) for one in rows] == [(7.0, False), (3.0, True)]
        assert (rows[0]["wrong_steps"], rows[0]["seconds"]) == ([[0, 5]], 4.5)
        _, content, _ = exported(nobody, run_id=sampled.run_id, format="csv")
        table = list(csv.DictReader(io.StringIO(content.decode())))
        assert len(table) == 16 + 1
        assert {one["note"] for one in table if one["rater"] == "Ann"} == {"'=SUM(A1)"}
        _, content, manifest = exported(nobody, run_id=sampled.run_id, format="parquet", revisions=True)
        assert pq.read_table(io.BytesIO(content)).num_rows == manifest["rows"] == 16 + 2
        assert nobody.get("/api/v1/ratings/export").status_code == 422


def test_an_export_can_be_imported_again(sampled: Sampled) -> None:
    with client() as web:
        _, content, _ = exported(web, run_id=sampled.run_id, format="csv")
        body = {"upload_id": upload(web, "again.csv", content.decode()), "run_id": sampled.run_id, "scale": "1-10"}
        report = web.post("/api/v1/rating-imports/check", json=body).json()
        assert (report["valid"], report["errors"], report["raters"]) == (16, 0, {"oracle": 16})


def test_a_blind_reviewer_exports_no_ratings_of_an_unfinished_queue(sampled: Sampled) -> None:
    with reviewer("Ann") as ann:
        queue = make_queue(ann, sampled)
        assert ann.get("/api/v1/ratings/export", params={"queue_id": queue["id"]}).status_code == 403
