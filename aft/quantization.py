"""Where frozen weights can be held in 4 bits (QLoRA), known without loading anything."""

import importlib.metadata
import importlib.util
from dataclasses import dataclass
from typing import Final

LEAST_ON_A_CPU: Final = (0, 50)
"""The first version of bitsandbytes that a training on a CPU has been run with; older ones are for NVIDIA GPUs."""
_INSTALL: Final = "pip install 'bitsandbytes>=0.50'"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why weights cannot be held in 4 bits."""

    title: str
    detail: str
    remedy: str


def obstacle(device: str) -> Obstacle | None:
    """What keeps a device from holding weights in 4 bits; None when nothing does.

    Args:
        device: ``cpu``, ``cuda:0``, ``mps`` and so on.
    """
    kind = device.partition(":")[0]
    if kind not in {"cuda", "cpu"}:
        return Obstacle(
            "Weights in 4 bits need an NVIDIA GPU or a CPU",
            f"This is the device {device}, for which bitsandbytes has no 4-bit weights that were tried.",
            "Train plain LoRA here (Frozen weights: as loaded).",
        )
    if importlib.util.find_spec("bitsandbytes") is None:
        return Obstacle(
            "bitsandbytes is not installed",
            "It holds the frozen weights in 4 bits (QLoRA).",
            f"Install it beside the worker: {_INSTALL}; or train plain LoRA.",
        )
    if kind == "cpu":
        version = importlib.metadata.version("bitsandbytes")
        if tuple(int(part) for part in version.split(".")[:2]) < LEAST_ON_A_CPU:
            return Obstacle(
                f"bitsandbytes {version} does not train on a CPU",
                "Its 4-bit weights are for NVIDIA GPUs.",
                f"Update it: {_INSTALL}; or train plain LoRA, or use a worker with a GPU.",
            )
    return None
