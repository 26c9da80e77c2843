"""What a model directory holds, read without torch or transformers.

The web process shows this before a model is registered, and ``aft.models.load_model`` refuses with
the same words. Only JSON and the headers of safetensors files are read.
"""

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_HEADER_BYTES = 100 * 2**20
"""The safetensors format's own limit for a header."""
MAX_JSON_BYTES = 256 * 2**20

_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "spiece.model")
_UNSAFE_WEIGHTS = ("*.bin", "*.pt", "*.pth", "*.ckpt")


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """What a model directory says about its model."""

    architecture: str
    """Class name, such as ``LlamaForCausalLM``."""
    model_type: str
    parameters: int
    """Numbers in the weight files; tied embeddings count once."""
    window: int | None
    """Longest question plus response in tokens; None where the configuration names no limit."""
    vocab_size: int | None
    hidden_size: int | None
    layers: int | None
    dtype: str
    """Type of most weights as safetensors writes it, such as ``F32`` or ``BF16``."""
    size_bytes: int
    """Size of the weight files."""
    eos_token: str
    weight_files: tuple[str, ...]


def inspect_model_directory(path: str | Path, *, needed_tokens: int | None = None) -> ModelSummary:
    """Check that a directory is a usable causal language model and summarise it.

    Args:
        path: The directory.
        needed_tokens: Longest question plus response; a shorter window is refused.

    Raises:
        ValueError: If it is not a directory, lacks a configuration, safetensors weights, a tokenizer or
            an EOS token, needs code from its repository, is damaged, or its window is too short.
    """
    directory = Path(path)
    if not directory.is_dir():
        msg = f"'{directory}' is not a directory. Give the directory that holds the model's config.json."
        raise ValueError(msg)
    config = _read_object(directory / "config.json", missing="Give the directory of a saved Hugging Face model.")
    architecture = _architecture(directory, config)
    weights = _weight_files(directory)
    eos = _eos_token(directory)
    counts: dict[str, int] = {}
    for file in weights:
        for dtype, numbers in read_safetensors_header(file):
            counts[dtype] = counts.get(dtype, 0) + numbers
    if not counts:
        msg = f"The weight files of '{directory}' hold no tensors. Save the model again with save_pretrained."
        raise ValueError(msg)
    text = config["text_config"] if isinstance(config.get("text_config"), dict) else config
    window = _whole_number(text, "max_position_embeddings", "n_positions", "max_sequence_length", "n_ctx")
    if needed_tokens is not None and window is not None and needed_tokens > window:
        msg = (
            f"The longest question with its response needs {needed_tokens} tokens, but the window of "
            f"'{directory.name}' is {window}. Lower max_new_tokens or max_length, or choose another model."
        )
        raise ValueError(msg)
    return ModelSummary(
        architecture=architecture,
        model_type=str(config["model_type"]),
        parameters=sum(counts.values()),
        window=window,
        vocab_size=_whole_number(text, "vocab_size"),
        hidden_size=_whole_number(text, "hidden_size", "n_embd", "d_model"),
        layers=_whole_number(text, "num_hidden_layers", "n_layer", "num_layers"),
        dtype=max(counts, key=lambda dtype: counts[dtype]),
        size_bytes=sum(file.stat().st_size for file in weights),
        eos_token=eos,
        weight_files=tuple(file.name for file in weights),
    )


def read_safetensors_header(file: Path) -> list[tuple[str, int]]:
    """Type and number of elements of every tensor of a safetensors file.

    Raises:
        ValueError: If the file is not a complete safetensors file.
    """
    size = file.stat().st_size
    damaged = f"The weight file '{file}' is damaged: "
    remedy = ". Copy or download it again."
    with file.open("rb") as stream:
        prefix = stream.read(8)
        if len(prefix) < 8:
            raise ValueError(f"{damaged}it has only {size} bytes{remedy}")
        (length,) = struct.unpack("<Q", prefix)
        if length > min(size - 8, MAX_HEADER_BYTES):
            raise ValueError(f"{damaged}its header claims {length} bytes of {size}{remedy}")
        try:
            header = json.loads(stream.read(length))
            tensors = [entry for name, entry in header.items() if name != "__metadata__"]
            shapes = [(str(entry["dtype"]), math.prod(int(side) for side in entry["shape"])) for entry in tensors]
            end = max((int(entry["data_offsets"][1]) for entry in tensors), default=0)
        except (ValueError, AttributeError, KeyError, TypeError, IndexError, RecursionError) as error:
            raise ValueError(f"{damaged}its header is not a safetensors header{remedy}") from error
    if 8 + length + end != size:
        raise ValueError(f"{damaged}it should have {8 + length + end} bytes and has {size}{remedy}")
    return shapes


