"""Data sets: listed, browsed, renamed, deleted when nothing uses them; the built-in one."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from aft.paper.bases import OTHER_BASES
from backend.db.models import Dataset, DatasetVersion, Example, Split, SplitMember
from backend.db.session import reading, transaction
from backend.errors import NotFound
from backend.services import builtin, datasets, splits
from tests.backend.client import client
from tests.backend.importing import API, count, gsm8k, imported, jsonl
from tests.factories import make_dataset, make_run


@pytest.fixture
def web(database: str) -> Iterator[TestClient]:
    """A client on an empty installation, on either database."""
    assert database
    with client() as opened:
        yield opened


def browse(web: TestClient, version_id: str, **params: Any) -> dict[str, Any]:
    answer = web.get(f"{API}/dataset-versions/{version_id}/examples", params=params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def through(web: TestClient, version_id: str, **params: Any) -> list[dict[str, Any]]:
    """Every example, page by page."""
    found: list[dict[str, Any]] = []
    after: Any = -1
    while after is not None:
        page = browse(web, version_id, **{**params, "after": after})
        found += page["items"]
        after = page["next_after"]
    return found


def test_unknown_ids_are_not_found(web: TestClient) -> None:
    for path in ("datasets/x", "dataset-versions/x", "dataset-versions/x/examples", "examples/5", "examples/-1"):
        answer = web.get(f"{API}/{path}")
        assert answer.status_code == 404, path
        assert answer.headers["content-type"] == "application/problem+json"
    assert web.get(f"{API}/examples/{10**30}").status_code == 404
    for path in ("splits", "split-presets", "rejects", "rejects.jsonl"):
        assert web.get(f"{API}/dataset-versions/x/{path}").status_code == 404
    assert web.get(f"{API}/datasets").json() == {"items": [], "next_after": None}


def test_data_sets_are_listed_page_by_page_newest_first(web: TestClient) -> None:
    for name in ("one", "two", "three"):
        imported(web, {"train.jsonl": jsonl(gsm8k(2))}, dataset_name=name)
    page = web.get(f"{API}/datasets", params={"limit": 2}).json()
    assert [item["name"] for item in page["items"]] == ["three", "two"]
    assert page["items"][0]["parts"] == {"train": 2}
    rest = web.get(f"{API}/datasets", params={"limit": 2, "after": page["next_after"]}).json()
    assert ([item["name"] for item in rest["items"]], rest["next_after"]) == (["one"], None)


def test_examples_are_paged_by_position(web: TestClient) -> None:
    contents = {"train.jsonl": jsonl(gsm8k(25)), "test.jsonl": jsonl(gsm8k(7, 100))}
    version_id = imported(web, contents)["id"]
    assert [row["position"] for row in through(web, version_id, limit=10)] == list(range(32))
    assert [row["position"] for row in through(web, version_id, limit=3, part="test")] == list(range(25, 32))
    assert through(web, version_id, part="unmarked") == []
    assert web.get(f"{API}/dataset-versions/{version_id}/examples", params={"limit": 0}).status_code == 422
    assert web.get(f"{API}/dataset-versions/{version_id}/examples", params={"after": "x"}).status_code == 422


def test_examples_of_a_split_come_in_its_order(web: TestClient) -> None:
    version_id = imported(web, {"train.jsonl": jsonl(gsm8k(30))})["id"]
    spec = {"spec": {"train": 20, "validation": 5}}
    split_id = web.post(f"{API}/dataset-versions/{version_id}/splits", json=spec).json()["id"]
    train = through(web, version_id, split_id=split_id, part="train", limit=6)
    with reading() as session:
        query = select(SplitMember.example_id).where(SplitMember.split_id == split_id, SplitMember.part == "train")
        expected = list(session.scalars(query.order_by(SplitMember.position)))
    assert [row["id"] for row in train] == expected
    whole = through(web, version_id, split_id=split_id, limit=6)
    assert [row["position"] for row in whole] == sorted(row["position"] for row in whole)
    assert [row["part"] for row in whole].count("validation") == 5
    other = imported(web, {"train.jsonl": jsonl(gsm8k(3))}, dataset_name="other")["id"]
    params = {"split_id": split_id}
    assert web.get(f"{API}/dataset-versions/{other}/examples", params=params).status_code == 422


def test_search_goes_on_where_a_page_stopped_looking(web: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    version_id = imported(web, {"train.jsonl": jsonl(gsm8k(120))})["id"]
    monkeypatch.setattr(datasets, "SEARCHED_ROWS", 40)
    first = browse(web, version_id, q="has 77 APPLES")
    assert (first["items"], first["next_after"]) == ([], "39")
    assert [row["position"] for row in through(web, version_id, q="has 77 APPLES")] == [77]
    assert len(through(web, version_id, q="apples", limit=7)) == 120
    assert through(web, version_id, q="100%") == []
    assert [row["position"] for row in through(web, version_id, q="gsm8k-train-5")] == [5]


def test_long_texts_are_cut_in_lists_only(web: TestClient) -> None:
    row = {"question": "long " * 2000, "answer": "so " * 9000 + "\n#### 1"}
    version_id = imported(web, {"train.jsonl": jsonl([row])})["id"]
    [listed] = browse(web, version_id)["items"]
    assert (listed["text_truncated"], len(listed["question"]), len(listed["reference"])) == (True, 4000, 4000)
    whole = web.get(f"{API}/examples/{listed['id']}").json()
    assert (whole["text_truncated"], len(whole["question"])) == (False, len(row["question"].strip()))


def test_name_and_description_can_change(web: TestClient) -> None:
    first, second = (imported(web, {"train.jsonl": jsonl(gsm8k(2))}, dataset_name=name) for name in ("a", "b"))
    place = f"{API}/datasets/{first['dataset_id']}"
    body = web.patch(place, json={"name": " c ", "description": "Sums."}).json()
    assert (body["name"], body["description"]) == ("c", "Sums.")
    assert web.patch(place, json={"name": "b"}).status_code == 409
    assert web.patch(place, json={"name": "   "}).status_code == 422
    assert web.patch(place, json={"name": ""}).status_code == 422
    assert web.patch(place, json={"task": "aqua"}).status_code == 422
    assert web.patch(f"{API}/datasets/{second['dataset_id']}", json={"name": "a"}).status_code == 200


def test_unused_data_set_is_deleted_with_all_rows(web: TestClient) -> None:
    contents = {f"{part}.jsonl": jsonl(gsm8k(9, n)) for n, part in ((0, "train"), (50, "dev"), (99, "test"))}
    version = imported(web, contents)
    kept = imported(web, contents, dataset_name="kept")
    assert web.delete(f"{API}/datasets/{version['dataset_id']}").status_code == 204
    assert web.get(f"{API}/datasets/{version['dataset_id']}").status_code == 404
    assert web.delete(f"{API}/datasets/{version['dataset_id']}").status_code == 404
    assert [count(table) for table in (Dataset, DatasetVersion, Split, SplitMember, Example)] == [1, 1, 1, 27, 27]
    assert len(through(web, kept["id"])) == 27


def test_used_data_set_is_not_deleted_and_its_users_are_named(web: TestClient) -> None:
    with transaction() as session:
        version_id, split_id = make_dataset(session)
        dataset_id = datasets.get_version(session, version_id).dataset_id
        run = make_run(session, "the trained one", inputs={"dataset_version_id": version_id, "split_id": split_id})
    users = web.get(f"{API}/datasets/{dataset_id}").json()["used_by"]
    assert users == [{"kind": "run", "id": run.id, "name": "the trained one"}]
    answer = web.delete(f"{API}/datasets/{dataset_id}")
    assert answer.status_code == 409
    assert "run 'the trained one'" in answer.json()["detail"]


def test_built_in_data_and_model_are_made_once(web: TestClient) -> None:
    with reading() as session, pytest.raises(NotFound, match="built-in"):
        datasets.builtin_version(session)
    with transaction() as session:
        builtin.ensure(session)
    started = time.monotonic()
    with transaction() as session:
        builtin.ensure(session)
    assert time.monotonic() - started < 0.5
    [dataset] = web.get(f"{API}/datasets").json()["items"]
    assert (dataset["builtin"], dataset["parts"]) == (True, {"train": 4000, "validation": 1000, "test": 2000})
    with reading() as session:
        version = datasets.builtin_version(session)
        split = splits.newest(session, version.id)
        assert split is not None
        assert split.counts == builtin.COUNTS
        assert len(splits.questions(session, split.id, "test", limit=20)) == 20
    report = web.get(f"{API}/dataset-versions/{version.id}").json()["report"]
    assert (report["overlap"], report["rows_without_reference"], report["duplicates"]["rows"]) == ([], 0, 0)
    models = web.get(f"{API}/models").json()["items"]
    assert len(models) == 1 + len(OTHER_BASES)
    assert {(one["source"], one["available"], one["making"]) for one in models} == {("builtin", False, None)}
    answer = web.delete(f"{API}/datasets/{dataset['id']}")
    assert (answer.status_code, "built in" in answer.json()["detail"]) == (409, True)


def test_built_in_names_give_way_to_those_of_people(web: TestClient) -> None:
    imported(web, {"train.jsonl": jsonl(gsm8k(2))}, dataset_name=builtin.DATASET_NAME)
    with transaction() as session:
        builtin.ensure(session)
    names = [item["name"] for item in web.get(f"{API}/datasets").json()["items"]]
    assert names == [f"{builtin.DATASET_NAME} 2", builtin.DATASET_NAME]
