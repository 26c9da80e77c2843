"""The supervised loss: what weighs how much."""

import pytest
import torch

from aft.config.training import VftReduction
from aft.losses import vft_loss, vft_weights

SCORES, LENGTHS = [-0.5, -0.25, -1.0], [10, 4, 2]


def loss(reduction: VftReduction) -> float:
    return vft_loss(torch.tensor(SCORES, dtype=torch.float64), torch.tensor(LENGTHS), reduction=reduction).item()


def test_token_mean_averages_each_responses_own_mean() -> None:
    assert loss("token-mean") == pytest.approx((0.5 + 0.25 + 1.0) / 3, abs=1e-12)


def test_token_sum_averages_each_responses_sum() -> None:
    assert loss("token-sum") == pytest.approx((5.0 + 1.0 + 2.0) / 3, abs=1e-12)


def test_batch_token_mean_weighs_every_token_alike() -> None:
    assert loss("batch-token-mean") == pytest.approx((5.0 + 1.0 + 2.0) / 16, abs=1e-12)


@pytest.mark.parametrize("reduction", ["token-mean", "batch-token-mean"])
def test_a_uniform_model_has_the_same_loss_whatever_the_lengths(reduction: VftReduction) -> None:
    found = vft_loss(torch.full((3,), -2.0), torch.tensor(LENGTHS), reduction=reduction)
    assert found.item() == pytest.approx(2.0)


@pytest.mark.parametrize("reduction", ["token-mean", "token-sum", "batch-token-mean"])
def test_weights_are_the_gradient_by_the_log_likelihoods(reduction: VftReduction) -> None:
    sums = torch.tensor([-5.0, -1.0, -2.0], dtype=torch.float64, requires_grad=True)
    lengths = torch.tensor(LENGTHS)
    (gradient,) = torch.autograd.grad(vft_loss(sums / lengths, lengths, reduction=reduction), sums)
    torch.testing.assert_close(-gradient, vft_weights(lengths, reduction), rtol=0, atol=1e-15)


@pytest.mark.parametrize("reduction", ["token-mean", "token-sum", "batch-token-mean"])
def test_a_step_that_learns_nothing_has_loss_zero(reduction: VftReduction) -> None:
    assert vft_loss(torch.zeros(0), torch.zeros(0, dtype=torch.long), reduction=reduction).item() == 0


def test_a_response_without_tokens_is_refused() -> None:
    with pytest.raises(ValueError, match="no tokens"):
        vft_weights(torch.tensor([3, 0]))
