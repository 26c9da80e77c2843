"""Mixed data sets: made of others or of files, each question with its own task."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from backend.db.models import DatasetVersion, Example
from backend.db.session import reading
from backend.services import candidates
from tests.backend.cli import aft, ids
from tests.backend.client import client
from tests.backend.importing import API, compute, gsm8k, imported, jsonl, stored_files, version_of

AQUA = [
    {"question": f"{n} + 1?", "options": ["A)1", f"B){n + 1}"], "rationale": f"It is {n + 1}.", "correct": "B"}
    for n in range(4, 8)
]


@pytest.fixture
def web(data_directory: Path) -> Iterator[TestClient]:
    with client() as made:
        yield made


@pytest.fixture
def sources(web: TestClient) -> tuple[str, str]:
    """Versions of sums and of choices."""
    sums = imported(web, {"sums_train.jsonl": jsonl(gsm8k(6)), "sums_test.jsonl": jsonl(gsm8k(4, first=50))})
    choices = imported(web, {"aqua_train.json": jsonl(AQUA)}, dataset_name="choices", task="aqua")
    return sums["id"], choices["id"]


def rows(version_id: str) -> list[Example]:
    with reading() as session:
        query = select(Example).where(Example.version_id == version_id).order_by(Example.position)
        return list(session.scalars(query))


def test_each_question_keeps_its_task_its_part_and_its_choices(web: TestClient, sources: tuple[str, str]) -> None:
    sums, choices = sources
    split = web.post(
        f"{API}/dataset-versions/{sums}/splits", json={"spec": {"train": 3, "validation": 1, "test": 2}}
    ).json()
    body = {
        "dataset_name": "both",
        "sources": [{"version_id": sums, "split_id": split["id"]}, {"version_id": choices}],
    }
    answer = web.post(f"{API}/datasets/mix", json=body)
    assert answer.status_code == 201, answer.text
    compute(answer.json()["run_id"])
    version = version_of(web, answer.json())
    assert (version["task"], version["n_rows"], version["state"]) == ("mixed", 10, "ready")
    assert [item["name"] for item in version["splits"]] == ["as in the files"]
    assert version["splits"][0]["counts"] == {"train": 7, "validation": 1, "test": 2}
    made = rows(answer.json()["version_id"])
    assert [row.task for row in made] == ["gsm8k"] * 6 + ["aqua"] * 4
    assert [(row.answer, row.choices) for row in made[-2:]] == [("B", ["1", "7"]), ("B", ["1", "8"])]
    originals = {row.question: row.reference for row in [*rows(sums), *rows(choices)]}
    assert all(row.reference == originals[row.question] for row in made)
    shown = web.get(f"{API}/dataset-versions/{version['id']}/examples").json()["items"]
    assert {item["task"] for item in shown} == {"gsm8k", "aqua"}


def test_what_cannot_be_mixed_is_refused_and_leaves_no_file(web: TestClient, sources: tuple[str, str]) -> None:
    sums, choices = sources

    def refused(*parts: dict[str, str], name: str = "both") -> tuple[int, str]:
        answer = web.post(f"{API}/datasets/mix", json={"dataset_name": name, "sources": list(parts)})
        return answer.status_code, answer.json()["detail"]

    assert refused({"version_id": sums}, {"version_id": "none"})[0] == 404
    assert "listed twice" in refused({"version_id": sums}, {"version_id": sums})[1]
    split = web.get(f"{API}/dataset-versions/{sums}/splits").json() or [
        web.post(f"{API}/dataset-versions/{sums}/splits", json={"spec": {"train": 2, "test": 1}}).json()
    ]
    wrong = {"version_id": choices, "split_id": split[0]["id"]}
    assert "another version" in refused({"version_id": sums}, wrong)[1]
    before = stored_files()
    status, detail = refused({"version_id": sums}, {"version_id": choices}, name="sums")
    assert (status, "named 'sums' already" in detail) == (409, True)
    assert stored_files() == before


def test_files_of_one_task_each_and_rows_that_say_theirs_make_a_mixed_set(web: TestClient) -> None:
    said = [
        {"task": "GSM8K", "question": "1 + 1?", "reference": "It is 2.", "answer": "2"},
        {"task": "aqua", "question": "Which?", "reference": "B.", "answer": "B", "options": ["x", "y"]},
        {"task": "poetry", "question": "Why?", "reference": "So.", "answer": "2"},
    ]
    version = imported(web, {"said.jsonl": jsonl(said)}, task="mixed", on_invalid="skip")
    assert [row.task for row in rows(version["id"])] == ["gsm8k", "aqua"]
    assert "poetry" in json.dumps(version["report"])
    files = {"train.jsonl": jsonl(gsm8k(2)), "aqua_train.json": jsonl(AQUA)}
    version = imported(web, files, task="mixed", dataset_name="files")
    assert [row.task for row in rows(version["id"])] == ["gsm8k"] * 2 + ["aqua"] * 4


def test_a_file_of_unknown_task_is_refused_in_a_mixed_import(web: TestClient) -> None:
    from tests.backend.importing import ask, send

    upload = send(web, "odd.jsonl", jsonl([{"question": "Who?", "reference": "Ann. [ANS] Ann", "answer": "Ann"}]))
    answer = ask(web, [{"upload_id": upload["id"]}], status=422, task="mixed")
    assert "task of 'odd.jsonl' is not known" in answer["detail"]


def test_answers_are_read_by_the_questions_own_task(web: TestClient, sources: tuple[str, str]) -> None:
    run_id, version_id = ids(aft("datasets", "mix", *sources, "--name", "by command", "--no-wait"))
    compute(run_id)
    with reading() as session:
        assert session.get_one(DatasetVersion, version_id).task == "mixed"
    number, letter = rows(version_id)[0], rows(version_id)[-1]
    for row, text in ((number, f"[ANS] {number.answer}"), (letter, "[ANS] (B)")):
        sample = candidates.SampledRow(
            example_id=row.id, sample_index=0, token_ids=(1,), text=text, finish_reason="stop", gold=row.answer,
            choices=tuple(row.choices) if row.choices else None, task=row.task,
        )  # fmt: skip
        assert candidates.graded("run", "mixed", sample, is_duplicate=False)["verdict"] == "right"
