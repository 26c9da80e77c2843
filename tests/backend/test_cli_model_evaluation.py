"""``aft models evaluate`` with a stand-in for lm-evaluation-harness."""

import json
import sys
from pathlib import Path

import pytest

from tests.backend.cli import aft

HARNESS = """
import json, pathlib, sys
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
if given["--tasks"] == "nothing":
    sys.exit(3)
place = pathlib.Path(given["--output_path"]) / "model"
place.mkdir(parents=True)
metrics = {"alias": "gsm8k", "exact_match,strict-match": 0.25, "exact_match_stderr,strict-match": 0.01}
metrics["sample_len"] = 37
(place / "results_1.json").write_text(json.dumps({"results": {"gsm8k": metrics}, "given": given}))
"""


@pytest.fixture
def export(tmp_path: Path) -> Path:
    place = tmp_path / "model"
    place.mkdir()
    (place / "config.json").write_text("{}")
    (place / "model.safetensors").write_bytes(b"weights")
    return place


@pytest.fixture
def harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "packages" / "lm_eval"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(HARNESS)
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    monkeypatch.syspath_prepend(str(package.parent))
    sys.modules.pop("lm_eval", None)


@pytest.mark.usefixtures("harness")
def test_results_of_the_harness_are_printed_and_kept(export: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    text = aft("models", "evaluate", str(export), "--limit", "5", "--output", str(output))
    assert "exact_match,strict-match" in text
    assert "0.2500" in text
    assert "0.0100" in text
    assert "37" in text
    assert "sample_len" not in text
    given = json.loads(next(output.rglob("results*.json")).read_text())["given"]
    assert given["--model_args"] == f"pretrained={export},trust_remote_code=False"
    assert given["--limit"] == "5"


@pytest.mark.usefixtures("harness")
def test_tasks_of_ones_own_are_given_to_the_harness(export: Path, tmp_path: Path) -> None:
    output, mine = tmp_path / "out", tmp_path / "my tasks"
    missing = aft("models", "evaluate", str(export), "--include-path", str(mine), status=1)
    assert f"{mine} is no directory" in missing
    mine.mkdir()
    aft("models", "evaluate", str(export), "--include-path", str(mine), "--output", str(output))
    given = json.loads(next(output.rglob("results*.json")).read_text())["given"]
    assert given["--include_path"] == str(mine)


@pytest.mark.usefixtures("harness")
def test_a_harness_that_fails_is_said_so(export: Path) -> None:
    assert "ended with status 3" in aft("models", "evaluate", str(export), "--tasks", "nothing", status=1)


def test_without_the_harness_the_message_says_what_to_install(export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.cli.model_evaluation.find_spec", lambda name: None)
    assert "pip install 'lm-eval[hf]'" in aft("models", "evaluate", str(export), status=1)


def test_what_is_no_export_is_refused(export: Path, tmp_path: Path) -> None:
    assert "no config.json" in aft("models", "evaluate", str(tmp_path), status=1)
    (export / "model.safetensors").unlink()
    assert "no safetensors" in aft("models", "evaluate", str(export), status=1)
    (export / "adapter_config.json").write_text("{}")
    assert "--merged" in aft("models", "evaluate", str(export), status=1)
    odd = tmp_path / "a,b"
    assert "comma" in aft("models", "evaluate", str(odd), status=1)
