import math

import pytest
import torch

from aft.losses import ranking_loss, score_gradient

SCORES = [-0.4, -0.7, -0.5, -0.9]
RATINGS = [9.0, 5.0, 5.0, 2.0]


def log1p_sum(exponents: list[float]) -> float:
    return math.log(1 + sum(math.exp(exponent) for exponent in exponents))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("temperature", [True, False])
def test_loss_is_equation_20_with_the_temperatures_of_21(
    dtype: torch.dtype, tolerance: float, temperature: bool
) -> None:
    expected = 0.0
    for i, rating in enumerate(RATINGS):
        tau = {j: (rating - other if temperature else 1.0) for j, other in enumerate(RATINGS) if rating > other}
        if tau:
            expected += log1p_sum([tau[j] * SCORES[j] - max(tau.values()) * SCORES[i] for j in tau])
    loss = ranking_loss(
        torch.tensor([SCORES], dtype=dtype), torch.tensor([RATINGS]), method="pro", temperature=temperature
    )
    assert loss.item() == pytest.approx(expected, abs=tolerance)


def test_temperature_of_one_level_apart_is_one() -> None:
    scores, ratings = torch.tensor([SCORES]), torch.tensor([[1.0, 1.0, 0.0, 0.0]])
    assert torch.equal(
        ranking_loss(scores, ratings, method="pro"), ranking_loss(scores, ratings, method="pro", temperature=False)
    )


def test_detached_takes_no_gradient_to_the_worse_side() -> None:
    scores, ratings = torch.tensor([SCORES]), torch.tensor([RATINGS])
    _, free = score_gradient(scores, ratings, method="pro")
    _, gradient = score_gradient(scores, ratings, method="pro", constraint="detached")
    assert free[0, 3] > 0
    assert gradient[0, 3] == 0
    assert (gradient[0, :3] < 0).all()


def test_boundary_extension_of_a_single_pair_changes_sign_at_the_boundary_without_temperature() -> None:
    for offset, sign in ((1e-3, 1.0), (-1e-3, -1.0)):
        scores = torch.tensor([[-0.4, -0.4 - 0.15 + offset]])
        _, gradient = score_gradient(
            scores, torch.tensor([[7.0, 2.0]]), method="pro", temperature=False, constraint="boundary", beta=0.15
        )
        assert gradient[0, 1].sign().item() == sign


def test_boundary_extension_adds_the_boundary_term() -> None:
    scores, ratings = torch.tensor([SCORES], dtype=torch.float64), torch.tensor([[1.0, 1.0, 0.0, 0.0]])
    pull = log1p_sum([2 * -0.7 - 2 * 0.2 - i - j for i in SCORES[:2] for j in SCORES[2:]])
    for method in ("pro", "rrhf", "dpo"):
        arguments = {"method": method, "reference_scores": torch.zeros_like(scores)}
        plain = ranking_loss(scores, ratings, **arguments).item()  # type: ignore[arg-type]
        bounded = ranking_loss(scores, ratings, constraint="boundary", boundary_beta=0.2, **arguments)  # type: ignore[arg-type]
        assert bounded.item() == pytest.approx(plain + pull, abs=1e-12)


@pytest.mark.parametrize("beta", [0.1, 1.0, 5.0])
def test_dpo_is_equation_16(beta: float) -> None:
    fixed = [-0.6, -0.5, -0.5, -0.4]
    gains = [beta * (score - old) for score, old in zip(SCORES, fixed, strict=True)]
    expected = sum(log1p_sum([gains[j] - gains[i] for j in range(4) if RATINGS[j] < RATINGS[i]]) for i in range(4))
    loss = ranking_loss(
        torch.tensor([SCORES], dtype=torch.float64),
        torch.tensor([RATINGS]),
        method="dpo",
        beta=beta,
        reference_scores=torch.tensor([fixed], dtype=torch.float64),
    )
    assert loss.item() == pytest.approx(expected, abs=1e-12)


def test_dpo_starts_at_log_two_on_its_reference() -> None:
    scores = torch.tensor([[-0.3, -2.0]])
    loss = ranking_loss(scores, torch.tensor([[1.0, 0.0]]), method="dpo", reference_scores=scores)
    assert loss.item() == pytest.approx(math.log(2))
