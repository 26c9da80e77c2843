import math

import pytest
import torch

from aft.losses import pair_statistics, score_gradient
from aft.losses.pairs import lowest_level, preference_pairs


def test_pairs_are_strict_and_leave_out_missing_candidates() -> None:
    prefers = preference_pairs(torch.tensor([[2.0, 1.0, 1.0, float("nan")]]))
    assert prefers[0].nonzero().tolist() == [[0, 1], [0, 2]]


def test_lowest_level_holds_all_its_candidates() -> None:
    assert lowest_level(torch.tensor([[2.0, 1.0, float("nan"), 1.0]])).tolist() == [[False, True, False, True]]


def test_statistics_count_pairs_order_and_pushes() -> None:
    scores = torch.tensor([[-0.2, -0.5, -0.3], [-0.1, -0.2, float("nan")]])
    ratings = torch.tensor([[2.0, 1.0, 0.0], [1.0, 1.0, float("nan")]])
    _, gradient = score_gradient(scores, ratings, method="aft")
    statistics = pair_statistics(scores, ratings, gradient)
    assert statistics.pairs.tolist() == [3.0, 0.0]
    assert statistics.ordered[0].item() == pytest.approx(2 / 3)
    assert statistics.margin[0].item() == pytest.approx((0.3 + 0.1 - 0.2) / 3)
    assert math.isnan(statistics.ordered[1].item())
    assert statistics.push_up[1].item() == statistics.push_down[1].item() == 0
    # The unconstrained loss only depends on differences, so its pushes cancel.
    assert statistics.push_up[0].item() == pytest.approx(statistics.push_down[0].item())
