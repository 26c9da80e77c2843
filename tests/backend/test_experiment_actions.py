"""Experiments that are paused, put first, extended, deleted by mistake; and what they used."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from backend.db.models import Experiment, ExperimentRun, Run, utcnow
from backend.db.session import transaction
from backend.services import dispatch, experiments, leases, runs, standing
from tests.backend.cli import aft
from tests.backend.client import client
from tests.backend.comparing import finish
from tests.backend.test_experiments import METHODS, body, start

__all__ = ["body"]
OWNER = "worker-1"


def act(web: TestClient, experiment: dict[str, Any], what: str, status: int = 200, **json: Any) -> dict[str, Any]:
    answer = web.post(f"/api/v1/experiments/{experiment['id']}/{what}", json=json or None)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def claimed() -> str | None:
    """Whichever run is next in line, claimed by a worker."""
    with transaction() as session:
        following = leases.first_in_line(session)
        if following is None:
            return None
        claim = leases.claim(session, *following, OWNER)
        assert claim is not None
        return claim.name


def test_a_paused_experiment_starts_nothing_and_what_runs_finishes(body: dict[str, Any]) -> None:
    with client() as web:
        experiment = start(web, body)
        assert claimed() == "Make the built-in model"
        paused = act(web, experiment, "pause")
        assert paused["state"] == "paused"
        states = {cell["cell"]: (cell["state"], cell["on_hold"]) for cell in paused["cells"]}
        assert states.pop("base") == ("starting", False)
        assert set(states.values()) == {("waiting", True)}
        with transaction() as session:
            run = session.scalars(select(Run).where(Run.state == "starting")).one()
            claim = runs.Claim(run.id, 1, OWNER, run.kind, run.name, None, {}, {}, {})
            assert leases.beat(session, claim) is leases.Order.CONTINUE
            assert runs.finish(session, claim, runs.Outcome("succeeded"))
        # What waited for it is queued, keeps its place, and is not claimed.
        assert claimed() is None
        with transaction() as session:
            queued = session.scalars(select(Run).where(Run.state == "queued")).all()
            assert {run.name for run in queued} == {"Train VFT · seed 1", "Train VFT · seed 2"}
            assert leases.claim(session, queued[0].id, 1, OWNER) is None
            assert dispatch.dispatch_once(session) == 0
        resumed = act(web, experiment, "resume")
        assert resumed["state"] == "running"
        assert not any(cell["on_hold"] for cell in resumed["cells"])
    assert claimed() == "Train VFT · seed 1"


def test_a_run_that_another_experiment_needs_is_not_held(body: dict[str, Any]) -> None:
    with client() as web:
        first = start(web, body)
        second = start(web, body | {"methods": [*METHODS, {"name": "rrhf"}]}, "request-2")
        cells = {cell["cell"]: cell["on_hold"] for cell in act(web, second, "pause")["cells"]}
        assert cells["seed 1/RRHF · none/train"] is True
        assert cells["base"] is False
        act(web, first, "pause")
        assert claimed() is None
        # Starting a third one that shares them sets them free again.
        start(web, body | {"name": "third"}, "request-3")
    assert claimed() == "Make the built-in model"


def test_a_hold_without_a_reason_is_released(body: dict[str, Any]) -> None:
    with client() as web:
        experiment = start(web, body)
        act(web, experiment, "pause")
    with transaction() as session:
        # As if a pause and a start had crossed.
        session.get_one(Experiment, experiment["id"]).paused_at = None
    with transaction() as session:
        assert dispatch.has_work(session)
        assert standing.release(session) > 0
    assert claimed() == "Make the built-in model"


def test_pausing_what_is_over_is_refused(body: dict[str, Any]) -> None:
    with client() as web:
        experiment = start(web, body)
        act(web, experiment, "pause")
        assert act(web, experiment, "pause")["state"] == "paused"
        act(web, experiment, "cancel")
        assert "nothing is left to pause" in act(web, experiment, "pause", 409)["detail"]
        assert act(web, experiment, "retry")["state"] == "running"


def test_the_urgent_experiment_goes_first(body: dict[str, Any]) -> None:
    with client() as web:
        start(web, body)
        later = start(web, body | {"max_length": 96, "name": "urgent"}, "request-2", repeat=True)
        answer = web.put(f"/api/v1/experiments/{later['id']}/priority", json={"priority": "high"})
        assert answer.json()["priority"] == "high"
        assert web.put(f"/api/v1/experiments/{later['id']}/priority", json={"priority": "top"}).status_code == 422
    with transaction() as session:
        following = leases.first_in_line(session)
        assert following is not None
        places = session.scalars(select(ExperimentRun).where(ExperimentRun.run_id == following[0])).all()
        assert {place.experiment_id for place in places} == {later["id"]}


def test_an_extension_adds_cells_and_keeps_what_is_done(body: dict[str, Any]) -> None:
    added: dict[str, Any] = {"methods": [{"name": "aft", "constraint": "boundary"}], "seeds": [3]}
    with client() as web:
        experiment = start(web, body)
        with transaction() as session:
            finish(session, session.get_one(Experiment, experiment["id"]))
        plan = act(web, experiment, "extend/plan", **added)
        before = {cell["cell"]: cell["run_id"] for cell in experiment["cells"]}
        assert not {node["cell"] for node in plan["nodes"]} & set(before)
        # Two runs of the new method under each old seed; 3 shared and 2 + 3 + 2 of methods under the new one.
        assert plan["runs_new"] == len(plan["nodes"]) == 2 * 2 + 3 + 2 + 3 - 1 + 2 + 1
        grown = act(web, experiment, "extend", **added)
        after = {cell["cell"]: cell["run_id"] for cell in grown["cells"]}
        assert {cell: after[cell] for cell in before} == before
        assert set(after) - set(before) == {node["cell"] for node in plan["nodes"]}
        assert grown["seeds"] == [1, 2, 3]
        assert grown["methods"][-1] == "AFT · boundary"
        assert grown["state"] == "running"
        assert grown["counts"]["succeeded"] == len(before)
        table = web.get(f"/api/v1/experiments/{experiment['id']}/comparison").json()
        missing = {row["method"]: row["missing"] for row in table["rows"]}
        assert missing["VFT"] == ["seed 3: waiting"]
        assert len(missing["AFT · boundary"]) == 3
        assert "has a method 'AFT · boundary' already" in act(web, experiment, "extend", 422, **added)["detail"]
        assert "has seed 3 already" in act(web, experiment, "extend", 422, seeds=[3])["detail"]
        assert "Nothing is added" in act(web, experiment, "extend", 422, methods=[])["detail"]
        twice = act(web, experiment, "extend", 422, seeds=[7, 7])
        assert "repeat a value" in twice["detail"]


def test_an_extension_waits_for_failed_runs_to_be_retried(body: dict[str, Any]) -> None:
    with client() as web:
        experiment = start(web, body)
        with transaction() as session:
            finish(session, session.get_one(Experiment, experiment["id"]))
            cells = {cell.place.cell: cell.run for cell in experiments.cells(session, experiment["id"])}
            cells["seed 1/candidates"].state = "failed"
        refused = act(web, experiment, "extend", 409, methods=[{"name": "rrhf"}])
        assert "is failed" in refused["detail"]
        unchanged = web.get(f"/api/v1/experiments/{experiment['id']}").json()
        assert unchanged["methods"] == experiment["methods"]
        assert unchanged["runs_total"] == experiment["runs_total"]


def test_a_paused_experiment_extended_stays_paused(body: dict[str, Any]) -> None:
    with client() as web:
        experiment = start(web, body)
        act(web, experiment, "pause")
        grown = act(web, experiment, "extend", methods=[{"name": "rrhf"}])
    assert grown["state"] == "paused"
    assert all(cell["on_hold"] for cell in grown["cells"])


def test_only_failed_and_cancelled_cells_are_retried(body: dict[str, Any]) -> None:
    with client() as web:
        experiment = start(web, body)
        with transaction() as session:
            finish(session, session.get_one(Experiment, experiment["id"]))
            cells = {cell.place.cell: cell.run for cell in experiments.cells(session, experiment["id"])}
            cells["seed 2/RFT/evaluate"].state = "failed"
        again = act(web, experiment, "retry")
    assert again["counts"]["succeeded"] == again["runs_total"] - 1
    assert {cell["cell"]: cell["state"] for cell in again["cells"]}["seed 2/RFT/evaluate"] == "queued"


def test_a_deletion_can_be_undone_for_a_day(body: dict[str, Any]) -> None:
    with client() as web:
        experiment = start(web, body)
        act(web, experiment, "cancel")
        assert web.delete(f"/api/v1/experiments/{experiment['id']}").status_code == 204
        assert web.get(f"/api/v1/experiments/{experiment['id']}").status_code == 404
        assert web.get("/api/v1/experiments").json()["items"] == []
        assert act(web, experiment, "restore")["name"] == experiment["name"]
        assert len(web.get("/api/v1/experiments").json()["items"]) == 1
        # The same file may be started anew after a deletion.
        web.delete(f"/api/v1/experiments/{experiment['id']}")
        assert start(web, body)["id"] != experiment["id"]
        with transaction() as session:
            session.get_one(Experiment, experiment["id"]).deleted_at = utcnow() - 2 * experiments.UNDO_WITHIN
            experiments.forget_deleted(session)
        assert act(web, experiment, "restore", 404)["remedy"]


def test_time_and_disk_are_estimated_and_counted(body: dict[str, Any]) -> None:
    with client() as web:
        experiment = start(web, body)
        with transaction() as session:
            finish(session, session.get_one(Experiment, experiment["id"]))
        done = web.get(f"/api/v1/experiments/{experiment['id']}").json()
        second = start(web, body, "request-2")
    assert done["usage"]["estimate_seconds"] > 0
    assert done["usage"]["estimate_bytes"] > 0
    assert done["usage"]["reused_seconds"] == 0
    assert all(cell["estimate_seconds"] > 0 for cell in done["cells"])
    assert second["usage"]["used_seconds"] == 0


def test_runs_are_tagged_found_and_cloned(body: dict[str, Any]) -> None:
    with client() as web:
        cells = start(web, body)["cells"]
        ids = [cell["run_id"] for cell in cells[:3]]
        url = "/api/v1/runs/tags"
        assert web.post(url, json={"run_ids": ids, "add": [" good  one ", "good one", "x"]}).status_code == 200
        assert web.post(url, json={"run_ids": ids[:1], "remove": ["x"]}).status_code == 200
        found = web.get("/api/v1/runs", params={"tag": "x"}).json()["items"]
        assert {run["id"] for run in found} == set(ids[1:])
        assert found[0]["tags"] == ["good one", "x"]
        assert web.get(url).json() == [{"tag": "good one", "runs": 3}, {"tag": "x", "runs": 2}]
        assert web.post(url, json={"run_ids": ids, "add": ["y" * 41]}).status_code == 422
        assert web.post(url, json={"run_ids": ids, "add": [" \x00 "]}).status_code == 422
        cloned = web.post("/api/v1/runs/clone", json={"run_ids": [ids[0], "nothing"]}).json()
        assert len(cloned["done"]) == len(cloned["refused"]) == 1
        copy = web.get(f"/api/v1/runs/{cloned['done'][0]}").json()
        original = web.get(f"/api/v1/runs/{ids[0]}").json()
    assert copy["id"] != original["id"]
    assert copy["fingerprint"] == original["fingerprint"]
    assert copy["experiments"] == []
    assert copy["used_bytes"] == 0


@pytest.mark.usefixtures("data_directory")
def test_the_commands_do_the_same(tmp_path: Any) -> None:
    from tests.backend.comparing import spec_of

    with transaction() as session:
        experiment_id = experiments.start(session, spec_of(session), request_id=None).id
    assert "no new one starts" in aft("experiments", "pause", experiment_id)
    assert "paused" in aft("experiments", "list")
    assert "start again" in aft("experiments", "resume", experiment_id)
    assert "high priority" in aft("experiments", "prioritise", experiment_id, "high")
    methods = tmp_path / "methods.yaml"
    methods.write_text("methods:\n- {name: rrhf, constraint: detached}\n")
    out = aft("experiments", "extend", experiment_id, "--seed", "9", "--methods", str(methods))
    assert "runs added to the" in out
    assert "already" in aft("experiments", "extend", experiment_id, "--seed", "9", status=1)
    methods.write_text("- {name: rrhf, constraint: boundaries}\n")
    assert "constraint" in aft("experiments", "extend", experiment_id, "--methods", str(methods), status=1)
    aft("experiments", "cancel", experiment_id)
    assert "restore" in aft("experiments", "delete", experiment_id)
    assert "is back" in aft("experiments", "restore", experiment_id)
