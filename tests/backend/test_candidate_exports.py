"""Exports: every row once, in every format, with a manifest and its sha256; preferences go the right way."""

import csv
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select, update

from backend.db.models import Candidate
from backend.db.session import transaction
from backend.services import candidate_exports, scores
from backend.services.export_files import Column, Outlet, Structs, written
from backend.services.preference_rows import RankedQuestion, rows
from backend.services.scores import ScoredRow
from tests.backend.cli import aft
from tests.backend.client import client
from tests.backend.reviewing import HOSTILE, Sampled, sample_set
from tests.factories import make_run


@pytest.fixture
def sampled(database: str, monkeypatch: pytest.MonkeyPatch) -> Sampled:
    # Pages that end within a question.
    monkeypatch.setattr(candidate_exports, "_BATCH", 6)
    return sample_set(5)


def fetch(sampled: Sampled, **values: Any) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The archive's files, and its manifest."""
    with client() as web:
        answer = web.get(f"/api/v1/candidate-sets/{sampled.run_id}/export", params=values)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest: dict[str, Any] = json.loads(files["manifest.json"])
    content = files[manifest["file"]]
    assert manifest["sha256"] == hashlib.sha256(content).hexdigest()
    assert manifest["bytes"] == len(content)
    return files, manifest


def lines(files: dict[str, bytes], manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a JSONL file."""
    return [json.loads(line) for line in files[manifest["file"]].decode().split("\n")[:-1]]


def test_every_format_holds_the_same_rows(sampled: Sampled) -> None:
    files, manifest = fetch(sampled)
    as_json = lines(files, manifest)
    assert len(as_json) == manifest["rows"] == 20
    assert [column["name"] for column in manifest["columns"]] == list(as_json[0])
    assert manifest["candidate_set"]["run_id"] == sampled.run_id
    first = as_json[0]
    assert first["verdict"] == "right"
    assert first["scores"][0]["score"] == -0.5
    assert first["ratings"][0]["value"] == 9.0
    assert first["rating"] == pytest.approx(8 / 9)
    files, manifest = fetch(sampled, format="parquet")
    as_parquet = pq.read_table(io.BytesIO(files[manifest["file"]])).to_pylist()
    assert as_parquet == as_json
    files, manifest = fetch(sampled, format="csv")
    table = list(csv.DictReader(io.StringIO(files[manifest["file"]].decode(), newline="")))
    assert [row["id"] for row in table] == [str(row["id"]) for row in as_json]
    assert json.loads(table[0]["scores"]) == first["scores"]
    assert table[0]["text"] == first["text"]


def test_a_score_that_is_missing_is_left_out(sampled: Sampled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidate_exports, "_MODELS_AT_ONCE", 1)
    with transaction() as session:
        first = session.scalars(select(Candidate.id).order_by(Candidate.id).limit(1)).one()
        other = make_run(session, "another model", kind="train", method="VFT", seed=2)
        scores.record(session, model_run_id=other.id, by_run_id=other.id, rows=[ScoredRow(first, -1.25, 2)])
    files, manifest = fetch(sampled)
    scored = {row["id"]: {one["model"]: one["score"] for one in row["scores"]} for row in lines(files, manifest)}
    assert [len(one) for one in scored.values()] == [2, *[1] * 19]
    assert scored[first]["VFT · seed 2"] == -1.25
    files, manifest = fetch(sampled, format="parquet", verdict="right")
    (row,) = [one for one in pq.read_table(io.BytesIO(files[manifest["file"]])).to_pylist() if one["id"] == first]
    assert {one["model"]: one["score"] for one in row["scores"]} == scored[first]


def test_json_lines_are_what_the_standard_library_writes() -> None:
    inner = pa.list_(pa.struct({"who": pa.string(), "100%": pa.float64()}))
    types = {
        "id": pa.int64(),
        "text": pa.string(),
        "ok": pa.bool_(),
        "value": pa.float64(),
        "choices": pa.list_(pa.string()),
    }
    columns = [Column(name, kind) for name, kind in (types | {"given": inner}).items()]
    table: dict[str, Any] = {
        "id": [1, 2],
        "text": [HOSTILE + "\ud800 %s \u2028", None],
        "ok": [True, None],
        "value": [0.1, None],
        "choices": [["a", "%d"], None],
        "given": Structs.of(("who", "100%"), [[("Ann", 1e-9), (None, None)], []]),
    }
    outlet, counted = Outlet(), [0]
    content = b"".join(
        written([table, {**{name: [] for name in table}, "given": Structs([0], {})}], "jsonl", columns, outlet, counted)
    )
    assert counted == [2]
    first, second = [json.loads(line) for line in content.decode().split("\n")[:-1]]
    assert first == {
        "id": 1, "text": HOSTILE + "? %s \u2028", "ok": True, "value": 0.1, "choices": ["a", "%d"],
        "given": [{"who": "Ann", "100%": 1e-9}, {"who": None, "100%": None}],
    }  # fmt: skip
    assert second == {**dict.fromkeys(types), "id": 2, "given": []}


def test_the_filter_is_the_pages(sampled: Sampled) -> None:
    files, manifest = fetch(sampled, verdict="right", min_rating=0.8)
    assert {row["verdict"] for row in lines(files, manifest)} == {"right"}
    assert manifest["rows"] == 5
    assert manifest["filter"] == {"verdict": "right", "min_rating": 0.8}
    files, manifest = fetch(sampled, verdict="truncated")
    assert manifest["rows"] == 0
    with client() as web:
        url = f"/api/v1/candidate-sets/{sampled.run_id}/export"
        assert web.get(url, params={"violated": True}).status_code == 422
        assert web.get(url, params={"format": "exe"}).status_code == 422
        assert web.get("/api/v1/candidate-sets/nothing/export").status_code == 404


def test_preferences_by_verdict_and_by_rating(sampled: Sampled) -> None:
    files, manifest = fetch(sampled, format="trl-pairs")
    pairs = lines(files, manifest)
    assert len(pairs) == 5 * 2 * 2
    assert all("[ANS]" in pair["chosen"] and pair["chosen_quality"] > pair["rejected_quality"] for pair in pairs)
    files, manifest = fetch(sampled, format="trl-pairs", most_pairs=1, quality="rating")
    pairs = lines(files, manifest)
    assert [(pair["chosen"].split(".")[0], pair["rejected"]) for pair in pairs] == [
        ("First we look", HOSTILE.replace("\x00", "\ufffd"))
    ] * 5
    files, manifest = fetch(sampled, format="ranked", quality="rating")
    ranked = lines(files, manifest)
    assert [row["qualities"] for row in ranked] == [[pytest.approx(value / 9) for value in (8, 7, 2, 0)]] * 5
    files, manifest = fetch(sampled, format="llama-factory")
    info = json.loads(files["dataset_info.json"])
    (entry,) = info.values()
    assert entry["file_name"] == manifest["file"]
    assert entry["ranking"] is True
    assert set(entry["columns"].values()) == set(lines(files, manifest)[0])


def test_equal_qualities_make_no_pair_and_the_widest_come_first() -> None:
    question = RankedQuestion("q", "Why?", [("a", 0.5), ("b", 0.5), ("c", 0.1), ("d", 1.0)])
    pairs = [(row["chosen"], row["rejected"]) for row in rows(question, "trl-pairs")]
    assert sorted(pairs) == [("a", "c"), ("b", "c"), ("d", "a"), ("d", "b"), ("d", "c")]
    assert rows(question, "trl-pairs", 1)[0]["rejected"] == "c"
    assert rows(RankedQuestion("q", "Why?", [("a", 0.5), ("b", 0.5)]), "ranked") == []
    assert rows(RankedQuestion("q", "Why?", []), "ranked") == []


def test_no_cell_is_a_formula(sampled: Sampled) -> None:
    with transaction() as session:
        session.execute(update(Candidate).values(text='=HYPERLINK("http://evil", "go")'))
    files, manifest = fetch(sampled, format="csv")
    table = list(csv.DictReader(io.StringIO(files[manifest["file"]].decode(), newline="")))
    assert {row["text"] for row in table} == {'\'=HYPERLINK("http://evil", "go")'}


def test_from_the_command_line_with_the_manifest_beside(sampled: Sampled, tmp_path: Path) -> None:
    arguments = ["cots", "export", sampled.run_id, "-o", str(tmp_path), "--filter", "verdict=wrong"]
    aft(*arguments)
    (manifest_place,) = tmp_path.glob("*.manifest.json")
    manifest = json.loads(manifest_place.read_text())
    content = (tmp_path / manifest["file"]).read_bytes()
    assert manifest["sha256"] == hashlib.sha256(content).hexdigest()
    assert {json.loads(line)["verdict"] for line in content.decode().splitlines()} == {"wrong"}
    aft("cots", "export", sampled.run_id, "--filter", "verdict=odd", status=1)
