"""What a benchmark found, as JSON."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from aft.bench.turns import Timing, ratio, spread
from aft.config.bench import BenchConfig

ALLOCATOR = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two alternatives of one run."""

    name: str
    against: str
    what: str
    """What the ratio shows."""


@dataclass(frozen=True, slots=True)
class BenchReport:
    """Times, ratios, and how far from the bound the first of them is."""

    config: BenchConfig
    unit: str
    alternatives: dict[str, dict[str, Any]]
    """Rate at the median, and median, lowest and highest seconds of a round."""
    ratios: list[dict[str, Any]]
    bound: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, config: BenchConfig, unit: str, timings: Mapping[str, Timing], comparisons: Sequence[Comparison]
    ) -> "BenchReport":
        """From times to rates and ratios; a comparison with something that was not measured is left out."""
        alternatives = {
            name: {"rate": timing.rate, "work": timing.work, "seconds": spread(timing.seconds)}
            for name, timing in timings.items()
        }
        ratios = [
            {"name": each.name, "against": each.against, "what": each.what, **ratio(timings, each.name, each.against)}
            for each in comparisons
            if each.name in timings and each.against in timings
        ]
        return cls(config, unit, alternatives, ratios)

    def as_json(self) -> str:
        """One JSON object, with the machine it was measured on."""
        content = {
            "config": self.config.model_dump(mode="json"),
            "machine": describe_machine(self.config),
            "clock": "CPU seconds, all threads" if self.config.device == "cpu" else "seconds",
            "unit": self.unit,
            "alternatives": self.alternatives,
            "ratios": self.ratios,
            "bound": self.bound,
            "notes": list(self.notes),
        }
        return json.dumps(content, indent=2)


def describe_machine(config: BenchConfig) -> dict[str, Any]:
    """Processor, versions and what changes speed."""
    found: dict[str, Any] = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": metadata.version("transformers"),
        "allocator": {name: os.environ.get(name, "default") for name in ALLOCATOR},
    }
    if config.device != "cpu":
        found["gpu"] = torch.cuda.get_device_name(torch.device(config.device))
        found["cuda"] = torch.version.cuda
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
