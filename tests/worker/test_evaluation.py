"""An evaluation with paths and letters, and its numbers made anew from what is stored."""

from pathlib import Path

import pytest
from sqlalchemy import select, update

from backend.db.models import Candidate, DatasetVersion, Example, Result, Run
from backend.db.session import reading, transaction
from backend.errors import Conflict
from backend.services import measurements
from tests.backend.client import client
from tests.worker.computing import compute
from tests.worker.test_tasks import SAMPLING, Chain
from worker.failures import RunFailure


@pytest.fixture
def chain(data_directory: Path) -> Chain:
    return Chain()


def test_numbers_come_from_stored_cases(chain: Chain) -> None:
    fresh = chain.made("sample", {**SAMPLING, "max_questions": 5}, checkpoint=chain.vft)
    paths = chain.made("sample", {**SAMPLING, "part": "test", "purpose": "evaluation", "k": 4}, checkpoint=chain.vft)
    config = {"kind": "evaluate", "max_new_tokens": 20, "self_consistency": [1, 4], "pass_at_k": [2]}
    with pytest.raises(RunFailure, match="no input run 'paths'"):
        compute(chain.new("evaluate", config, checkpoint=chain.vft))
    run_id = chain.made("evaluate", config, checkpoint=chain.vft, assessment=fresh, paths=paths)
    with reading() as session:
        stored = {row.metric: row for row in session.scalars(select(Result).where(Result.run_id == run_id))}
        votes = session.execute(
            select(Candidate.verdict).where(Candidate.run_id == paths, Candidate.sample_index == 0)
        ).all()
    assert {"self_consistency@1", "self_consistency@4", "pass@2", "score_auroc", "perplexity"} <= stored.keys()
    assert stored["self_consistency@1"].value == sum(row.verdict == "right" for row in votes) / 6
    assert stored["pass@2"].n == 6
    with client() as web:
        found = web.get(f"/api/v1/runs/{run_id}/results/recomputed").json()
        assert {item["metric"] for item in found} == stored.keys()
        assert all(item["is_equal"] for item in found)
        with transaction() as session:
            session.execute(update(Candidate).where(Candidate.run_id == run_id).values(verdict="right"))
        found = web.get(f"/api/v1/runs/{run_id}/results/recomputed").json()
        different = {item["metric"]: item["recomputed"] for item in found if not item["is_equal"]}
        assert different["task_accuracy"] == 1
        assert web.get(f"/api/v1/runs/{paths}/results/recomputed").status_code == 409


def test_a_mixed_data_set_has_numbers_of_each_task(chain: Chain) -> None:
    with transaction() as session:
        session.get_one(DatasetVersion, chain.inputs["dataset_version_id"]).task = "mixed"
        for index, row in enumerate(session.scalars(select(Example))):
            row.task = ("arithmetic", "gsm8k", "aqua")[index % 3]
            if row.task == "aqua":
                row.choices, row.answer = ["1", "2"], "B"
    fresh = chain.made("sample", {**SAMPLING, "max_questions": 5}, checkpoint=chain.vft)
    config = {"kind": "evaluate", "max_new_tokens": 3, "choice_likelihood": True}
    run_id = chain.made("evaluate", config, checkpoint=chain.vft, assessment=fresh)
    with reading() as session:
        stored = {row.metric: row for row in session.scalars(select(Result).where(Result.run_id == run_id))}
        recomputed = measurements.recompute(session, session.get_one(Run, run_id))
    of_task = {task: stored[f"task_accuracy/{task}"].n for task in ("arithmetic", "gsm8k", "aqua")}
    assert of_task == {"arithmetic": 2, "gsm8k": 2, "aqua": 2}
    assert stored["task_accuracy"].n == 6
    assert {"assessment_accuracy/gsm8k", "perplexity/aqua"} <= stored.keys()
    # Only questions with choices have letters to compare.
    assert stored["choice_accuracy"].n == 2
    assert all(item.is_equal for item in recomputed)
    assert len(recomputed) == len(stored)


def test_letters_are_compared_and_resumed(chain: Chain) -> None:
    config = {"kind": "evaluate", "max_new_tokens": 3, "choice_likelihood": True}
    with pytest.raises(RunFailure, match="has no choices"):
        compute(chain.new("evaluate", config, checkpoint=chain.vft))
    with transaction() as session:
        session.get_one(DatasetVersion, chain.inputs["dataset_version_id"]).task = "mmlu"
        for index, row in enumerate(session.scalars(select(Example).where(Example.part == "test"))):
            row.choices, row.answer = ["1", "2", "3", "4"], "AB"[index % 2]
    run_id = chain.made("evaluate", config, checkpoint=chain.vft)
    with reading() as session:
        found = session.get_one(Result, (run_id, "choice_accuracy"))
    # The tiny vocabulary knows no letters, so all are equally likely and the first one counts.
    assert (found.value, found.n) == (0.5, 6)
    assert found.details is not None
    assert found.details["chance"] == 0.25
    likelihoods = measurements.read_likelihoods(run_id)
    assert len(likelihoods) == 6
    place = next(place for place in _files() if place.name == measurements.CHOICES_FILE)
    place.write_text("\n".join(place.read_text().split("\n")[:3]) + '\n[5, {"A"')
    assert len(measurements.read_likelihoods(run_id)) == 3
    with reading() as session, pytest.raises(Conflict, match="3 of 6 questions have no stored likelihoods"):
        measurements.of_run(session, session.get_one(Run, run_id))


def _files() -> list[Path]:
    from backend.settings import get_settings

    return list(get_settings().root.rglob("*.jsonl"))
