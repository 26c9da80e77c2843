"""What holds for every method and every constraint."""

import itertools
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from aft.losses import ranking_loss, score_gradient

METHODS = ("aft", "rrhf", "pro", "dpo")
CONSTRAINTS = ("none", "detached", "detached-lowest", "boundary")
EVERY = list(itertools.product(METHODS, CONSTRAINTS))
NAN = float("nan")


def loss_of(scores: Tensor, ratings: Tensor, method: str, constraint: str, **settings: Any) -> Tensor:
    settings.setdefault("reference_scores", torch.full_like(scores.detach(), -0.5))
    return ranking_loss(scores, ratings, method=method, constraint=constraint, **settings)


@pytest.mark.parametrize(("method", "constraint"), EVERY)
def test_question_without_pairs_has_loss_and_gradient_of_exactly_zero(method: str, constraint: str) -> None:
    scores = torch.tensor([[-0.5, -0.1], [-0.3, NAN], [NAN, NAN]], requires_grad=True)
    ratings = torch.tensor([[1.0, 1.0], [3.0, NAN], [NAN, NAN]])
    loss = loss_of(scores, ratings, method, constraint)
    (gradient,) = torch.autograd.grad(loss.sum(), scores)
    assert loss.tolist() == [0.0, 0.0, 0.0]
    assert gradient.abs().sum() == 0


@pytest.mark.parametrize(("method", "constraint"), EVERY)
def test_missing_candidates_change_nothing(method: str, constraint: str) -> None:
    scores, ratings = torch.tensor([[-0.5, -0.1, -0.4]]), torch.tensor([[1.0, 3.0, 2.0]])
    padded = torch.tensor([[-0.5, NAN, -0.1, -0.4, torch.inf]], requires_grad=True)
    padded_ratings = torch.tensor([[1.0, NAN, 3.0, 2.0, NAN]])
    loss = loss_of(padded, padded_ratings, method, constraint)
    (gradient,) = torch.autograd.grad(loss.sum(), padded)
    plain, expected = score_gradient(
        scores, ratings, method=method, constraint=constraint, reference_scores=torch.full_like(scores, -0.5)
    )
    assert loss.item() == pytest.approx(plain.item(), abs=1e-6)
    torch.testing.assert_close(gradient[:, [0, 2, 3]], expected)
    assert gradient[0, [1, 4]].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(("method", "constraint"), EVERY)
@pytest.mark.parametrize("scores", [[1e4, -1e4, 0.0], [-1e4, 1e4, 0.0], [-1e4, -1e4, -1e4], [1e4, 1e4, 1e4]])
def test_extreme_scores_stay_finite(method: str, constraint: str, scores: list[float]) -> None:
    loss, gradient = score_gradient(
        torch.tensor([scores]),
        torch.tensor([[10.0, 5.0, 1.0]]),
        method=method,
        constraint=constraint,
        reference_scores=torch.zeros(1, 3),
    )
    assert loss.isfinite().all()
    assert gradient.isfinite().all()
    assert (loss >= 0).all()


@pytest.mark.parametrize("method", METHODS)
def test_gradient_agrees_with_finite_differences(method: str) -> None:
    scores = torch.tensor([[-0.5, -0.1, -0.4, -0.8], [-0.2, -0.9, -0.31, -0.3]], dtype=torch.float64)
    ratings = torch.tensor([[1.0, 3.0, 2.0, 2.0], [0.0, 1.0, NAN, 1.0]])
    assert torch.autograd.gradcheck(lambda values: loss_of(values, ratings, method, "none"), (scores.requires_grad_(),))


@pytest.mark.parametrize(("method", "constraint"), EVERY)
def test_questions_are_independent(method: str, constraint: str) -> None:
    scores = torch.tensor([[-0.5, -0.1, -0.4], [-0.2, -0.9, -0.3]])
    ratings = torch.tensor([[1.0, 3.0, 2.0], [0.0, 1.0, 1.0]])
    together = loss_of(scores, ratings, method, constraint)
    alone = torch.cat([loss_of(scores[q : q + 1], ratings[q : q + 1], method, constraint) for q in (0, 1)])
    torch.testing.assert_close(together, alone)


groups = st.lists(
    st.tuples(st.floats(-5, 0), st.sampled_from([1.0, 2.0, 2.5, 7.0, NAN])), min_size=1, max_size=7
).flatmap(lambda group: st.tuples(st.just(group), st.permutations(range(len(group)))))


