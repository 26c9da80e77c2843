"""The paper's numbers as printed."""

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def load_results() -> dict[str, Any]:
    """Every table by name (``table2``), as in the file; not to be changed."""
    found: dict[str, Any] = json.loads(files("aft.paper").joinpath("results.json").read_text(encoding="utf-8"))
    return found
