"""The runs page by experiment and method: order, counts, and pages that meet without gap or repeat."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.db.models import Experiment, utcnow
from backend.db.session import transaction
from backend.services import experiments
from tests.backend.client import client
from tests.backend.comparing import spec_of
from tests.factories import make_run

METHODS = [{"name": "vft"}, {"name": "rft"}, {"name": "aft", "constraint": "boundary"}]


@pytest.fixture
def made(data_directory: Any) -> dict[str, str]:
    """Ids of two experiments, the second of which takes over the first one's shared stages, and of lone runs."""
    assert data_directory
    with transaction() as session:
        lone = make_run(session, "a lone run").id
        spec = spec_of(session, methods=METHODS, seeds=[1, 2], name="first")
        first = experiments.start(session, spec, request_id=None).id
        second = experiments.start(
            session, spec.model_copy(update={"name": "second", "methods": spec.methods[:2], "seeds": (1, 3)}),
            request_id=None,
        ).id  # fmt: skip
    return {"first": first, "second": second, "lone": lone}


def pages(web: TestClient, limit: int, **options: Any) -> list[dict[str, Any]]:
    """Every run of the grouped list, page after page."""
    rows: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        answer = web.get("/api/v1/runs/grouped", params={"limit": limit, **options, **after})
        assert answer.status_code == 200, answer.text
        rows += answer.json()["items"]
        if answer.json()["next_after"] is None:
            return rows
        after = {"after": answer.json()["next_after"]}


def test_experiments_come_by_their_newest_run_and_methods_as_planned(made: dict[str, str]) -> None:
    with client() as web:
        groups = web.get("/api/v1/runs/groups").json()
    named = [(group["experiment_name"], group["method"]) for group in groups]
    assert named == [
        ("second", None),
        ("second", "VFT"),
        ("second", "RFT"),
        ("first", None),
        ("first", "VFT"),
        ("first", "RFT"),
        ("first", "AFT · boundary"),
        (None, None),
    ]
    assert all(sum(group["states"].values()) == group["runs"] > 0 for group in groups)
    # A new run of no experiment brings those to the front.
    with transaction() as session:
        make_run(session, "the newest")
    with client() as web:
        assert web.get("/api/v1/runs/groups").json()[0]["experiment_id"] is None


@pytest.mark.parametrize("limit", [1, 7, 500])
def test_pages_hold_every_run_once_in_the_order_of_the_outline(made: dict[str, str], limit: int) -> None:
    with client() as web:
        groups = web.get("/api/v1/runs/groups").json()
        rows = pages(web, limit)
        everything = web.get("/api/v1/runs", params={"limit": 500}).json()["items"]
    assert sorted(row["id"] for row in rows) == sorted(row["id"] for row in everything)
    assert list(dict.fromkeys(row["group"] for row in rows)) == [group["key"] for group in groups]
    assert [row["group"] for row in rows] == [group["key"] for group in groups for _ in range(group["runs"])]
    by_id = {row["id"]: row for row in everything}
    assert all({**by_id[row["id"]], "group": row["group"]} == row for row in rows if row["finished_at"])


def test_a_shared_run_is_with_the_experiment_that_made_it_or_the_one_asked_for(made: dict[str, str]) -> None:
    with client() as web:
        rows = {row["id"]: row for row in pages(web, 500)}
        shared = next(row for row in rows.values() if len(row["experiments"]) == 2)
        assert shared["group"].startswith(f"{made['first']}:")
        there = {row["id"]: row for row in pages(web, 500, experiment_id=made["second"])}
        assert there[shared["id"]]["group"].startswith(f"{made['second']}:")
        assert {row["group"].partition(":")[0] for row in there.values()} == {made["second"]}


def test_closed_groups_have_no_rows_and_filters_count(made: dict[str, str]) -> None:
    with client() as web:
        vft = f"{made['first']}:VFT"
        rows = pages(web, 7, closed=[vft, "-:"])
        assert not {vft, "-:"} & {row["group"] for row in rows}
        assert len(rows) + 1 < len(pages(web, 500))
        trains = web.get("/api/v1/runs/groups", params={"kind": "train", "experiment_id": made["first"]}).json()
        assert [(group["method"], group["runs"]) for group in trains] == [("VFT", 2), ("RFT", 2), ("AFT · boundary", 2)]
        assert [row["kind"] for row in pages(web, 2, kind="train", experiment_id=made["first"])] == ["train"] * 6
        assert web.get("/api/v1/runs/grouped", params={"after": "0" * 32}).status_code == 422


def test_runs_of_a_deleted_experiment_belong_to_none(made: dict[str, str]) -> None:
    with transaction() as session:
        session.get_one(Experiment, made["first"]).deleted_at = utcnow()
    with client() as web:
        groups = web.get("/api/v1/runs/groups").json()
        named = {(group["experiment_name"], group["method"]) for group in groups}
        assert (None, "AFT · boundary") in named
        assert len(pages(web, 5)) == sum(group["runs"] for group in groups)
