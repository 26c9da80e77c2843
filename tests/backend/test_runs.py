"""Creating, reusing, cancelling and retrying runs."""

from typing import Any

import pytest

from backend import jobs, storage
from backend.db.models import Checkpoint, Run
from backend.db.session import reading, transaction
from backend.errors import Conflict, NotFound
from backend.services import events, runs
from backend.services.fingerprints import fingerprint
from backend.services.runs import Claim, Outcome
from tests.factories import TINY, make_run, train_config


def created(name: str = "a run", **values: Any) -> str:
    with transaction() as session:
        return make_run(session, name, **values).id


def state_of(run_id: str) -> str:
    with reading() as session:
        return runs.get(session, run_id).state


def claimed(run_id: str, owner: str = "host:0:1:a") -> Claim:
    with transaction() as session:
        claim = runs.claim(session, run_id, runs.get(session, run_id).attempt, owner)
    assert claim is not None
    return claim


def ended(run_id: str, state: str = "succeeded") -> None:
    claim = claimed(run_id)
    with transaction() as session:
        error = {"title": "broken"} if state == "failed" else None
        assert runs.finish(session, claim, Outcome(state, error=error))


def with_child(parent_id: str, name: str = "the child") -> str:
    with transaction() as session:
        parent = runs.get(session, parent_id)
        return make_run(session, name, kind="train", config=train_config(), parents={"start": parent}).id


@pytest.mark.usefixtures("database")
def test_run_without_parents_is_queued_and_noted_for_its_doorbell() -> None:
    with transaction() as session:
        run = make_run(session)
        noted = jobs.pending(session)
    assert noted == [(run.id, 1)]
    with reading() as session:
        stored = runs.get(session, run.id)
        assert (stored.state, stored.attempt, stored.sent_at is not None) == ("queued", 1, True)


@pytest.mark.usefixtures("database")
def test_doorbell_nobody_takes_leaves_the_run_unsent() -> None:
    run_id = created()
    with reading() as session:
        assert runs.get(session, run_id).sent_at is None


@pytest.mark.usefixtures("database")
def test_every_transition_is_published() -> None:
    run_id = created()
    ended(run_id)
    with reading() as session:
        actions = [event.action for event in events.after(session, 0) if event.run_id == run_id]
    assert actions == ["queued", "starting", "succeeded"]


@pytest.mark.usefixtures("data_directory")
def test_same_content_is_reused_while_it_is_under_way() -> None:
    first = created()
    with transaction() as session:
        run, reused = runs.create(
            session, kind="pretrain", name="other", config=TINY.model_dump(mode="json"), inputs={}
        )
    assert (run.id, reused) == (first, True)


@pytest.mark.usefixtures("data_directory")
@pytest.mark.parametrize("changed", [{"config": TINY.model_dump(mode="json") | {"seed": 5}}, {"inputs": {"x": 1}}])
def test_other_content_is_not_reused(changed: dict[str, Any]) -> None:
    first = created()
    assert created(reuse=True, **changed) != first


@pytest.mark.usefixtures("data_directory")
def test_method_label_does_not_change_the_fingerprint() -> None:
    first = created(kind="train", config=train_config({"name": "vft"}))
    assert created(kind="train", config=train_config({"name": "vft", "label": "mine"}), reuse=True) == first


@pytest.mark.usefixtures("data_directory")
def test_settings_that_came_later_do_not_change_the_fingerprint_of_what_was() -> None:
    now = train_config({"name": "rft"})
    assert {"reference_noise"} <= now.keys()
    before = {key: value for key, value in now.items() if key != "reference_noise"}
    before["method"] = {key: now["method"][key] for key in now["method"] if key not in {"distinct", "epochs_factor"}}
    with transaction() as session:
        prints = [fingerprint(session, "train", config, {}, {}) for config in (before, now)]
        noisy = fingerprint(session, "train", now | {"reference_noise": 0.5}, {}, {})
    assert prints[0] == prints[1] != noisy


@pytest.mark.usefixtures("data_directory")
def test_finished_model_is_reused_only_while_its_files_exist() -> None:
    run_id = created()
    ended(run_id)
    assert created(reuse=True) != run_id
    key = storage.new_key("runs", run_id, "checkpoints", "final")
    with transaction() as session:
        session.add(Checkpoint(run_id=run_id, purpose="final", step=1, attempt=1, key=key, sha256="", size_bytes=1))
    storage.path(key).mkdir(parents=True)
    (storage.path(key) / "config.json").write_text("{}")
    assert created(reuse=True) == run_id
    storage.delete(key)
    assert created(reuse=True) != run_id


