"""Training watches itself: fresh candidates are scored, the VFT model compared with, an alarm stored once."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from aft.degradation import Alarm, Change
from backend import storage
from backend.db.models import Candidate, Event, Result
from backend.db.session import reading, transaction
from backend.services import alarms, checkpoints, metrics
from tests.factories import train_config
from tests.worker.computing import compute
from tests.worker.test_tasks import SAMPLING, Chain, weights
from worker.tasks import validation

METHOD = {"name": "aft", "constraint": "detached"}


@pytest.fixture
def chain(data_directory: Path) -> Chain:
    made = Chain()
    made.sampled = made.made("sample", SAMPLING, checkpoint=made.vft)  # type: ignore[attr-defined]
    fresh = {**SAMPLING, "purpose": "assessment", "seed": 9, "k": 4}
    made.fresh = made.made("sample", fresh, checkpoint=made.vft, training=made.sampled)  # type: ignore[attr-defined]
    # A model this small is never right by itself.
    with transaction() as session:
        rows = session.scalars(select(Candidate).where(Candidate.run_id.in_([made.sampled, made.fresh]))).all()  # type: ignore[attr-defined]
        for row in rows:
            row.verdict = "right" if row.sample_index % 2 else "wrong"
    return made


def new(chain: Any, **config: Any) -> str:
    return str(
        chain.new(
            "train", train_config(METHOD, **config), start=chain.base, candidates=chain.sampled, assessment=chain.fresh
        )
    )


def series(run_id: str) -> dict[str, list[tuple[int, float]]]:
    with reading() as session:
        return metrics.read_series(session, run_id)


def stored_alarms(run_id: str) -> tuple[list[Result], list[Event]]:
    with reading() as session:
        results = session.scalars(select(Result).where(Result.run_id == run_id, Result.metric == alarms.ALARM)).all()
        events = session.scalars(select(Event).where(Event.run_id == run_id, Event.action == "degradation")).all()
        return list(results), list(events)


class FindAlways:
    """Stands in for `find_alarm`: every evaluation that has something to be compared with has degraded."""

    def __init__(self) -> None:
        self.compared: list[tuple[int, list[str]]] = []

    def __call__(self, step: int, now: Any, references: list[tuple[str, Any]]) -> Alarm | None:
        self.compared.append((step, [name for name, _ in references]))
        if not references:
            return None
        changes = (
            Change("assessment_accuracy", 0.5, 0.7, 0.2),
            Change("task_accuracy", 0.6, 0.4, 0.001),
            Change("perplexity", 1.5, 2.25, None),
        )
        return Alarm(step, references[0][0], changes)


def test_fresh_candidates_are_scored_at_every_evaluation(chain: Any) -> None:
    run_id = new(chain)
    compute(run_id)
    found = series(run_id)
    for measure in ("task_accuracy", "assessment_accuracy", "perplexity", "perplexity_negative_median", "degraded"):
        assert [step for step, _ in found[f"validation/{measure}"]] == [12, 24], measure
    assert found["baseline/perplexity"][0][1] > 1
    with reading() as session:
        best = session.get_one(Result, (run_id, alarms.BEST))
        kept = {item.purpose: item.step for item in checkpoints.of_run(session, run_id)}
    assert best.details == {"step": 12, "keep": "last"}
    assert (kept["best"], kept["final"]) == (12, 24)
    # The VFT model was measured once, and the next method reads what was found.
    vft = storage.directory("runs", chain.vft)
    [measured] = vft.glob("watched-*.json")
    body = json.loads(measured.read_text())
    assert len(body["right"]) == 2
    body["right"] = dict.fromkeys(body["right"], True)
    measured.write_text(json.dumps(body))
    other = new(chain, seed=2)
    compute(other)
    assert series(other)["baseline/task_accuracy"] == [(0, 1.0)]


def test_no_candidates_no_alarm_but_answers_all_the_same(chain: Any) -> None:
    run_id = new(chain, watch_questions=0)
    compute(run_id)
    found = series(run_id)
    assert "validation/task_accuracy" in found
    assert not {"validation/perplexity", "validation/degraded", "baseline/perplexity"} & set(found)


def test_alarm_is_stored_once_with_its_reasons(chain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    find = FindAlways()
    monkeypatch.setattr("aft.training.watch.find_alarm", find)
    run_id = new(chain, evaluations_per_run=4)
    compute(run_id, looks=200)
    compute(run_id)
    # From the base model: with its own past, and with the VFT model only at the end.
    assert dict(find.compared) == {6: [], 12: ["step 6"], 18: ["step 6"], 24: ["the VFT model", "step 6"]}
    [result], [event] = stored_alarms(run_id)
    assert result.value == 12
    words = (
        "assessment accuracy 50.0 → 70.0 % (p = 0.2), task accuracy 60.0 → 40.0 % (p = 0.001), "
        "perplexity 1.50 → 2.25; compared with step 6"
    )
    assert event.data["words"] == words
    with reading() as session:
        [alarm] = alarms.recent(session)
    assert (alarm.run_id, alarm.step, alarm.words, alarm.stops) == (run_id, 12, words, False)


def test_training_that_stops_on_degradation_ends_there_with_its_best_model(
    chain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aft.training.watch.find_alarm", FindAlways())
    run_id = new(chain, evaluations_per_run=4, on_degradation="stop", keep="best")
    compute(run_id)
    assert max(step for step, _ in series(run_id)["train/loss"]) == 12
    with reading() as session:
        final = checkpoints.final(session, run_id)
        best = session.get_one(Result, (run_id, alarms.BEST))
    assert final is not None
    assert best.details is not None
    assert (final.step, best.details["step"]) == (6, 6)


def test_interrupted_watched_training_ends_bit_equal_with_the_same_curves(chain: Any) -> None:
    whole, torn = new(chain), new(chain)
    compute(whole)
    for looks in (40, 130, 30):
        compute(torn, looks=looks)
    compute(torn)
    assert weights(whole) == weights(torn)
    curves = [{k: v for k, v in series(run_id).items() if k != "train/tokens_per_second"} for run_id in (whole, torn)]
    assert curves[0] == curves[1]
    histories = [(storage.directory("runs", run_id) / validation._HISTORY).read_bytes() for run_id in (whole, torn)]
    assert histories[0] == histories[1]
