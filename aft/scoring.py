"""From a model to the scores of candidate COTs (Eq. 2, 15).

The score of a response is the mean log-probability of its tokens given the question: COT, answer
and EOS where the response has one. It is computed in float32 from the log-softmax on, whatever the
model's dtype, and always by this module, so that training, evaluation and charts mean the same
number. Only positions that predict a response token reach the language-model head.

Gradients flow when the caller has them enabled; dropout is the caller's business.
"""

import math
from collections.abc import Callable, Sequence
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel

from aft.packing import GroupIds, Microbatch, build_tensors, microbatches
from aft.shared_attention import can_share_prefix, use_shared_prefix
from aft.shared_stream import stream_hidden

__all__ = [
    "GroupIds",
    "Microbatch",
    "Packing",
    "candidate_scores",
    "microbatch_scores",
    "microbatch_token_logprobs",
    "microbatches",
    "positions_per_chunk",
    "shares_prefix",
    "token_logprobs",
]

Packing = Literal["auto", "packed", "separate"]
"""auto: share the question between its responses where the model allows it."""

LOGITS_PER_CHUNK = 2**24
"""Logits that exist at once: 64 MiB in float32."""


def candidate_scores(
    model: PreTrainedModel,
    groups: Sequence[GroupIds],
    *,
    tokens_per_microbatch: int = 4096,
    packing: Packing = "auto",
) -> list[Float[Tensor, " candidate"]]:
    """Score every candidate of every group.

    Args:
        model: A causal language model.
        groups: Prompt ids and candidates' ids of each question.
        tokens_per_microbatch: Most tokens of one forward pass, padding included.
        packing: Whether a question is shared by its candidates; changes speed, not scores.

    Returns:
        Scores in nats a token for each group, float32, in the order given.

    Raises:
        ValueError: If a prompt or candidate is empty, longer than the model's window or has a token the model does
            not know, or packing is demanded of a model that cannot share a prefix.
    """
    return [
        torch.stack([tokens.mean() for tokens in candidates]) if candidates else torch.zeros(0, device=model.device)
        for candidates in token_logprobs(model, groups, tokens_per_microbatch=tokens_per_microbatch, packing=packing)
    ]


def token_logprobs(
    model: PreTrainedModel,
    groups: Sequence[GroupIds],
    *,
    tokens_per_microbatch: int = 4096,
    packing: Packing = "auto",
) -> list[list[Float[Tensor, " token"]]]:
    """Log-probability in nats of every token of every candidate, float32, in the order given.

    Arguments and errors are those of ``candidate_scores``.
    """
    share_prefix = shares_prefix(model, packing)
    plan = microbatches(groups, tokens_per_microbatch=tokens_per_microbatch, share_prefix=share_prefix)
    found: dict[tuple[int, int], Tensor] = {}
    for microbatch in plan:
        found.update(zip(microbatch.items, microbatch_token_logprobs(model, groups, microbatch), strict=True))
    return [
        [found[group, candidate] for candidate in range(len(responses))] for group, (_, responses) in enumerate(groups)
    ]


def microbatch_scores(
    model: PreTrainedModel, groups: Sequence[GroupIds], microbatch: Microbatch
) -> Float[Tensor, " response"]:
    """Scores of one micro-batch of the plan, in the order of ``microbatch.items``."""
    return torch.stack([tokens.mean() for tokens in microbatch_token_logprobs(model, groups, microbatch)])


def microbatch_token_logprobs(
    model: PreTrainedModel, groups: Sequence[GroupIds], microbatch: Microbatch, *, chunks: int | None = None
) -> tuple[Float[Tensor, " token"], ...]:
    """Token log-probabilities of one micro-batch of the plan, in the order of ``microbatch.items``.

    Args:
        model: A causal language model.
        groups: Prompt ids and candidates' ids of each question.
        microbatch: One of the plan's.
        chunks: How often the projection to logits is called; by default as often as ``LOGITS_PER_CHUNK`` asks.

    Raises:
        ValueError: If a question with its response exceeds the model's window, or has a token the model does not know.
    """
    _require_window(model, groups, microbatch)
    _require_vocabulary(model, groups, microbatch)
    tensors = build_tensors(groups, microbatch, model.device)
    decoder = model.get_decoder()  # type: ignore[no-untyped-call]  # transformers leaves it untyped
    if tensors.stream is None:
        hidden: Tensor = decoder(input_ids=tensors.input_ids, use_cache=False).last_hidden_state
        predicting = hidden.flatten(0, 1).index_select(0, tensors.predicted_at)
    else:
        use_shared_prefix(model)
        predicting = stream_hidden(decoder, tensors, tensors.stream)
    chunks = chunks or math.ceil(len(tensors.targets) / positions_per_chunk(model))
    logprobs = _target_logprobs(_head(model), predicting, tensors.targets, chunks=chunks)
    return torch.split(logprobs.index_select(0, tensors.predictions), list(tensors.lengths))


