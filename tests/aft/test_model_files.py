"""A model directory is summarised or refused from its files alone."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aft.model_files import inspect_model_directory

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": 8,
    "hidden_size": 4,
    "num_hidden_layers": 1,
    "max_position_embeddings": 64,
}


def safetensors(tensors: dict[str, tuple[str, list[int]]]) -> bytes:
    widths = {"F32": 4, "BF16": 2}
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, (dtype, shape) in tensors.items():
        count = widths[dtype]
        for side in shape:
            count *= side
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + count]}
        end += count
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(end)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "tokenizer.json").write_text("{}")
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"eos_token": {"content": "</s>"}}))
    (tmp_path / "model.safetensors").write_bytes(safetensors({"a": ("F32", [8, 4]), "b": ("F32", [])}))
    return tmp_path


def test_summary_names_size_and_window(model: Path) -> None:
    summary = inspect_model_directory(model, needed_tokens=64)
    assert summary.architecture == "LlamaForCausalLM"
    assert (summary.parameters, summary.window, summary.vocab_size, summary.layers) == (33, 64, 8, 1)
    assert (summary.dtype, summary.eos_token) == ("F32", "</s>")
    assert summary.size_bytes == (model / "model.safetensors").stat().st_size


def test_sharded_weights_are_added_up(model: Path) -> None:
    (model / "model.safetensors").unlink()
    for number in (1, 2):
        (model / f"part-{number}.safetensors").write_bytes(safetensors({"a": ("BF16", [number, 4])}))
    index = {"weight_map": {"a": "part-1.safetensors", "b": "part-2.safetensors"}}
    (model / "model.safetensors.index.json").write_text(json.dumps(index))
    summary = inspect_model_directory(model)
    assert (summary.parameters, summary.dtype) == (12, "BF16")
    assert summary.weight_files == ("part-1.safetensors", "part-2.safetensors")


def rewrite(model: Path, name: str, value: object) -> None:
    (model / name).write_text(value if isinstance(value, str) else json.dumps(value))


def only_bin(model: Path) -> None:
    (model / "model.safetensors").rename(model / "pytorch_model.bin")


def truncated(model: Path) -> None:
    file = model / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1])


INDEX = "model.safetensors.index.json"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda m: (m / "config.json").unlink(), r"has no config\.json"),
        (lambda m: rewrite(m, "config.json", "{"), "is not valid JSON"),
        (lambda m: rewrite(m, "config.json", "[" * 100_000), "is not valid JSON"),
        (lambda m: rewrite(m, "config.json", []), "holds list instead of an object"),
        (lambda m: rewrite(m, "config.json", CONFIG | {"model_type": None}), "names no model_type"),
        (lambda m: rewrite(m, "config.json", CONFIG | {"architectures": ["BertModel"]}), "is BertModel, not a causal"),
        (lambda m: rewrite(m, "config.json", CONFIG | {"auto_map": {}}), "needs Python code from its own repository"),
        (only_bin, r"only as 'pytorch_model\.bin', a format that can run code"),
        (lambda m: (m / "model.safetensors").unlink(), "holds no weights"),
        (lambda m: (m / "tokenizer.json").unlink(), "holds no tokenizer"),
        (lambda m: rewrite(m, "tokenizer_config.json", {}), "has no end-of-sequence token"),
        (truncated, "is damaged: it should have"),
        (lambda m: (m / "model.safetensors").write_bytes(b"abc"), "it has only 3 bytes"),
        (lambda m: (m / "model.safetensors").write_bytes(b"\xff" * 64), "its header claims"),
        (lambda m: (m / "model.safetensors").write_bytes(struct.pack("<Q", 2) + b"[]"), "not a safetensors header"),
        (lambda m: (m / "model.safetensors").write_bytes(struct.pack("<Q", 2) + b"{}"), "hold no tensors"),
        (lambda m: rewrite(m, INDEX, {"weight_map": {"a": "../x.safetensors"}}), "does not map weights to files"),
        (lambda m: rewrite(m, INDEX, {"weight_map": {"a": "x.safetensors"}}), r"lacks 1 of 1 weight files"),
    ],
)
def test_unusable_directory_is_refused_with_its_cause(
    model: Path, damage: Callable[[Path], object], message: str
) -> None:
    damage(model)
    with pytest.raises(ValueError, match=message):
        inspect_model_directory(model)


def test_file_or_nothing_is_not_a_directory(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not a directory"):
        inspect_model_directory(tmp_path / "missing")


def test_window_shorter_than_the_longest_example_is_refused(model: Path) -> None:
    with pytest.raises(ValueError, match=r"needs 65 tokens, but the window of .* is 64"):
        inspect_model_directory(model, needed_tokens=65)
