"""Preference pairs of a group of candidates, and what every ranking loss does with them.

``prefers[q, i, j]`` is True when candidate i of question q is rated above candidate j. Binary
feedback is a rating of 0 or 1. A rating of NaN marks a place without a candidate.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Constraint = Literal["none", "detached", "detached-lowest", "boundary"]

RATING_TOLERANCE = 1e-9
"""Ratings no further apart are a tie, which makes no pair."""


def preference_pairs(ratings: Float[Tensor, "question candidate"]) -> Bool[Tensor, "question candidate candidate"]:
    """All strict pairs (i, j) with i rated above j; NaN belongs to no pair."""
    return ratings[:, :, None] - ratings[:, None, :] > RATING_TOLERANCE


def lowest_level(ratings: Float[Tensor, "question candidate"]) -> Bool[Tensor, "question candidate"]:
    """The candidates of each question that share its lowest rating."""
    lowest = ratings.nan_to_num(nan=torch.inf).amin(dim=1, keepdim=True)
    return ratings - lowest <= RATING_TOLERANCE


def worse_scores(
    scores: Float[Tensor, "question candidate"],
    ratings: Float[Tensor, "question candidate"],
    constraint: Constraint,
) -> Float[Tensor, "question candidate"]:
    """The scores as they stand on the worse side of a pair: without gradient where the constraint says so.

    ``detached`` (Eq. 7, 12) takes the gradient from all of them, ``detached-lowest`` (Eq. 13) from the
    candidates of the lowest rating only.
    """
    match constraint:
        case "detached":
            return scores.detach()
        case "detached-lowest":
            return torch.where(lowest_level(ratings), scores.detach(), scores)
        case "none" | "boundary":
            return scores


def log1p_sum_exp(
    exponents: Float[Tensor, "*batch term"], where: Bool[Tensor, "*batch term"]
) -> Float[Tensor, "*batch"]:
    """``log(1 + sum of exp(exponents))`` over the last axis, only where asked; 0 where nothing is."""
    chosen = torch.where(where, exponents, -torch.inf)
    return torch.cat([torch.zeros_like(chosen[..., :1]), chosen], dim=-1).logsumexp(dim=-1)


def flatten_pairs(values: Tensor) -> Tensor:
    """All pairs of a question on one axis: ``[question, candidate, candidate, ...]`` to ``[question, term]``."""
    return values.flatten(start_dim=1)


@dataclass(frozen=True, slots=True)
class PairStatistics:
    """What a loss meets and does in each group; for curves, without gradient."""

    pairs: Float[Tensor, " question"]
    """Number of pairs; a group with none trains through VFT only."""
    ordered: Float[Tensor, " question"]
    """Share of the pairs the model ranks as rated, a tie of scores counting as wrong; NaN without pairs."""
    margin: Float[Tensor, " question"]
    """Mean of ``s_i - s_j`` over the pairs, nats a token; NaN without pairs."""
    push_up: Float[Tensor, " question"]
    """Sum of ``-dL/ds`` over the candidates whose score a step of descent raises."""
    push_down: Float[Tensor, " question"]
    """Sum of ``dL/ds`` over the candidates whose score a step of descent lowers."""


def pair_statistics(
    scores: Float[Tensor, "question candidate"],
    ratings: Float[Tensor, "question candidate"],
    gradient: Float[Tensor, "question candidate"],
) -> PairStatistics:
    """Count the pairs and the pushes of a ranking loss.

    Args:
        scores: Candidate scores.
        ratings: Candidate ratings, NaN where there is no candidate.
        gradient: ``dL/ds`` as ``score_gradient`` returns it.
    """
    scores = scores.detach()
    prefers = preference_pairs(ratings)
    margins = torch.where(prefers, scores[:, :, None] - scores[:, None, :], 0.0)
    pairs = prefers.sum(dim=(1, 2)).to(scores.dtype)
    return PairStatistics(
        pairs=pairs,
        ordered=(margins > 0).sum(dim=(1, 2)) / pairs,
        margin=margins.sum(dim=(1, 2)) / pairs,
        push_up=(-gradient).clamp(min=0).sum(dim=1),
        push_down=gradient.clamp(min=0).sum(dim=1),
    )
