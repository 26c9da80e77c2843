"""The numbers of an evaluation from what is stored: used when it ends, and whenever somebody recomputes them."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.config.sampling import EvaluateConfig
from aft.data.dedupe import deduplicate
from aft.metrics import (
    Measured,
    Path,
    ScoredQuestion,
    assessment_results,
    choice_results,
    greedy_results,
    path_results,
    ranking_results,
    with_tasks,
)
from backend import storage
from backend.db.models import Candidate, Example, RankingSet, RankingSetEntry, Result, Run, RunParent, Score
from backend.errors import Conflict
from backend.schemas.runs import RecomputedResult

CHOICES_FILE: Final = "choices.jsonl"
"""Log-likelihood of every letter, one question a line: ``[example id, {letter: nats}]``."""


def of_run(session: Session, run: Run) -> list[Measured]:
    """Every number of an evaluation, from stored responses, scores and likelihoods.

    Raises:
        Conflict: If the run is no evaluation, or a case it counts is not stored.
    """
    if run.kind != "evaluate":
        raise Conflict(
            f"Run '{run.name}' is of kind '{run.kind}' and measures nothing.", remedy="Choose an evaluation."
        )
    config = EvaluateConfig.model_validate(run.config)
    parents = dict(session.execute(select(RunParent.role, RunParent.parent_id).where(RunParent.run_id == run.id)).all())
    query = (
        select(Candidate.verdict, Candidate.finish_reason, Example.task)
        .join(Example, Example.id == Candidate.example_id)
        .where(Candidate.run_id == run.id)
    )
    rows = session.execute(query).all()
    found = with_tasks(rows, [row.task for row in rows], _greedy)
    if "assessment" in parents:
        questions, tasks = _scored(session, parents["assessment"], parents["checkpoint"])
        found += with_tasks(questions, tasks, lambda some: assessment_results(some, config.candidates_per_side))
    if "paths" in parents:
        found += path_results(_paths(session, parents["paths"]), config.self_consistency, config.pass_at_k)
    if config.choice_likelihood:
        found += _choices(session, run.id)
    if "agreement_set_id" in run.inputs:
        found += _ranked(session, run.inputs["agreement_set_id"], parents["checkpoint"])
    return found


def recompute(session: Session, run: Run) -> list[RecomputedResult]:
    """Every number of an evaluation made anew, beside the stored one; nothing is changed.

    Raises:
        Conflict: If the run is no evaluation, or a case it counts is not stored.
    """
    stored = dict(session.execute(select(Result.metric, Result.value).where(Result.run_id == run.id)).all())
    return [
        RecomputedResult(
            metric=found.metric,
            stored=stored.get(found.metric),
            recomputed=found.value,
            n=found.n,
            details=found.details,
            is_equal=found.metric in stored and stored[found.metric] == found.value,
        )
        for found in of_run(session, run)
    ]


def read_likelihoods(run_id: str) -> dict[int, dict[str, float]]:
    """Stored likelihoods by example; complete lines only, for a killed process may have left half of one."""
    place = storage.path(storage.new_key("runs", run_id, CHOICES_FILE))
    try:
        lines = place.read_text(encoding="utf-8").split("\n")[:-1]
    except FileNotFoundError:
        return {}
    return {int(example_id): letters for example_id, letters in map(json.loads, lines)}


def _greedy(rows: Sequence[Any]) -> list[Measured]:
    return greedy_results([row.verdict for row in rows], [row.finish_reason == "length" for row in rows])


def _scored(
    session: Session, candidates_run_id: str, model_run_id: str
) -> tuple[list[ScoredQuestion], list[str | None]]:
    """Scores of every question's distinct candidates, right and wrong, in the order they were sampled, and its task."""
    query = (
        select(Candidate.example_id, Candidate.text, Candidate.verdict, Score.score, Example.task)
        .join(Example, Example.id == Candidate.example_id)
        .outerjoin(Score, (Score.candidate_id == Candidate.id) & (Score.model_run_id == model_run_id))
        .where(Candidate.run_id == candidates_run_id)
        .order_by(Example.position, Candidate.sample_index)
    )
    questions, tasks = [], []
    for rows in _by_example(session.execute(query)):
        repeats = deduplicate(row.text for row in rows)
        kept = [row for row, earlier in zip(rows, repeats, strict=True) if earlier is None]
        unscored = sum(row.score is None for row in kept)
        if unscored:
            raise Conflict(
                f"{unscored} candidates of a question have no score under the evaluated model.",
                remedy="Retry the evaluation; it scores what is missing.",
            )
        right, wrong = ([row.score for row in kept if (row.verdict == "right") is side] for side in (True, False))
        questions.append(ScoredQuestion(right, wrong))
        tasks.append(rows[0].task)
    return questions, tasks


def _ranked(session: Session, set_id: str, model_run_id: str) -> list[Measured]:
    """How often the model orders a ranking set's candidates as the set does."""
    query = (
        select(Candidate.example_id, RankingSetEntry.quality, Score.score)
        .join(Candidate, Candidate.id == RankingSetEntry.candidate_id)
        .join(Example, Example.id == Candidate.example_id)
        .outerjoin(Score, (Score.candidate_id == Candidate.id) & (Score.model_run_id == model_run_id))
        .where(RankingSetEntry.ranking_set_id == set_id)
        .order_by(Example.position, Candidate.sample_index)
    )
    groups = _by_example(session.execute(query))
    unscored = sum(row.score is None for rows in groups for row in rows)
    if unscored:
        raise Conflict(
            f"{unscored} candidates of the ranking set have no score under the evaluated model.",
            remedy="Retry the evaluation; it scores what is missing.",
        )
    ranking = session.get_one(RankingSet, set_id)
    details: dict[str, object] = {"ranking_set": f"{ranking.name} v{ranking.version}", "ranking_set_id": set_id}
    return ranking_results([[(row.score, row.quality) for row in rows] for rows in groups], details)


def _paths(session: Session, run_id: str) -> list[list[Path]]:
    query = (
        select(Candidate.example_id, Candidate.answer, Candidate.verdict)
        .join(Example, Example.id == Candidate.example_id)
        .where(Candidate.run_id == run_id)
        .order_by(Example.position, Candidate.sample_index)
    )
    return [
        [Path(row.answer, row.verdict == "right", row.verdict == "truncated") for row in rows]
        for rows in _by_example(session.execute(query))
    ]


def _choices(session: Session, run_id: str) -> list[Measured]:
    likelihoods = read_likelihoods(run_id)
    query = (
        select(Example.id, Example.answer, Example.choices)
        .join(Candidate, Candidate.example_id == Example.id)
        .where(Candidate.run_id == run_id)
        .order_by(Example.position)
    )
    rows = [row for row in session.execute(query) if row.choices]
    missing = sum(row.id not in likelihoods for row in rows)
    if missing:
        raise Conflict(
            f"{missing} of {len(rows)} questions have no stored likelihoods.", remedy="Retry the evaluation."
        )
    return choice_results([likelihoods[row.id] for row in rows], [row.answer for row in rows])


def _by_example(rows: Iterable[Any]) -> list[list[Any]]:
    groups: dict[int, list[Any]] = {}
    for row in rows:
        groups.setdefault(row.example_id, []).append(row)
    return list(groups.values())
