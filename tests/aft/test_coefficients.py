"""The closed form of the gradient against autograd, and what β does to it."""

import time

import numpy as np
import pytest
import torch

from aft.coefficients import CONSTRAINTS, Constraint, coefficients, lowest_better, pushed_down_share, worse_candidates
from aft.losses import score_gradient

RNG = np.random.default_rng(3)


def questions(n: int, k: int, levels: int) -> tuple[np.ndarray, np.ndarray]:
    scores = RNG.normal(-0.6, 0.5, (n, k))
    ratings = RNG.integers(0, levels, (n, k)).astype(float)
    ratings[RNG.random((n, k)) < 0.2] = np.nan
    return scores, ratings


@pytest.mark.parametrize("levels", [2, 5])
@pytest.mark.parametrize("constraint", CONSTRAINTS)
@pytest.mark.parametrize("beta", [-0.8, 0.0, 0.15, 0.8])
def test_coefficients_are_the_librarys(levels: int, constraint: Constraint, beta: float) -> None:
    scores, ratings = questions(60, 6, levels)
    found = coefficients(scores, ratings, constraint=constraint, beta=beta)
    loss, gradient = score_gradient(
        torch.tensor(scores),
        torch.tensor(ratings),
        method="aft",
        constraint=constraint,
        beta=beta if constraint == "boundary" else None,
    )
    assert found.values == pytest.approx(gradient.double().numpy(), abs=2e-6)
    assert found.loss == pytest.approx(loss.double().numpy(), abs=2e-5)


def test_extreme_scores_overflow_nothing() -> None:
    scores, ratings = np.array([[-900.0, 0.0, -400.0]]), np.array([[1.0, 0.0, 0.0]])
    for constraint in CONSTRAINTS:
        found = coefficients(scores, ratings, constraint=constraint, beta=0.1)
        assert np.isfinite(found.values).all()
        assert found.loss[0] == pytest.approx(900.0)


def test_the_sign_changes_exactly_at_the_boundary() -> None:
    scores, ratings = np.array([[-0.4, -0.7, -0.9, -0.8499, -0.8501]]), np.array([[1.0, 1, 0, 0, 0]])
    assert lowest_better(scores, ratings)[0, 2] == -0.7
    signs = np.sign(coefficients(scores, ratings, constraint="boundary", beta=0.15).values[0])
    assert signs.tolist() == [-1, -1, -1, 1, -1]


def test_questions_without_pairs_have_no_gradient() -> None:
    scores, ratings = np.array([[-0.4, -0.7], [-0.1, -0.2]]), np.array([[1.0, 1.0], [np.nan, 0.0]])
    found = coefficients(scores, ratings, constraint="boundary", beta=0.0)
    assert not found.values.any()
    assert not found.loss.any()
    assert not worse_candidates(ratings).any()
    assert pushed_down_share(scores, ratings, [0.1], constraint="boundary") == [None]


@pytest.mark.parametrize("levels", [2, 5])
def test_the_share_counts_positive_coefficients(levels: int) -> None:
    scores, ratings = questions(200, 6, levels)
    betas = [-0.8, -0.1, 0.0, 0.15, 0.8]
    worse = worse_candidates(ratings)
    counted = [
        float((coefficients(scores, ratings, constraint="boundary", beta=beta).values[worse] > 0).mean())
        for beta in betas
    ]
    assert pushed_down_share(scores, ratings, betas, constraint="boundary") == pytest.approx(counted)
    assert counted[0] < counted[-1]
    if levels == 2:
        assert pushed_down_share(scores, ratings, [0.0], constraint="none") == [1.0]
    assert pushed_down_share(scores, ratings, [0.0], constraint="detached") == [0.0]


def test_bad_input_is_named() -> None:
    scores, ratings = np.zeros((1, 2)), np.array([[1.0, 0.0]])
    with pytest.raises(ValueError, match="shape"):
        coefficients(scores, ratings[:, :1], constraint="none")
    with pytest.raises(ValueError, match="beta is inf"):
        coefficients(scores, ratings, constraint="boundary", beta=float("inf"))
    with pytest.raises(ValueError, match="not finite"):
        coefficients(np.array([[np.inf, 0.0]]), ratings, constraint="none")


def test_ten_thousand_questions_are_quick() -> None:
    scores, ratings = questions(10_000, 8, 2)
    started = time.process_time()
    pushed_down_share(scores, ratings, np.linspace(-0.8, 0.8, 33).tolist(), constraint="boundary")
    coefficients(scores, ratings, constraint="boundary", beta=0.2)
    assert time.process_time() - started < 2
