"""Boundaries without a number: from the spread of a question's reference scores, or from each worse candidate's own."""

import math

import pytest
import torch

from aft.config.method import MethodConfig, method_label
from aft.losses import ranking_loss
from aft.losses.boundary import boundary_below_better, score_spread
from aft.losses.pairs import preference_pairs

NAN = float("nan")


def test_boundary_lies_below_the_lowest_better_candidate() -> None:
    scores = torch.tensor([[-1.0, -2.0, -1.5, -3.0]], dtype=torch.float64)
    prefers = preference_pairs(torch.tensor([[3.0, 2.0, 1.0, NAN]], dtype=torch.float64))
    levels = boundary_below_better(scores, prefers, 0.25)
    assert levels[0, 1:3].tolist() == [-1.25, -2.25]
    assert levels[0, 0] == math.inf


def test_spread_ignores_missing_candidates() -> None:
    scores = torch.tensor([[1.0, 3.0, 100.0], [5.0, 0.0, 0.0]], dtype=torch.float64)
    rated = torch.tensor([[True, True, False], [True, False, False]])
    assert score_spread(scores, rated).tolist() == [[1.0], [0.0]]


def loss(scores: torch.Tensor, ratings: torch.Tensor, **settings: object) -> torch.Tensor:
    return ranking_loss(scores, ratings, method="aft", constraint="boundary", **settings)  # type: ignore[arg-type]


def test_spread_rule_is_the_papers_boundary_with_that_beta() -> None:
    scores = torch.tensor([[-1.0, -1.4, -2.0]], dtype=torch.float64)
    ratings = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64)
    reference = torch.tensor([[-1.0, -3.0, -2.0]], dtype=torch.float64)
    spread = math.sqrt(2 / 3)
    expected = loss(scores, ratings, beta=spread)
    assert loss(scores, ratings, boundary_rule="spread", reference_scores=reference).item() == pytest.approx(
        expected.item(), abs=1e-12
    )


@pytest.mark.parametrize(("offset", "sign"), [(0.3, 1.0), (0.0, 0.0), (-0.3, -1.0)])
def test_floor_rule_turns_the_push_at_the_own_reference_score(offset: float, sign: float) -> None:
    reference = torch.tensor([[-0.5, -2.0]], dtype=torch.float64)
    scores = (reference + torch.tensor([[0.1, offset]], dtype=torch.float64)).requires_grad_()
    ratings = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    value = loss(scores, ratings, boundary_rule="floor", reference_scores=reference).sum()
    gradient = torch.autograd.grad(value, scores)[0][0, 1].item()
    assert math.copysign(1.0, gradient) == sign if sign else abs(gradient) < 1e-12


def test_floor_rule_equals_the_equation_written_out() -> None:
    better, worse, floor = -0.7, -1.1, -1.6
    scores = torch.tensor([[better, worse]], dtype=torch.float64)
    reference = torch.tensor([[-9.0, floor]], dtype=torch.float64)
    ratings = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    expected = math.log(1 + math.exp(worse - better) + math.exp(2 * floor - better - worse))
    value = loss(scores, ratings, boundary_rule="floor", reference_scores=reference).item()
    assert value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("rule", ["spread", "floor"])
def test_rules_without_reference_scores_are_refused(rule: str) -> None:
    with pytest.raises(ValueError, match=f"boundary_rule '{rule}' needs reference_scores"):
        loss(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]), boundary_rule=rule)


@pytest.mark.parametrize("other", [{"boundary_beta": 0.2}, {"constraint": "detached"}])
def test_rule_with_a_number_or_another_constraint_is_refused(other: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="boundary_rule 'spread' does not go with"):
        MethodConfig.model_validate({"name": "aft", "constraint": "boundary", "boundary_rule": "spread"} | other)


def test_rules_are_part_of_the_label_and_need_reference_scores() -> None:
    plain = MethodConfig(name="aft", constraint="boundary")
    spread = MethodConfig(name="aft", constraint="boundary", boundary_rule="spread")
    assert method_label(spread) == "AFT · boundary · spread"
    assert (plain.needs_reference_scores, spread.needs_reference_scores) == (False, True)
    assert MethodConfig(name="dpo").needs_reference_scores
