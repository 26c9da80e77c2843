"""Reproduction bundles: everything comes out again, and hostile files are refused with a reason."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.db.session import transaction
from backend.services import bundle_archive, bundle_found, bundle_verify, bundles
from backend.services.bundle_archive import Bundle, BundleRefused
from backend.services.zip_stream import ZipStream
from tests.backend.cli import aft
from tests.backend.client import client
from tests.backend.comparing import finished_experiment

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def written(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The bundle of a finished experiment, made once."""
    import shutil

    from tests.conftest import _forget, use_environment

    directory = tmp_path_factory.mktemp("data")
    shutil.copyfile(migrated_sqlite, directory / "workbench.sqlite3")
    with pytest.MonkeyPatch.context() as patch:
        use_environment(patch, directory)
        with transaction() as session:
            experiment_id = finished_experiment(session).id
        place = directory / "bundle.zip"
        place.write_bytes(b"".join(bundles.of_experiment(experiment_id)))
        yield place
        _forget()


def read(path: Path) -> Files:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(files: Files, place: Path, **options: Any) -> Path:
    """A bundle of these files with a manifest that fits them."""
    manifest = json.loads(files["manifest.json"])
    archive = ZipStream()
    blocks = [block for name, data in files.items() if name != "manifest.json" for block in archive.add(name, [data])]
    manifest["files"] = {name: {"sha256": w.sha256, "size_bytes": w.size_bytes} for name, w in archive.files.items()}
    manifest |= options
    blocks += archive.add("manifest.json", [json.dumps(manifest).encode()])
    place.write_bytes(b"".join([*blocks, archive.close()]))
    return place


def verified(path: Path) -> bundle_found.Verification:
    with Bundle(path) as opened:
        return bundle_verify.verify(opened)


def test_every_number_comes_out_again(written: Path) -> None:
    found = verified(written)
    assert found.differences == []
    assert found.notes == []
    assert found.checked["responses"] > 4000
    # Every metric with its n, interval and coverage, of five methods and three seeds.
    assert found.checked["results"] > 15 * 10 * 2
    # Mean, spread, n and three seeds of five methods in three figures, and both axes of the scatter.
    assert found.checked["figures"] >= 5 * (3 * 6 + 2)
    # 13 numbers of four metrics and five methods under four tests.
    assert found.checked["tables"] >= 4 * 5 * 4 * 13


def test_the_bundle_says_what_it_is_made_of(written: Path) -> None:
    files = read(written)
    about = json.loads(files["experiment.json"])
    assert about["dataset"]["sha256"] == "0" * 64
    assert about["split"]["sha256"] == "1" * 64
    assert about["spec"]["seeds"] == [1, 2, 3]
    assert json.loads(files["environment.json"])["packages"]["torch"]
    runs = [json.loads(line) for line in files["runs.jsonl"].splitlines()]
    assert {run["seed"] for run in runs if run["kind"] == "train"} == {1, 2, 3}
    assert all(run["fingerprint"] for run in runs)
    assert json.loads(files["figures/scores.json"])["rows"]
    assert b"\\toprule" in files["tables/paired-t.tex"]
    some = next(name for name in files if name.startswith("candidates/"))
    assert json.loads(files[some].splitlines()[0])["token_ids"]


