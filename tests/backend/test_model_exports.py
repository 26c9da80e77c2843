"""Trained models leave as Hugging Face directories with a card that says what they are."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from fastapi.testclient import TestClient

from backend import storage
from backend.db.models import Checkpoint, Result, Run, RunParent
from backend.db.session import reading, transaction
from backend.errors import Conflict
from backend.services import model_exports
from tests.backend.client import client
from tests.backend.importing import API
from tests.backend.test_models import trained
from tests.factories import make_base_model, make_run


@pytest.fixture
def web(data_directory: Path) -> Iterator[TestClient]:
    with client() as opened:
        yield opened


@pytest.fixture
def checkpoint_id(web: TestClient) -> str:
    with transaction() as session:
        base = make_base_model(session)
    run_id, made = trained(base, name="Train | <b>AFT</b>")
    with transaction() as session:
        evaluation = make_run(session, "Evaluate", kind="evaluate")
        session.get_one(Run, evaluation.id, populate_existing=True).state = "succeeded"
        session.add(RunParent(run_id=evaluation.id, parent_id=run_id, role="checkpoint"))
        interval = {"low": 0.2, "high": 0.45}
        session.add(Result(run_id=evaluation.id, metric="task_accuracy", value=0.325, n=40, details=interval))
        assessed = make_run(session, "Sample", kind="sample", config={"kind": "sample", "part": "train"})
        session.add(RunParent(run_id=evaluation.id, parent_id=assessed.id, role="assessment"))
        session.add(Result(run_id=evaluation.id, metric="assessment_accuracy", value=0.75, n=8))
        session.add(Result(run_id=evaluation.id, metric="self_consistency@4", value=0.5, n=40))
        session.add(Result(run_id=evaluation.id, metric="task_accuracy/gsm8k", value=0.25, n=20))
        session.add(Result(run_id=evaluation.id, metric="perplexity", value=None, n=0))
    return made


def test_zip_holds_every_file_and_the_card(web: TestClient, checkpoint_id: str) -> None:
    answer = web.get(f"{API}/checkpoints/{checkpoint_id}/export")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        root = archive.namelist()[0].split("/")[0]
        contents = {name.removeprefix(f"{root}/"): archive.read(name) for name in archive.namelist()}
    with reading() as session:
        place = storage.path(session.get_one(Checkpoint, checkpoint_id).key)
    card = contents.pop("README.md").decode()
    assert contents == {item.name: item.read_bytes() for item in place.iterdir()}
    assert "| Task accuracy (greedy) | 32.50 % | 20.00 to 45.00 | 40 | built-in, test questions |" in card
    assert "| Task accuracy (greedy), gsm8k questions | 25.00 % | – | 20 |" in card
    assert "(all pairs) | 75.00 % | – | 8 | built-in, training questions, fresh COTs |" in card
    assert "| Self-consistency @ 4 | 50.00 % | – | 40 |" in card
    assert "Perplexity" not in card
    assert "# Train \\| \\<b\\>AFT\\</b\\>" in card
    assert "| Method | VFT |" in card
    assert "| This is | whole model |" in card
    assert yaml.safe_load(card.split("---")[1]) == {
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "license": "unknown",
        "tags": ["alignment-fine-tuning", "chain-of-thought"],
    }


def test_directory_is_written_whole_and_never_over_another(checkpoint_id: str, tmp_path: Path) -> None:
    with reading() as session:
        export = model_exports.prepare(session, checkpoint_id)
    target = tmp_path / "model"
    model_exports.write_directory(export, target)
    assert {item.name for item in target.iterdir()} == {file.name for file in export.files} | {"README.md"}
    with pytest.raises(Conflict, match="exists already"):
        model_exports.write_directory(export, target)
    assert [item.name for item in tmp_path.iterdir() if item.name.startswith("model")] == ["model"]


def test_checkpoint_that_is_not_there_says_so(web: TestClient, checkpoint_id: str) -> None:
    assert web.get(f"{API}/checkpoints/{'0' * 32}/export").status_code == 404
    with reading() as session:
        storage.delete(session.get_one(Checkpoint, checkpoint_id).key)
    gone = web.get(f"{API}/checkpoints/{checkpoint_id}/export")
    assert gone.status_code == 409
    assert "files are gone" in gone.json()["detail"]
