"""What a check of a bundle compared, and what came out otherwise."""

import math
from dataclasses import dataclass, field
from typing import Any, Final

TOLERANCE: Final = 1e-9
"""Relative. Another machine's mathematics library may differ in the last digits of a sum."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A number, verdict or answer that does not come out as the bundle says."""

    where: str
    stored: Any
    recomputed: Any


@dataclass
class Verification:
    """What was made again, and what came out otherwise."""

    experiment: str
    checked: dict[str, int] = field(default_factory=dict)
    """Numbers compared, by part: responses, results, tables, figures."""
    differences: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def compare(self, part: str, where: str, stored: Any, recomputed: Any) -> None:
        """Count one value and note where it differs."""
        self.checked[part] = self.checked.get(part, 0) + 1
        if not _equal(stored, recomputed):
            self.differences.append(Difference(where, stored, recomputed))


def _equal(stored: Any, recomputed: Any) -> bool:
    if isinstance(stored, bool) or isinstance(recomputed, bool):
        return stored is recomputed
    if isinstance(stored, int | float) and isinstance(recomputed, int | float):
        return math.isclose(stored, recomputed, rel_tol=TOLERANCE, abs_tol=1e-12)
    if isinstance(stored, dict) and isinstance(recomputed, dict):
        return stored.keys() == recomputed.keys() and all(_equal(stored[key], recomputed[key]) for key in stored)
    if isinstance(stored, list | tuple) and isinstance(recomputed, list | tuple):
        return len(stored) == len(recomputed) and all(map(_equal, stored, recomputed))
    return bool(stored == recomputed)
