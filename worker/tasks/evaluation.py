"""Measure one checkpoint: greedy answers on the test questions, scores of the assessment candidates."""

import math
from typing import Any

from sqlalchemy import select

from aft.config.sampling import EvaluateConfig, SampleConfig
from aft.data.dedupe import deduplicate
from aft.evaluation import (
    AssessmentCandidate,
    AssessmentEvaluation,
    AssessmentQuestion,
    summarise_assessment,
)
from aft.metrics import Assessment, Proportion, median_perplexity, proportion
from aft.sampling import Prompt, sample_cots
from backend.db.models import Candidate, Example
from backend.db.session import reading, transaction
from backend.services import metrics
from backend.services.candidates import unpack_ids
from worker.context import RunContext, Stopped
from worker.tasks.inputs import encode_question, load_checkpoint, use_device
from worker.tasks.questions import question_key, read_questions, task_name
from worker.tasks.scores import ScoringQuestion, score_candidates
from worker.tasks.store import CandidateStore

CONFIG = EvaluateConfig


def run(context: RunContext) -> None:
    """Decode, score, and store the numbers with their cases.

    Raises:
        Stopped: If asked to stop; everything finished is stored.
    """
    config: EvaluateConfig = context.config
    use_device(context)
    task = task_name(context)
    model, tokenizer = load_checkpoint(context, "checkpoint", config.precision)
    _decode(context, model, tokenizer, task)
    _record_task_accuracy(context)
    if "assessment" in context.claim.parents:
        questions = _assessment_questions(context, tokenizer, task)
        groups = [
            ScoringQuestion(question.prompt_ids, {int(item.candidate_id): item.ids for item in question.candidates})
            for question in questions
        ]
        found = score_candidates(
            context, model, groups, model_run_id=context.parent("checkpoint"), phase="scoring the assessment candidates"
        )
        scores = {str(candidate_id): score for candidate_id, score in found.items()}
        _record_assessment(
            context, questions, summarise_assessment(questions, scores, per_side=config.candidates_per_side)
        )


def _decode(context: RunContext, model: Any, tokenizer: Any, task: str) -> None:
    config: EvaluateConfig = context.config
    examples = {question_key(row): row for row in read_questions(context, config.part, config.max_questions)}
    prompts = [Prompt(key, encode_question(tokenizer, row, task)) for key, row in examples.items()]
    store = CandidateStore(context, examples, task, total=len(prompts), phase=f"answering the {config.part} questions")
    missing = {(prompt.question_id, 0) for prompt in prompts} - store.stored_pairs()
    greedy = SampleConfig(
        part=config.part, k=1, temperature=0, max_new_tokens=config.max_new_tokens, precision=config.precision
    )
    complete = sample_cots(
        model, tokenizer, prompts, greedy, wanted=missing, on_done=store.add, should_stop=context.should_stop
    )
    store.flush()
    if not complete:
        raise Stopped


def _record_task_accuracy(context: RunContext) -> None:
    query = select(Candidate.verdict, Candidate.finish_reason).where(Candidate.run_id == context.run_id)
    with reading() as session:
        rows = session.execute(query).all()
    n = len(rows)
    counts = {
        "task_accuracy": sum(row.verdict == "right" for row in rows),
        "unparsed_rate": sum(row.verdict == "unparsed" for row in rows),
        "truncated_rate": sum(row.finish_reason == "length" for row in rows),
    }
    with transaction() as session:
        for name, count in counts.items():
            share = proportion(count, n)
            metrics.record_result(session, context.claim, name, share.value if share else None, n, _interval(share))


def _interval(share: Proportion | None) -> dict[str, Any] | None:
    if share is None:
        return None
    return {"low": share.low, "high": share.high, "confidence": 0.95, "count": share.successes}


def _assessment_questions(context: RunContext, tokenizer: Any, task: str) -> list[AssessmentQuestion]:
    """Questions with their distinct assessment candidates, in a fixed order."""
    query = (
        select(Candidate, Example)
        .join(Example, Example.id == Candidate.example_id)
        .where(Candidate.run_id == context.parent("assessment"))
        .order_by(Example.position, Candidate.sample_index)
    )
    groups: dict[int, tuple[Example, list[Candidate]]] = {}
    with reading() as session:
        for candidate, example in session.execute(query):
            groups.setdefault(example.id, (example, []))[1].append(candidate)
    questions = []
    for example, rows in groups.values():
        repeats = deduplicate(row.text for row in rows)
        candidates = tuple(
            AssessmentCandidate(str(row.id), tuple(unpack_ids(row.token_ids)), row.verdict == "right")
            for row, earlier in zip(rows, repeats, strict=True)
            if earlier is None
        )
        prompt_ids = encode_question(tokenizer, example, task)
        questions.append(AssessmentQuestion(question_key(example), prompt_ids, candidates))
    return questions


def _record_assessment(context: RunContext, questions: list[AssessmentQuestion], found: AssessmentEvaluation) -> None:
    per_side = context.config.candidates_per_side
    positives, negatives = 0, []
    for question in questions:
        right = [item for item in question.candidates if item.correct][:per_side]
        wrong = [item for item in question.candidates if not item.correct][:per_side]
        if right and wrong:
            positives += len(right)
            negatives += [found.scores[item.candidate_id] for item in wrong]
    with transaction() as session:

        def record(name: str, value: float | None, n: int, details: dict[str, Any]) -> None:
            finite = value if value is not None and math.isfinite(value) else None
            if finite is None and value is not None:
                details = {**details, "overflow": True}
            metrics.record_result(session, context.claim, name, finite, n, details)

        for name, assessment in (
            ("assessment_accuracy", found.all_pairs),
            ("assessment_accuracy_3x3", found.exact),
            ("assessment_accuracy_up_to_3x3", found.up_to),
        ):
            record(name, assessment.value, assessment.questions_counted, _coverage(assessment, per_side))
        record("perplexity", found.positive_perplexity, positives, {"candidates_per_side": per_side})
        record(
            "perplexity_negative_median",
            median_perplexity(negatives),
            len(negatives),
            {"candidates_per_side": per_side},
        )


def _coverage(assessment: Assessment, per_side: int) -> dict[str, Any]:
    return {
        "coverage": assessment.coverage,
        "questions_total": assessment.questions_total,
        "pairs": assessment.pairs,
        "candidates_per_side": per_side,
    }
