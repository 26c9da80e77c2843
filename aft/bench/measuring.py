"""The benchmarks by name."""

from collections.abc import Callable, Mapping
from typing import Final

from aft.bench import memory, sample, score, train
from aft.bench.report import BenchReport
from aft.config.bench import BenchConfig, BenchName

MEASURES: Final[Mapping[BenchName, Callable[[BenchConfig], BenchReport]]] = {
    "train": train.measure,
    "score": score.measure,
    "sample": sample.measure,
    "memory": memory.measure,
}
