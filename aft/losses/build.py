"""One door to every ranking loss, with the checks a caller's mistake needs."""

import math
from typing import Literal, assert_never, get_args

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from aft.config.method import DEFAULT_BOUNDARY_BETA, BoundaryRule
from aft.losses.alignment import alignment_loss, boundary_constrained_loss, boundary_term
from aft.losses.boundary import boundary_below_better, score_spread
from aft.losses.pairs import Constraint, preference_pairs, worse_scores
from aft.losses.pro import dpo_loss, pro_loss
from aft.losses.rrhf import rrhf_loss

RankingMethod = Literal["aft", "rrhf", "pro", "dpo"]


def ranking_loss(
    scores: Float[Tensor, "..."],
    ratings: Shaped[Tensor, "..."],
    *,
    method: str,
    constraint: str = "none",
    beta: float | None = None,
    temperature: bool = True,
    reference_scores: Float[Tensor, "..."] | None = None,
    boundary_beta: float | None = None,
    boundary_rule: BoundaryRule = "beta",
) -> Float[Tensor, " question"]:
    """The ranking loss of every question's candidates.

    Args:
        scores: Candidate scores ``[question, candidate]`` in nats a token; ignored where the rating is NaN.
        ratings: Candidate ratings ``[question, candidate]``, higher is better; NaN where there is no
            candidate. Only strict differences make pairs. Binary feedback rates 0 or 1.
        method: ``aft`` (Eq. 6, 14), ``rrhf`` (18), ``pro`` (20) or ``dpo`` (16).
        constraint: ``none``; ``detached`` (Eq. 7, 12: no gradient to the worse side of a pair);
            ``detached-lowest`` (13: only to the lowest-rated candidates none); ``boundary`` (8, 11; for
            methods other than aft an extension of the paper, see ``boundary_term``).
        beta: The boundary's β for aft (and pro), the gradient factor for rrhf (default 1), DPO's β for
            dpo (default 1).
        temperature: PRO only: False sets every temperature to 1.
        reference_scores: Scores under the reference model, like ``scores``, for dpo and for boundary rules other
            than ``beta``; otherwise ignored.
        boundary_beta: The boundary's β where ``beta`` means something else; may be negative (default 0.15).
        boundary_rule: ``beta`` (the paper's), ``spread`` (beta is the standard deviation of the question's reference
            scores) or ``floor`` (the boundary is each worse candidate's own reference score).

    Returns:
        One loss per question; 0 with a gradient of exactly 0 for a question without pairs.

    Raises:
        ValueError: If a name is unknown, shapes differ, a candidate's score or rating is not finite, or a
            setting does not apply to the method or constraint.
    """
    checked_method, checked_constraint = _require_names(method, constraint)
    factor, boundary = _betas(checked_method, checked_constraint, beta, boundary_beta)
    if not temperature and checked_method != "pro":
        msg = f"temperature=False does not apply to method '{method}': only pro has one. Remove it."
        raise ValueError(msg)
    if not ratings.is_floating_point():
        ratings = ratings.double()
    scores = _clean("scores", scores, scores, ratings)
    if scores.shape[1] == 0:
        return scores.sum(dim=1)
    prefers = preference_pairs(ratings)
    worse = worse_scores(scores, ratings, checked_constraint)
    fixed = None
    if checked_method == "dpo" or boundary_rule != "beta":
        if reference_scores is None:
            needing = f"method '{method}'" if checked_method == "dpo" else f"boundary_rule '{boundary_rule}'"
            msg = f"{needing} needs reference_scores: score the candidates under the reference model once."
            raise ValueError(msg)
        fixed = _clean("reference_scores", reference_scores, scores, ratings).detach().to(scores.dtype)
    levels = None
    if checked_constraint == "boundary":
        levels = _boundary(scores, ratings, prefers, fixed, boundary_rule, boundary)
    match checked_method:
        case "aft":
            if levels is not None:
                return boundary_constrained_loss(scores, prefers, levels)
            return alignment_loss(scores, worse, prefers)
        case "rrhf":
            loss = rrhf_loss(scores, worse, prefers, factor=factor)
        case "pro":
            loss = pro_loss(scores, worse, ratings, prefers, temperature=temperature)
        case "dpo":
            assert fixed is not None  # required above
            loss = dpo_loss(scores, worse, fixed, prefers, beta=factor)
        case _:
            assert_never(checked_method)
    if levels is not None:
        loss = loss + boundary_term(scores, prefers, levels)
    return loss


