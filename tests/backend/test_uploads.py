"""Files coming in: recognised, previewed, refused when they are broken, too large or hostile."""

import asyncio
import csv
import errno
import gzip
import hashlib
import io
import json
import os
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend import storage
from backend.app import create_app
from backend.db.models import Upload, new_id, utcnow
from backend.db.session import transaction
from backend.services import uploads
from backend.settings import get_settings
from tests.backend.client import client
from tests.backend.importing import API, ask, compute, count, gsm8k, jsonl, packed, send, stored_files

AQUA = {"question": "1 + 1 ?", "options": ["A)1", "B)2", "C)3", "D)4", "E)5"], "rationale": "Count.", "correct": "B"}


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


def refused(web: TestClient, name: str, content: bytes, status: int = 422) -> dict[str, Any]:
    """Send a file that must leave nothing behind, and return the problem."""
    problem = send(web, name, content, status=status)
    assert problem["status"] == status
    assert problem["detail"]
    assert stored_files() == []
    assert count(Upload) == 0
    return problem


def test_upload_is_kept_hashed_and_recognised(web: TestClient) -> None:
    content = jsonl(gsm8k(30))
    body = send(web, "train.jsonl", content)
    assert body["sha256"] == hashlib.sha256(content).hexdigest()
    assert (body["size_bytes"], body["columns"], body["problem"]) == (len(content), ["question", "answer"], None)
    found = body["detection"]
    assert (found["task"], found["format"], found["part"], found["confidence"]) == (
        "gsm8k",
        "gsm8k",
        "train",
        "certain",
    )
    assert web.get(f"{API}/uploads/{body['id']}").json() == body
    assert [file.read_bytes() for file in stored_files()] == [content]


def test_upload_can_be_removed_once(web: TestClient) -> None:
    upload_id = send(web, "train.jsonl", jsonl(gsm8k(3)))["id"]
    assert web.delete(f"{API}/uploads/{upload_id}").status_code == 204
    assert stored_files() == []
    assert web.delete(f"{API}/uploads/{upload_id}").status_code == 404
    assert web.get(f"{API}/uploads/{upload_id}").status_code == 404


def test_upload_that_an_import_reads_cannot_be_removed(web: TestClient) -> None:
    upload_id = send(web, "train.jsonl", jsonl(gsm8k(3)))["id"]
    started = ask(web, [{"upload_id": upload_id}])
    answer = web.delete(f"{API}/uploads/{upload_id}")
    assert answer.status_code == 409
    assert "Import sums" in answer.json()["detail"]
    compute(started["run_id"])
    assert web.get(f"{API}/uploads/{upload_id}").status_code == 404


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..\\..\\boot.ini", "/etc/shadow.jsonl", "a\x00b\n.jsonl", "…" * 900, "."]
)
def test_name_of_the_file_is_only_a_label(light: TestClient, name: str) -> None:
    body = send(light, name, jsonl(gsm8k(3)))
    assert "/" not in body["filename"]
    assert "\\" not in body["filename"]
    assert body["filename"].isprintable()
    assert 0 < len(body["filename"]) <= 255
    [file] = stored_files()
    assert file == storage.path(f"uploads/{body['id']}/data")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.jsonl", b"", "empty"),
        ("blank.jsonl", b"\n \n\n", "empty"),
        ("bom.csv", b"\xef\xbb\xbf", "empty"),
        ("header.csv", b"question,answer\n", "no rows"),
        ("utf16.jsonl", json.dumps({"question": "q", "answer": "#### 1"}).encode("utf-16"), "UTF-16"),
        ("latin.jsonl", '{"question": "Zoë", "answer": "#### 1"}\n'.encode("latin-1"), "UTF-8"),
        ("zip.jsonl", b"PK\x03\x04" + b"\0" * 100, "ZIP"),
        ("noise.bin", bytes(range(256)) * 40, "binary"),
        ("object.json", b'{\n "rows": []\n}', "one JSON object"),
        ("cut.jsonl.gz", gzip.compress(jsonl(gsm8k(2000)), mtime=0)[:-400][:40], "gzip"),
        ("not.parquet", b"question,answer\n1,2\n", "Parquet"),
        ("bad.parquet", b"PAR1" + b"\0" * 50 + b"PAR1", "Parquet"),
        ("deep.jsonl", b"[" * 5000 + b"]" * 5000 + b"\n", "cannot be read"),
        ("text.jsonl", b"these are\nnot rows\n", "JSON"),
        ("nan.jsonl", b'{"question": NaN}\n', "NaN"),
        ("twice.jsonl", b'{"a": 1, "a": 2}\n', "twice"),
    ],
)
def test_file_that_cannot_be_read_is_refused_with_the_reason(
    light: TestClient, name: str, content: bytes, words: str
) -> None:
    problem = refused(light, name, content)
    assert words.lower() in problem["detail"].lower()
    assert problem["errors"][0]["field"] == "file"


def test_gzip_bomb_is_stopped_early(light: TestClient) -> None:
    bomb = gzip.compress(b" " * (600 << 20), compresslevel=1)
    assert len(bomb) < 8 << 20
    started = time.monotonic()
    problem = refused(light, "train.jsonl.gz", bomb)
    assert problem["detail"]
    assert time.monotonic() - started < 30


def test_more_than_the_cap_is_refused_before_it_is_read(light: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_settings(), "max_upload_bytes", 1000)
    problem = refused(light, "train.jsonl", jsonl(gsm8k(100)), status=413)
    assert "1,000 bytes" in problem["detail"]


