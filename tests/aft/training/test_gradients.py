"""Two passes, one pass, any micro-batch: the same gradient."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from aft.config.method import MethodConfig
from aft.config.training import TrainConfig
from aft.losses import ranking_loss
from aft.training.batches import collate_groups
from aft.training.gradients import BatchLoss, add_batch_gradient
from aft.training.groups import Group, TrainingCandidate

METHODS = [
    *(
        MethodConfig(name=name, constraint=constraint)
        for name in ("aft", "rrhf", "pro", "dpo")
        for constraint in ("none", "detached", "detached-lowest", "boundary")
    ),
    MethodConfig(name="pro", temperature=False),
    MethodConfig(name="aft", constraint="detached", weight=0.3, sft_on="best"),
    MethodConfig(name="rft"),
    MethodConfig(name="vft"),
    MethodConfig(name="vft", sft_on="best"),
]


@pytest.fixture(autouse=True)
def _exact_norm(norm_in_the_models_own_precision: None) -> None:
    """Differences below 1e-8 count here."""


def gradient(
    model: Any, groups: list[Group], config: TrainConfig, **options: Any
) -> tuple[BatchLoss, dict[str, torch.Tensor]]:
    model.zero_grad(set_to_none=True)
    loss = add_batch_gradient(model, collate_groups(groups, config), config, **options)
    return loss, {name: parameter.grad.clone() for name, parameter in model.named_parameters()}


def largest_difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    return max(float((one[name] - other[name]).abs().max()) for name in one)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: f"{m.name}-{m.constraint}-{m.sft_on}-{m.temperature}")
def test_two_passes_give_the_joint_gradient(
    method: MethodConfig, make_model: Callable[[], Any], groups: list[Group]
) -> None:
    model = make_model().double().eval()
    config = TrainConfig(method=method)
    joint, expected = gradient(model, groups, config, passes="joint")
    for budget in (64, 4096):
        two, found = gradient(model, groups, config.model_copy(update={"tokens_per_microbatch": budget}), passes="two")
        assert largest_difference(expected, found) < 1e-12
        assert two.loss == pytest.approx(joint.loss, abs=1e-12)
        assert (two.push_up, two.push_down) == pytest.approx((joint.push_up, joint.push_down), abs=1e-12)


@pytest.mark.parametrize("method", METHODS[:16], ids=lambda m: f"{m.name}-{m.constraint}")
def test_gradient_is_that_of_the_loss_written_out(
    method: MethodConfig, make_model: Callable[[], Any], groups: list[Group]
) -> None:
    model = make_model().double().eval()
    _, found = gradient(model, groups, TrainConfig(method=method))
    model.zero_grad(set_to_none=True)
    supervised, ranking = [], []
    for group in groups:
        supervised.append(-token_logprobs(model, group.prompt_ids, group.reference_ids).mean())
        if len({candidate.rating for candidate in group.candidates}) < 2:
            ranking.append(torch.zeros((), dtype=torch.float64))
            continue
        scores = torch.stack([token_logprobs(model, group.prompt_ids, c.ids).mean() for c in group.candidates])
        loss = ranking_loss(
            scores[None],
            torch.tensor([[c.rating for c in group.candidates]], dtype=torch.float64),
            method=method.name,
            constraint=method.constraint,
            reference_scores=torch.tensor([[c.reference_score for c in group.candidates]], dtype=torch.float64),
        )
        ranking.append(loss[0])
    torch.autograd.backward([torch.stack(supervised).mean() + torch.stack(ranking).mean()])
    expected = {name: parameter.grad for name, parameter in model.named_parameters()}
    assert largest_difference(expected, found) < 1e-12


def token_logprobs(model: Any, prompt: tuple[int, ...], response: tuple[int, ...]) -> torch.Tensor:
    logits = model(torch.tensor([[*prompt, *response]])).logits[0, len(prompt) - 1 : -1]
    found: torch.Tensor = logits.log_softmax(-1).gather(1, torch.tensor(response)[:, None])[:, 0]
    return found


def test_detached_lowest_candidates_are_computed_once(make_model: Callable[[], Any], groups: list[Group]) -> None:
    model = make_model().eval()
    free, _ = gradient(model, groups, TrainConfig(method=MethodConfig(name="aft")), passes="two")
    detached, _ = gradient(
        model, groups, TrainConfig(method=MethodConfig(name="aft", constraint="detached")), passes="two"
    )
    assert detached.tokens < free.tokens


def test_pushes_of_the_unconstrained_loss_balance(make_model: Callable[[], Any], groups: list[Group]) -> None:
    """Every pair raises the better score by what it lowers the worse one."""
    loss, _ = gradient(make_model().eval(), groups, TrainConfig(method=MethodConfig(name="aft")))
    assert loss.push_up == pytest.approx(loss.push_down, rel=1e-5)
    assert loss.push_up > 0


def test_detached_pushes_nothing_down(make_model: Callable[[], Any], groups: list[Group]) -> None:
    config = TrainConfig(method=MethodConfig(name="aft", constraint="detached"))
    loss, _ = gradient(make_model().eval(), groups, config)
    assert loss.push_down == 0
    assert loss.push_up > 0


def test_broken_weights_are_reported(make_model: Callable[[], Any], groups: list[Group]) -> None:
    model = make_model().eval()
    torch.nn.init.constant_(model.model.norm.weight, float("nan"))
    for method in ("vft", "aft"):
        with pytest.raises(FloatingPointError, match=r"not finite|nan"):
            gradient(model, groups, TrainConfig(method=MethodConfig(name=method)))


def test_extreme_scores_stay_finite(make_model: Callable[[], Any]) -> None:
    candidates = (TrainingCandidate((5, 6), 1.0), TrainingCandidate((7, 8), 0.0))
    model = make_model().eval()
    with torch.no_grad():
        model.model.norm.weight.mul_(1e4)
    for constraint in ("none", "detached", "boundary"):
        method = MethodConfig(name="aft", constraint=constraint)
        loss, grads = gradient(model, [Group("q", (5,), (6,), candidates)], TrainConfig(method=method))
        assert all(bool(grad.isfinite().all()) for grad in grads.values())
        assert loss.loss_rank >= 0
