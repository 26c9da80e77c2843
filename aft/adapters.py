"""Adapters on the disk: what a LoRA directory says, and the model it makes with its base, without torch.

An adapter directory holds the factors ``A`` and ``B`` of each layer that has them, and where its base model lies.
Merging is ``W + alpha / rank * B A``, tensor by tensor, so that a model of any size passes through little memory.
"""

import json
import math
import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
BASE_FILE = "base_model.json"
"""Where the base model lies, as seen from the adapter: both may be moved together."""

_PREFIX = "base_model.model."
_A, _B = ".lora_A.weight", ".lora_B.weight"
_NUMBERS: dict[str, Any] = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": np.uint16}


@dataclass(frozen=True, slots=True)
class Adapter:
    """A directory with low-rank factors."""

    directory: Path
    base: str
    """Directory of the base model, or its id on the hub."""
    rank: int
    scale: float
    """``alpha / rank``."""


def is_adapter(directory: Path) -> bool:
    """Whether a model directory holds low-rank factors instead of whole weights."""
    return (directory / ADAPTER_CONFIG).is_file()


def read_adapter(directory: Path) -> Adapter:
    """What an adapter directory says.

    Raises:
        ValueError: If it is not a LoRA adapter of the plain kind, or its base model is gone.
    """
    try:
        config = json.loads((directory / ADAPTER_CONFIG).read_bytes())
        rank, alpha = int(config["r"]), float(config["lora_alpha"])
        plain = config["peft_type"] == "LORA" and not any(
            config.get(name) for name in ("use_dora", "use_rslora", "rank_pattern", "alpha_pattern", "fan_in_fan_out")
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"'{directory}' is not a LoRA adapter: {error}. Save it again with save_pretrained."
        raise ValueError(msg) from error
    if not plain or not (directory / ADAPTER_WEIGHTS).is_file():
        msg = (
            f"'{directory}' holds an adapter other than plain LoRA in safetensors. "
            "Merge it into its base model with PEFT, and register the result."
        )
        raise ValueError(msg)
    return Adapter(directory, _base(directory, config), rank, alpha / rank)


def adapter_chain(directory: Path) -> tuple[str, list[Adapter]]:
    """The whole model below an adapter, and the adapters to put on it, in order; a whole model has none.

    Raises:
        ValueError: If one of them is not usable, or they go round in a circle.
    """
    adapters: list[Adapter] = []
    place = directory
    while is_adapter(place):
        adapter = read_adapter(place)
        if any(adapter.directory == each.directory for each in adapters):
            raise ValueError(f"The adapter '{directory}' is its own base model. Train it again.")
        adapters.insert(0, adapter)
        place = Path(adapter.base)
        if not place.is_dir():
            return adapter.base, adapters
    return str(place), adapters


def write_base(directory: Path, base: str) -> None:
    """Note beside an adapter where its base model lies; a model that was never saved lies nowhere."""
    place = {"base": base}
    if base and Path(base).is_dir():
        place["relative"] = os.path.relpath(base, directory)
    (directory / BASE_FILE).write_text(json.dumps(place, indent=1), encoding="utf-8")


def merged_file(weights: Path, adapters: list[Adapter]) -> Iterator[bytes]:
    """The blocks of a safetensors file of the base model with every factor of its tensors added.

    Args:
        weights: A weight file of the base model.
        adapters: In the order in which they were trained.

    Raises:
        ValueError: If a factor's shape or a weight's type does not fit.
    """
    factors = [(adapter.scale, _Tensors(adapter.directory / ADAPTER_WEIGHTS)) for adapter in adapters]
    named = [{module: (a, b) for module, a, b in factor_names(found.names)} for _, found in factors]
    base = _Tensors(weights)
    yield base.head
    for name in base.names:
        module = name.removesuffix(".weight")
        updates = [
            (scale, found.numbers(pairs[module][0]), found.numbers(pairs[module][1]))
            for (scale, found), pairs in zip(factors, named, strict=True)
            if module in pairs
        ]
        if not updates:
            yield from base.blocks(name)
            continue
        whole = base.numbers(name)
        for scale, a, b in updates:
            if whole.shape != (b.shape[0], a.shape[1]):
                msg = f"The factors of '{module}' make a {b.shape[0]} x {a.shape[1]} update of a {whole.shape} weight."
                raise ValueError(msg)
            whole = whole + np.float32(scale) * (b @ a)
        yield base.as_stored(name, whole)


def factor_names(names: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Module, and the names of its factors A and B, of each pair in an adapter's weight file."""
    for name in sorted(names):
        if name.endswith(_A):
            module = name.removeprefix(_PREFIX).removesuffix(_A)
            yield module, name, f"{name.removesuffix(_A)}{_B}"


def unmerged(weights: list[Path], adapters: list[Adapter]) -> list[str]:
    """Modules with factors whose weight no file of the base model holds under that name."""
    known = {name for file in weights for name in _Tensors(file).names}
    found = []
    for adapter in adapters:
        for module, _, _ in factor_names(_Tensors(adapter.directory / ADAPTER_WEIGHTS).names):
            if f"{module}.weight" not in known and module not in found:
                found.append(module)
    return found


def _base(directory: Path, config: dict[str, Any]) -> str:
    named = str(config.get("base_model_name_or_path") or "")
    try:
        noted = json.loads((directory / BASE_FILE).read_bytes())
    except (OSError, ValueError):
        noted = {}
    if isinstance(noted.get("relative"), str):
        beside = Path(os.path.normpath(directory / noted["relative"]))
        if beside.is_dir():
            return str(beside)
    base = str(noted.get("base") or named)
    if not base or (Path(base).is_absolute() and not Path(base).is_dir()):
        msg = (
            f"The base model of the adapter '{directory.name}' is gone: '{base}'. "
            "Put it back, or train the adapter again."
        )
        raise ValueError(msg)
    return base


class _Tensors:
    """A safetensors file, read tensor by tensor."""

    def __init__(self, file: Path) -> None:
        self._file = file
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            self.head = struct.pack("<Q", length) + stream.read(length)
        entries = json.loads(self.head[8:])
        self.entries = {name: entry for name, entry in entries.items() if name != "__metadata__"}
        self.names = sorted(self.entries, key=lambda name: int(self.entries[name]["data_offsets"][0]))

    def blocks(self, name: str) -> Iterator[bytes]:
        """The stored bytes of a tensor."""
        begin, end = self.entries[name]["data_offsets"]
        with self._file.open("rb") as stream:
            stream.seek(len(self.head) + begin)
            left = end - begin
            while left:
                block = stream.read(min(left, 1 << 20))
                if not block:
                    raise ValueError(f"The weight file '{self._file}' is cut off. Copy it again.")
                left -= len(block)
                yield block

    def numbers(self, name: str) -> NDArray[Any]:
        """A tensor as float32 (float64 stays)."""
        entry = self.entries[name]
        kind = _NUMBERS.get(entry["dtype"])
        if kind is None:
            msg = f"'{name}' is stored as {entry['dtype']}; factors cannot be added to it. Export the adapter alone."
            raise ValueError(msg)
        raw = np.frombuffer(b"".join(self.blocks(name)), dtype=kind)
        if entry["dtype"] == "BF16":
            # bfloat16 is the upper half of a float32.
            raw = (raw.astype(np.uint32) << 16).view(np.float32)
        wide = raw if entry["dtype"] == "F64" else raw.astype(np.float32)
        assert wide.size == math.prod(entry["shape"])
        return wide.reshape(entry["shape"])

    def as_stored(self, name: str, numbers: NDArray[Any]) -> bytes:
        """A tensor in the file's own type, rounded to the nearest even."""
        kind = self.entries[name]["dtype"]
        if kind != "BF16":
            return numbers.astype(_NUMBERS[kind]).tobytes()
        bits = np.ascontiguousarray(numbers, dtype=np.float32).view(np.uint32)
        return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16).tobytes()
