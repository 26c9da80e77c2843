"""The paper's presets: planned at both scales, run for real at the smallest, and reported."""

from pathlib import Path

import pytest
from sqlalchemy import select

from aft.config.method import method_label
from aft.paper.presets import NAMES, PRESETS, Preset, get_preset, mini_spec, paper_spec
from aft.paper.scales import REPRODUCED, SCALES
from aft.paper.shapes import CLAIMS
from aft.statistics import paired_t
from backend.db.models import Dataset, DatasetVersion, Run
from backend.db.session import reading, transaction
from backend.errors import Conflict, Invalid
from backend.services import previews, reproduction, reproduction_report
from backend.services.planning import plan_runs
from tests.factories import make_base_model, make_dataset
from tests.worker.computing import compute

SMOKE = SCALES["smoke"]


@pytest.fixture
def installation(data_directory: Path) -> None:
    """The built-in task with few questions, which takes no time to make."""
    with transaction() as session:
        version_id, _ = make_dataset(session, train=60, validation=8, test=20)
        version = session.get_one(DatasetVersion, version_id)
        session.get_one(Dataset, version.dataset_id).builtin = True
        make_base_model(session)


def compute_everything() -> int:
    """Compute every queued run in the test's own process, inputs first; returns how many."""
    done = 0
    while True:
        with reading() as session:
            query = select(Run.id).where(Run.state == "queued").order_by(Run.priority, Run.id).limit(1)
            run_id = session.scalar(query)
        if run_id is None:
            return done
        compute(run_id)
        done += 1


def test_every_preset_is_planned_at_both_scales(installation: None) -> None:
    for preset in PRESETS:
        check_plans(preset)


def check_plans(preset: Preset) -> None:
    """Every method is evaluated, with VFT and the control beside it, and nothing forbids the start."""
    mini = mini_spec(preset)
    paper = paper_spec(preset, dataset_version_id=mini.dataset_version_id, base_model_id=mini.base_model_id)
    for spec in (mini, paper):
        labels = {method_label(method) for method in spec.methods}
        assert {"VFT", "VFT · continued"} <= labels
        evaluated = {run.method for run in plan_runs(spec, None) if run.stage == "evaluate"}
        assert evaluated == labels
    with reading() as session:
        assert not [item for item in previews.preview(session, mini).warnings if item.level == "error"]
    assert len(mini.seeds) >= 3


def test_every_claim_names_methods_of_its_preset() -> None:
    for claim in CLAIMS:
        for part in claim.parts:
            spec = mini_spec(get_preset(part.preset))
            labels = {method_label(method) for method in spec.methods}
            assert {part.method, part.other} <= labels, claim.name
            if "@" in part.metric:
                assert int(part.metric.partition("@")[2]) in spec.self_consistency
    assert set(REPRODUCED) <= set(NAMES)
    assert {part.preset for claim in CLAIMS for part in claim.parts} <= set(REPRODUCED)


def test_the_report_says_what_was_measured_and_what_is_missing(installation: None) -> None:
    names = ("boundaries", "table-1", "figure-2a")
    with transaction() as session:
        items = reproduction.items(session, SMOKE, (1, 2), names)
        for item in items[:2]:
            reproduction.start(session, item, retry=False)
    with transaction() as session:
        again = reproduction.items(session, SMOKE, (1, 2), names)
        assert [item.request_id for item in again] == [item.request_id for item in items]
        known = reproduction.find(session, items[0])
        assert known is not None
        assert reproduction.start(session, again[0], retry=True).id == known.id
    with reading() as session:
        before = reproduction_report.write(session, items, SMOKE, (1, 2))
    assert "missing (seed 1: waiting; seed 2: waiting)" in before
    assert compute_everything() > 25
    with reading() as session:
        text = reproduction_report.write(session, items, SMOKE, (1, 2))
        failed = session.scalars(select(Run.error).where(Run.state == "failed")).all()
    assert failed == []
    assert "missing (seed" not in text
    assert "**Missing: not started.**" in text  # Figure 2a
    assert "Choose β of AFT · boundary · searched β: **0" in text
    assert "AFT · boundary · spread − AFT · boundary · searched β: " in text
    check_differences(text)


def check_differences(text: str) -> None:
    """The difference in a table's line is the one of the values by seed below it."""
    line = next(line for line in text.splitlines() if line.startswith("| VFT · continued | 2 |"))
    by_seed = next(line for line in text.splitlines() if line.startswith("Task accuracy by seed: "))
    values = {}
    for part in by_seed.removeprefix("Task accuracy by seed: ").split("; "):
        name, _, numbers = part.rpartition(": ")
        values[name] = [float(value) for value in numbers.split(" / ")]
    tested = paired_t(values["VFT · continued"], values["VFT"])
    assert tested is not None
    assert f"{tested.difference:+.1f} [" in line


def test_what_cannot_be_reported_is_refused(installation: None) -> None:
    with transaction() as session:
        with pytest.raises(Invalid, match="tuned on seed 0"):
            reproduction.items(session, SMOKE, (0, 1))
        with pytest.raises(Invalid, match="'table-99' is not reproduced"):
            reproduction.items(session, SMOKE, (1,), ("table-99",))
        with pytest.raises(Conflict, match="needs a CUDA device"):
            reproduction.require_device(session, SCALES["gpu"])
        reproduction.require_device(session, SCALES["mini"])


@pytest.mark.slow
def test_every_reproduced_preset_runs(installation: None) -> None:
    with transaction() as session:
        items = reproduction.items(session, SMOKE, (1,))
        for item in items:
            reproduction.start(session, item, retry=False)
    compute_everything()
    with reading() as session:
        text = reproduction_report.write(session, items, SMOKE, (1,))
        failed = session.scalars(select(Run.error).where(Run.state == "failed")).all()
    assert failed == []
    assert "missing (seed" not in text
