"""What a run did on each question: the cases behind its numbers, for tests over questions and for flips."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.data.dedupe import deduplicate
from aft.metrics import PAPER_PER_SIDE, ScoredQuestion, assess
from backend.db.models import Candidate, Example, Run, RunParent, Score

QUESTION_METRICS: Final = ("task_accuracy", "assessment_accuracy", "perplexity")
"""Metrics that are means over questions, or nearly."""


@dataclass(frozen=True, slots=True)
class AssessedQuestion:
    """A question's fresh candidates under one model: scores of the right and of the wrong ones, as sampled."""

    example_id: int
    positives: list[float]
    negatives: list[float]


def answered(session: Session, run_id: str) -> dict[int, bool]:
    """Whether each test question was answered right, by example."""
    query = select(Candidate.example_id, Candidate.verdict).where(Candidate.run_id == run_id)
    return {example_id: verdict == "right" for example_id, verdict in session.execute(query)}


def assessed(session: Session, run_id: str) -> list[AssessedQuestion]:
    """The assessment candidates of an evaluation with their scores under its checkpoint, repeats left out.

    The same questions, in the same order, as the evaluation itself measured. Empty where it measured none.
    """
    roles = dict(session.execute(select(RunParent.role, RunParent.parent_id).where(RunParent.run_id == run_id)).all())
    if not {"assessment", "checkpoint"} <= set(roles):
        return []
    query = (
        select(Candidate.example_id, Candidate.text, Candidate.verdict, Score.score)
        .join(Example, Example.id == Candidate.example_id)
        .outerjoin(Score, (Score.candidate_id == Candidate.id) & (Score.model_run_id == roles["checkpoint"]))
        .where(Candidate.run_id == roles["assessment"])
        .order_by(Example.position, Candidate.sample_index)
    )
    groups: dict[int, list[tuple[str, str, float | None]]] = {}
    for example_id, text, verdict, score in session.execute(query):
        groups.setdefault(example_id, []).append((text, verdict, score))
    return [sides(example_id, rows) for example_id, rows in groups.items()]


def by_question(session: Session, run_id: str, metric: str) -> dict[int, float]:
    """A metric's value on each question that has one; ``task_accuracy/gsm8k`` is on one task's questions.

    Raises:
        ValueError: If the metric has no values per question.
    """
    metric, _, task = metric.partition("/")
    if task:
        found = by_question(session, run_id, metric)
        own = set(session.scalars(select(Example.id).where(Example.id.in_(list(found)), Example.task == task)))
        return {example_id: value for example_id, value in found.items() if example_id in own}
    if metric == "task_accuracy":
        return {example_id: float(right) for example_id, right in answered(session, run_id).items()}
    per_side = int(session.get_one(Run, run_id).config.get("candidates_per_side", PAPER_PER_SIDE))
    return of_assessed(metric, assessed(session, run_id), per_side)


def of_assessed(metric: str, questions: Iterable[AssessedQuestion], per_side: int) -> dict[int, float]:
    """Assessment accuracy or perplexity on each question that has one.

    Raises:
        ValueError: If the metric has no values per question.
    """
    if metric == "assessment_accuracy":
        shares = ((q.example_id, assess([ScoredQuestion(q.positives, q.negatives)]).value) for q in questions)
        return {example_id: share for example_id, share in shares if share is not None}
    if metric == "perplexity":
        return _perplexities(questions, per_side)
    raise ValueError(f"metric '{metric}' has no values per question. Choose one of {', '.join(QUESTION_METRICS)}.")


def sides(example_id: int, rows: Iterable[tuple[str, str, float | None]]) -> AssessedQuestion:
    """A question from its candidates' text, verdict and score, in the order of sampling."""
    listed = list(rows)
    repeats = deduplicate(text for text, _, _ in listed)
    kept = [
        (verdict, score)
        for (_, verdict, score), earlier in zip(listed, repeats, strict=True)
        if earlier is None and score is not None
    ]
    return AssessedQuestion(
        example_id,
        positives=[score for verdict, score in kept if verdict == "right"],
        negatives=[score for verdict, score in kept if verdict != "right"],
    )


def _perplexities(questions: Iterable[AssessedQuestion], per_side: int) -> dict[int, float]:
    """Mean of ``exp(-s)`` over a question's right candidates, of the questions that the metric counts."""
    found = {}
    for question in questions:
        if question.positives and question.negatives:
            counted = question.positives[:per_side]
            value = sum(math.exp(min(700.0, -score)) for score in counted) / len(counted)
            found[question.example_id] = value
    return found
