import pytest
import torch

from aft.losses import ranking_loss, score_gradient


def test_loss_sums_the_violations_times_the_factor() -> None:
    scores = torch.tensor([[-0.4, -0.7, -0.5, -0.9]], dtype=torch.float64)
    ratings = torch.tensor([[1.0, 1.0, 0.0, 0.0]])
    # Only the third scores above a better one: -0.5 - (-0.7).
    assert ranking_loss(scores, ratings, method="rrhf").item() == pytest.approx(0.2, abs=1e-12)
    assert ranking_loss(scores, ratings, method="rrhf", beta=100.0).item() == pytest.approx(20.0, abs=1e-12)


def test_gradient_is_the_factor_per_violated_pair() -> None:
    scores = torch.tensor([[-0.8, -0.7, -0.5, -0.9]])
    ratings = torch.tensor([[3.0, 2.0, 1.0, 1.0]])
    _, gradient = score_gradient(scores, ratings, method="rrhf", beta=2.0)
    assert gradient.tolist() == [[-4.0, 0.0, 4.0, 0.0]]
    _, detached = score_gradient(scores, ratings, method="rrhf", beta=2.0, constraint="detached")
    assert detached.tolist() == [[-4.0, -2.0, 0.0, 0.0]]


@pytest.mark.parametrize("constraint", ["none", "detached", "detached-lowest"])
def test_equal_scores_have_no_gradient(constraint: str) -> None:
    loss, gradient = score_gradient(
        torch.tensor([[-0.5, -0.5, -0.5]]), torch.tensor([[1.0, 0.0, 0.0]]), method="rrhf", constraint=constraint
    )
    assert loss.item() == 0
    assert gradient.tolist() == [[0.0, 0.0, 0.0]]


@pytest.mark.parametrize(("offset", "sign"), [(1e-4, 1.0), (-1e-4, -1.0), (-1.0, -1.0)])
def test_boundary_extension_changes_sign_at_the_lowest_better_score(offset: float, sign: float) -> None:
    scores = torch.tensor([[-0.3, -0.6, -0.6 + offset]])
    _, gradient = score_gradient(
        scores, torch.tensor([[1.0, 1.0, 0.0]]), method="rrhf", constraint="boundary", boundary_beta=0.15
    )
    assert gradient[0, 2].sign().item() == sign
