"""However a step is cut, into parts, micro-batches or processes: the same loss and the same gradient."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from aft.config.method import MethodConfig
from aft.config.training import TrainConfig, VftReduction
from aft.training.accumulation import add_step_gradient, parts, share_of, total_loss
from aft.training.batches import collate_groups, take_part
from aft.training.gradients import BatchLoss, add_batch_gradient
from aft.training.groups import Group
from tests.aft.training.test_gradients import METHODS, largest_difference


@pytest.fixture(autouse=True)
def _exact_norm(norm_in_the_models_own_precision: None) -> None:
    """Differences below 1e-8 count here."""


def gradients(model: Any) -> dict[str, torch.Tensor]:
    found = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
    model.zero_grad(set_to_none=True)
    return found


def assert_same(one: BatchLoss, other: BatchLoss) -> None:
    for name in ("loss", "loss_vft", "loss_rank", "push_up", "push_down"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-12), name


@pytest.mark.parametrize("method", METHODS, ids=lambda m: f"{m.name}-{m.constraint}-{m.sft_on}-{m.temperature}")
def test_accumulation_changes_nothing(method: MethodConfig, make_model: Callable[[], Any], groups: list[Group]) -> None:
    model = make_model().double().eval()
    config = TrainConfig(method=method)
    batch = collate_groups(groups, config)
    joint = add_batch_gradient(model, batch, config, passes="joint")
    expected = gradients(model)
    for budget in (64, 128, 300):
        small = config.model_copy(update={"tokens_per_microbatch": budget})
        assert len(list(parts(model, batch, small))) > 1 or budget > 128
        assert_same(add_step_gradient(model, batch, small), joint)
        assert largest_difference(expected, gradients(model)) < 1e-12


@pytest.mark.parametrize("reduction", ["token-mean", "token-sum", "batch-token-mean"])
@pytest.mark.parametrize("name", ["vft", "rft", "aft"])
def test_processes_shares_add_up_to_the_step(
    make_model: Callable[[], Any], groups: list[Group], name: str, reduction: VftReduction
) -> None:
    model = make_model().double().eval()
    config = TrainConfig.model_validate({"method": {"name": name}, "vft_reduction": reduction})
    batch = collate_groups(groups, config)
    whole = add_step_gradient(model, batch, config)
    expected = gradients(model)
    for processes in (2, 3, 20):
        shares = [share_of(batch, rank, processes) for rank in range(processes)]
        assert sum(len(share.prompts) for share in shares) == len(groups)
        assert sum(share.groups_without_pairs for share in shares) == batch.groups_without_pairs
        assert_same(total_loss(add_step_gradient(model, share, config) for share in shares), whole)
        assert largest_difference(expected, gradients(model)) < 1e-12


def test_what_exceeds_the_budget_alone_is_computed_in_two_passes(
    make_model: Callable[[], Any], groups: list[Group]
) -> None:
    model = make_model().eval()
    config = TrainConfig(method=MethodConfig(name="aft")).model_copy(update={"tokens_per_microbatch": 40})
    batch = collate_groups(groups, config)
    loss = add_step_gradient(model, batch, config)
    assert 0 < loss.two_pass_questions < len(groups)
    large = config.model_copy(update={"tokens_per_microbatch": 10_000})
    assert add_step_gradient(model, batch, large).two_pass_questions == 0


@pytest.mark.parametrize("constraint", ["none", "detached", "boundary"])
def test_graphs_that_fit_are_kept_and_the_gradient_stays(
    make_model: Callable[[], Any], groups: list[Group], constraint: str
) -> None:
    model = make_model().double().eval()
    config = TrainConfig.model_validate({"method": {"name": "aft", "constraint": constraint}})
    largest = max(groups, key=lambda group: sum(len(candidate.ids) for candidate in group.candidates))
    batch = collate_groups([largest], config)
    joint = add_batch_gradient(model, batch, config, passes="joint")
    expected = gradients(model)
    small = config.model_copy(update={"tokens_per_microbatch": joint.tokens // 2})
    two = add_batch_gradient(model, batch, small, passes="two")
    assert largest_difference(expected, gradients(model)) < 1e-12
    some = add_batch_gradient(model, batch, small)
    assert largest_difference(expected, gradients(model)) < 1e-12
    assert_same(some, joint)
    assert some.two_pass_questions == 1
    assert joint.tokens <= some.tokens < two.tokens


def test_shares_spread_the_tokens(groups: list[Group]) -> None:
    batch = collate_groups(groups, TrainConfig(method=MethodConfig(name="aft")))
    loads = [sum(len(response.ids) for response in share_of(batch, rank, 2).responses) for rank in (0, 1)]
    assert max(loads) < 1.3 * min(loads)


def test_a_part_keeps_its_own_questions_only(groups: list[Group]) -> None:
    batch = collate_groups(groups, TrainConfig(method=MethodConfig(name="dpo")))
    part = take_part(batch, [6, 2])
    assert part.prompts == (groups[6].prompt_ids, groups[2].prompt_ids)
    assert {response.question for response in part.responses} == {0, 1}
    assert part.questions_in_step == len(groups)
    assert torch.equal(part.ratings[0], batch.ratings[6])
