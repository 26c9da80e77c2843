"""The supervised loss on references (Eq. 1), and the one place that decides how much each response weighs."""

from typing import Literal, assert_never

import torch
from jaxtyping import Float, Int
from torch import Tensor

VftReduction = Literal["token-mean", "token-sum", "batch-token-mean"]


def vft_weights(
    lengths: Int[Tensor, " response"], reduction: VftReduction = "token-mean"
) -> Float[Tensor, " response"]:
    """How much the log-likelihood of each learned response weighs: ``L_VFT = -sum_r w_r log P(r)``.

    The weights are those of a whole optimizer step. Any part of the step may be computed anywhere, in any
    micro-batch or process: the parts' losses and gradients add up to the step's.

    Args:
        lengths: Tokens of every response the step learns, EOS included.
        reduction: ``token-mean``: each response weighs alike, as the mean over its own tokens. ``token-sum``: each
            response counts with the sum over its tokens, as Eq. 1 is written. ``batch-token-mean``: every token of
            the step weighs alike, so that long responses weigh more.

    Returns:
        The weights in float64; empty where nothing is learned.

    Raises:
        ValueError: If a response has no tokens.
    """
    if bool((lengths < 1).any()):
        raise ValueError("A learned response has no tokens, so it has no likelihood. Leave it out.")
    sizes = lengths.double()
    match reduction:
        case "token-mean":
            return 1 / (sizes * len(lengths))
        case "token-sum":
            return torch.full_like(sizes, 1 / max(1, len(lengths)))
        case "batch-token-mean":
            return torch.full_like(sizes, 1) / sizes.sum()
        case _:
            assert_never(reduction)


def vft_loss(
    scores: Float[Tensor, " response"],
    lengths: Int[Tensor, " response"],
    *,
    reduction: VftReduction = "token-mean",
) -> Float[Tensor, ""]:
    """Negative log-likelihood of the responses an optimizer step learns, averaged over them.

    Args:
        scores: Score of each response: its token-averaged log-likelihood (Eq. 2), nats a token.
        lengths: Tokens of each response, EOS included.
        reduction: See ``vft_weights``.

    Returns:
        One number for the step; 0 where nothing is learned.

    Raises:
        ValueError: If a response has no tokens.
    """
    weights = vft_weights(lengths, reduction).to(scores)
    return -(weights * lengths * scores).sum()