def test_more_than_the_cap_without_a_length_is_refused_while_it_arrives(
    light: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(get_settings(), "max_upload_bytes", 3 << 20)
    answer = light.post(
        f"{API}/uploads", params={"filename": "endless.jsonl"}, content=(b"x" * (1 << 20) for _ in range(50))
    )
    assert answer.status_code == 413
    assert stored_files() == []


def test_upload_that_does_not_fit_on_the_disk_leaves_nothing(
    light: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "free_bytes", lambda: uploads.RESERVE_BYTES + 10)
    problem = refused(light, "train.jsonl", jsonl(gsm8k(10)), status=507)
    assert "free" in problem["detail"]
    assert "AFT_DATA_DIR" in problem["remedy"]


def test_disk_that_fills_up_meanwhile_leaves_nothing(light: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(self: uploads.Receiver, chunk: bytes) -> None:
        self._stream.write(chunk[:10])
        raise uploads._disk_error(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), self.filename)

    monkeypatch.setattr(uploads.Receiver, "write", write)
    refused(light, "train.jsonl", jsonl(gsm8k(10)), status=507)


def test_upload_broken_off_by_the_browser_leaves_nothing(data_directory: object) -> None:
    assert data_directory
    app = create_app(get_settings().model_copy(update={"require_login": False}))
    messages = [
        {"type": "http.request", "body": b"x" * (2 << 20), "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Any:
        return messages.pop(0)

    async def ignore(message: Any) -> None:
        assert message["type"].startswith("http.response")

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": f"{API}/uploads", "raw_path": b"", "root_path": "", "query_string": b"filename=train.jsonl",
        "headers": [(b"host", b"127.0.0.1")], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {},
    }  # fmt: skip
    asyncio.run(app(scope, receive, ignore))
    assert stored_files() == []
    assert count(Upload) == 0


def test_upload_needs_a_name(light: TestClient) -> None:
    answer = light.post(f"{API}/uploads", content=b"{}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "filename"


def test_preview_shows_gold_answers_and_what_is_wrong(web: TestClient) -> None:
    rows = [*gsm8k(2), {"question": "No answer?", "answer": "I do not know"}, b'{"question": 1', *gsm8k(1, 7)]
    upload_id = send(web, "test.jsonl", jsonl(rows))["id"]
    answer = web.post(f"{API}/uploads/{upload_id}/preview", json={})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert [row["gold"] for row in body["rows"]] == ["2", "3", None, None, "9"]
    assert [row["row_number"] for row in body["rows"]] == [1, 2, 3, 4, 5]
    assert body["n_errors"] == 2
    assert body["rows"][2]["error"]["column"] == "answer"
    assert "JSON" in body["rows"][3]["error"]["reason"]
    assert body["rows"][0]["part"] == "test"
    assert body["cells"][0]["question"] == rows[0]["question"]  # type: ignore[index]


def test_preview_under_a_mapping_of_ones_own(web: TestClient) -> None:
    table = io.StringIO()
    csv.writer(table).writerows([["Frage", "Weg", "Ziel"], ["2+2?", "Count, then stop.", "4"], ["3+3?", "", "six"]])
    upload = send(web, "aufgaben.csv", table.getvalue().encode())
    assert "Say which column" in upload["problem"]
    assert web.post(f"{API}/uploads/{upload['id']}/preview", json={}).json()["problem"]
    mapping = {"question": "Frage", "reference": "Weg", "answer": "Ziel"}
    body = web.post(
        f"{API}/uploads/{upload['id']}/preview", json={"task": "gsm8k", "mapping": mapping, "part": "validation"}
    ).json()
    assert body["problem"] is None
    assert [row["gold"] for row in body["rows"]] == ["4", None]
    assert body["rows"][0]["part"] == "validation"
    assert body["rows"][1]["error"]["column"] == "Ziel"
    assert "six" in body["rows"][1]["error"]["reason"]


def test_preview_says_when_mapping_and_task_do_not_go_together(light: TestClient) -> None:
    upload_id = send(light, "train.jsonl", jsonl(gsm8k(3)))["id"]
    body = light.post(f"{API}/uploads/{upload_id}/preview", json={"task": "aqua"}).json()
    assert "choices" in body["problem"]
    assert [row["gold"] for row in body["rows"]] == [None] * 3
    assert len(body["cells"]) == 3
    assert light.post(f"{API}/uploads/{upload_id}/preview", json={"task": "chess"}).status_code == 422
    assert light.post(f"{API}/uploads/{upload_id}/preview", json={"mapping": {"ask": "x"}}).status_code == 422


def test_preview_of_choices_names_them(light: TestClient) -> None:
    body = send(light, "dev.json.gz", packed(jsonl([AQUA, {**AQUA, "correct": "F"}])))
    assert (body["detection"]["task"], body["detection"]["part"]) == ("aqua", "validation")
    rows = light.post(f"{API}/uploads/{body['id']}/preview", json={}).json()["rows"]
    assert rows[0]["choices"] == ["1", "2", "3", "4", "5"]
    assert rows[0]["gold"] == "B"
    assert "F" in rows[1]["error"]["reason"]


def test_old_uploads_and_half_written_files_are_swept(light: TestClient) -> None:
    old, new = (send(light, name, jsonl(gsm8k(3)))["id"] for name in ("old.jsonl", "new.jsonl"))
    with transaction() as session:
        session.get_one(Upload, old).created_at = utcnow() - uploads.KEPT_FOR - timedelta(hours=1)
    orphan = storage.directory("uploads", new_id())
    (orphan / "data").write_bytes(b"half")
    fresh = storage.directory("uploads", new_id())
    two_days_ago = time.time() - 2 * 86_400
    os.utime(orphan, (two_days_ago, two_days_ago))
    with transaction() as session:
        assert uploads.sweep(session) == 2
    assert light.get(f"{API}/uploads/{old}").status_code == 404
    assert light.get(f"{API}/uploads/{new}").status_code == 200
    assert not orphan.exists()
    assert fresh.exists()
