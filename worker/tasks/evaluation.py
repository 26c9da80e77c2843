"""Measure one checkpoint: greedy answers on the test questions, scores of the assessment candidates."""

import json
from typing import Any

from sqlalchemy import select

from aft.choice_likelihood import choice_likelihoods
from aft.config.sampling import EvaluateConfig, SampleConfig
from aft.data.dedupe import deduplicate
from aft.data.examples import CHOICE_TASKS, MIXED
from aft.sampling import Prompt, sample_cots
from backend.db.models import Candidate, Example, RankingSetEntry, Run
from backend.db.session import reading, transaction
from backend.services import measurements, metrics
from worker.context import RunContext, Stopped
from worker.failures import RunFailure
from worker.tasks.inputs import candidate_ids, encode_question, load_checkpoint, use_device
from worker.tasks.questions import as_question, question_key, read_questions, task_name
from worker.tasks.scores import ScoringQuestion, score_candidates
from worker.tasks.store import CandidateStore

CONFIG = EvaluateConfig


def run(context: RunContext) -> None:
    """Decode, score, and store the numbers with their cases.

    Raises:
        Stopped: If asked to stop; everything finished is stored.
        RunFailure: If letters are asked for and the task has none.
    """
    config: EvaluateConfig = context.config
    use_device(context)
    task = task_name(context)
    if config.choice_likelihood and task not in {*CHOICE_TASKS, MIXED}:
        raise RunFailure(
            f"Task '{task}' has no choices",
            "The likelihood of letters can be measured on questions with choices only.",
            "Turn choice_likelihood off, or choose a data set with choices.",
        )
    if "paths" not in context.claim.parents and (config.self_consistency or config.pass_at_k):
        context.parent("paths")
    model, tokenizer = load_checkpoint(context, "checkpoint", config.precision)
    examples = read_questions(context, config.part, config.max_questions)
    _decode(context, model, tokenizer, task, examples)
    if config.choice_likelihood:
        _compare_letters(context, model, tokenizer, task, [row for row in examples if row.choices])
    if "assessment" in context.claim.parents:
        score_candidates(
            context,
            model,
            _assessment_questions(context, tokenizer, task),
            model_run_id=context.parent("checkpoint"),
            phase="scoring the assessment candidates",
        )
    if "agreement_set_id" in context.claim.inputs:
        score_candidates(
            context,
            model,
            _ranked_questions(context, tokenizer, task),
            model_run_id=context.parent("checkpoint"),
            phase="scoring the ranked candidates",
        )
    with reading() as session:
        measured = measurements.of_run(session, session.get_one(Run, context.run_id))
    with transaction() as session:
        for found in measured:
            metrics.record_result(session, context.claim, found.metric, found.value, found.n, found.details or None)


def _decode(context: RunContext, model: Any, tokenizer: Any, task: str, rows: list[Example]) -> None:
    config: EvaluateConfig = context.config
    examples = {question_key(row): row for row in rows}
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


def _compare_letters(context: RunContext, model: Any, tokenizer: Any, task: str, rows: list[Example]) -> None:
    """Append every question's likelihoods to a file of the run; what is there already is not computed again."""
    known = measurements.read_likelihoods(context.run_id)
    place = context.directory / measurements.CHOICES_FILE
    # Rewritten first: a killed process may have left half a line at the end.
    place.write_text("".join(json.dumps(item) + "\n" for item in known.items()), encoding="utf-8")
    left = [row for row in rows if row.id not in known]
    ids = {question_key(row): row.id for row in left}
    done = len(known)

    with place.open("a", encoding="utf-8") as lines:

        def on_done(question_id: str, letters: dict[str, float]) -> None:
            nonlocal done
            lines.write(json.dumps([ids[question_id], letters]) + "\n")
            done += 1
            context.sink.progress(done, len(rows), "comparing the letters")

        questions = [as_question(row, task) for row in left]
        complete = choice_likelihoods(model, tokenizer, questions, on_done=on_done, should_stop=context.should_stop)
    if not complete:
        raise Stopped


def _assessment_questions(context: RunContext, tokenizer: Any, task: str) -> list[ScoringQuestion]:
    """Questions with their distinct assessment candidates, in a fixed order."""
    query = (
        select(Candidate, Example)
        .join(Example, Example.id == Candidate.example_id)
        .where(Candidate.run_id == context.parent("assessment"))
        .order_by(Example.position, Candidate.sample_index)
    )
    questions = []
    for example, rows in _by_question(query):
        repeats = deduplicate(row.text for row in rows)
        distinct = [row for row, earlier in zip(rows, repeats, strict=True) if earlier is None]
        candidates = {row.id: tuple(candidate_ids(tokenizer, row)) for row in distinct}
        questions.append(ScoringQuestion(encode_question(tokenizer, example, task), candidates))
    return questions


def _ranked_questions(context: RunContext, tokenizer: Any, task: str) -> list[ScoringQuestion]:
    """Questions with the candidates of the ranking set, in a fixed order."""
    query = (
        select(Candidate, Example)
        .join(Example, Example.id == Candidate.example_id)
        .join(RankingSetEntry, RankingSetEntry.candidate_id == Candidate.id)
        .where(RankingSetEntry.ranking_set_id == context.input("agreement_set_id"))
        .order_by(Example.position, Candidate.sample_index)
    )
    return [
        ScoringQuestion(
            encode_question(tokenizer, example, task), {row.id: tuple(candidate_ids(tokenizer, row)) for row in rows}
        )
        for example, rows in _by_question(query)
    ]


def _by_question(query: Any) -> list[tuple[Example, list[Candidate]]]:
    groups: dict[int, tuple[Example, list[Candidate]]] = {}
    with reading() as session:
        for candidate, example in session.execute(query):
            groups.setdefault(example.id, (example, []))[1].append(candidate)
    return list(groups.values())
