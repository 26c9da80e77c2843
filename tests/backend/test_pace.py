"""Estimates learn from the runs that this installation has finished."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from backend.db.models import Experiment
from backend.db.session import transaction
from backend.services import estimates, experiments, pace, previews
from backend.services.estimates import DEFAULT_RATES, Rates
from backend.services.planning import plan_runs
from tests.backend.comparing import finish, spec_of
from tests.backend.test_planning import SIZES, make_spec

METHODS = [{"name": "vft"}, {"name": "aft", "constraint": "boundary"}]


def test_a_rate_is_the_median_of_models_of_about_the_size_else_the_fixed_one() -> None:
    rates = Rates({"train": [(1_000_000, 1e9), (1_500_000, 9e9), (3_000_000, 2e9), (100_000_000, 7e12)]})
    assert rates.of("train", 1_000_000) == 2e9
    assert rates.of("train", 7_000_000_000) == DEFAULT_RATES["train"]
    assert rates.of("sample", 1_000_000) == DEFAULT_RATES["sample"]


def finished(session: Session, seconds: float, **changes: Any) -> Experiment:
    """An experiment whose every run took that long."""
    found = experiments.start(session, spec_of(session, methods=METHODS, seeds=[1], **changes), request_id=None)
    finish(session, found)
    for cell in experiments.cells(session, found.id):
        assert cell.run.finished_at is not None
        cell.run.started_at = cell.run.finished_at - timedelta(seconds=seconds)
        cell.run.attempt = 1
    session.flush()
    return found


@pytest.mark.usefixtures("data_directory")
def test_finished_runs_set_the_pace_of_what_is_planned_next() -> None:
    with transaction() as session:
        done = finished(session, seconds=100.0)
        again = ExperimentSpec.model_validate(done.spec)
        rates = pace.measured(session)
        assert {"train", "evaluate", "sample"} <= set(rates.measured)
        # The same work is expected to take what it took: every run of a kind took 100 s, whatever its work.
        found = previews.preview(session, again.model_copy(update={"seeds": (2,)}))
        evaluations = [found.seconds[cell] for cell in found.seconds if cell.endswith("/evaluate")]
        assert evaluations == pytest.approx([100.0, 100.0], rel=0.02)
        # What an experiment itself took does not explain its own estimate.
        own, _ = previews.estimates_of(session, done)
        assert max(own.values()) < 20.0


@pytest.mark.usefixtures("data_directory")
def test_runs_that_say_nothing_of_the_pace_are_left_out() -> None:
    with transaction() as session:
        done = finished(session, seconds=pace.SHORTEST_SECONDS / 2)
        assert pace.measured(session).measured == {}
        for cell in experiments.cells(session, done.id):
            assert cell.run.finished_at is not None
            cell.run.started_at = cell.run.finished_at - timedelta(seconds=100)
            cell.run.attempt = 2
        session.flush()
        assert pace.measured(session).measured == {}


@pytest.mark.usefixtures("data_directory")
def test_a_busy_moment_does_not_make_runs_that_are_all_overhead_tell_of_the_pace() -> None:
    with transaction() as session:
        done = finished(session, seconds=pace.SHORTEST_SECONDS / 2)
        evaluations = [cell.run for cell in experiments.cells(session, done.id) if cell.run.kind == "evaluate"]
        slow = evaluations[0]
        assert len(evaluations) == 2
        assert slow.finished_at is not None
        slow.started_at = slow.finished_at - timedelta(seconds=1.1 * pace.SHORTEST_SECONDS)
        session.flush()
        assert pace.measured(session).measured == {}


def test_a_device_is_told_by_its_kind() -> None:
    assert [pace.device_kind(name) for name in ("cuda:1", "cpu", None, "CUDA 0")] == ["cuda", "cpu", "cpu", "cuda"]


def test_more_work_takes_longer_at_the_same_rate() -> None:
    spec = make_spec()
    run = next(item for item in plan_runs(spec, None) if item.stage == "sample")
    rates = Rates({"sample": [(SIZES.parameters, 1e9)]})
    work = estimates.operations(run, spec, SIZES)
    assert estimates.run_seconds(run, spec, SIZES, rates) == estimates.START_SECONDS + work / 1e9
