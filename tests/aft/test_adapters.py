"""LoRA directories: loaded, stacked, merged tensor by tensor, and refused in words."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from aft.adapters import adapter_chain, is_adapter, merged_file, read_adapter, unmerged
from aft.arithmetic import VOCABULARY
from aft.config.scale import LoraConfig
from aft.config.training import BuiltinModelConfig
from aft.models import build_llama, build_tokenizer, load_model
from aft.training.checkpoints import CheckpointStore
from aft.training.setup import add_lora

SIZES = BuiltinModelConfig(hidden_size=16, layers=2, heads=2, mlp_size=32)
IDS = torch.tensor([[5, 6, 7, 8]])


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model(input_ids=IDS).logits
    return found


@pytest.fixture
def base(tmp_path: Path) -> Path:
    tokenizer = build_tokenizer(VOCABULARY)
    return CheckpointStore(tmp_path / "base").save_final(build_llama(SIZES, tokenizer, seed=0), tokenizer)


def train_adapter(base: Path, directory: Path, seed: int) -> tuple[Path, torch.Tensor]:
    """An adapter with factors of some size on a model directory, and the logits it gives."""
    model, tokenizer = load_model(base)
    add_lora(model, LoraConfig(rank=3, alpha=7), seed=seed)
    with torch.no_grad():
        for number, parameter in enumerate(p for p in model.parameters() if p.requires_grad):
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number + seed)))
    return CheckpointStore(directory).save_final(model, tokenizer), logits(model)


def test_only_factors_are_trained_and_the_seed_decides_them(base: Path) -> None:
    found = []
    for seed in (1, 1, 2):
        model, _ = load_model(base)
        before = logits(model)
        add_lora(model, LoraConfig(rank=3), seed=seed)
        assert torch.equal(logits(model), before)
        trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
        assert trained
        assert all("lora_" in name for name in trained)
        assert len(trained) == 2 * 7 * SIZES.layers
        found.append(torch.cat([p.detach().flatten() for p in trained.values()]))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_an_adapter_is_loaded_merged_and_can_be_moved_with_its_base(base: Path, tmp_path: Path) -> None:
    place, expected = train_adapter(base, tmp_path / "one", seed=1)
    assert is_adapter(place)
    assert not (place / "model.safetensors").exists()
    model, tokenizer = load_model(place)
    assert torch.allclose(logits(model), expected, atol=1e-5)
    assert not torch.allclose(logits(load_model(base)[0]), expected, atol=1e-2)
    assert type(model).__name__ == "LlamaForCausalLM"
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert tokenizer.eos_token_id is not None
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in ("base", "one"):
        shutil.move(str(tmp_path / name), str(moved / name))
    again, _ = load_model(moved / "one" / "final")
    assert torch.equal(logits(again), logits(model))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_stacked_adapters_merge_into_the_bases_own_files(base: Path, tmp_path: Path, precision: str) -> None:
    if precision == "bfloat16":
        model, tokenizer = load_model(base, precision="bfloat16")
        base = CheckpointStore(tmp_path / "half").save_final(model, tokenizer)
    first, _ = train_adapter(base, tmp_path / "one", seed=1)
    second, expected = train_adapter(first, tmp_path / "two", seed=2)
    place, adapters = adapter_chain(second)
    assert Path(place) == base
    assert [adapter.directory for adapter in adapters] == [first, second]
    assert unmerged([base / "model.safetensors"], adapters) == []
    merged = tmp_path / "merged"
    shutil.copytree(base, merged)
    blocks = list(merged_file(base / "model.safetensors", adapters))
    (merged / "model.safetensors").write_bytes(b"".join(blocks))
    stored = load_file(merged / "model.safetensors")
    exact = load_model(second)[0]
    assert torch.allclose(logits(exact), expected, atol=1e-5)
    for name, tensor in stored.items():
        rounded = 2**-8 if precision == "bfloat16" else 1e-6
        assert torch.allclose(tensor.float(), exact.get_parameter(name), rtol=rounded, atol=1e-6), name
    assert {str(tensor.dtype) for tensor in stored.values()} == {f"torch.{precision}"}
    untouched = load_file(base / "model.safetensors")["model.embed_tokens.weight"]
    assert torch.equal(stored["model.embed_tokens.weight"], untouched)


def test_what_is_not_usable_says_so(base: Path, tmp_path: Path) -> None:
    place, _ = train_adapter(base, tmp_path / "one", seed=1)
    shutil.rmtree(base)
    with pytest.raises(ValueError, match=r"The base model of the adapter 'final' is gone: .*Put it back"):
        load_model(place)
    config = json.loads((place / "adapter_config.json").read_text())
    (place / "adapter_config.json").write_text(json.dumps({**config, "use_dora": True}))
    with pytest.raises(ValueError, match="other than plain LoRA"):
        read_adapter(place)
    (place / "adapter_config.json").write_text("{")
    with pytest.raises(ValueError, match="is not a LoRA adapter"):
        read_adapter(place)


def test_unknown_layers_and_devices_without_four_bits_are_refused(base: Path) -> None:
    model, _ = load_model(base)
    with pytest.raises(ValueError, match=r"LoRA cannot be added: .*linear layers of this model are .*q_proj"):
        add_lora(model, LoraConfig(target_modules=("nonsense",)), seed=0)
    with pytest.raises(ValueError, match=r"quantize is 4bit: .* an NVIDIA GPU or a CPU.* plain LoRA"):
        load_model(base, quantize="4bit", device="mps")
