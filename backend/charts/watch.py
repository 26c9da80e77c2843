"""Degradation as it happens: task accuracy, assessment accuracy and perplexity over training, alarms marked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import plotly.graph_objects as go

from aft.config.method import RANKING_METHODS
from backend.charts.curves import mean_over_seeds
from backend.charts.style import CURVE_MARKER, MUTED, finish, legend_room, line_style, plain

Measure = Literal["task_accuracy", "assessment_accuracy", "perplexity"]
Points = Sequence[tuple[int, float]]
PANELS: Final[tuple[tuple[Measure, str, int], ...]] = (
    # Short enough for a panel's height.
    ("task_accuracy", "Task acc. (%)", 1),
    ("assessment_accuracy", "Assessment (%)", 1),
    ("perplexity", "Perplexity", 2),
)
ALARM: Final = "#D55E00"
FRAME_HEIGHT: Final = 100
PANEL_HEIGHT: Final = 120
_GAP: Final = 0.07


@dataclass(frozen=True, slots=True)
class WatchedMethod:
    """A method's evaluations during training, in the units shown."""

    label: str
    family: str
    constraint: str
    measures: Mapping[Measure, Mapping[str, Points]]
    """Points by seed."""
    alarms: Mapping[str, int]
    """Step of the first alarm by seed, of those that had one."""


def watched(methods: Sequence[WatchedMethod], baseline: Mapping[Measure, float] | None = None) -> go.Figure:
    """Three panels over the same steps: a line per method, the mean over its seeds; an alarm is a vermilion triangle.

    Args:
        methods: In the order to draw.
        baseline: The VFT model's values, drawn as dotted lines.
    """
    figure = go.Figure()
    panels = [item for item in PANELS if any(_has(method, item[0]) for method in methods)] or list(PANELS[:1])
    height = (1 - _GAP * (len(panels) - 1)) / len(panels)
    alarm_is_named = False
    layout: dict[str, object] = {}
    for place, (measure, title, decimals) in enumerate(panels):
        axis = "y" if place == 0 else f"y{place + 1}"
        for method in methods:
            by_seed = method.measures.get(measure, {})
            steps, means, _ = mean_over_seeds(by_seed)
            if not steps:
                continue
            label = plain(method.label)
            figure.add_trace(
                go.Scatter(
                    x=steps, y=means, yaxis=axis, mode="lines+markers", marker=CURVE_MARKER, name=label,
                    line=line_style(method.family, method.constraint, ranks=method.family in RANKING_METHODS),
                    legendgroup=label, showlegend=place == 0, meta={"method": method.label, "part": "mean"},
                    hovertemplate=f"{label}<br>step %{{x}}: %{{y:.{decimals}f}}<extra></extra>",
                )
            )  # fmt: skip
            marks = [
                (step, value, seed) for seed, alarm in method.alarms.items() for step, value in by_seed.get(seed, ())
                if step == alarm
            ]  # fmt: skip
            if marks:
                figure.add_trace(
                    go.Scatter(
                        x=[step for step, _, _ in marks], y=[value for _, value, _ in marks], yaxis=axis,
                        mode="markers", name="alarm", legendgroup="alarm", showlegend=not alarm_is_named,
                        marker={"symbol": "triangle-up", "size": 11, "color": ALARM}, customdata=[s for *_, s in marks],
                        hovertemplate=f"{label}, seed %{{customdata}}: alarm at step %{{x}}<extra></extra>",
                        meta={"method": method.label, "part": "alarm"},
                    )
                )  # fmt: skip
                alarm_is_named = True
        if baseline and measure in baseline:
            figure.add_hline(
                y=baseline[measure], yref=axis, line={"color": MUTED, "dash": "dot", "width": 1},
                annotation={"text": "VFT model", "font": {"size": 10, "color": MUTED}},
                annotation_position="top left",
            )  # fmt: skip
        top = 1 - place * (height + _GAP)
        layout[f"yaxis{'' if place == 0 else place + 1}"] = {
            "domain": [max(0.0, top - height), top],
            "title": {"text": title},
        }
    finish(figure, x="Optimizer step", y="", legend=True)
    y_axis = figure.layout.yaxis.to_plotly_json()
    for name, changes in layout.items():
        figure.update_layout({name: y_axis | changes | {"anchor": "x", "nticks": 4}})
    last = "y" if len(panels) == 1 else f"y{len(panels)}"
    figure.update_layout(height=FRAME_HEIGHT + PANEL_HEIGHT * len(panels) + legend_room(figure), xaxis={"anchor": last})
    return figure


def _has(method: WatchedMethod, measure: Measure) -> bool:
    return any(method.measures.get(measure, {}).values())
