"""Does the server serve the model it should: its log-probabilities of a fixed sequence against our own.

A wrong checkpoint, tokenizer or chat template shows here before hours of sampling, in one request.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aft.engines.engine import EngineFailed
from aft.scoring import token_logprobs

LARGEST_MEAN_GAP: Final = 0.05
"""Nats a token. Two implementations differ by 1e-5 in float32, by hundredths in bfloat16; other weights by more."""


class Disagreement(EngineFailed):
    """The server's model is not the run's."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How closely they agree, nats a token."""

    mean_gap: float
    largest_gap: float
    tokens: int


def check_agreement(
    model: Any, token_ids: Sequence[int], server_logprobs: Callable[[Sequence[int]], list[float] | None]
) -> Agreement | None:
    """Compare the log-probabilities of all tokens but the first.

    Args:
        model: The local model.
        token_ids: A prompt with a response; at least two tokens.
        server_logprobs: Asks the server; None where it cannot tell.

    Returns:
        The gaps, or None where the server cannot tell.

    Raises:
        Disagreement: If the mean gap is above 0.05 nats a token.
    """
    theirs = server_logprobs(token_ids)
    if theirs is None:
        return None
    import torch

    with torch.no_grad():
        ((ours,),) = token_logprobs(model, [(tuple(token_ids[:1]), [tuple(token_ids[1:])])])
    gaps = (ours.cpu().double() - torch.tensor(theirs, dtype=torch.float64)).abs()
    agreement = Agreement(float(gaps.mean()), float(gaps.max()), len(gaps))
    if not agreement.mean_gap <= LARGEST_MEAN_GAP:
        msg = (
            f"The server's log-probabilities of a known sequence differ from the checkpoint's by "
            f"{agreement.mean_gap:.3g} nats a token on average: it serves another model, tokenizer or template."
        )
        raise Disagreement(msg)
    return agreement
