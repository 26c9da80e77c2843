"""Checks of what goes into a metric, with errors that name the value."""

import math
from collections.abc import Sequence

Number = float | int
Flag = bool | int | float
"""Whether something is right; wider than bool, so that a missing one (NaN) meets `require_flags`."""


def require_equal_length(one: Sequence[object], other: Sequence[object], name: str, other_name: str) -> None:
    if len(one) != len(other):
        raise ValueError(f"{name} has {len(one)} values and {other_name} has {len(other)}. Give as many of each.")


def require_finite(values: Sequence[Number], name: str) -> None:
    for index, value in enumerate(values):
        if not math.isfinite(value):
            raise ValueError(f"{name} has {value} at position {index}. Leave out what was not measured.")


def require_flags(flags: Sequence[Flag], name: str) -> None:
    for index, flag in enumerate(flags):
        # NaN is true in Python, so a missing label would silently count as right.
        if flag not in (True, False):
            raise ValueError(f"{name} has {flag!r} at position {index}. Give True or False for every candidate.")


def require_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}. Give a number between 0 and 1, such as 0.95.")
