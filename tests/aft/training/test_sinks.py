"""Where metrics go."""

import json
from pathlib import Path

from aft.training.sinks import JsonlSink, ManySinks, MetricSink, NullSink


def test_lines_are_appended_and_infinity_is_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "run" / "metrics.jsonl"
    sink = JsonlSink(path)
    sink.write(1, {"train/loss": 0.5})
    sink.progress(1, 2, "training")
    JsonlSink(path).write(2, {"train/loss": float("inf")})
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == [{"step": 1, "train/loss": 0.5}, {"step": 2, "train/loss": None}]


def test_every_sink_hears_everything(tmp_path: Path) -> None:
    paths = [tmp_path / "a", tmp_path / "b"]
    sink: MetricSink = ManySinks(*(JsonlSink(path) for path in paths), NullSink())
    sink.write(3, {"x": 1.0})
    sink.progress(3, 3, "training")
    assert paths[0].read_text() == paths[1].read_text() == '{"step": 3, "x": 1.0}\n'
