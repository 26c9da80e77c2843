"""Score stored candidates in chunks that are stored whole, so that a restart repeats no number differently."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from aft.scoring import token_logprobs
from backend.db.session import reading
from backend.services import scores
from worker.context import RunContext

QUESTIONS_PER_CHUNK = 32


@dataclass(frozen=True, slots=True)
class ScoringQuestion:
    """A question's prompt and the candidates to score, by id."""

    prompt_ids: tuple[int, ...]
    candidates: Mapping[int, tuple[int, ...]]


def score_candidates(
    context: RunContext,
    model: Any,
    questions: Sequence[ScoringQuestion],
    *,
    model_run_id: str,
    tokens_per_microbatch: int = 4096,
    keep_token_logprobs: bool = False,
    phase: str = "scoring",
) -> dict[int, float]:
    """Score candidates under a model and store the scores; what is stored already is not computed again.

    Args:
        context: The run.
        model: A causal language model in evaluation mode.
        questions: In a fixed order: which candidates share a forward pass moves the last bits.
        model_run_id: The run whose final checkpoint the model is.
        tokens_per_microbatch: Most tokens of one forward pass.
        keep_token_logprobs: Store every token's log-probability, too.
        phase: Shown as progress.

    Returns:
        Score by candidate id, nats a token.

    Raises:
        Stopped: If asked to stop.
    """
    wanted = [candidate_id for question in questions for candidate_id in question.candidates]
    with reading() as session:
        known = scores.stored(session, model_run_id, wanted, with_token_logprobs=keep_token_logprobs)
    done = 0
    for start in range(0, len(questions), QUESTIONS_PER_CHUNK):
        context.stop_if_asked()
        chunk = questions[start : start + QUESTIONS_PER_CHUNK]
        if not all(candidate_id in known for question in chunk for candidate_id in question.candidates):
            rows = _score_chunk(model, chunk, tokens_per_microbatch, keep_token_logprobs)
            write = partial(
                scores.record,
                model_run_id=model_run_id,
                by_run_id=context.run_id,
                rows=rows,
                only_tokens=keep_token_logprobs,
            )
            context.sink.flush(write)
            known.update({row.candidate_id: row.score for row in rows})
        done += sum(len(question.candidates) for question in chunk)
        context.sink.progress(done, len(wanted), phase)
    return {candidate_id: known[candidate_id] for candidate_id in wanted}


@torch.inference_mode()
def _score_chunk(
    model: Any, chunk: Sequence[ScoringQuestion], tokens_per_microbatch: int, keep_token_logprobs: bool
) -> list[scores.ScoredRow]:
    groups = [(question.prompt_ids, list(question.candidates.values())) for question in chunk]
    found = token_logprobs(model, groups, tokens_per_microbatch=tokens_per_microbatch)
    return [
        scores.ScoredRow(
            candidate_id=candidate_id,
            score=float(tokens.mean()),
            n_tokens=len(tokens),
            token_logprobs=tokens.half().cpu().numpy().astype("<f2").tobytes() if keep_token_logprobs else None,
        )
        for question, logprobs in zip(chunk, found, strict=True)
        for candidate_id, tokens in zip(question.candidates, logprobs, strict=True)
    ]
