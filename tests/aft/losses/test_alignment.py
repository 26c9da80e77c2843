"""AFT's loss against the formulas of the paper, and where its gradient points."""

import math

import pytest
import torch
from torch import Tensor

from aft.losses import ranking_loss, score_gradient

BINARY = [1.0, 1.0, 0.0, 0.0]
SCORES = [-0.4, -0.7, -0.5, -0.9]


def tensors(scores: list[float], ratings: list[float], dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    return torch.tensor([scores], dtype=dtype, requires_grad=True), torch.tensor([ratings], dtype=dtype)


def gradient(scores: Tensor, loss: Tensor) -> list[float]:
    (result,) = torch.autograd.grad(loss.sum(), scores)
    return [float(value) for value in result[0]]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("constraint", ["none", "detached", "detached-lowest"])
def test_loss_is_equation_6_on_binary_feedback(dtype: torch.dtype, tolerance: float, constraint: str) -> None:
    scores, ratings = tensors(SCORES, BINARY, dtype)
    expected = math.log(1 + sum(math.exp(worse - better) for better in SCORES[:2] for worse in SCORES[2:]))
    loss = ranking_loss(scores, ratings, method="aft", constraint=constraint)
    assert loss.item() == pytest.approx(expected, abs=tolerance)


def test_loss_is_equation_14_on_ranking_feedback() -> None:
    ratings = [9.0, 5.0, 5.0, 2.0]
    scores, rated = tensors(SCORES, ratings)
    pairs = [(i, j) for i in range(4) for j in range(4) if ratings[i] > ratings[j]]
    expected = math.log(1 + sum(math.exp(SCORES[j] - SCORES[i]) for i, j in pairs))
    assert len(pairs) == 5
    assert ranking_loss(scores, rated, method="aft").item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("beta", [-0.8, 0.0, 0.15, 0.5])
@pytest.mark.parametrize("ratings", [BINARY, [9.0, 5.0, 5.0, 2.0]])
def test_boundary_is_equation_8_and_11(dtype: torch.dtype, tolerance: float, beta: float, ratings: list[float]) -> None:
    scores, rated = tensors(SCORES, ratings, dtype)
    total = 1.0
    for j in range(4):
        better = [i for i in range(4) if ratings[i] > ratings[j]]
        for i in better:
            lowest = min(SCORES[k] for k in better)
            total += math.exp(SCORES[j] - SCORES[i])
            total += math.exp(2 * lowest - 2 * beta - SCORES[i] - SCORES[j])
    loss = ranking_loss(scores, rated, method="aft", constraint="boundary", beta=beta)
    assert loss.item() == pytest.approx(math.log(total), abs=tolerance)


@pytest.mark.parametrize("beta", [-0.8, -0.1, 0.0, 0.15, 0.5, 2.0])
@pytest.mark.parametrize("better", [[-0.4], [-0.4, -0.9, -0.6]])
def test_worse_candidate_is_pulled_to_the_boundary(beta: float, better: list[float]) -> None:
    boundary = min(better) - beta
    for offset, sign in ((1e-6, 1), (-1e-6, -1)):
        scores, ratings = tensors([*better, boundary + offset], [1.0] * len(better) + [0.0])
        loss = ranking_loss(scores, ratings, method="aft", constraint="boundary", beta=beta)
        assert math.copysign(1, gradient(scores, loss)[-1]) == sign
    scores, ratings = tensors([*better, boundary], [1.0] * len(better) + [0.0])
    loss = ranking_loss(scores, ratings, method="aft", constraint="boundary", beta=beta)
    assert gradient(scores, loss)[-1] == pytest.approx(0, abs=1e-15)


def test_boundary_never_pushes_the_lowest_positive_down() -> None:
    # The worse candidate is far below the boundary; a live T would lower the lowest positive instead.
    scores, ratings = tensors([-0.3, -0.6, -5.0], [1.0, 1.0, 0.0])
    result = gradient(scores, ranking_loss(scores, ratings, method="aft", constraint="boundary", beta=0.1))
    assert result[0] <= 0
    assert result[1] <= 0
    assert result[2] < 0


def test_detached_takes_no_gradient_to_the_worse_side() -> None:
    scores, ratings = tensors(SCORES, BINARY)
    result = gradient(scores, ranking_loss(scores, ratings, method="aft", constraint="detached"))
    assert result[2:] == [0.0, 0.0]
    assert all(value < 0 for value in result[:2])


def test_detached_equals_a_weighted_likelihood_step_of_total_weight_below_one() -> None:
    scores, ratings = tensors(SCORES, BINARY)
    result = gradient(scores, ranking_loss(scores, ratings, method="aft", constraint="detached"))
    terms = {(i, j): math.exp(SCORES[j] - SCORES[i]) for i in (0, 1) for j in (2, 3)}
    weights = [sum(terms[i, j] for j in (2, 3)) / (1 + sum(terms.values())) for i in (0, 1)]
    weighted = -sum(weight * score for weight, score in zip(weights, scores[0, :2], strict=True))
    assert isinstance(weighted, Tensor)
    assert result == pytest.approx(gradient(scores, weighted), abs=1e-12)
    assert sum(weights) < 1


def test_unconstrained_push_hardly_stops() -> None:
    gap = 1.0
    scores, ratings = tensors([-0.5] * 3 + [-0.5 - gap] * 3, [1.0] * 3 + [0.0] * 3)
    push = sum(gradient(scores, ranking_loss(scores, ratings, method="aft"))[3:])
    assert push == pytest.approx(9 * math.exp(-gap) / (1 + 9 * math.exp(-gap)), abs=1e-12)
    assert push > 0.76


def test_detached_lowest_keeps_the_gradient_of_the_middle_level() -> None:
    scores, ratings = tensors([-0.4, -0.2, -0.1, -0.3], [9.0, 5.0, 2.0, 2.0])
    result = gradient(scores, ranking_loss(scores, ratings, method="aft", constraint="detached-lowest"))
    free = gradient(scores, ranking_loss(scores, ratings, method="aft"))
    assert result[2:] == [0.0, 0.0]
    assert result[:2] == pytest.approx(free[:2], abs=1e-12)


@pytest.mark.parametrize("method", ["aft", "rrhf", "pro", "dpo"])
def test_detached_lowest_is_detached_on_two_levels(method: str) -> None:
    results = []
    for constraint in ("detached", "detached-lowest"):
        scores, ratings = tensors([-0.4, -0.7, -0.2, -0.3], BINARY)
        loss = ranking_loss(
            scores, ratings, method=method, constraint=constraint, reference_scores=torch.full_like(ratings, -0.5)
        )
        results.append([loss.item(), *gradient(scores, loss)])
    assert results[0] == results[1]


@pytest.mark.parametrize("constraint", ["none", "detached", "detached-lowest", "boundary"])
@pytest.mark.parametrize("levels", [(0.0, 1.0), (2.5, 8.0)])
def test_only_the_order_of_two_levels_matters(constraint: str, levels: tuple[float, float]) -> None:
    scores, binary = tensors(SCORES, BINARY)
    ranked = torch.where(binary == 1, levels[1], levels[0])
    loss = ranking_loss(scores, ranked, method="aft", constraint=constraint)
    assert torch.equal(loss, ranking_loss(scores, binary, method="aft", constraint=constraint))


def test_ratings_within_the_tolerance_are_a_tie() -> None:
    scores, ratings = tensors([-0.4, -0.7, -0.1], [5.0, 5.0 + 9e-10, 1.0])
    loss, derivative = score_gradient(scores.detach(), ratings, method="aft")
    assert loss.item() == pytest.approx(math.log(1 + math.exp(0.3) + math.exp(0.6)), abs=1e-5)
    assert derivative.dtype == torch.float32