@given(groups, st.sampled_from(EVERY))
def test_order_of_the_candidates_does_not_matter(
    drawn: tuple[list[tuple[float, float]], list[int]], kind: tuple[str, str]
) -> None:
    group, order = drawn
    scores = torch.tensor([[score for score, _ in group]], dtype=torch.float64)
    ratings = torch.tensor([[rating for _, rating in group]])
    torch.testing.assert_close(
        loss_of(scores, ratings, *kind), loss_of(scores[:, order], ratings[:, order], *kind), rtol=1e-9, atol=1e-9
    )


@given(groups, st.floats(-3, 3), st.sampled_from(CONSTRAINTS), st.sampled_from(METHODS))
def test_adding_a_constant_to_all_scores_changes_nothing(
    drawn: tuple[list[tuple[float, float]], list[int]], shift: float, constraint: str, method: str
) -> None:
    # PRO's temperatures weigh both sides of a pair differently, so it only holds without them.
    settings = {"temperature": False} if method == "pro" else {}
    scores = torch.tensor([[score for score, _ in drawn[0]]], dtype=torch.float64)
    ratings = torch.tensor([[rating for _, rating in drawn[0]]])
    torch.testing.assert_close(
        loss_of(scores, ratings, method, constraint, **settings),
        loss_of(scores + shift, ratings, method, constraint, **settings),
        rtol=1e-9,
        atol=1e-9,
    )


def test_half_precision_scores_are_computed_in_float32() -> None:
    scores = torch.tensor([[-0.5, -0.25]], dtype=torch.bfloat16)
    assert ranking_loss(scores, torch.tensor([[1.0, 0.0]]), method="aft").dtype == torch.float32


def test_whole_number_ratings_are_accepted() -> None:
    scores = torch.tensor([[-0.5, -0.25]])
    assert torch.equal(
        ranking_loss(scores, torch.tensor([[1, 0]]), method="aft"),
        ranking_loss(scores, torch.tensor([[1.0, 0.0]]), method="aft"),
    )


def test_groups_without_any_place_for_a_candidate_have_loss_zero() -> None:
    assert ranking_loss(torch.zeros(2, 0), torch.zeros(2, 0), method="aft").tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "ppo"}, "method 'ppo' is unknown"),
        ({"method": "aft", "constraint": "dc"}, "constraint 'dc' is unknown"),
        ({"method": "aft", "beta": 0.1}, "beta 0.1 does not apply to method 'aft' with constraint 'none'"),
        ({"method": "pro", "beta": 0.1}, "beta 0.1 does not apply"),
        ({"method": "rrhf", "boundary_beta": 0.1}, "boundary_beta 0.1 does not apply"),
        ({"method": "aft", "constraint": "boundary", "beta": 0.1, "boundary_beta": 0.2}, "Give one"),
        ({"method": "aft", "constraint": "boundary", "beta": NAN}, "give a finite number"),
        ({"method": "rrhf", "beta": 0.0}, "must be a positive finite number"),
        ({"method": "dpo", "beta": -1.0, "reference_scores": torch.zeros(1, 2)}, "must be a positive"),
        ({"method": "aft", "temperature": False}, "only pro has one"),
        ({"method": "dpo"}, "needs reference_scores"),
        ({"method": "dpo", "reference_scores": torch.tensor([[0.0, NAN]])}, r"reference_scores\[0, 1\] is nan"),
        ({"method": "dpo", "reference_scores": torch.zeros(1, 3)}, r"reference_scores \[1, 3\]"),
    ],
)
def test_setting_that_does_not_apply_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ranking_loss(torch.tensor([[-0.5, -0.2]]), torch.tensor([[1.0, 0.0]]), **settings)


@pytest.mark.parametrize(
    ("scores", "ratings", "message"),
    [
        (torch.zeros(2), torch.zeros(2), "must have one common shape"),
        (torch.zeros(1, 2), torch.zeros(1, 3), "must have one common shape"),
        (torch.tensor([[-0.5, NAN]]), torch.tensor([[1.0, 0.0]]), r"scores\[0, 1\] is nan"),
        (torch.tensor([[-0.5, -torch.inf]]), torch.tensor([[1.0, 0.0]]), r"scores\[0, 1\] is -inf"),
        (torch.zeros(1, 2), torch.tensor([[torch.inf, 0.0]]), "A rating is infinite"),
    ],
)
def test_broken_scores_and_ratings_are_refused(scores: Tensor, ratings: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ranking_loss(scores, ratings, method="aft")
