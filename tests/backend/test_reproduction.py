"""The paper's presets: planned at both scales, run for real at the smallest, and reported."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from aft.config.method import method_label
from aft.paper.bases import Base
from aft.paper.claims import CLAIMS
from aft.paper.preset import Preset, mini_spec, paper_spec
from aft.paper.presets import NAMES, PRESETS, get_preset
from aft.paper.scales import REPRODUCED, SCALES
from aft.statistics import paired_t
from backend.db.models import Candidate, Dataset, DatasetVersion, Rating, Run
from backend.db.session import reading, transaction
from backend.errors import Conflict, Invalid
from backend.services import previews, reproduction, reproduction_report
from backend.services.planning import plan_runs
from tests.backend.client import client
from tests.factories import TINY, make_base_model, make_dataset, make_other_bases
from tests.worker.computing import compute

SMOKE = SCALES["smoke"]
OTHER_TINY = Base("", "another of one layer", TINY.model_copy(update={"seed": 1}))
TINIEST = {
    "train_questions": 4,
    "k": 3,
    "max_new_tokens": 8,
    "test_questions": 3,
    "assessment_questions": 3,
    "assessment_samples": 3,
    "validation_questions": 2,
}


@pytest.fixture
def installation(data_directory: Path) -> None:
    """The built-in task with few questions, which takes no time to make."""
    with transaction() as session:
        version_id, _ = make_dataset(session, train=60, validation=8, test=20)
        version = session.get_one(DatasetVersion, version_id)
        session.get_one(Dataset, version.dataset_id).builtin = True
        make_base_model(session)
        make_other_bases(session)


def compute_everything(*, label: Callable[[str], None] = lambda run_id: None) -> int:
    """Compute every queued run in the test's own process, inputs first; returns how many.

    Args:
        label: Called after each run, with its id.
    """
    done = 0
    while True:
        with reading() as session:
            query = select(Run.id).where(Run.state == "queued").order_by(Run.priority, Run.id).limit(1)
            run_id = session.scalar(query)
        if run_id is None:
            return done
        compute(run_id)
        label(run_id)
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
            others = [part.other] if part.level is None and part.rises_with is None else []
            assert {part.method, *others} <= labels, claim.name
            assert (part.over == "seeds") or get_preset(part.preset).over_models
            for metric in (part.metric, part.minus or ""):
                assert "@" not in metric or int(metric.partition("@")[2]) in spec.self_consistency
    assert set(REPRODUCED) <= set(NAMES)
    assert {part.preset for claim in CLAIMS for part in claim.parts} <= {
        *REPRODUCED,
        "models",
        "noisy-references",
        "token-control",
    }


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
        with pytest.raises(Invalid, match="There is no preset 'table-99'"):
            reproduction.items(session, SMOKE, (1,), ("table-99",))
        with pytest.raises(Conflict, match="needs a CUDA device"):
            reproduction.require_device(session, SCALES["gpu"])
        reproduction.require_device(session, SCALES["mini"])


def prefer_the_first(run_id: str) -> None:
    """A model that has learned nothing is never right: its first sample of each question counts as right and best."""
    with transaction() as session:
        for row in session.scalars(select(Candidate).where(Candidate.run_id == run_id, Candidate.sample_index == 0)):
            if session.get_one(Run, run_id).kind == "sample":
                row.verdict = "right"
        first = select(Candidate.id).where(Candidate.sample_index == 0)
        for rating in session.scalars(select(Rating).where(Rating.run_id == run_id, Rating.candidate_id.in_(first))):
            rating.value = 10.0


def test_every_preset_runs_at_its_smallest(installation: None) -> None:
    """Every run of every preset for real, on a model of one layer that has learned nothing."""
    tiniest = replace(SMOKE, model_name=None, other_bases=(OTHER_TINY,), settings={**SMOKE.settings, **TINIEST})
    with transaction() as session:
        items = reproduction.items(session, tiniest, (1,), NAMES)
        for item in items:
            reproduction.start(session, item, retry=False)
    compute_everything(label=prefer_the_first)
    with reading() as session:
        text = reproduction_report.write(session, items, tiniest, (1,))
        states = set(session.scalars(select(Run.state)))
        failed = session.scalars(select(Run.error).where(Run.state == "failed")).all()
    assert failed == []
    assert states == {"succeeded"}
    assert "| missing" not in text
    assert text.count("### Over models") == 2
    assert "not started" not in text


def test_an_experiment_of_an_earlier_version_is_found_by_what_it_says(installation: None) -> None:
    """Settings that a later version adds change the id of the request, and not the experiment."""
    with transaction() as session:
        item = reproduction.items(session, SMOKE, (1,), ("table-1",))[0]
        earlier = replace(item, request_id=f"{reproduction.PREFIX}of another version")
        known = reproduction.start(session, earlier, retry=False).id
    with transaction() as session:
        assert reproduction.start(session, item, retry=False).id == known
        other = reproduction.items(session, SMOKE, (2,), ("table-1",))[0]
        assert reproduction.find(session, other) is None


def test_the_paper_is_started_with_one_request(installation: None) -> None:
    address = "/api/v1/reproduction"
    with client() as web:
        before = web.get(address).json()
        assert [item["name"] for item in before["items"]] == list(REPRODUCED)
        assert {item["experiment"] for item in before["items"]} == {None}
        assert before["seeds"] == [1, 2, 3]
        started = web.post(address, json={"seeds": [1, 2]})
        assert started.status_code == 201, started.text
        ids = [item["experiment"]["id"] for item in started.json()["items"]]
        assert len(set(ids)) == len(REPRODUCED)
        again = web.post(address, json={"seeds": [1, 2]}).json()
        assert [item["experiment"]["id"] for item in again["items"]] == ids
        read = web.get(address, params={"seeds": [1, 2]}).json()
        assert {item["experiment"]["state"] for item in read["items"]} == {"running"}
        report = web.get(f"{address}/report", params={"seeds": [1, 2]})
        assert "attachment" in report.headers["content-disposition"]
        assert report.text.count("missing (seed 1: waiting; seed 2: waiting)") > len(REPRODUCED)
        refused = web.post(address, json={"seeds": [0]})
        assert refused.status_code == 422
