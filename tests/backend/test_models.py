"""Base models and checkpoints: registered after a look, deleted when nothing needs them."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from aft.paper.bases import OTHER_BASES
from backend import storage
from backend.db.models import BaseModelEntry, Checkpoint, Run
from backend.db.session import transaction
from backend.services import builtin
from backend.settings import get_settings
from tests.backend.client import client
from tests.backend.importing import API
from tests.factories import make_run, train_config


@pytest.fixture
def web(database: str) -> Iterator[TestClient]:
    """A client on an empty installation, on either database."""
    assert database
    with client() as opened:
        yield opened


@pytest.fixture
def light(data_directory: Path) -> Iterator[TestClient]:
    """A client where the kind of database makes no difference."""
    assert data_directory  # type: ignore[truthy-bool]
    with client() as opened:
        yield opened


def model_directory(place: Path) -> Path:
    """The files of a tiny model, as far as they are looked at."""
    place.mkdir(parents=True)
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "max_position_embeddings": 64,
        "vocab_size": 4,
    }
    (place / "config.json").write_text(json.dumps(config))
    (place / "tokenizer.json").write_text("{}")
    (place / "tokenizer_config.json").write_text(json.dumps({"eos_token": "</s>"}))
    header = json.dumps({"w": {"dtype": "F32", "shape": [4, 2], "data_offsets": [0, 32]}}).encode()
    (place / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(32))
    return place


def root() -> Path:
    return get_settings().local_model_roots[0]


def add(web: TestClient, location: str, status: int = 201, name: str = "mine", source: str = "local") -> dict[str, Any]:
    answer = web.post(f"{API}/models", json={"name": name, "source": source, "location": location})
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


def trained(base_model_id: str, name: str = "Train VFT", state: str = "succeeded", **values: Any) -> tuple[str, str]:
    """A training run with a final model on disk; returns the ids of run and checkpoint."""
    with transaction() as session:
        run = make_run(
            session, name, kind="train", config=train_config(), inputs={"base_model_id": base_model_id}, **values
        )
        key = storage.new_key("runs", run.id, "final")
        place = model_directory(storage.path(key))
        sha256, size = storage.sha256_of(place)
        checkpoint = Checkpoint(
            run_id=run.id, purpose="final", step=9, attempt=1, key=key, sha256=sha256, size_bytes=size
        )
        session.add(checkpoint)
        session.flush()
        session.get_one(Run, run.id, populate_existing=True).state = state
        return run.id, checkpoint.id


def test_local_model_is_registered_with_its_facts(web: TestClient) -> None:
    place = model_directory(root() / "tiny")
    looked = web.post(f"{API}/models/inspect", json={"source": "local", "location": str(place)}).json()
    model = add(web, str(place))
    assert model["facts"] == looked["facts"]
    assert (model["facts"]["parameters"], model["facts"]["window"], model["available"]) == (8, 64, True)
    assert add(web, str(place), 409, "other")["errors"][0]["field"] == "location"
    assert add(web, "gpt2", 409, source="hub")["errors"][0]["field"] == "name"
    again = web.get(f"{API}/models/{model['id']}/inspect").json()
    assert (again["problem"], again["facts"]) == (None, model["facts"])
    (place / "model.safetensors").write_bytes(b"short")
    assert "damaged" in web.get(f"{API}/models/{model['id']}/inspect").json()["problem"]
    assert web.get(f"{API}/models/{model['id']}").json()["used_by"] == []
    assert web.delete(f"{API}/models/{model['id']}").status_code == 204
    assert web.get(f"{API}/models/{model['id']}").status_code == 404
    assert place.is_dir()


def test_relative_location_is_below_the_models_directory(light: TestClient) -> None:
    place = model_directory(root() / "tiny")
    assert add(light, "tiny")["location"] == str(place.resolve())
    assert light.get(f"{API}/models/roots").json()["roots"] == [str(root())]


def test_directory_outside_of_the_roots_is_refused(light: TestClient, tmp_path: Path) -> None:
    outside = model_directory(tmp_path / "outside")
    root().mkdir(parents=True)
    (root() / "link").symlink_to(outside)
    for location in (str(outside), "../../outside", str(root() / "link"), "/etc", "~", "a\0b", str(root()) + "-2"):
        problem = add(light, location, 422)
        assert problem["errors"][0]["field"] == "location", location
        assert "below" in problem["detail"] or "NUL" in problem["detail"]
        look = light.post(f"{API}/models/inspect", json={"source": "local", "location": location})
        assert look.status_code == 422


def test_directory_that_is_no_model_is_refused_with_the_reason(light: TestClient) -> None:
    cases = {"not there": "is not a directory", "empty": "config.json", "pickled": "can run code", "coded": "auto_map"}
    (root() / "empty").mkdir(parents=True)
    pickled = model_directory(root() / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    coded = model_directory(root() / "coded")
    config = json.loads((coded / "config.json").read_text()) | {"auto_map": {"AutoModel": "evil.Model"}}
    (coded / "config.json").write_text(json.dumps(config))
    for name, words in cases.items():
        assert words in add(light, name, 422)["detail"], name


@pytest.mark.parametrize("hub_id", ["gpt2", "Qwen/Qwen3-0.6B", "HuggingFaceTB/SmolLM2-135M"])
def test_hub_ids_are_taken(light: TestClient, hub_id: str) -> None:
    model = add(light, f" {hub_id} ", source="hub")
    assert (model["location"], model["facts"], model["available"]) == (hub_id, None, False)


@pytest.mark.parametrize(
    "hub_id", ["", "  ", "a/b/c", "../x", "https://huggingface.co/gpt2", "a b", "-x", "a--b", "x.git", "é"]
)
def test_other_texts_are_no_hub_ids(light: TestClient, hub_id: str) -> None:
    assert add(light, hub_id, 422, source="hub")["errors"][0]["field"] == "location"


def test_used_model_is_not_deleted(web: TestClient) -> None:
    model = add(web, "gpt2", source="hub")
    run_id, checkpoint_id = trained(model["id"])
    body = web.get(f"{API}/models/{model['id']}").json()
    assert body["used_by"] == [{"kind": "run", "id": run_id, "name": "Train VFT"}]
    assert [line["id"] for line in body["checkpoints"]] == [checkpoint_id]
    answer = web.delete(f"{API}/models/{model['id']}")
    assert answer.status_code == 409
    assert "Train VFT" in answer.json()["detail"]


def test_built_in_model_is_made_once(web: TestClient) -> None:
    with transaction() as session:
        builtin.ensure(session)
    *others, model = web.get(f"{API}/models").json()["items"]
    assert len(others) == len(OTHER_BASES)
    first = web.post(f"{API}/models/{model['id']}/make")
    again = web.post(f"{API}/models/{model['id']}/make")
    assert (first.status_code, first.json()["already_there"], again.json()["already_there"]) == (202, False, True)
    assert first.json()["run_id"] == again.json()["run_id"]
    *others, model = web.get(f"{API}/models").json()["items"]
    assert (model["available"], model["making"]["state"]) == (False, "queued")
    assert {other["making"] for other in others} == {None}
    assert web.get(f"{API}/models/{model['id']}/inspect").json()["problem"]
    assert web.delete(f"{API}/models/{model['id']}").status_code == 409
    key = storage.new_key("runs", first.json()["run_id"], "final")
    model_directory(storage.path(key))
    with transaction() as session:
        session.get_one(Run, first.json()["run_id"]).state = "succeeded"
        row = Checkpoint(
            run_id=first.json()["run_id"], purpose="final", step=1, attempt=1, key=key, sha256="0", size_bytes=1
        )
        session.add(row)
    *_, model = web.get(f"{API}/models").json()["items"]
    assert (model["available"], model["facts"]["parameters"]) == (True, 8)
    assert web.post(f"{API}/models/{model['id']}/make").json()["already_there"] is True


def test_a_model_from_elsewhere_is_not_made_here(web: TestClient) -> None:
    model = add(web, "gpt2", source="hub")
    answer = web.post(f"{API}/models/{model['id']}/make")
    assert (answer.status_code, answer.json()["detail"]) == (409, "'mine' is not made here.")
    assert web.post(f"{API}/models/{'0' * 32}/make").status_code == 404


def test_checkpoints_are_listed_with_their_lineage(web: TestClient) -> None:
    model = add(web, "gpt2", source="hub")
    vft, vft_checkpoint = trained(model["id"])
    with transaction() as session:
        parents = {"start": session.get_one(Run, vft)}
    aft, aft_checkpoint = trained(model["id"], "Train AFT", parents=parents)
    page = web.get(f"{API}/checkpoints", params={"limit": 1}).json()
    [line] = page["items"]
    assert (line["id"], line["run_id"], line["started_from_run_id"], line["used_by"]) == (aft_checkpoint, aft, vft, [])
    assert (line["base_model_name"], line["step"]) == ("mine", 9)
    assert line["size_bytes"] > 32
    [older] = web.get(f"{API}/checkpoints", params={"limit": 1, "after": page["next_after"]}).json()["items"]
    assert older["id"] == vft_checkpoint
    assert older["used_by"] == [{"kind": "run", "id": aft, "name": "Train AFT"}]
    assert web.get(f"{API}/checkpoints", params={"purpose": "resume"}).json()["items"] == []
    assert web.get(f"{API}/checkpoints", params={"base_model_id": "0" * 32}).json()["items"] == []


def test_checkpoint_is_deleted_when_nothing_needs_it(web: TestClient) -> None:
    model = add(web, "gpt2", source="hub")
    vft, checkpoint_id = trained(model["id"])
    with transaction() as session:
        child = make_run(session, "Train AFT", parents={"start": session.get_one(Run, vft)}).id
    place = storage.path(storage.new_key("runs", vft, "final"))
    answer = web.delete(f"{API}/checkpoints/{checkpoint_id}", params={"confirmed": True})
    assert (answer.status_code, "needed by run 'Train AFT'" in answer.json()["detail"]) == (409, True)
    with transaction() as session:
        session.get_one(Run, child).state = "succeeded"
    answer = web.delete(f"{API}/checkpoints/{checkpoint_id}")
    assert (answer.status_code, "read by run 'Train AFT'" in answer.json()["detail"]) == (409, True)
    assert place.is_dir()
    assert web.delete(f"{API}/checkpoints/{checkpoint_id}", params={"confirmed": True}).status_code == 204
    assert not place.exists()
    assert web.delete(f"{API}/checkpoints/{checkpoint_id}").status_code == 404
    assert web.get(f"{API}/checkpoints").json()["items"] == []


def test_checkpoint_of_a_run_in_progress_stays(light: TestClient) -> None:
    model = add(light, "gpt2", source="hub")
    _, checkpoint_id = trained(model["id"], state="running")
    assert light.delete(f"{API}/checkpoints/{checkpoint_id}").status_code == 409


def test_models_are_listed_page_by_page(light: TestClient) -> None:
    with transaction() as session:
        session.add_all(BaseModelEntry(name=f"m{n}", source="hub", location=f"m{n}") for n in range(3))
    page = light.get(f"{API}/models", params={"limit": 2}).json()
    rest = light.get(f"{API}/models", params={"limit": 2, "after": page["next_after"]}).json()
    assert len(page["items"]) == 2
    assert (len(rest["items"]), rest["next_after"]) == (1, None)
    assert light.get(f"{API}/models/nothing").status_code == 404
