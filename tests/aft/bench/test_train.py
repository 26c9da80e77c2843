"""What is compared computes the same: the padded implementation's gradient is ours."""

import json
from typing import Any

import pytest
import torch

from aft.bench import train
from aft.bench.padded import add_padded_gradient
from aft.bench.workload import build_model, make_groups
from aft.config.bench import BenchConfig
from aft.training.accumulation import add_step_gradient
from aft.training.batches import collate_groups

SMALL = BenchConfig(name="train", model="builtin", questions=3, k=4, rounds=1)


def gradients(model: Any) -> list[torch.Tensor]:
    found = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad()
    return found


@pytest.mark.parametrize("method", [train.BOUNDARY, train.DETACHED])
@pytest.mark.parametrize("questions_per_pass", [1, 3])
def test_padded_gradient_is_ours(method: Any, questions_per_pass: int) -> None:
    model, _ = build_model(SMALL)
    groups = make_groups(SMALL, model.config.vocab_size)
    config = train.train_config(SMALL, method)
    loss = add_padded_gradient(model, groups, config, questions_per_pass)
    expected = gradients(model)
    ours = add_step_gradient(model, collate_groups(groups, config), config)
    assert ours.loss == pytest.approx(loss, rel=1e-5)
    for mine, other in zip(gradients(model), expected, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-5, rtol=1e-3)


def test_groups_have_the_lengths_of_gsm8k() -> None:
    groups = make_groups(SMALL.model_copy(update={"questions": 2000}), 4096)
    prompts = torch.tensor([len(group.prompt_ids) for group in groups]).double()
    references = torch.tensor([len(group.reference_ids) for group in groups]).double()
    assert prompts.median().item() == pytest.approx(81, rel=0.03)
    assert references.mean().item() == pytest.approx(99, rel=0.06)
    assert {len(group.candidates) for group in groups} == {4}
    assert {candidate.rating for candidate in groups[0].candidates} == {0.0, 1.0}


def test_report_names_every_alternative_and_its_ratio() -> None:
    report = json.loads(train.measure(SMALL).as_json())
    assert {"padded", "ours", "detached", "detached without skip"} <= report["alternatives"].keys()
    assert {(each["name"], each["against"]) for each in report["ratios"]} >= {("ours", "padded")}
    assert all(found["rate"] > 0 for found in report["alternatives"].values())
    assert 0 < report["bound"]["share_of_matrix_rate"] < 1.5
    assert report["config"]["rounds"] == 1