def _architecture(directory: Path, config: dict[str, Any]) -> str:
    names = config.get("architectures")
    architecture = str(names[0]) if isinstance(names, list) and names else ""
    if "auto_map" in config:
        msg = (
            f"The model in '{directory}' needs Python code from its own repository (auto_map in config.json), "
            "which is never run here. Choose a model whose architecture transformers knows."
        )
        raise ValueError(msg)
    if not isinstance(config.get("model_type"), str):
        msg = f"config.json in '{directory}' names no model_type. Save the model again with save_pretrained."
        raise ValueError(msg)
    if not architecture.endswith(("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")):
        msg = (
            f"The model in '{directory}' is {architecture or 'of no named architecture'}, not a causal language "
            "model. Choose one whose architecture ends in ForCausalLM."
        )
        raise ValueError(msg)
    return architecture


def _weight_files(directory: Path) -> list[Path]:
    index = directory / "model.safetensors.index.json"
    if index.is_file():
        parts = _read_object(index, missing="").get("weight_map")
        names = sorted(set(parts.values())) if isinstance(parts, dict) else []
        # A name with a path would lead out of the directory.
        bad = [name for name in names if not isinstance(name, str) or Path(name).name != name]
        missing = [name for name in names if name not in bad and not (directory / name).is_file()]
        if bad or not names:
            msg = f"'{index}' is damaged: it does not map weights to files beside it. Copy or download it again."
            raise ValueError(msg)
        if missing:
            msg = (
                f"'{directory}' lacks {len(missing)} of {len(names)} weight files, first '{missing[0]}'. Copy them too."
            )
            raise ValueError(msg)
        return [directory / name for name in names]
    if (directory / "model.safetensors").is_file():
        return [directory / "model.safetensors"]
    unsafe = sorted(file.name for pattern in _UNSAFE_WEIGHTS for file in directory.glob(pattern))
    if unsafe:
        msg = (
            f"'{directory}' holds its weights only as '{unsafe[0]}', a format that can run code when it is read. "
            "Convert them to safetensors (save_pretrained writes model.safetensors)."
        )
    else:
        msg = f"'{directory}' holds no weights (model.safetensors). Give the directory of a saved model."
    raise ValueError(msg)


def _eos_token(directory: Path) -> str:
    if not any((directory / name).is_file() for name in _TOKENIZER_FILES):
        msg = (
            f"'{directory}' holds no tokenizer (tokenizer.json). Save the model's tokenizer into the same "
            "directory with save_pretrained."
        )
        raise ValueError(msg)
    settings: dict[str, Any] = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        if (directory / name).is_file():
            settings |= _read_object(directory / name, missing="")
    eos = settings.get("eos_token")
    if isinstance(eos, dict):
        eos = eos.get("content")
    if not isinstance(eos, str) or not eos:
        msg = (
            f"The tokenizer in '{directory}' has no end-of-sequence token, so no response could ever end. "
            "Set eos_token in tokenizer_config.json."
        )
        raise ValueError(msg)
    return eos


def _read_object(file: Path, *, missing: str) -> dict[str, Any]:
    if not file.is_file():
        msg = f"'{file.parent}' has no {file.name}. {missing}".rstrip()
        raise ValueError(msg)
    if file.stat().st_size > MAX_JSON_BYTES:
        msg = f"'{file}' has {file.stat().st_size} bytes, more than a model's JSON file may have ({MAX_JSON_BYTES})."
        raise ValueError(msg)
    try:
        value = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        msg = f"'{file}' is not valid JSON: {error}. Copy or download it again."
        raise ValueError(msg) from error
    if not isinstance(value, dict):
        msg = f"'{file}' holds {type(value).__name__} instead of an object. Copy or download it again."
        raise ValueError(msg)
    return value


def _whole_number(config: dict[str, Any], *names: str) -> int | None:
    for name in names:
        if isinstance(config.get(name), int) and not isinstance(config[name], bool):
            return int(config[name])
    return None
