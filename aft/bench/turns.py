"""Alternatives measured in turn, and what is kept of their times."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

Measured = Callable[[], float]
"""Does the work once and returns how much of it was done, in the benchmark's unit."""


@dataclass(frozen=True, slots=True)
class Timing:
    """An alternative's times, one a round."""

    seconds: tuple[float, ...]
    work: float
    """Units of work in one round."""

    @property
    def median_seconds(self) -> float:
        """Median time of a round."""
        return statistics.median(self.seconds)

    @property
    def rate(self) -> float:
        """Units a second, at the median time."""
        return self.work / self.median_seconds


def take_turns(
    alternatives: Mapping[str, Measured],
    *,
    rounds: int,
    device: torch.device,
) -> dict[str, Timing]:
    """Measure every alternative ``rounds`` times, one after the other in each round.

    A first round warms caches and allocators and is left out. Every other round goes backwards, so that none of
    them always follows the same one.

    Raises:
        ValueError: If an alternative does another amount of work in another round.
    """
    clock = clock_of(device)
    names = list(alternatives)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    work: dict[str, float] = {}
    for number in range(rounds + 1):
        for name in names if number % 2 == 0 else reversed(names):
            gc.collect()
            synchronize(device)
            begun = clock()
            done = alternatives[name]()
            synchronize(device)
            spent = clock() - begun
            if work.setdefault(name, done) != done:
                raise ValueError(f"'{name}' did {done:g} units of work after {work[name]:g} before. Fix its seed.")
            if number:
                seconds[name].append(spent)
    return {name: Timing(tuple(seconds[name]), work[name]) for name in names}


def clock_of(device: torch.device) -> Callable[[], float]:
    """Seconds: on a CPU those the process computed, which neighbours on a shared machine do not lengthen much."""
    return time.process_time if device.type == "cpu" else time.perf_counter


def ratio(timings: Mapping[str, Timing], name: str, against: str) -> dict[str, float]:
    """How many times the rate of ``against`` that of ``name`` is: of the medians, and lowest and highest round."""
    rounds = [
        (timings[name].work / mine) / (timings[against].work / other)
        for mine, other in zip(timings[name].seconds, timings[against].seconds, strict=True)
    ]
    return {"median": timings[name].rate / timings[against].rate, "lowest": min(rounds), "highest": max(rounds)}


def synchronize(device: torch.device) -> None:
    """Wait for what the device still computes."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, lowest and highest."""
    return {"median": statistics.median(values), "lowest": min(values), "highest": max(values)}
