"""The software that a bundle or report was made with."""

import platform
import sys
from importlib import metadata
from typing import Any, Final

from aft.version import VERSION

_PACKAGES: Final = (
    "torch", "transformers", "tokenizers", "peft", "accelerate", "safetensors", "numpy", "scipy", "math-verify",
    "pydantic", "sqlalchemy", "plotly", "vllm", "deepspeed",
)  # fmt: skip


def environment() -> dict[str, Any]:
    """Versions of Python, the operating system and the packages that decide numbers; nothing is imported."""
    packages = {}
    for name in _PACKAGES:
        try:
            packages[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "aft_workbench": VERSION,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "machine": platform.machine(),
        "packages": packages,
    }
