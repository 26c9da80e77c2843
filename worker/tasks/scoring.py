"""Score the candidates of a sampling run under a checkpoint (Eq. 2), where asked token by token."""

from functools import partial
from typing import Any

import torch
from sqlalchemy import select

from aft.config.sampling import ScoreConfig
from aft.encoding import token_ends
from aft.scoring import token_logprobs
from backend.db.models import Candidate, Example
from backend.db.session import reading
from backend.services import tokens
from backend.services.tokens import ReferenceRow
from worker.context import RunContext
from worker.tasks.inputs import candidate_ids, encode_question, encode_reference, load_checkpoint, use_device
from worker.tasks.questions import task_name
from worker.tasks.scores import QUESTIONS_PER_CHUNK, ScoringQuestion, score_candidates

CONFIG = ScoreConfig


def run(context: RunContext) -> None:
    """Score the candidates of the parent run: all, or those of some questions.

    Raises:
        Stopped: If asked to stop; everything finished is stored.
    """
    config: ScoreConfig = context.config
    use_device(context)
    task = task_name(context)
    model, tokenizer = load_checkpoint(context, "checkpoint", config.precision)
    query = (
        select(Candidate, Example)
        .join(Example, Example.id == Candidate.example_id)
        .where(Candidate.run_id == context.parent("candidates"))
        .order_by(Example.position, Candidate.sample_index)
    )
    if config.example_ids is not None:
        query = query.where(Candidate.example_id.in_(config.example_ids))
    examples: dict[int, Example] = {}
    found: dict[int, dict[int, tuple[int, ...]]] = {}
    with reading() as session:
        for candidate, example in session.execute(query):
            examples[example.id] = example
            found.setdefault(example.id, {})[candidate.id] = tuple(candidate_ids(tokenizer, candidate))
    score_candidates(
        context,
        model,
        [ScoringQuestion(encode_question(tokenizer, row, task), found[row.id]) for row in examples.values()],
        model_run_id=context.parent("checkpoint"),
        keep_token_logprobs=config.token_logprobs,
    )
    if config.token_logprobs:
        _place_tokens(context, tokenizer, {key: ids for group in found.values() for key, ids in group.items()})
    if config.references:
        _score_references(context, model, tokenizer, list(examples.values()), task)


def _place_tokens(context: RunContext, tokenizer: Any, candidates: dict[int, tuple[int, ...]]) -> None:
    """Store where each token lies in the text, once for all checkpoints."""
    with reading() as session:
        left = sorted(candidates.keys() - tokens.placed(session, list(candidates)))
    for start in range(0, len(left), tokens.CHUNK):
        context.stop_if_asked()
        ends = {key: token_ends(tokenizer, candidates[key]) for key in left[start : start + tokens.CHUNK]}
        context.sink.flush(partial(tokens.place, ends=ends))
        context.sink.progress(start + len(ends), len(left), "placing the tokens in the texts")


@torch.inference_mode()
def _score_references(context: RunContext, model: Any, tokenizer: Any, examples: list[Example], task: str) -> None:
    model_run_id = context.parent("checkpoint")
    with reading() as session:
        known = tokens.scored_references(session, model_run_id, [row.id for row in examples])
    left = [row for row in examples if row.id not in known]
    for start in range(0, len(left), QUESTIONS_PER_CHUNK):
        context.stop_if_asked()
        chunk = left[start : start + QUESTIONS_PER_CHUNK]
        ids = [encode_reference(tokenizer, row, task) for row in chunk]
        groups = [(encode_question(tokenizer, row, task), [one]) for row, one in zip(chunk, ids, strict=True)]
        rows = [
            ReferenceRow(
                example_id=row.id,
                score=float(logprobs.mean()),
                token_logprobs=logprobs.half().cpu().numpy().astype("<f2").tobytes(),
                ends=token_ends(tokenizer, one),
            )
            for row, one, (logprobs,) in zip(chunk, ids, token_logprobs(model, groups), strict=True)
        ]
        write = partial(tokens.record_references, model_run_id=model_run_id, by_run_id=context.run_id, rows=rows)
        context.sink.flush(write)
        context.sink.progress(start + len(rows), len(left), "scoring the references")
