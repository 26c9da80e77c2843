"""Where metrics go: the loop writes numbers and knows no database."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable


@runtime_checkable
class MetricSink(Protocol):
    """Receives the numbers of a run."""

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Record metrics named ``split/name`` at an optimizer step."""
        ...

    def progress(self, done: int, total: int, phase: str) -> None:
        """Report how much of a phase is done."""
        ...


class NullSink:
    """Drops everything."""

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Drop the values."""

    def progress(self, done: int, total: int, phase: str) -> None:
        """Drop the progress."""


class JsonlSink:
    """Appends metrics to a JSON Lines file beside the checkpoints, so that a database outage loses no curve.

    A resumed run writes the steps after its checkpoint again; the last line of a step counts.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Append one line."""
        # JSON has no infinity; a value that is not finite becomes null, a gap in the chart.
        numbers = {name: value if math.isfinite(value) else None for name, value in values.items()}
        with self.path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"step": step, **numbers}) + "\n")

    def progress(self, done: int, total: int, phase: str) -> None:
        """Progress is not kept in the file."""


class ManySinks:
    """Passes everything to several sinks in order."""

    def __init__(self, *sinks: MetricSink) -> None:
        self.sinks = sinks

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Write to every sink."""
        for sink in self.sinks:
            sink.write(step, values)

    def progress(self, done: int, total: int, phase: str) -> None:
        """Report to every sink."""
        for sink in self.sinks:
            sink.progress(done, total, phase)
