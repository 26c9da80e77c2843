"""Questions of the split, as every task reads them; no torch in here."""

from aft.data.examples import Example as Question
from backend.db.models import DatasetVersion, Example
from backend.db.session import reading
from backend.services import splits
from worker.context import RunContext
from worker.failures import RunFailure

SAME_FOR_ALL_SEEDS = 0
"""Validation and test questions are the same whatever an experiment's seed, so that seeds can be paired."""


def task_name(context: RunContext) -> str:
    """The data set's task."""
    version_id = context.input("dataset_version_id")
    with reading() as session:
        version = session.get(DatasetVersion, version_id)
        if version is None or version.state != "ready":
            state = "gone" if version is None else f"in state '{version.state}'"
            raise RunFailure(
                f"The data set version is {state}",
                f"Version {version_id} cannot be read.",
                "Import the data again, and start a new run on it.",
            )
        return version.task


def read_questions(context: RunContext, part: str, limit: int | None) -> list[Example]:
    """The first ``limit`` questions of a part; training questions are the run's own, drawn by its seed."""
    seed = SAME_FOR_ALL_SEEDS
    if part == "train":
        seed = context.claim.inputs.get("question_seed") or 0
        limits = [item for item in (context.claim.inputs.get("train_questions"), limit) if item is not None]
        limit = min(limits, default=None)
    with reading() as session:
        return splits.questions(session, context.input("split_id"), part, limit, seed)


def question_key(example: Example) -> str:
    """Name of a question that is the same on every machine and in every import of the same files."""
    return f"{example.position}/{example.external_id}"


def as_question(example: Example, task: str) -> Question:
    """A stored row as the library knows it; ``task`` is its data set's."""
    choices = tuple(str(choice) for choice in example.choices) if example.choices else None
    own = example.task_in(task)
    return Question(question_key(example), example.question, example.reference, example.answer, own, choices)
