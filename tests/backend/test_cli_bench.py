"""``aft bench``: checked settings, a process of its own, a report as JSON or as a table."""

import json

import pytest

from backend.cli.bench import show
from tests.backend.cli import aft

QUICK = ("--model", "builtin", "--questions", "1", "--k", "2", "--rounds", "1")


def test_a_benchmark_runs_in_its_own_process_with_its_own_allocator_settings() -> None:
    report = json.loads(aft("bench", "train", *QUICK, "--json"))
    assert report["machine"]["allocator"]["MALLOC_TRIM_THRESHOLD_"] == "4294967296"
    assert report["config"]["model"] == "builtin"
    assert report["alternatives"]["ours"]["rate"] > 0
    show(report)


def test_memory_is_shown_in_mebibytes(capsys: pytest.CaptureFixture[str]) -> None:
    show(json.loads(aft("bench", "memory", "--model", "builtin", "--questions", "1", "--k", "4", "--json")))
    shown = capsys.readouterr().out
    assert "ours, k = 4 / ours, k = 2: " in shown
    assert " MiB" in shown


def test_settings_that_cannot_work_are_named() -> None:
    assert "--device tpu" in aft("bench", "train", "--device", "tpu", status=1)
    assert "--k 1" in aft("bench", "train", "--k", "1", status=1)