def positions_per_chunk(model: PreTrainedModel) -> int:
    """Positions whose logits over the whole vocabulary exist at once."""
    return max(1, LOGITS_PER_CHUNK // int(model.config.get_text_config().vocab_size))


def shares_prefix(model: PreTrainedModel, packing: Packing = "auto") -> bool:
    """Whether a question is computed once for its responses: ``share_prefix`` of ``microbatches``.

    Raises:
        ValueError: If packing is demanded of a model that cannot share a prefix.
    """
    if packing == "separate":
        return False
    possible = can_share_prefix(model)
    if packing == "packed" and not possible:
        msg = (
            f"A {model.config.model_type} model with {model.config._attn_implementation} attention cannot share a "
            "question between responses. Set packing to auto or separate."
        )
        raise ValueError(msg)
    return possible


def _require_window(model: PreTrainedModel, groups: Sequence[GroupIds], microbatch: Microbatch) -> None:
    window = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if window is None:
        return
    for group, response in microbatch.items:
        prompt, responses = groups[group]
        tokens = len(prompt) + len(responses[response])
        if tokens > window:
            msg = (
                f"Response {response} of group {group} has {tokens} tokens with its question, the model's window "
                f"{window}. Shorten it, or choose a model with a longer window."
            )
            raise ValueError(msg)


def _require_vocabulary(model: PreTrainedModel, groups: Sequence[GroupIds], microbatch: Microbatch) -> None:
    words = int(model.config.get_text_config().vocab_size)
    for group, response in microbatch.items:
        prompt, responses = groups[group]
        highest = max(max(prompt), max(responses[response]))
        if highest >= words:
            msg = (
                f"Response {response} of group {group} has token {highest}, with its question, but the model knows "
                f"{words} tokens. Encode both with the tokenizer of the model that scores them."
            )
            raise ValueError(msg)


def _head(model: PreTrainedModel) -> Callable[[Tensor], Tensor]:
    """The projection to logits, with what some architectures do to the logits afterwards."""
    projection = model.get_output_embeddings()  # type: ignore[no-untyped-call]  # transformers leaves it untyped
    config = model.config.get_text_config()
    cap = getattr(config, "final_logit_softcapping", None)
    scale = float(getattr(config, "logit_scale", None) or 1.0)
    scale *= float(getattr(config, "lm_head_multiplier", None) or 1.0)
    scale /= float(getattr(config, "logits_scaling", None) or 1.0)

    def project(hidden: Tensor) -> Tensor:
        logits: Tensor = projection(hidden)
        if scale != 1.0:
            logits = logits * scale
        return logits if cap is None else torch.tanh(logits / cap) * cap

    return project


def _target_logprobs(
    head: Callable[[Tensor], Tensor],
    hidden: Float[Tensor, "token hidden"],
    targets: Int[Tensor, " token"],
    *,
    chunks: int,
) -> Float[Tensor, " token"]:
    """Log-probabilities of the target tokens, projecting one of ``chunks`` like parts of them at a time."""

    def logprobs(hidden: Tensor, targets: Tensor) -> Tensor:
        logits = head(hidden)
        # A float64 model keeps float64: gradients are compared in it.
        logits = logits if logits.dtype == torch.float64 else logits.float()
        return -functional.cross_entropy(logits, targets, reduction="none")

    if chunks == 1:
        return logprobs(hidden, targets)
    # Recomputing a chunk's logits in the backward pass keeps one chunk of them alive, not all.
    return torch.cat(
        [
            checkpoint(logprobs, part, wanted, use_reentrant=False)
            if torch.is_grad_enabled()
            else logprobs(part, wanted)
            for part, wanted in zip(
                torch.tensor_split(hidden, chunks), torch.tensor_split(targets, chunks), strict=True
            )
        ]
    )
