"""Listwise losses: each candidate against all that are rated below it."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from aft.losses.pairs import log1p_sum_exp


def pro_loss(
    scores: Float[Tensor, "question candidate"],
    worse: Float[Tensor, "question candidate"],
    ratings: Float[Tensor, "question candidate"],
    prefers: Bool[Tensor, "question candidate candidate"],
    *,
    temperature: bool,
) -> Float[Tensor, " question"]:
    r"""PRO's loss (Eq. 20, 21).

    .. math::
        \sum_i \log\Big\{1 + \sum_{j \prec i} e^{\tau_{ij} s_j - \tau_i^{\max} s_i}\Big\},
        \quad \tau_{ij} = y_i - y_j, \quad \tau_i^{\max} = \max_j \tau_{ij}

    Args:
        scores: Candidate scores.
        worse: The same on the worse side of a pair.
        ratings: Candidate ratings.
        prefers: Preference pairs. A candidate with none below it contributes 0.
        temperature: False sets every temperature to 1 (Table 11).
    """
    if temperature:
        differences = (ratings[:, :, None] - ratings[:, None, :]).to(scores.dtype)
        tau = torch.where(prefers, differences, 0.0)
    else:
        tau = prefers.to(scores.dtype)
    exponents = tau * worse[:, None, :] - tau.amax(dim=2, keepdim=True) * scores[:, :, None]
    return log1p_sum_exp(exponents, where=prefers).sum(dim=1)


def dpo_loss(
    scores: Float[Tensor, "question candidate"],
    worse: Float[Tensor, "question candidate"],
    reference_scores: Float[Tensor, "question candidate"],
    prefers: Bool[Tensor, "question candidate candidate"],
    *,
    beta: float,
) -> Float[Tensor, " question"]:
    r"""DPO's loss for a list of candidates (Eq. 16).

    .. math:: \sum_i \log\Big\{1 + \sum_{j \prec i} e^{\beta (s_j - s^{ref}_j) - \beta (s_i - s^{ref}_i)}\Big\}

    Args:
        scores: Candidate scores.
        worse: The same on the worse side of a pair.
        reference_scores: Scores under the reference model, computed once and stored.
        prefers: Preference pairs.
        beta: DPO's factor.
    """
    gains = beta * (scores - reference_scores)
    worse_gains = beta * (worse - reference_scores)
    return log1p_sum_exp(worse_gains[:, None, :] - gains[:, :, None], where=prefers).sum(dim=1)
