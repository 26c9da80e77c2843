"""RRHF's ranking loss."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def rrhf_loss(
    scores: Float[Tensor, "question candidate"],
    worse: Float[Tensor, "question candidate"],
    prefers: Bool[Tensor, "question candidate candidate"],
    *,
    factor: float,
) -> Float[Tensor, " question"]:
    r"""Sum how far worse candidates score above better ones (Eq. 18).

    .. math:: \beta \sum_{i \succ j} \max(0, s_j - s_i)

    The gradient of a pair with equal scores is 0.

    Args:
        scores: Candidate scores.
        worse: The same on the worse side of a pair.
        prefers: Preference pairs.
        factor: The gradient factor of Table 10.
    """
    # relu, not clamp: clamp has a gradient of 1 at 0.
    violations = torch.relu(worse[:, None, :] - scores[:, :, None])
    return factor * torch.where(prefers, violations, 0.0).sum(dim=(1, 2))
