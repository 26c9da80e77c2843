"""The paper's alignment loss and its boundary constraint.

The losses see scores and pairs, never models:
    scores   s_i, the token-averaged log-likelihood of candidate i (Eq. 2)
    worse    the same scores on the worse side of a pair, detached where a constraint says so
    prefers  prefers[q, i, j] is True when candidate i is rated above candidate j

Binary feedback is ranking feedback with two levels, so there is one function for Eq. 6 and 14,
for Eq. 7 and 12, and for Eq. 8 and 11.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from aft.losses.pairs import flatten_pairs, log1p_sum_exp


def alignment_loss(
    scores: Float[Tensor, "question candidate"],
    worse: Float[Tensor, "question candidate"],
    prefers: Bool[Tensor, "question candidate candidate"],
) -> Float[Tensor, " question"]:
    r"""Rank better candidates above worse ones (Eq. 6, 14; with a detached worse side Eq. 7, 12, 13).

    .. math:: \log\Big\{1 + \sum_{i \succ j} e^{s_j - s_i}\Big\}
    """
    return log1p_sum_exp(flatten_pairs(worse[:, None, :] - scores[:, :, None]), where=flatten_pairs(prefers))


def boundary_constrained_loss(
    scores: Float[Tensor, "question candidate"],
    prefers: Bool[Tensor, "question candidate candidate"],
    boundary: Float[Tensor, "question candidate"],
) -> Float[Tensor, " question"]:
    r"""Rank candidates while keeping worse ones above a boundary (Eq. 8, 11).

    .. math::
        \log\Big\{1 + \sum_{i \succ j} \big[e^{s_j - s_i} + e^{T_{ij} - s_j}\big]\Big\},
        \quad T_{ij} = 2 s_j^* - 2\beta - s_i, \quad s_j^* = \min_{k \succ j} s_k

    A candidate with nothing below it is pushed down above ``s_j^* - beta`` and up below it.

    Args:
        scores: Candidate scores.
        prefers: Preference pairs. A question without pairs has a loss of 0.
        boundary: ``s_j^* - beta`` of every candidate, or another boundary of ``aft.losses.boundary``.
    """
    ranking = flatten_pairs(scores[:, None, :] - scores[:, :, None])
    floor = flatten_pairs(_boundary_exponents(scores, boundary))
    pairs = flatten_pairs(prefers)
    return log1p_sum_exp(torch.cat([ranking, floor], dim=1), where=torch.cat([pairs, pairs], dim=1))


def boundary_term(
    scores: Float[Tensor, "question candidate"],
    prefers: Bool[Tensor, "question candidate candidate"],
    boundary: Float[Tensor, "question candidate"],
) -> Float[Tensor, " question"]:
    r"""The boundary as a term of its own, for losses the paper does not combine it with (an extension).

    .. math:: \log\Big\{1 + \sum_{i \succ j} e^{T_{ij} - s_j}\Big\}

    Added to another loss, the gradient on a worse score changes sign where that loss's push down,
    ``g_j``, equals this term's pull up, ``sum_i softmax(T_ij - s_j) < 1``, and in general not at
    ``s_j^* - beta``:

    * RRHF pushes only from ``s_j^*`` on, and with a factor of 1 or more harder than this pulls: the sign
      changes at ``s_j^*``.
    * PRO without temperature: at ``s_j^* - beta`` for a single pair; with more pairs the denominators of
      the two logarithms differ, and it lies below that where the ranking term's is smaller, else above.
    * PRO with temperature tau, single pair, ``x = s_j - s_i``: where
      ``tau * sigmoid(tau x) = sigmoid(-2 beta - x)``.
    * DPO with factor b, single pair: where ``b * sigmoid(b (x - xref)) = sigmoid(-2 beta - x)``.
    """
    return log1p_sum_exp(flatten_pairs(_boundary_exponents(scores, boundary)), where=flatten_pairs(prefers))


def _boundary_exponents(
    scores: Float[Tensor, "question candidate"], boundary: Float[Tensor, "question candidate"]
) -> Float[Tensor, "question candidate candidate"]:
    better, worse = scores[:, :, None], scores[:, None, :]
    # T is a constant in the gradient the paper derives (Eq. 9), and live it would push the lowest
    # positive down: hence the detach.
    target = (2 * boundary[:, None, :] - better).detach()
    return target - worse