def score_gradient(
    scores: Float[Tensor, "question candidate"],
    ratings: Float[Tensor, "question candidate"],
    *,
    method: str,
    constraint: str = "none",
    beta: float | None = None,
    temperature: bool = True,
    reference_scores: Float[Tensor, "question candidate"] | None = None,
    boundary_beta: float | None = None,
    boundary_rule: BoundaryRule = "beta",
) -> tuple[Float[Tensor, " question"], Float[Tensor, "question candidate"]]:
    """The ranking loss and its derivative by every score, in float32.

    The gradient of the loss with respect to the parameters is the gradient of the sum of
    ``dL/ds * s``, so candidates with a derivative of 0 need no backward pass. Arguments and errors are
    those of ``ranking_loss``.

    Returns:
        One loss per question, and the derivative of that question's loss by each of its scores (0 where
        there is no candidate); both detached.
    """
    with torch.enable_grad():
        leaf = scores.detach().float().requires_grad_()
        loss = ranking_loss(
            leaf,
            ratings,
            method=method,
            constraint=constraint,
            beta=beta,
            temperature=temperature,
            reference_scores=reference_scores,
            boundary_beta=boundary_beta,
            boundary_rule=boundary_rule,
        )
        (gradient,) = torch.autograd.grad(loss.sum(), leaf)
    return loss.detach(), gradient


def _boundary(
    scores: Tensor, ratings: Tensor, prefers: Tensor, reference: Tensor | None, rule: BoundaryRule, beta: float
) -> Tensor:
    """The boundary of every candidate by the rule; see ``aft.losses.boundary``."""
    match rule:
        case "beta":
            return boundary_below_better(scores, prefers, beta)
        case "spread":
            assert reference is not None  # required by the caller
            return boundary_below_better(scores, prefers, score_spread(reference, ~ratings.isnan()))
        case "floor":
            assert reference is not None  # required by the caller
            return reference
        case _:
            assert_never(rule)


def _require_names(method: str, constraint: str) -> tuple[RankingMethod, Constraint]:
    for kind, name, known in (
        ("method", method, get_args(RankingMethod)),
        ("constraint", constraint, get_args(Constraint)),
    ):
        if name not in known:
            msg = f"{kind} '{name}' is unknown. Choose one of {', '.join(known)}."
            raise ValueError(msg)
    return method, constraint  # type: ignore[return-value]  # checked against the literals above


def _betas(
    method: RankingMethod, constraint: Constraint, beta: float | None, boundary_beta: float | None
) -> tuple[float, float]:
    """The method's own factor and the boundary's β, from the two arguments that may mean either."""
    has_factor = method in {"rrhf", "dpo"}
    if boundary_beta is not None and constraint != "boundary":
        msg = (
            f"boundary_beta {boundary_beta:g} does not apply to constraint '{constraint}'. "
            "Remove it, or set the constraint to boundary."
        )
        raise ValueError(msg)
    if beta is not None and not has_factor and constraint != "boundary":
        msg = (
            f"beta {beta:g} does not apply to method '{method}' with constraint '{constraint}'. "
            "Remove it, or set the constraint to boundary."
        )
        raise ValueError(msg)
    if beta is not None and boundary_beta is not None and not has_factor:
        msg = f"beta {beta:g} and boundary_beta {boundary_beta:g} both name the boundary of '{method}'. Give one."
        raise ValueError(msg)
    boundary = boundary_beta if has_factor or beta is None else beta
    boundary = DEFAULT_BOUNDARY_BETA if boundary is None else boundary
    factor = beta if has_factor and beta is not None else 1.0
    if not math.isfinite(boundary):
        msg = f"The boundary's beta is {boundary}; give a finite number, such as {DEFAULT_BOUNDARY_BETA}."
        raise ValueError(msg)
    if not (math.isfinite(factor) and factor > 0):
        msg = f"beta {factor:g} of method '{method}' must be a positive finite number."
        raise ValueError(msg)
    return factor, boundary


def _clean(name: str, values: Tensor, scores: Tensor, ratings: Tensor) -> Tensor:
    """Values with 0 where there is no candidate, so that nothing there reaches a sum or a gradient."""
    if scores.dim() != 2 or ratings.shape != scores.shape or values.shape != scores.shape:
        msg = (
            f"{name} {list(values.shape)} and ratings {list(ratings.shape)} must have one common shape "
            "[question, candidate]. Pad ratings with NaN where a question has fewer candidates."
        )
        raise ValueError(msg)
    if ratings.isinf().any():
        msg = "A rating is infinite. Ratings are finite numbers, or NaN where there is no candidate."
        raise ValueError(msg)
    rated = ~ratings.isnan()
    broken = rated & ~values.isfinite()
    if broken.any():
        question, candidate = broken.nonzero()[0].tolist()
        msg = (
            f"{name}[{question}, {candidate}] is {values[question, candidate].item()}, but the candidate has a rating. "
            "Score it, or set its rating to NaN."
        )
        raise ValueError(msg)
    cleaned = torch.where(rated, values, 0.0)
    return cleaned if cleaned.dtype == torch.float64 else cleaned.float()
