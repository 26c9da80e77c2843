"""From stored candidates, ratings and reference scores to what training reads."""

import logging
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, true

from aft.config.training import TrainConfig
from aft.data.noise import replace_characters
from aft.data.references import noisy_references
from aft.encoding import encode_response
from aft.training.groups import CandidateRecord, QuestionRecord
from backend.db.models import Candidate, Example, Rating
from backend.db.session import reading
from backend.services import labels, ranking_sets
from worker.context import RunContext
from worker.failures import RunFailure
from worker.tasks.inputs import candidate_ids, encode_question, encode_reference, load_checkpoint
from worker.tasks.questions import question_key
from worker.tasks.scores import ScoringQuestion, score_candidates

logger = logging.getLogger(__name__)

_CHUNK = 500


def question_records(
    context: RunContext, tokenizer: Any, questions: Sequence[Example], task: str
) -> list[QuestionRecord]:
    """The training questions, tokenised, with their candidates where the method has any.

    Raises:
        RunFailure: If the candidates or their ratings are missing.
    """
    config: TrainConfig = context.config
    prompts = {row.id: encode_question(tokenizer, row, task) for row in questions}
    candidates: dict[int, list[Candidate]] = {}
    ratings: dict[int, float] = {}
    scores: dict[int, float] = {}
    if config.method.uses_candidates:
        candidates = _candidates(context.parent("candidates"), list(prompts), config.method.k)
        if not candidates:
            raise RunFailure(
                "There are no candidates to train on",
                f"The sampling run has none for any of the {len(questions)} training questions.",
                "Retry the sampling run, then this one.",
            )
        ratings = _ratings(context, candidates)
        candidates = _rated(context, candidates, ratings)
    references: dict[str, str] = {}
    if config.reference_noise:
        known = sorted((question_key(row), row.question, row.reference) for row in questions)
        references = noisy_references(known, config.reference_noise, config.seed, task)
    if config.method.needs_reference_scores:
        scores = _reference_scores(context, prompts, candidates)
    return [
        QuestionRecord(
            question_id=question_key(row),
            prompt_ids=prompts[row.id],
            reference_ids=encode_reference(tokenizer, row, task, cot=references.get(question_key(row))),
            candidates=[
                CandidateRecord(
                    token_ids=_token_ids(config, tokenizer, candidate, question_key(row), prompts[row.id]),
                    text=candidate.text,
                    rating=ratings[candidate.id],
                    truncated=candidate.finish_reason == "length",
                    reference_score=scores.get(candidate.id),
                )
                for candidate in candidates.get(row.id, [])
            ],
        )
        for row in questions
    ]


def _token_ids(
    config: TrainConfig, tokenizer: Any, candidate: Candidate, question: str, prompt: Sequence[int]
) -> Sequence[int]:
    """The ids as sampled or, of an imported text, within the window; with ``negative_noise`` a wrong one's noisy ids.

    Which candidates repeat each other is still decided by their texts as sampled.
    """
    share = config.method.negative_noise
    if not share or candidate.verdict == "right" or not candidate.text:
        sampled = candidate_ids(tokenizer, candidate)
        return sampled if candidate.token_ids else sampled[: config.max_length - len(prompt)]
    noisy = replace_characters(candidate.text, share, f"{config.seed}/{question}/{candidate.sample_index}")
    ids = encode_response(tokenizer, noisy)
    if candidate.finish_reason == "length":
        ids = ids[:-1]
    # Full stops inside words make more tokens of a text, which as sampled may have filled the window.
    return ids[: config.max_length - len(prompt)]


def _candidates(run_id: str, example_ids: list[int], k: int | None) -> dict[int, list[Candidate]]:
    """Candidates by question, the first ``k`` in the order of their sample index."""
    found: dict[int, list[Candidate]] = {}
    with reading() as session:
        for start in range(0, len(example_ids), _CHUNK):
            query = (
                select(Candidate)
                .where(
                    Candidate.run_id == run_id,
                    Candidate.example_id.in_(example_ids[start : start + _CHUNK]),
                    Candidate.sample_index < k if k is not None else true(),
                )
                .order_by(Candidate.example_id, Candidate.sample_index)
            )
            for candidate in session.scalars(query):
                found.setdefault(candidate.example_id, []).append(candidate)
    return found


def _ratings(context: RunContext, candidates: dict[int, list[Candidate]]) -> dict[int, float]:
    """A rating for every candidate: the rate run's for ranking feedback, else 1 for right and 0 for the rest.

    A ranking set's qualities need not cover all.
    """
    rows = [candidate for group in candidates.values() for candidate in group]
    if context.config.feedback == "ranking" and "ranking_set_id" in context.claim.inputs:
        with reading() as session:
            return ranking_sets.qualities(session, context.claim.inputs["ranking_set_id"])
    if context.config.feedback == "binary" or "ratings" not in context.claim.parents:
        corrected = _corrections(context)
        return {row.id: 1.0 if corrected.get(row.id, row.verdict) == "right" else 0.0 for row in rows}
    with reading() as session:
        query = select(Rating.candidate_id, Rating.value).where(Rating.run_id == context.parent("ratings"))
        found = dict(session.execute(query).all())
    missing = sum(row.id not in found for row in rows)
    if missing:
        raise RunFailure(
            f"{missing} of {len(rows)} candidates have no rating",
            "Ranking feedback needs a rating for every candidate.",
            "Retry the rating run, or train with binary feedback.",
        )
    return found


def _corrections(context: RunContext) -> dict[int, str]:
    """Labels that take the place of those the candidates were sampled with, as pinned when the run was planned."""
    if context.config.labels == "sampled":
        return {}
    pinned = context.claim.inputs.get("labels") or labels.NOTHING
    with reading() as session:
        found = labels.corrections(session, context.parent("candidates"), pinned)
    logger.info("%d corrected labels (re-grade %s, overrides up to %s)", len(found), *pinned.values())
    return found


def _rated(
    context: RunContext, candidates: dict[int, list[Candidate]], ratings: dict[int, float]
) -> dict[int, list[Candidate]]:
    """Candidates that have a rating; questions without one train through VFT alone.

    Raises:
        RunFailure: If no training question has a rated candidate.
    """
    rated = {key: [row for row in group if row.id in ratings] for key, group in candidates.items()}
    if not any(rated.values()):
        raise RunFailure(
            "The ranking set rates none of the training questions' candidates",
            f"It rates {len(ratings)} candidates, all of questions that are not trained on.",
            "Choose the split of its candidate set, or another ranking set.",
        )
    return {key: group for key, group in rated.items() if group}


def _reference_scores(
    context: RunContext, prompts: dict[int, tuple[int, ...]], candidates: dict[int, list[Candidate]]
) -> dict[int, float]:
    """Scores under the reference model; computed once and stored."""
    model, tokenizer = load_checkpoint(context, "reference", context.config.precision)
    groups = [
        ScoringQuestion(prompts[example_id], {row.id: tuple(candidate_ids(tokenizer, row)) for row in group})
        for example_id, group in sorted(candidates.items())
    ]
    return score_candidates(
        context,
        model,
        groups,
        model_run_id=context.parent("reference"),
        tokens_per_microbatch=context.config.tokens_per_microbatch,
        phase="scoring under the reference model",
    )
