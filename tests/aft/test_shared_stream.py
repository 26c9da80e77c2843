"""The last layer's short cut computes what the whole layer does, and only where it may be taken."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, Qwen3Config, Qwen3ForCausalLM

from aft import shared_stream
from aft.config.scale import LoraConfig
from aft.scoring import GroupIds, token_logprobs
from aft.shared_stream import can_cut_short
from aft.training.setup import add_lora
from tests.aft.test_scoring import SHARING, make_groups, make_model


def decoder_of(model: PreTrainedModel) -> Any:
    return model.get_decoder()  # type: ignore[no-untyped-call]


def values_and_gradients(model: PreTrainedModel, groups: list[GroupIds]) -> tuple[Tensor, list[Tensor]]:
    found = torch.cat([tokens for group in token_logprobs(model, groups, packing="packed") for tokens in group])
    return found.detach(), weighted_gradients(model, found)


def weighted_gradients(model: PreTrainedModel, values: Tensor) -> list[Tensor]:
    weights = torch.linspace(-1, 2, len(values), dtype=values.dtype)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return list(torch.autograd.grad((weights * values).sum(), trained))


def norm_in_float64(model: PreTrainedModel) -> None:
    """Norms with weights that differ, so that one left out shows; transformers' own compute in float32."""
    for name, module in list(model.named_modules()):
        if name.endswith("norm"):
            norm = nn.RMSNorm(len(module.weight), eps=module.variance_epsilon, dtype=torch.float64)
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            model.set_submodule(name, norm)


@pytest.mark.parametrize(("config_class", "model_class", "settings"), SHARING)
@pytest.mark.parametrize("checkpointing", [False, True])
def test_values_and_gradients_are_those_of_plain_sequences(
    config_class: Any, model_class: Any, settings: dict[str, Any], checkpointing: bool
) -> None:
    model = make_model(config_class, model_class, num_key_value_heads=1, **settings).double()
    norm_in_float64(model)
    groups = make_groups((3, 1, 0, 4))
    plain = []
    for prompt, responses in groups:
        for response in responses:
            table = model(input_ids=torch.tensor([[*prompt, *response]]), use_cache=False).logits[0].log_softmax(-1)
            plain.append(table[len(prompt) - 1 : -1].gather(1, torch.tensor(response)[:, None])[:, 0])
    expected = torch.cat(plain)
    gradients = weighted_gradients(model, expected)
    if checkpointing:
        model.train().activation_checkpointing_enable()
    assert can_cut_short(decoder_of(model))
    values, ours = values_and_gradients(model, groups)
    torch.testing.assert_close(values, expected.detach(), rtol=0, atol=1e-12)
    for mine, want in zip(ours, gradients, strict=True):
        torch.testing.assert_close(mine, want, rtol=0, atol=1e-12 * float(want.abs().max().clamp(min=1)))


def test_the_last_layer_computes_only_positions_that_predict() -> None:
    model = make_model()
    seen: dict[str, int] = {}
    for name, module in model.named_modules():
        if name.endswith(("mlp", "q_proj", "k_proj", "model.norm")):
            module.register_forward_hook(
                lambda _, __, output, name=name: seen.update({name.removeprefix("model."): output.shape[-2]})
            )
    with torch.no_grad():
        token_logprobs(model, [((5,) * 20, [(6, 7), (8, 9, 10), (11,)])])
    # The question's last position predicts three tokens; the last token of a response is not read.
    first, last = 20 + 1 + 2, 1 + 1 + 2
    assert seen == {
        "layers.0.self_attn.q_proj": first,
        "layers.0.self_attn.k_proj": first,
        "layers.0.mlp": first,
        "layers.1.self_attn.q_proj": last,
        "layers.1.self_attn.k_proj": first,
        "layers.1.mlp": last,
        "norm": last,
    }


def test_factors_of_lora_get_the_gradient_of_the_whole_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    model, groups = make_model(Qwen3Config, Qwen3ForCausalLM).double(), make_groups((3, 1, 4))
    norm_in_float64(model)
    add_lora(model, LoraConfig(rank=3), seed=0)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.1 * torch.randn(parameter.shape, dtype=parameter.dtype))
    assert can_cut_short(decoder_of(model))
    values, ours = values_and_gradients(model, groups)
    monkeypatch.setattr(shared_stream, "can_cut_short", lambda decoder: False)
    expected, gradients = values_and_gradients(model, groups)
    torch.testing.assert_close(values, expected, rtol=0, atol=1e-12)
    for mine, want in zip(ours, gradients, strict=True):
        torch.testing.assert_close(mine, want, rtol=0, atol=1e-12 * float(want.abs().max().clamp(min=1)))


@pytest.mark.parametrize("where", ["", "layers.1", "layers.1.self_attn"])
def test_a_hook_or_a_replaced_part_takes_the_general_path(where: str) -> None:
    model, groups = make_model(), make_groups((2,))
    with torch.no_grad():
        before = token_logprobs(model, groups)[0]
        module = decoder_of(model).get_submodule(where)
        called: list[None] = []
        hook = module.register_forward_hook(lambda *_: called.append(None))
        assert not can_cut_short(decoder_of(model))
        for got, want in zip(token_logprobs(model, groups)[0], before, strict=True):
            torch.testing.assert_close(got, want, rtol=0, atol=1e-5)
    assert called
    hook.remove()
    assert can_cut_short(decoder_of(model))
    module.__class__ = type("Replaced", (type(module),), {})
    assert not can_cut_short(decoder_of(model))
