"""A mixture of tasks: the comparison counts each task's questions apart, in the table, its tests and its exports."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from backend.db.models import Candidate, Example, Experiment, SplitMember
from backend.db.session import reading, transaction
from backend.services import bundle_verify, bundles, experiments
from backend.services.bundle_archive import Bundle
from tests.backend.client import client
from tests.backend.comparing import METHODS, finish, spec_of

TASKS = ("arithmetic", "gsm8k")


@pytest.fixture
def experiment(data_directory: Path) -> Experiment:
    """VFT and AFT · none under two seeds on a data set of which every third question is another task's."""
    with transaction() as session:
        chosen = [METHODS[0], METHODS[3]]
        spec = spec_of(session, methods=chosen, seeds=[1, 2], self_consistency=[], pass_at_k=[])
        found = experiments.start(session, spec, request_id=None)
        for index, row in enumerate(session.scalars(select(Example).order_by(Example.position))):
            row.task = TASKS[index % 3 == 0]
        session.flush()
        finish(session, found)
    return found


def ask(web: TestClient, experiment: Experiment, **options: Any) -> dict[str, Any]:
    answer = web.get(f"/api/v1/experiments/{experiment.id}/comparison", params=options)
    assert answer.status_code == 200, answer.text
    rows = answer.json()["rows"]
    return {"tasks": answer.json()["tasks"], **{row["method"]: row["statistics"] for row in rows}}


def right_answers(run_id: str) -> dict[str, list[bool]]:
    query = select(Example.task, Candidate.verdict).join(Example, Example.id == Candidate.example_id)
    found: dict[str, list[bool]] = {}
    with reading() as session:
        for task, verdict in session.execute(query.where(Candidate.run_id == run_id)):
            found.setdefault(str(task), []).append(verdict == "right")
    return found


def test_every_task_has_its_own_numbers_and_differences(experiment: Experiment) -> None:
    with client() as web:
        table = ask(web, experiment)
        rows = web.get(f"/api/v1/experiments/{experiment.id}/comparison").json()["rows"]
    assert table["tasks"] == list(TASKS)
    expected: dict[tuple[str, str], float] = {}
    for row in rows:
        for task in TASKS:
            statistic = row["statistics"][f"task_accuracy/{task}"]
            for seed, kinds in row["run_ids"].items():
                right = right_answers(kinds["evaluate"])[task]
                assert statistic["values"][seed] == pytest.approx(sum(right) / len(right))
            expected[row["method"], task] = statistic["mean"]
            assert statistic["published_mean"] is None
    for task in TASKS:
        difference = expected["AFT · none", task] - expected["VFT", task]
        assert table["AFT · none"][f"task_accuracy/{task}"]["difference"] == pytest.approx(difference)
        assert table["AFT · none"][f"perplexity/{task}"]["mean"] > 1
        assert 0 <= table["VFT"][f"assessment_accuracy/{task}"]["mean"] <= 1


def test_tests_over_questions_rest_on_the_tasks_own(experiment: Experiment) -> None:
    with transaction() as session:
        query = select(Example.task).join(SplitMember, SplitMember.example_id == Example.id)
        test = list(session.scalars(query.where(SplitMember.part == "test")))
    with client() as web:
        for name in ("bootstrap", "mcnemar"):
            found = ask(web, experiment, test=name)["AFT · none"]
            for task in TASKS:
                assert found[f"task_accuracy/{task}"]["tested_n"] == test.count(task)
            assert found["task_accuracy"]["tested_n"] == len(test)


def test_exports_carry_them_and_a_bundle_makes_them_again(experiment: Experiment, tmp_path: Path) -> None:
    with client() as web:
        table = ask(web, experiment)
        base = f"/api/v1/experiments/{experiment.id}"
        csv = web.get(f"{base}/comparison.csv").text
        latex = web.get(f"{base}/comparison.tex").text
        page = web.get(f"{base}/report.html").text
    gsm8k = table["VFT"]["task_accuracy/gsm8k"]["mean"]
    assert f"VFT,task_accuracy/gsm8k,{gsm8k!r}" in csv
    assert latex.count(r"\begin{table*}") == 3
    assert "gsm8k questions" in latex
    assert f"VFT & 2 & {100 * gsm8k:.1f}" in latex
    assert "<h3>gsm8k questions</h3>" in page
    place = tmp_path / "bundle.zip"
    place.write_bytes(b"".join(bundles.of_experiment(experiment.id)))
    with Bundle(place) as bundle:
        found = bundle_verify.verify(bundle)
    assert found.differences == []


def test_a_data_set_of_one_task_has_none(data_directory: Path) -> None:
    with transaction() as session:
        spec = spec_of(session, methods=METHODS[:1], seeds=[1], self_consistency=[], pass_at_k=[])
        alone = experiments.start(session, spec, request_id=None)
        finish(session, alone)
    with client() as web:
        table = ask(web, alone)
    assert table["tasks"] == []
    assert not any("/" in metric for metric in table["VFT"])