@pytest.mark.usefixtures("database")
def test_child_waits_and_is_queued_when_its_parent_succeeds() -> None:
    parent_id = created()
    child_id = with_child(parent_id)
    assert state_of(child_id) == "waiting"
    ended(parent_id)
    assert state_of(child_id) == "queued"


@pytest.mark.usefixtures("data_directory")
def test_child_of_several_parents_waits_for_the_last() -> None:
    first, second = created("one"), created("two", config=TINY.model_dump(mode="json") | {"seed": 2})
    with transaction() as session:
        parents = {"start": runs.get(session, first), "candidates": runs.get(session, second)}
        child_id = make_run(session, kind="train", config=train_config(), parents=parents).id
    ended(first)
    assert state_of(child_id) == "waiting"
    ended(second)
    assert state_of(child_id) == "queued"


@pytest.mark.usefixtures("database")
def test_failure_cancels_all_that_waits_and_retry_brings_it_back() -> None:
    parent_id = created()
    child_id = with_child(parent_id)
    grandchild_id = with_child(child_id, "the grandchild")
    ended(parent_id, "failed")
    with reading() as session:
        for run_id in (child_id, grandchild_id):
            run = runs.get(session, run_id)
            assert run.state == "cancelled"
            assert run.error is not None
        assert runs.get(session, child_id).error["title"] == "Its input run failed"  # type: ignore[index]
    with transaction() as session:
        again = runs.retry(session, parent_id)
        assert (again.state, again.attempt, again.error) == ("queued", 2, None)
    assert [state_of(child_id), state_of(grandchild_id)] == ["waiting", "waiting"]
    ended(parent_id)
    assert state_of(child_id) == "queued"


@pytest.mark.usefixtures("data_directory")
def test_run_on_a_failed_parent_is_refused() -> None:
    parent_id = created()
    ended(parent_id, "failed")
    with pytest.raises(Conflict, match="could never start"):
        with_child(parent_id)


@pytest.mark.usefixtures("data_directory")
@pytest.mark.parametrize("holding", [False, True])
def test_cancel_is_at_once_unless_a_worker_has_the_run(holding: bool) -> None:
    run_id = created()
    child_id = with_child(run_id)
    claim = claimed(run_id) if holding else None
    with transaction() as session:
        assert runs.request_cancel(session, run_id).state == ("cancelling" if holding else "cancelled")
    if claim is not None:
        assert state_of(child_id) == "waiting"
        with transaction() as session:
            assert runs.beat(session, claim) is runs.Order.CANCEL
            assert runs.finish(session, claim, Outcome("cancelled"))
    assert [state_of(run_id), state_of(child_id)] == ["cancelled", "cancelled"]


@pytest.mark.usefixtures("data_directory")
def test_waiting_run_can_be_cancelled_and_retried_alone() -> None:
    child_id = with_child(created())
    with transaction() as session:
        assert runs.request_cancel(session, child_id).state == "cancelled"
    with transaction() as session:
        assert runs.retry(session, child_id).state == "waiting"


@pytest.mark.usefixtures("data_directory")
def test_cancelling_twice_changes_nothing_and_finished_runs_refuse() -> None:
    run_id = created()
    for _ in range(2):
        with transaction() as session:
            assert runs.request_cancel(session, run_id).state == "cancelled"
    other = created("other")
    ended(other)
    with transaction() as session, pytest.raises(Conflict, match="succeeded"):
        runs.request_cancel(session, other)


@pytest.mark.usefixtures("data_directory")
@pytest.mark.parametrize("state", ["queued", "starting", "succeeded"])
def test_only_failed_or_cancelled_runs_are_retried(state: str) -> None:
    run_id = created()
    if state == "starting":
        claimed(run_id)
    if state == "succeeded":
        ended(run_id)
    with transaction() as session, pytest.raises(Conflict, match=state):
        runs.retry(session, run_id)


@pytest.mark.usefixtures("data_directory")
def test_retry_below_a_failed_parent_names_it() -> None:
    parent_id = created("the parent")
    child_id = with_child(parent_id)
    ended(parent_id, "failed")
    with transaction() as session, pytest.raises(Conflict, match="'the parent'"):
        runs.retry(session, child_id)


@pytest.mark.usefixtures("data_directory")
def test_unknown_run_is_not_found() -> None:
    with reading() as session, pytest.raises(NotFound):
        runs.get(session, "0" * 32)


@pytest.mark.usefixtures("data_directory")
def test_log_lies_below_the_run() -> None:
    run_id = created()
    assert runs.log_path(run_id).parts[-3:] == ("runs", run_id, "log.txt")
    with reading() as session:
        assert session.get(Run, run_id) is not None
