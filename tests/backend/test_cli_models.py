"""``aft models``: the registry from a terminal, and models made on the spot."""

import pytest

from backend.db.models import BaseModelEntry, Run, RunParent
from backend.db.session import reading, transaction
from backend.services import sizing
from backend.settings import get_settings
from tests.backend.cli import aft, ids
from tests.backend.client import client
from tests.backend.test_models import model_directory
from tests.factories import make_dataset

API = "/api/v1"
pytestmark = pytest.mark.usefixtures("data_directory")


@pytest.fixture
def version_id() -> str:
    with transaction() as session:
        return make_dataset(session)[0]


def test_local_model_is_added_listed_and_shown_by_name_or_id() -> None:
    model_directory(get_settings().local_model_roots[0] / "tiny")
    [model_id] = ids(aft("models", "add", "tiny", "--name", "mine"))
    listed = aft("models", "list")
    assert "mine" in listed
    assert "local" in listed
    for which in ("mine", model_id):
        shown = aft("models", "show", which)
        assert f"mine (local), {model_id}" in shown
        assert "architecture: LlamaForCausalLM" in shown
    assert "architecture: LlamaForCausalLM" in aft("models", "inspect", "tiny")


def test_builtin_model_is_queued_once() -> None:
    [run_id] = ids(aft("models", "make"))
    assert f"Run {run_id} exists already." in aft("models", "make")
    assert f"made by run {run_id} (queued)" in aft("models", "show", "Small Llama (built-in)")


def test_tiny_model_is_queued_for_the_newest_split(version_id: str) -> None:
    model_id, run_id = ids(aft("models", "make-tiny", version_id, "--name", "try", "--layers", "1", "--no-wait"))
    with reading() as session:
        run = session.get_one(Run, run_id)
        model = session.get_one(BaseModelEntry, model_id)
    assert (run.kind, run.state, run.config["layers"], run.config["vocab_size"]) == ("pretrain", "queued", 1, 2048)
    assert run.inputs == {
        "base_model_id": model_id, "dataset_version_id": version_id, "split_id": run.config["split_id"]
    }  # fmt: skip
    assert (model.source, model.config) == ("tiny", run.config)
    shown = aft("models", "show", "try")
    assert f"try (tiny), {model_id}" in shown
    assert "has not been made yet" in shown
    with client() as web:
        [row] = web.get(f"{API}/models").json()["items"]
        assert (row["source"], row["available"], row["making"]["run_id"]) == ("tiny", False, run_id)
        # Nothing else uses it yet, so it can go; the run that makes it does not count.
        assert web.delete(f"{API}/models/{model_id}").status_code == 204


def test_experiment_on_a_tiny_model_makes_it_first_and_once(version_id: str) -> None:
    with client() as web:
        body = {"name": "try", "dataset_version_id": version_id, "sizes": {"window": 128}}
        making = web.post(f"{API}/models/tiny", json=body).json()
        spec = {
            "name": "on tiny", "dataset_version_id": version_id, "base_model_id": making["model_id"],
            "methods": [{"name": "vft"}], "seeds": [1], "max_length": 128, "max_new_tokens": 16,
        }  # fmt: skip
        plan = web.post(f"{API}/experiments/plan", json=spec).json()
        [base] = [node for node in plan["nodes"] if node["stage"] == "base"]
        assert base["reused_run_id"] == making["run_id"]
        assert plan["can_start"], plan["warnings"]
        too_long = web.post(f"{API}/experiments/plan", json=spec | {"max_length": 512}).json()
        assert "max_length is 512, the model's window is 128 tokens." in {
            item["message"] for item in too_long["warnings"] if item["level"] == "error"
        }
        experiment = web.post(f"{API}/experiments", json={"spec": spec, "request_id": "request-1"}).json()
        [train] = [cell for cell in experiment["cells"] if cell["kind"] == "train"]
        with reading() as session:
            start = session.query(RunParent).filter_by(run_id=train["run_id"], role="start").one()
        assert start.parent_id == making["run_id"]
        assert web.delete(f"{API}/models/{making['model_id']}").status_code == 409


def test_parameters_of_a_tiny_model_are_estimated_by_its_vocabulary(version_id: str) -> None:
    with transaction() as session:
        for name, vocab_size in (("small", 300), ("large", 20_000)):
            config = {"dataset_version_id": version_id, "split_id": "0" * 32, "vocab_size": vocab_size}
            session.add(BaseModelEntry(name=name, source="tiny", config=config))
    with client() as web:
        spec = {"name": "x", "dataset_version_id": version_id, "methods": [{"name": "vft"}], "seeds": [1]}
        memory = {
            row["name"]: web.post(f"{API}/experiments/plan", json=spec | {"base_model_id": row["id"]}).json()
            for row in web.get(f"{API}/models").json()["items"]
        }
    difference = memory["large"]["estimate_memory_bytes"] - memory["small"]["estimate_memory_bytes"]
    assert difference == 16 * 64 * (20_000 - 300)
    assert sizing.BUILTIN_WINDOW == 1024


@pytest.mark.parametrize(
    ("changes", "status", "field", "words"),
    [
        ({"name": " "}, 422, "name", "name is empty"),
        ({"dataset_version_id": "0" * 32}, 404, None, "no data set version"),
        ({"split_id": "0" * 32}, 404, None, "no split"),
        ({"sizes": {"vocab_size": 100}}, 422, "sizes.vocab_size", "261"),
        ({"sizes": {"hidden_size": 30, "heads": 4}}, 422, "sizes", "multiple of 8"),
        ({"sizes": {"window": 1}}, 422, "sizes.window", "64"),
    ],
)
def test_tiny_model_that_cannot_be_made_is_refused_with_the_field(
    version_id: str, changes: dict[str, object], status: int, field: str | None, words: str
) -> None:
    body = {"name": "try", "dataset_version_id": version_id} | changes
    with client() as web:
        answer = web.post(f"{API}/models/tiny", json=body)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert words in answer.json()["detail"]
        assert [item["field"] for item in answer.json()["errors"]] == ([field] if field else [])
        assert web.get(f"{API}/models").json()["items"] == []


def test_tiny_model_needs_training_questions() -> None:
    with transaction() as session:
        version_id, _ = make_dataset(session, train=0)
    assert "no train questions" in aft("models", "make-tiny", version_id, "--name", "try", status=1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", "absent", "--name", "x"], "is not a directory"),
        (["add", "/etc", "--name", "x"], "not below a directory"),
        (["add", "not a hub id", "--hub", "--name", "x"], "is not a hub id"),
        (["add", "gpt2", "--hub", "--name", ""], "name"),
        (["show", "nothing"], "There is no base model"),
        (["inspect", "absent"], "is not a directory"),
        (["make-tiny", "0" * 32, "--name", "x"], "There is no data set version"),
        (["make-tiny", "0" * 32, "--name", "x", "--heads", "0"], "heads"),
    ],
)
def test_what_cannot_work_is_said_in_words(arguments: list[str], words: str) -> None:
    said = aft("models", *arguments, status=1)
    assert words in said
    assert "Traceback" not in said