def test_verifying_needs_no_database(written: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "nothing here"
    environment = {**os.environ, "AFT_DATA_DIR": str(elsewhere)}
    command = [sys.executable, "-m", "backend.cli.main", "verify", str(written), "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["differences"] == []
    assert not elsewhere.exists()


def test_a_changed_response_changes_every_number_made_of_it(written: Path, tmp_path: Path) -> None:
    files = read(written)
    runs = {run["id"]: run for run in map(json.loads, files["runs.jsonl"].splitlines())}
    name = next(
        name
        for name in files
        if name.startswith("candidates/") and runs[name[11:-6]]["cell"] == "seed 1/AFT · boundary/evaluate"
    )
    rows = [json.loads(line) for line in files[name].splitlines()]
    row = next(row for row in rows if row["verdict"] == "right")
    row["text"] = "It is [ANS] 999999"
    files[name] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    where = [item.where for item in verified(rewritten(files, tmp_path / "changed.zip")).differences]
    assert any(item.endswith(f"response {row['id']}: verdict") for item in where)
    assert "seed 1/AFT · boundary/evaluate: task_accuracy" in where
    assert "tables/paired-t.json: AFT · boundary, task_accuracy, mean" in where
    assert "tables/mcnemar.json: AFT · boundary, task_accuracy, difference" in where
    assert not any("RFT, " in item for item in where if "p_holm" not in item)


@pytest.mark.parametrize(
    ("file", "change", "where"),
    [
        ("results.jsonl", lambda row: row | {"value": 0.123}, "evaluate: "),
        ("scores/", lambda row: row | {"score": row["score"] - 1}, "assessment_accuracy"),
    ],
)
def test_a_changed_number_is_named(
    written: Path, tmp_path: Path, file: str, change: Callable[[dict[str, Any]], dict[str, Any]], where: str
) -> None:
    files = read(written)
    name = next(name for name in files if name.startswith(file))
    first, *rest = files[name].splitlines(keepends=True)
    files[name] = json.dumps(change(json.loads(first))).encode() + b"\n" + b"".join(rest)
    found = verified(rewritten(files, tmp_path / "changed.zip"))
    assert any(where in item.where for item in found.differences)


def test_a_changed_table_is_named(written: Path, tmp_path: Path) -> None:
    files = read(written)
    body = json.loads(files["tables/welch.json"])
    body["table"]["rows"][2]["statistics"]["task_accuracy"]["p_holm"] = 0.001
    files["tables/welch.json"] = json.dumps(body).encode()
    found = verified(rewritten(files, tmp_path / "changed.zip"))
    assert [item.where for item in found.differences] == ["tables/welch.json: RFT, task_accuracy, p_holm"]


@pytest.mark.parametrize(("figure", "column"), [("task", "Mean"), ("scatter", "Assessment accuracy (%)")])
def test_a_changed_number_of_a_figure_is_named(written: Path, tmp_path: Path, figure: str, column: str) -> None:
    files = read(written)
    body = json.loads(files[f"figures/{figure}.json"])
    body["rows"][2][1] += 0.1
    label = body["rows"][2][0]
    body["rows"].append(["Unheard of", *body["rows"][0][1:]])
    files[f"figures/{figure}.json"] = json.dumps(body).encode()
    found = verified(rewritten(files, tmp_path / "changed.zip"))
    assert [item.where for item in found.differences] == [
        f"figures/{figure}.json: {label}, {column}",
        f"figures/{figure}.json: Unheard of",
    ]


def refused(path: Path) -> str:
    with pytest.raises(BundleRefused) as caught, Bundle(path) as opened:
        bundle_verify.verify(opened)
    return caught.value.detail


def test_a_file_changed_without_the_manifest_is_refused(written: Path, tmp_path: Path) -> None:
    place = tmp_path / "changed.zip"
    with zipfile.ZipFile(place, "w") as archive:
        for name, data in read(written).items():
            archive.writestr(name, data + b" " if name == "experiment.yaml" else data)
    assert "experiment.yaml was changed" in refused(place)


def test_truncated_and_foreign_files_are_refused(written: Path, tmp_path: Path) -> None:
    whole = written.read_bytes()
    for size in (0, 100, len(whole) // 2, len(whole) - 30):
        place = tmp_path / f"{size}.zip"
        place.write_bytes(whole[:size])
        assert "no zip archive, or it is cut short" in refused(place)
    assert "There is no file" in refused(tmp_path / "missing.zip")
    foreign = tmp_path / "foreign.zip"
    with zipfile.ZipFile(foreign, "w") as archive:
        archive.writestr("README.md", "hello")
    assert "has no manifest.json" in refused(foreign)
    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 0xFF
    broken = tmp_path / "flipped.zip"
    broken.write_bytes(flipped)
    assert refused(broken)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "candidates\\..\\x.jsonl", "candidates/", "a.py"])
def test_names_that_lead_elsewhere_are_refused(written: Path, tmp_path: Path, name: str) -> None:
    place = tmp_path / "slip.zip"
    place.write_bytes(written.read_bytes())
    with zipfile.ZipFile(place, "a") as archive:
        archive.writestr(zipfile.ZipInfo(name), b"x")
    assert "is no name of a bundle's file" in refused(place)


def test_links_and_repeated_names_are_refused(written: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.zip"
    link.write_bytes(written.read_bytes())
    entry = zipfile.ZipInfo("extra.json")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(link, "a") as archive:
        archive.writestr(entry, b"/etc/passwd")
    assert "is no plain file" in refused(link)
    twice = tmp_path / "twice.zip"
    twice.write_bytes(written.read_bytes())
    with zipfile.ZipFile(twice, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("runs.jsonl", b"{}")
    assert "twice" in refused(twice)


def test_bombs_are_refused_before_they_are_unpacked(written: Path, tmp_path: Path) -> None:
    place = tmp_path / "bomb.zip"
    place.write_bytes(written.read_bytes())
    with zipfile.ZipFile(place, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("extra.json", b" " * (16 * 2**20))
    assert "claims to unpack" in refused(place)


def test_files_of_another_shape_are_refused(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = read(written)
    shapes: list[tuple[str, bytes, str]] = [
        ("runs.jsonl", b"[1]\n", "no JSON object"),
        ("runs.jsonl", b"{]\n", "is not JSON"),
        ("runs.jsonl", b'{"id": NaN}\n', "is not JSON"),
        ("runs.jsonl", b'{"id": ' + b"[" * 200_000, "is not JSON"),
        ("runs.jsonl", b'{"id": "x"}\n', "another form"),
        ("experiment.json", b"{}", "another form"),
        ("experiment.json", b"5", "another form"),
        ("tables/welch.json", b'{"options": {}, "table": {}}', "another form"),
    ]
    for name, data, why in shapes:
        assert why in refused(rewritten({**files, name: data}, tmp_path / "shape.zip")), name
    assert "format version is 99" in refused(rewritten(files, tmp_path / "new.zip", format_version=99))
    monkeypatch.setattr(bundle_archive, "MAX_LINE_BYTES", 100)
    assert "longer than" in refused(rewritten(files, tmp_path / "line.zip"))


def test_the_download_is_the_bundle_and_says_what_is_missing(data_directory: Path, tmp_path: Path) -> None:
    with transaction() as session:
        experiment = finished_experiment(session, seeds=[1, 2])
        place = next(cell for cell in _cells(session, experiment.id) if cell.place.cell == "seed 2/RFT/evaluate")
        place.run.state = "failed"
        experiment_id = experiment.id
    with client() as web:
        answer = web.get(f"/api/v1/experiments/{experiment_id}/bundle", params={"baseline": "RFT"})
        assert answer.headers["content-type"] == "application/zip"
        assert "attachment" in answer.headers["content-disposition"]
        assert web.get(f"/api/v1/experiments/{'0' * 32}/bundle").status_code == 404
        unknown = web.get(f"/api/v1/experiments/{experiment_id}/bundle", params={"baseline": "nothing"})
        assert unknown.status_code == 422
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(answer.content)
    found = verified(bundle)
    assert found.differences == []
    assert "'seed 2/RFT/evaluate' first" in found.notes[0]
    table = json.loads(read(bundle)["tables/paired-t.json"])["table"]
    assert table["baseline"] == "RFT"
    assert "All" not in aft("verify", str(bundle))
    out = aft("experiments", "bundle", experiment_id, str(tmp_path / "again.zip"))
    assert "again.zip" in out
    assert "Every value comes out as stored." in aft("verify", str(tmp_path / "again.zip"))
    assert "exists already" in aft("experiments", "bundle", experiment_id, str(bundle), status=1)


def test_verify_fails_where_something_differs(written: Path, tmp_path: Path) -> None:
    files = read(written)
    first, *rest = files["results.jsonl"].splitlines(keepends=True)
    files["results.jsonl"] = json.dumps(json.loads(first) | {"value": 0.5}).encode() + b"\n" + b"".join(rest)
    out = aft("verify", str(rewritten(files, tmp_path / "changed.zip")), status=1)
    assert "values differ" in out
    assert "0.5" in out


def _cells(session: Any, experiment_id: str) -> Any:
    from backend.services import experiments

    return experiments.cells(session, experiment_id)
