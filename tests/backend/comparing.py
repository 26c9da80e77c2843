"""A finished experiment to compare and to report, filled by rows instead of hours of training."""

import random
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from backend.db.models import (
    BaseModelEntry,
    Candidate,
    Example,
    Experiment,
    Metric,
    Result,
    Run,
    RunAttempt,
    RunParent,
    Score,
    SplitMember,
    utcnow,
)
from backend.services import candidates, experiments, measurements
from backend.services.candidates import SampledRow
from tests.factories import TINY, make_dataset

METHODS: list[dict[str, Any]] = [
    {"name": "vft"},
    {"name": "vft-continued"},
    {"name": "rft"},
    {"name": "aft", "constraint": "none"},
    {"name": "aft", "constraint": "boundary"},
]
SKILL = {"VFT": 0.45, "VFT · continued": 0.5, "RFT": 0.55, "AFT · none": 0.35, "AFT · boundary": 0.7}
"""Share of test questions that a method answers right."""
HOSTILE = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1> [ANS] 7"


def spec_of(session: Session, **changes: Any) -> ExperimentSpec:
    """A specification on the built-in task."""
    version_id, split_id = make_dataset(session, train=16, validation=2, test=24)
    model = BaseModelEntry(name="small", source="builtin", config=TINY.model_dump(mode="json"))
    session.add(model)
    session.flush()
    values: dict[str, Any] = {
        "name": "Constraints & <b>losses</b>",
        "dataset_version_id": version_id,
        "split_id": split_id,
        "base_model_id": model.id,
        "methods": METHODS,
        "seeds": [1, 2, 3],
        "assessment_questions": 16,
        "assessment_samples": 8,
        "self_consistency": [1, 3],
        "pass_at_k": [3],
    }
    return ExperimentSpec.model_validate({**values, **changes})


def finished_experiment(session: Session, **changes: Any) -> Experiment:
    """Every run done, with responses, scores, curves and the numbers measured from them.

    Args:
        session: The transaction.
        changes: Fields of the specification that differ.
    """
    experiment = experiments.start(session, spec_of(session, **changes), request_id=None)
    finish(session, experiment)
    return experiment


def finish(session: Session, experiment: Experiment) -> None:
    """Let every unfinished run of the experiment end well."""
    cells = experiments.cells(session, experiment.id)
    for cell in cells:
        if cell.run.state == "succeeded":
            continue
        now = utcnow()
        session.add(
            RunAttempt(
                run_id=cell.run.id, number=1, owner="here", device="cpu", started_at=now, ended_at=now,
                outcome="succeeded",
            )
        )  # fmt: skip
        cell.run.state, cell.run.started_at, cell.run.finished_at = "succeeded", now, now
        chance = random.Random(f"{cell.place.cell}")
        if cell.run.kind == "sample":
            part = "test" if cell.place.stage == "paths" else "train"
            k = int(cell.run.config["k"])
            _sample(session, cell.run, part, k, SKILL.get(cell.place.method or "", 0.5), chance)
        elif cell.run.kind == "train":
            _curve(session, cell.run, chance)
    for cell in cells:
        if cell.run.kind == "evaluate" and not session.scalar(select(Result).where(Result.run_id == cell.run.id)):
            chance = random.Random(f"{cell.place.cell}")
            skill = SKILL.get(cell.place.method or "", 0.5) + chance.uniform(-0.04, 0.04)
            _sample(session, cell.run, "test", 1, skill, chance)
            _score(session, cell.run, chance)
            session.flush()
            for found in measurements.of_run(session, cell.run):
                session.add(
                    Result(run_id=cell.run.id, metric=found.metric, value=found.value, n=found.n, details=found.details)
                )
    session.flush()


def _sample(session: Session, run: Run, part: str, k: int, skill: float, chance: random.Random) -> None:
    query = (
        select(Example)
        .join(SplitMember, SplitMember.example_id == Example.id)
        .where(SplitMember.split_id == run.inputs["split_id"], SplitMember.part == part)
        .order_by(Example.position)
    )
    rows = []
    for example in session.scalars(query):
        for index in range(k):
            right = chance.random() < skill
            answer = int(example.answer) + (0 if right else chance.randint(1, 3))
            text = f"First we look, {chance.randint(1, 6)}.\nso [ANS] {answer}"
            if not right and chance.random() < 0.1:
                text = HOSTILE
            reason = "length" if chance.random() < 0.03 else "stop"
            rows.append(SampledRow(example.id, index, [index, answer], text, reason, example.answer, None))
    candidates.record(session, run_id=run.id, task="arithmetic", samples=rows)


def _score(session: Session, run: Run, chance: random.Random) -> None:
    roles = dict(session.execute(select(RunParent.role, RunParent.parent_id).where(RunParent.run_id == run.id)).all())
    if "assessment" not in roles:
        return
    for row in session.scalars(select(Candidate).where(Candidate.run_id == roles["assessment"])):
        if session.get(Score, (row.id, roles["checkpoint"])) is None:
            value = chance.gauss(-0.4 if row.verdict == "right" else -0.55, 0.15)
            session.add(
                Score(candidate_id=row.id, model_run_id=roles["checkpoint"], by_run_id=run.id, score=value, n_tokens=2)
            )


def _curve(session: Session, run: Run, chance: random.Random) -> None:
    for step in range(0, 50, 10):
        for name in ("train/loss", "train/push_up", "train/push_down", "validation/task_accuracy"):
            value = 1 / (1 + step) + 0.1 * chance.random()
            session.add(Metric(run_id=run.id, name=name, step=step, value=value, attempt=1))
