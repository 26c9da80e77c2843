"""Splits: drawn once, the same everywhere, their ids kept."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from backend.db.models import Example, SplitMember
from backend.db.session import reading
from backend.errors import Invalid, NotFound
from backend.services import splits
from tests.backend.client import client
from tests.backend.importing import API, ask_for, gsm8k, imported, jsonl


@pytest.fixture
def web(database: str) -> Iterator[TestClient]:
    """A client on an empty installation, on either database."""
    assert database
    with client() as opened:
        yield opened


def numbers(web: TestClient, name: str = "sums") -> str:
    """A version with 60 training and 40 test questions."""
    contents = {"train.jsonl": jsonl(gsm8k(60)), "test.jsonl": jsonl(gsm8k(40, 100))}
    return str(imported(web, contents, dataset_name=name)["id"])


def draw(web: TestClient, version_id: str, status: int = 201, name: str | None = None, **spec: Any) -> dict[str, Any]:
    answer = web.post(f"{API}/dataset-versions/{version_id}/splits", json={"name": name, "spec": spec})
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


def members(split_id: str) -> dict[str, list[str]]:
    query = (
        select(SplitMember.part, Example.external_id)
        .join(Example, Example.id == SplitMember.example_id)
        .where(SplitMember.split_id == split_id)
        .order_by(SplitMember.part, SplitMember.position)
    )
    found: dict[str, list[str]] = {}
    with reading() as session:
        for part, external_id in session.execute(query):
            found.setdefault(part, []).append(external_id)
    return found


def test_split_has_the_numbers_asked_for_and_shares_no_question(web: TestClient) -> None:
    split = draw(web, numbers(web), train=30, validation=10, test=40, seed=3)
    assert (split["counts"], split["name"]) == ({"train": 30, "validation": 10, "test": 40}, "30 / 10 / 40, seed 3")
    parts = members(split["id"])
    assert {part: len(ids) for part, ids in parts.items()} == split["counts"]
    assert len(set().union(*parts.values())) == 80
    assert all(name.startswith("gsm8k-test") for name in parts["test"])
    assert all(name.startswith("gsm8k-train") for name in [*parts["train"], *parts["validation"]])


def test_same_seed_draws_the_same_questions_in_another_installation_too(web: TestClient) -> None:
    # The second version has other row ids, as another database would.
    first, second = (draw(web, numbers(web, name), train=20, validation=5, test=9, seed=1) for name in ("a", "b"))
    assert members(first["id"]) == members(second["id"])
    assert first["sha256"] == second["sha256"]
    other = draw(web, first["version_id"], train=20, validation=5, test=9, seed=2)
    assert other["sha256"] != first["sha256"]


def test_too_few_questions_are_refused_with_the_numbers(web: TestClient) -> None:
    version_id = numbers(web)
    problem = draw(web, version_id, 422, train=61, test=5)
    assert problem["errors"][0]["field"] == "spec"
    assert "61" in problem["detail"]
    assert "60" in problem["detail"]
    assert web.get(f"{API}/dataset-versions/{version_id}/splits").json() == []
    fewer = draw(web, version_id, train=61, test=5, allow_fewer=True)
    assert fewer["counts"]["train"] == 60
    assert fewer["name"].startswith("60 / 0 / 5, ")
    assert draw(web, version_id, 422, preset="chess")["errors"]
    assert draw(web, version_id, 422, preset="gsm8k", train=5)["errors"]
    assert draw(web, version_id, 422)["errors"]
    assert draw(web, version_id, 422, train=-1)["errors"]


def test_names_of_splits_are_unique(web: TestClient) -> None:
    version_id = numbers(web)
    draw(web, version_id, name="mine", train=5, test=5)
    assert draw(web, version_id, 409, name="mine", train=6, test=5)["errors"][0]["field"] == "name"
    assert draw(web, version_id, train=5, test=5)["name"] == "5 / 0 / 5, seed 0"
    assert draw(web, version_id, train=5, test=5)["name"] == "5 / 0 / 5, seed 0 (2)"
    listed = web.get(f"{API}/dataset-versions/{version_id}/splits").json()
    assert [split["name"] for split in listed] == ["5 / 0 / 5, seed 0 (2)", "5 / 0 / 5, seed 0", "mine"]


def test_presets_say_whether_the_version_can_satisfy_them(web: TestClient) -> None:
    version_id = numbers(web)
    presets = {item["name"]: item for item in web.get(f"{API}/dataset-versions/{version_id}/split-presets").json()}
    assert set(presets) == {"gsm8k", "gsm8k-rank"}
    assert presets["gsm8k"]["counts"] == {"train": 7473, "validation": 400, "test": 919}
    assert not presets["gsm8k"]["possible"]
    assert "400" in presets["gsm8k"]["reason"]
    large = imported(
        web, {"train.jsonl": jsonl(gsm8k(1000)), "test.jsonl": jsonl(gsm8k(1319, 5000))}, dataset_name="large"
    )
    presets = {item["name"]: item for item in web.get(f"{API}/dataset-versions/{large['id']}/split-presets").json()}
    assert (presets["gsm8k-rank"]["possible"], presets["gsm8k-rank"]["reason"]) == (True, None)
    split = draw(web, large["id"], **presets["gsm8k-rank"]["spec"])
    assert split["counts"] == {"train": 1000, "validation": 400, "test": 919}


def test_version_that_is_not_ready_cannot_be_split(web: TestClient) -> None:
    started = ask_for(web, {"train.jsonl": jsonl(gsm8k(5))})
    assert draw(web, started["version_id"], 409, train=2)["status"] == 409
    assert draw(web, "0" * 32, 404, train=2)["status"] == 404


def test_fewer_questions_are_the_first_of_more(web: TestClient) -> None:
    split_id = draw(web, numbers(web), train=50, validation=5, test=20)["id"]

    def names(**limits: Any) -> list[str]:
        with reading() as session:
            return [row.external_id for row in splits.questions(session, split_id, "train", **limits)]

    everything = names(seed=1)
    assert sorted(everything) == sorted(members(split_id)["train"])
    assert names(seed=1, limit=7) == everything[:7]
    assert names(seed=2) != everything
    assert names(seed=1, limit=500) == everything


def test_questions_of_a_missing_part_are_refused(web: TestClient) -> None:
    split_id = draw(web, numbers(web), train=50, test=20)["id"]
    with reading() as session:
        with pytest.raises(Invalid, match="no validation questions"):
            splits.questions(session, split_id, "validation")
        with pytest.raises(NotFound):
            splits.questions(session, "0" * 32, "train")
