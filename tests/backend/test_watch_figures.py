"""The degradation panel as data: its panels, its marks, its table."""

from backend.charts.watch import WatchedMethod, watched


def method(label: str, seeds: dict[str, float], alarms: dict[str, int]) -> WatchedMethod:
    return WatchedMethod(
        label,
        "aft",
        "none",
        {
            "task_accuracy": {seed: [(10, 60.0 + add), (20, 50.0 + add)] for seed, add in seeds.items()},
            "assessment_accuracy": {seed: [(10, 70.0), (20, 80.0)] for seed in seeds},
            "perplexity": {seed: [(10, 1.4), (20, 2.1)] for seed in seeds},
        },
        alarms,
    )


def test_three_panels_share_the_steps_and_alarms_are_marked_in_each() -> None:
    figure = watched([method("AFT · none", {"1": 0.0, "2": 4.0}, {"2": 20})], {"perplexity": 1.3})
    lines = {trace.yaxis: trace for trace in figure.data if trace.mode == "lines+markers"}
    assert list(lines) == ["y", "y2", "y3"]
    assert list(lines["y"].x) == [10, 20]
    assert list(lines["y"].y) == [62.0, 52.0]
    assert [trace.showlegend for trace in lines.values()] == [True, False, False]
    marks = [trace for trace in figure.data if trace.name == "alarm"]
    assert [(trace.yaxis, list(trace.x), list(trace.y)) for trace in marks] == [
        ("y", [20], [54.0]),
        ("y2", [20], [80.0]),
        ("y3", [20], [2.1]),
    ]
    assert [trace.showlegend for trace in marks] == [True, False, False]
    [line] = figure.layout.shapes
    assert (line.y0, line.yref) == (1.3, "y3")
    tops = [axis.domain for axis in (figure.layout.yaxis, figure.layout.yaxis2, figure.layout.yaxis3)]
    assert tops[0][0] > tops[1][1] > tops[1][0] > tops[2][1]
    assert figure.layout.yaxis3.title.text == "Perplexity"
    assert figure.layout.xaxis.anchor == "y3"


def test_what_is_not_measured_has_no_panel() -> None:
    only_answers = WatchedMethod("VFT", "vft", "none", {"task_accuracy": {"1": [(10, 40.0)]}}, {})
    figure = watched([only_answers])
    assert [trace.yaxis for trace in figure.data] == ["y"]
    assert figure.layout.yaxis.domain == (0, 1)
    assert not watched([]).data
