"""``aft bench app``: a small run end to end, against a real server, its report complete."""

import json
import shutil
from pathlib import Path

import pytest

from backend.bench.measuring import Measured, percentiles
from tests.backend.cli import aft

IN_A_BROWSER = {
    "100 runs in a browser, first paint",
    "compare 100 runs in a browser, longest task",
}
CHROMIUM = any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))


def test_a_small_benchmark_measures_everything(data_directory: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    options = ("--scale", "0.0005", "--rounds", "1", "--database", "sqlite", "--folder", str(tmp_path))
    aft("bench", "app", *options, "--no-reactions", "--out", str(out))
    report = json.loads(out.read_text())
    lines = report["databases"]["sqlite"]["measured"]
    assert len(lines) == 14 + len(IN_A_BROWSER) * CHROMIUM
    assert {one["name"] for one in lines} >= IN_A_BROWSER or not CHROMIUM
    assert all(one["p95"] >= one["p50"] >= 0 for one in lines if one["unit"] != "MB")
    assert {one["unit"] for one in lines} == {"s", "ms", "MB"}
    assert list(tmp_path.glob("aft-bench-*")) == []


def test_what_is_kept_is_measured_again_without_filling(data_directory: Path, tmp_path: Path) -> None:
    options = ("--rounds", "1", "--database", "sqlite", "--no-reactions", "--no-exports", "--no-import", "--no-pages",
               "--no-browser")  # fmt: skip
    kept = ("--folder", str(tmp_path / "kept"), "--keep")
    filled = tmp_path / "kept" / "sqlite" / "filled.json"
    made = []
    for scale in ("0.0003", "0.0003", "0.0004"):
        aft("bench", "app", "--scale", scale, *options, *kept)
        made.append(json.loads(filled.read_text()))
    assert made[0] == made[1]
    assert made[2]["set_id"] != made[0]["set_id"]
    assert "--keep needs --folder" in aft("bench", "app", "--keep", status=1)


@pytest.mark.slow
def test_starts_kills_and_open_tabs_are_measured_alone(data_directory: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    options = ("--scale", "0.0005", "--rounds", "1", "--database", "sqlite", "--folder", str(tmp_path))
    aft("bench", "app", *options, "--no-pages", "--no-exports", "--no-import", "--no-browser",
        "--out", str(out))  # fmt: skip
    lines = json.loads(out.read_text())["databases"]["sqlite"]["measured"]
    assert len(lines) == 7
    assert {one["unit"] for one in lines} == {"s"}
    assert {one["n"] for one in lines if "kill -9" in one["name"]} == {1}


def test_percentiles_and_targets() -> None:
    assert percentiles([float(one) for one in range(100)]) == (50.0, 95.0)
    assert percentiles([3.0]) == (3.0, 3.0)
    assert Measured("x", "ms", 1.0, 5.0, 5.0, 1).is_met
    assert not Measured("x", "ms", 1.0, 5.1, 5.0, 1).is_met
