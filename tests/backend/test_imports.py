"""Imports: rows arrive complete or not at all, and every refusal says why."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend import storage
from backend.db.models import Artifact, Dataset, DatasetVersion, Example, RowReject, Run, Split, SplitMember
from backend.db.session import reading, transaction
from backend.errors import Invalid, NotFound, StorageFull
from backend.services import import_rows, import_run, imports, runs
from tests.backend.client import client
from tests.backend.importing import (
    API,
    ask,
    ask_for,
    compute,
    count,
    gsm8k,
    imported,
    jsonl,
    packed,
    send,
    stored_files,
    version_of,
)

BROKEN: list[Any] = [
    *gsm8k(3),
    {"question": "", "answer": "#### 1"},
    b"{not json",
    {"question": "Why?", "answer": "no"},
]
TABLES = (Dataset, DatasetVersion, Example, RowReject, Split, SplitMember)


@pytest.fixture
def web(database: str) -> Iterator[TestClient]:
    """A client on an empty installation, on either database."""
    assert database
    with client() as opened:
        yield opened


@pytest.fixture
def light(data_directory: object) -> Iterator[TestClient]:
    """A client where the kind of database makes no difference."""
    assert data_directory
    with client() as opened:
        yield opened


def examples(version_id: str) -> list[Example]:
    with reading() as session:
        query = select(Example).where(Example.version_id == version_id).order_by(Example.position)
        return list(session.scalars(query))


def test_files_become_a_ready_version(web: TestClient) -> None:
    version = imported(web, {"train.jsonl": jsonl(gsm8k(40)), "test.jsonl.gz": packed(jsonl(gsm8k(10, 100)))})
    assert (version["state"], version["n_rows"], version["n_rejected"], version["number"]) == ("ready", 50, 0, 1)
    assert version["importing"]["state"] == "succeeded"
    report = version["report"]
    assert report["parts"] == {"train": 40, "test": 10}
    assert [(item["filename"], item["rows"], item["part"]) for item in report["sources"]] == [
        ("train.jsonl", 40, "train"),
        ("test.jsonl.gz", 10, "test"),
    ]
    assert sum(report["question_length"]["counts"]) == 50
    rows = examples(version["id"])
    assert [row.position for row in rows] == list(range(50))
    assert (rows[0].external_id, rows[0].answer, rows[0].choices) == ("gsm8k-train-0", "2", None)
    assert "####" not in rows[0].reference
    assert stored_files() == []


def test_hash_of_a_version_is_that_of_its_rows(web: TestClient) -> None:
    first, again = (imported(web, {"train.jsonl": jsonl(gsm8k(20))}, dataset_name=name) for name in ("a", "b"))
    other = imported(web, {"train.jsonl": jsonl(gsm8k(20, 1))}, dataset_name="c")
    assert first["sha256"] == again["sha256"] != other["sha256"]
    # Fixed, because experiments of other installations are compared by it.
    assert first["sha256"] == "ea31fff71db00e3d89d690650057797a3fdb81bd02131be94a1ca7dbd82adcc2"


def test_rows_of_every_part_make_a_split_as_in_the_files(web: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_run, "BATCH_ROWS", 1)  # ten rows a transaction
    contents = {f"{part}.jsonl": jsonl(gsm8k(n, n)) for part, n in (("train", 25), ("dev", 11), ("test", 12))}
    version = imported(web, contents)
    [split] = version["splits"]
    assert (split["name"], split["counts"]) == ("as in the files", {"train": 25, "validation": 11, "test": 12})
    with reading() as session:
        members = session.execute(
            select(SplitMember.part, SplitMember.position, Example.part, Example.position)
            .join(Example, Example.id == SplitMember.example_id)
            .order_by(Example.position)
        ).all()
    assert [(row[0], row[1]) for row in members] == [
        (part, index) for part, n in (("train", 25), ("validation", 11), ("test", 12)) for index in range(n)
    ]
    assert all(row[0] == row[2] for row in members)


def test_choices_are_kept(web: TestClient) -> None:
    row = {"question": "1 + 1 ?", "options": ["A)1", "B)2", "C)3", "D)4", "E)5"], "rationale": "x", "correct": "B"}
    version = imported(web, {"test.json": jsonl([row])}, task="aqua")
    [example] = examples(version["id"])
    assert (example.choices, example.answer) == (["1", "2", "3", "4", "5"], "B")
    [shown] = web.get(f"{API}/dataset-versions/{version['id']}/examples").json()["items"]
    assert shown["choices"] == ["1", "2", "3", "4", "5"]


def test_ecqa_is_joined_from_questions_explanations_and_lists_of_ids(light: TestClient) -> None:
    ids = [f"{n:032x}" for n in range(4)]
    questions = [
        {
            "id": id_,
            "answerKey": "A",
            "question": {"stem": f"Where is {id_}?", "choices": [{"label": x, "text": f"place {x}"} for x in "ABCDE"]},
        }
        for id_ in ids
    ]
    reasons = [{"id": id_, "positives": [], "negatives": [], "explanation": f"It is {id_}."} for id_ in ids[:2]]
    contents = {
        "train_rand_split.jsonl": jsonl(questions),
        "ecqa.jsonl": jsonl(reasons),
        "train_ids.txt": "\n".join(ids[:1]).encode(),
        "val_ids.txt": ids[1].encode(),
        "test_ids.txt": ids[2].encode(),
    }
    version = imported(light, contents, task="ecqa")
    rows = examples(version["id"])
    assert [row.part for row in rows] == ["train", "validation", "test", None]
    assert [row.reference for row in rows] == [f"It is {ids[0]}.", f"It is {ids[1]}.", "", ""]
    assert version["report"]["rows_without_reference"] == 2
    assert version["splits"][0]["counts"] == {"train": 1, "validation": 1, "test": 1}


def test_refused_rows_wait_for_a_decision_and_can_be_accepted(web: TestClient) -> None:
    started = ask_for(web, {"train.jsonl": jsonl(BROKEN)})
    assert compute(started["run_id"]).state == "review"
    version = version_of(web, started)
    assert (version["state"], version["n_rows"], version["n_rejected"]) == ("review", 3, 3)
    [listed] = web.get(f"{API}/datasets").json()["items"]
    assert (listed["newest"], [item["state"] for item in listed["pending"]]) == (None, ["review"])
    page = web.get(f"{API}/dataset-versions/{version['id']}/rejects", params={"limit": 2}).json()
    assert [(row["row_number"], row["column"]) for row in page["items"]] == [(4, "question"), (5, None)]
    rest = web.get(f"{API}/dataset-versions/{version['id']}/rejects", params={"after": page["next_after"]}).json()
    assert [row["row_number"] for row in rest["items"]] == [6]
    assert rest["next_after"] is None
    download = web.get(f"{API}/dataset-versions/{version['id']}/rejects.jsonl")
    lines = [json.loads(line) for line in download.text.splitlines()]
    assert [line["row"] for line in lines] == [4, 5, 6]
    assert lines[2]["content"] == BROKEN[5]
    assert "attachment" in download.headers["content-disposition"]
    accepted = web.post(f"{API}/dataset-versions/{version['id']}/accept")
    assert (accepted.status_code, accepted.json()["state"]) == (200, "ready")
    assert web.post(f"{API}/dataset-versions/{version['id']}/accept").status_code == 409
    assert web.post(f"{API}/dataset-versions/{version['id']}/discard").status_code == 409
    assert web.get(f"{API}/datasets").json()["items"][0]["newest"]["n_rows"] == 3
    with reading() as session:
        [artifact] = session.scalars(select(Artifact))
        assert artifact.size_bytes == len(download.content)


def test_discarded_import_leaves_nothing(web: TestClient) -> None:
    started = ask_for(
        web, {"train.jsonl": jsonl(BROKEN), "dev.jsonl": jsonl(gsm8k(2)), "test.jsonl": jsonl(gsm8k(2, 9))}
    )
    compute(started["run_id"])
    assert web.post(f"{API}/dataset-versions/{started['version_id']}/discard").status_code == 204
    assert [count(table) for table in TABLES] == [0] * len(TABLES)
    assert stored_files() == []
    assert not [file for file in stored_files("runs") if "rejects" in file.name]
    assert web.get(f"{API}/dataset-versions/{started['version_id']}").status_code == 404
    assert web.get(f"{API}/datasets/{started['dataset_id']}").status_code == 404
    assert ask_for(web, {"train.jsonl": jsonl(gsm8k(2))})["dataset_id"] != started["dataset_id"]


def test_valid_rows_are_taken_without_asking_when_told_so(light: TestClient) -> None:
    version = imported(light, {"train.jsonl": jsonl(BROKEN)}, on_invalid="skip")
    assert (version["state"], version["n_rows"], version["n_rejected"]) == ("ready", 3, 3)
    reasons = version["report"]["reject_reasons"]
    assert {reason["column"] for reason in reasons} == {"question", "answer", None}


def test_import_that_must_not_refuse_rows_fails_with_the_first(web: TestClient) -> None:
    started = ask_for(web, {"train.jsonl": jsonl(BROKEN)}, on_invalid="fail")
    with pytest.raises(Invalid, match=r"3 rows cannot be imported.*row 4 of 'train.jsonl', column 'question'"):
        compute(started["run_id"])
    assert version_of(web, started)["state"] == "discarded"
    assert [count(table) for table in (Example, RowReject, Split)] == [0, 0, 0]
    assert web.get(f"{API}/datasets").json()["items"] == []
    assert "3 rows" in version_of(web, started)["importing"]["error"]["detail"]


def test_file_without_a_valid_row_fails_the_import(light: TestClient) -> None:
    rows = [{"question": f"q{n}", "answer": "#### x"} for n in range(30)]
    started = ask_for(light, {"train.jsonl": jsonl(gsm8k(5)), "test.jsonl": jsonl(rows)}, on_invalid="skip")
    with pytest.raises(Invalid, match=r"None of the first 30 rows of 'test.jsonl' can be imported as gsm8k.*'x'"):
        compute(started["run_id"])
    assert count(Example) == 0


def test_hopeless_file_is_not_read_to_its_end(light: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_run, "HOPELESS_AFTER", 10)
    monkeypatch.setattr(import_rows, "BATCH_ROWS", 5)
    started = ask_for(light, {"train.jsonl": jsonl([{"question": "q", "answer": "#### x"}] * 100)})
    with pytest.raises(Invalid, match="None of the first 10 rows"):
        compute(started["run_id"])


def test_failed_import_can_be_repeated_under_the_same_name(web: TestClient) -> None:
    started = ask_for(web, {"train.jsonl": jsonl(BROKEN)}, on_invalid="fail")
    with pytest.raises(Invalid):
        compute(started["run_id"])
    again = ask_for(web, {"train.jsonl": jsonl(gsm8k(4))})
    assert again["dataset_id"] == started["dataset_id"]
    compute(again["run_id"])
    dataset = web.get(f"{API}/datasets/{again['dataset_id']}").json()
    assert [(item["number"], item["state"]) for item in dataset["versions"]] == [(2, "ready"), (1, "discarded")]
    assert dataset["n_versions"] == 1


def test_failed_import_can_be_retried_once_its_cause_is_gone(
    light: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = ask_for(light, {"train.jsonl": jsonl(gsm8k(4))})
    with monkeypatch.context() as full:
        full.setattr(storage, "free_bytes", lambda: 100)
        with pytest.raises(StorageFull, match="needs about"):
            compute(started["run_id"])
    with transaction() as session:
        runs.retry(session, started["run_id"])
    assert compute(started["run_id"]).state == "ready"
    assert version_of(light, started)["n_rows"] == 4


def test_import_killed_half_way_starts_again_from_the_beginning(
    web: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_rows, "BATCH_ROWS", 7)
    whole = imported(web, {"train.jsonl": jsonl(gsm8k(50))}, dataset_name="whole")

    class Killed(BaseException):
        """What no handler of the import sees."""

    reports = 0

    def killed(done: int, total: int | None, phase: str) -> None:
        nonlocal reports
        reports += 1
        if reports == 4:
            raise Killed

    started = ask_for(web, {"train.jsonl": jsonl(gsm8k(50))}, dataset_name="killed")
    with pytest.raises(Killed):
        compute(started["run_id"], progress=killed)
    left = version_of(web, started)
    assert (left["state"], left["n_rows"]) == ("staging", 0)
    assert 0 < len(examples(left["id"])) < 50
    with transaction() as session:
        run = runs.get(session, started["run_id"])
        run.state, run.owner, run.attempt = "queued", None, 2
    assert compute(started["run_id"]).state == "ready"
    again = version_of(web, started)
    assert (again["sha256"], again["n_rows"]) == (whole["sha256"], 50)
    assert [row.position for row in examples(again["id"])] == list(range(50))


def test_import_whose_run_was_lost_writes_nothing_more(web: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_rows, "BATCH_ROWS", 5)
    started = ask_for(web, {"train.jsonl": jsonl(gsm8k(50))})
    calls = 0

    def fence(session: Session) -> None:
        nonlocal calls
        calls += 1
        if calls > 5:
            raise runs.LeaseLost(started["run_id"])

    with pytest.raises(runs.LeaseLost):
        compute(started["run_id"], fence=fence)
    assert version_of(web, started)["state"] == "staging"
    assert len(examples(started["version_id"])) < 50


def test_finished_import_is_not_read_twice(light: TestClient) -> None:
    started = ask_for(light, {"train.jsonl": jsonl(gsm8k(5))})
    compute(started["run_id"])
    with transaction() as session:
        run = runs.get(session, started["run_id"])
        run.state, run.owner, run.attempt = "queued", None, 2
    assert compute(started["run_id"]).rows == 5


def test_stopped_import_shows_nothing_and_is_swept_once_cancelled(
    web: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_rows, "BATCH_ROWS", 5)
    started = ask_for(web, {"train.jsonl": jsonl(gsm8k(50))})
    stops = iter([False, False, True])
    assert compute(started["run_id"], should_stop=lambda: next(stops)).stopped
    assert version_of(web, started)["state"] == "staging"
    imports.sweep()
    assert count(DatasetVersion) == 1
    with transaction() as session:
        runs.get(session, started["run_id"]).state = "cancelled"
    assert web.get(f"{API}/datasets").json()["items"] == []
    imports.sweep()
    assert [count(table) for table in TABLES] == [0] * len(TABLES)


def test_progress_ends_where_the_file_ends(light: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_rows, "BATCH_ROWS", 500)
    content = jsonl(gsm8k(20_000))
    started = ask_for(light, {"train.jsonl": content})
    told: list[tuple[int, int | None]] = []
    compute(started["run_id"], progress=lambda done, total, phase: told.append((done, total)))
    assert told == sorted(told)
    assert {total for _, total in told} == {len(content) >> 10}
    assert told[-1][0] == len(content) >> 10
    assert 0 < told[3][0] < len(content) >> 10


def test_new_version_of_a_data_set(web: TestClient) -> None:
    first = imported(web, {"train.jsonl": jsonl(gsm8k(3))})
    upload = send(web, "train.jsonl", jsonl(gsm8k(5)))["id"]
    started = ask(web, [{"upload_id": upload}], dataset_name=None, dataset_id=first["dataset_id"])
    compute(started["run_id"])
    dataset = web.get(f"{API}/datasets/{first['dataset_id']}").json()
    assert (dataset["newest"]["number"], dataset["newest"]["n_rows"], dataset["n_versions"]) == (2, 5, 2)
    assert len(examples(first["id"])) == 3
    upload = send(web, "train.jsonl", jsonl(gsm8k(5)))["id"]
    problem = ask(web, [{"upload_id": upload}], 409, dataset_id=first["dataset_id"], task="arithmetic")
    assert problem["errors"][0]["field"] == "task"


def test_import_is_refused_when_it_cannot_work(light: TestClient) -> None:
    upload = {"upload_id": send(light, "train.jsonl", jsonl(gsm8k(3)))["id"]}

    def field(files: list[dict[str, Any]], status: int = 422, **values: Any) -> str:
        return str(ask(light, files, status, **values)["errors"][0]["field"])

    imported(light, {"train.jsonl": jsonl(gsm8k(3))}, dataset_name="taken")
    assert field([upload], 409, dataset_name="taken") == "dataset_name"
    assert field([upload], dataset_name="  ") == "dataset_name"
    assert field([upload], dataset_name=None) == "dataset_name"
    assert field([upload, upload]) == "files.1.upload_id"
    assert field([{**upload, "task": "aqua"}]) == "files.0.task"
    assert field([upload], task="mmlu") == "files.0.task"
    assert field([upload], task="chess") == "task"
    assert field([]) == "files"
    assert field([{**upload, "part": "exam"}]) == "files.0.part"
    assert field([{**upload, "mapping": {"question": "question"}}]) == "files.0.mapping"
    assert field([{**upload, "mapping": {"question": "question", "answer": "a"}}], task="aqua") == "files.0.mapping"
    assert ask(light, [{"upload_id": "0" * 32}], 404)["status"] == 404
    assert ask(light, [upload], 404, dataset_id="0" * 32)["status"] == 404
    only_ids = send(light, "test_ids.txt", b"0" * 32 + b"\n")["id"]
    assert field([{"upload_id": only_ids}], task="ecqa") == "files"
    candidate = {"question_id": "x", "question": "q", "gold": "1", "text": "t", "model": "m"}
    unmapped = send(light, "c.jsonl", jsonl([candidate]))["id"]
    assert field([{"upload_id": unmapped}]) == "files.0.mapping"
    assert count(DatasetVersion) == 1


def test_mapping_of_a_missing_column_is_named(light: TestClient) -> None:
    upload = send(light, "x.jsonl", jsonl([{"frage": "2+2?", "ziel": 4}] * 3))["id"]
    files = [{"upload_id": upload, "mapping": {"question": "frage", "answer": "zeil"}, "part": "train"}]
    started = ask(light, files)
    with pytest.raises(Invalid, match="column 'zeil': The gold answer is missing"):
        compute(started["run_id"])


def test_part_can_be_chosen_or_taken_away(light: TestClient) -> None:
    for choice, kept in (("validation", "validation"), ("unmarked", None)):
        upload = send(light, "train.jsonl", jsonl(gsm8k(3)))["id"]
        started = ask(light, [{"upload_id": upload, "part": choice}], dataset_name=choice)
        compute(started["run_id"])
        assert {row.part for row in examples(started["version_id"])} == {kept}


def test_file_removed_behind_the_server_fails_the_import(light: TestClient) -> None:
    started = ask_for(light, {"train.jsonl": jsonl(gsm8k(3))})
    for file in stored_files():
        file.unlink()
    with pytest.raises(NotFound, match=r"'train.jsonl' is gone"):
        compute(started["run_id"])
    assert version_of(light, started)["state"] == "discarded"


def test_duplicates_and_overlap_are_reported(light: TestClient) -> None:
    train = [*gsm8k(6), *gsm8k(2)]
    loud = [{**row, "question": str(row["question"]).upper() + "  "} for row in gsm8k(1)]
    version = imported(light, {"train.jsonl": jsonl(train), "test.jsonl": jsonl([*loud, *gsm8k(3, 50)])})
    report = version["report"]
    assert (report["duplicates"]["rows"], report["duplicates"]["within_parts"]) == (3, {"train": 2})
    assert report["duplicates"]["distinct_questions"] == 9
    [overlap] = report["overlap"]
    assert (overlap["parts"], overlap["rows"]) == (["train", "test"], 1)
    assert (overlap["examples"][0]["position"], overlap["examples"][0]["part"]) == (8, "test")


def test_hostile_text_is_kept_as_text(light: TestClient) -> None:
    hostile = [
        "<script>alert(1)</script>",
        "=cmd|' /C calc'!A0",
        "'; DROP TABLE examples; --",
        "\u202e\u0007\ufeff",
        "😀" * 50,
    ]
    rows = [{"question": text, "answer": f"{text}\n#### 1"} for text in hostile]
    version = imported(light, {"train.jsonl": jsonl(rows)})
    assert [row.question for row in examples(version["id"])] == [text.strip() for text in hostile]


def test_import_is_a_run_that_goes_before_training(light: TestClient) -> None:
    started = ask_for(light, {"train.jsonl": jsonl(gsm8k(3))})
    with reading() as session:
        run = session.get_one(Run, started["run_id"])
        assert (run.kind, run.state, run.inputs) == ("import", "queued", {"dataset_version_id": started["version_id"]})
        assert run.priority < 0
        assert Path(run.config["files"][0]["key"]).name == "data"
    [listed] = light.get(f"{API}/datasets").json()["items"]
    assert [item["state"] for item in listed["pending"]] == ["staging"]
    assert light.post(f"{API}/dataset-versions/{started['version_id']}/discard").status_code == 409
    assert light.delete(f"{API}/datasets/{started['dataset_id']}").status_code == 409
