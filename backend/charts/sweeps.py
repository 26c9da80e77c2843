"""Curves over a setting that an experiment varies (k, β, α, a factor), and settings with results in parallel."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import plotly.graph_objects as go

from backend.charts.curves import CURVES_HEIGHT
from backend.charts.methods import MethodValues
from backend.charts.style import GRID, MUTED, finish, legend_room, line_style, marker_style, plain, wrapped


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """A method at one value of the setting."""

    x: float
    values: MethodValues


@dataclass(frozen=True, slots=True)
class Sweep:
    """Methods that differ in one setting only."""

    name: str
    """What they share: the curve's name."""
    setting: str
    """The setting in words, e.g. *β of the boundary (nats/token)*."""
    points: Sequence[SweepPoint]


_NAMED_VALUES: Final = 6
"""So many values are named on the axis each."""


def sweep_curves(sweeps: Sequence[Sweep], y: str, *, baseline: MethodValues | None) -> go.Figure:
    """Mean with standard deviation over seeds at each value; the baseline runs through.

    Args:
        sweeps: Of one setting; those of others are left to another figure.
        y: Name and unit of the metric.
        baseline: The method to compare with.
    """
    figure = go.Figure()
    setting = sweeps[0].setting if sweeps else "Setting"
    for sweep in sweeps:
        points = sorted((p for p in sweep.points if p.values.mean is not None), key=lambda point: point.x)
        if not points:
            continue
        look = points[0].values
        label = plain(sweep.name)
        figure.add_trace(
            go.Scatter(
                x=[point.x for point in points],
                y=[point.values.mean for point in points],
                error_y={"type": "data", "array": [p.values.std or 0 for p in points], "thickness": 1.2, "width": 4},
                mode="lines+markers",
                line=line_style(look.family, look.constraint, ranks=look.ranks),
                marker=marker_style(look.family, look.constraint, ranks=look.ranks, size=8),
                name=label,
                customdata=[[point.values.label, len(point.values.by_seed), point.values.std or 0] for point in points],
                hovertemplate=(
                    "%{customdata[0]}<br>%{y:.2f} ± %{customdata[2]:.2f}<br>%{customdata[1]} seeds<extra></extra>"
                ),
                meta={"part": "sweep"},
            )
        )  # fmt: skip
        figure.add_trace(
            go.Scatter(
                x=[point.x for point in points for _ in point.values.by_seed],
                y=[value for point in points for value in point.values.by_seed.values()],
                mode="markers",
                marker={"size": 4, "color": MUTED, "opacity": 0.5},
                hoverinfo="skip",
                showlegend=False,
                meta={"part": "seed"},
            )
        )
    if baseline is not None and baseline.mean is not None:
        figure.add_hline(
            y=baseline.mean, line={"color": MUTED, "width": 1, "dash": "dot"}, layer="below",
            annotation_text=plain(baseline.label), annotation_position="top right",
            annotation_font={"size": 10, "color": MUTED},
        )  # fmt: skip
    finish(figure, x=setting, y=y, legend=True)
    if not sweeps:
        nothing(figure, "This experiment varies no numeric setting of a method.")
    measured = sorted({point.x for sweep in sweeps for point in sweep.points})
    if 0 < len(measured) <= _NAMED_VALUES:
        # Between them nothing was measured; of a count there is no half.
        figure.update_xaxes(tickvals=measured)
    return figure.update_layout(height=CURVES_HEIGHT + legend_room(figure))


def sweep_panels(settings: Sequence[Sequence[Sweep]], y: str, *, baseline: MethodValues | None) -> go.Figure:
    """The curves of every setting that varies, a panel each, below each other.

    Args:
        settings: The sweeps of each setting.
        y: Name and unit of the metric.
        baseline: The method to compare with.
    """
    if len(settings) < 2:
        return sweep_curves(settings[0] if settings else [], y, baseline=baseline)
    figure, named = go.Figure(), set[str]()
    share = 1 / len(settings)
    for place, sweeps in enumerate(settings):
        panel = sweep_curves(sweeps, y, baseline=baseline)
        suffix = "" if place == 0 else str(place + 1)
        for trace in panel.data:
            repeated = trace.name is not None and trace.name in named
            named.add(trace.name or "")
            trace.update(xaxis=f"x{suffix}", yaxis=f"y{suffix}", legendgroup=trace.name)
            figure.add_trace(trace.update(showlegend=False) if repeated else trace)
        if place == 0:
            figure.update_layout(panel.layout)
        for item in (*panel.layout.shapes, *panel.layout.annotations):
            if place > 0:
                add = figure.add_shape if isinstance(item, go.layout.Shape) else figure.add_annotation
                add(item.update(xref=f"x{suffix} domain", yref=f"y{suffix}"))
        top = 1 - place * share
        figure.layout[f"xaxis{suffix}"] = panel.layout.xaxis.to_plotly_json() | {"anchor": f"y{suffix}"}
        figure.layout[f"yaxis{suffix}"] = panel.layout.yaxis.to_plotly_json() | {
            "anchor": f"x{suffix}",
            "domain": [top - _PANEL * share, top],
        }
    return figure.update_layout(height=_PANEL_HEIGHT * len(settings) + legend_room(figure))


_PANEL: Final = 0.72
"""Share of a panel's room that is not its axis."""
_PANEL_HEIGHT: Final = 280


@dataclass(frozen=True, slots=True)
class ParallelAxis:
    """One setting or metric; a value per method, None where it has none."""

    title: str
    values: Sequence[float | None]
    decimals: int


_EDGE: Final = 0.02


def parallel(methods: Sequence[MethodValues], axes: Sequence[ParallelAxis]) -> go.Figure:
    """Settings and results of every method as a line across axes, each from its lowest to its highest value."""
    figure = go.Figure()
    spans = []
    for axis in axes:
        known = [value for value in axis.values if value is not None]
        spans.append((min(known), max(known)) if known else (0.0, 1.0))
    for place, method in enumerate(methods):
        heights: list[float | None] = []
        for axis, (low, high) in zip(axes, spans, strict=True):
            value = axis.values[place]
            heights.append(None if value is None else (value - low) / (high - low) if high > low else 0.5)
        texts = [
            f"{axis.title}: " + ("–" if (v := axis.values[place]) is None else f"{v:.{axis.decimals}f}")
            for axis in axes
        ]
        figure.add_trace(
            go.Scatter(
                x=list(range(len(axes))),
                y=heights,
                mode="lines+markers",
                line=line_style(method.family, method.constraint, ranks=method.ranks),
                marker=marker_style(method.family, method.constraint, ranks=method.ranks, size=8),
                name=plain(method.label),
                text=[plain(text) for text in texts],
                hovertemplate=f"{plain(method.label)}<br>%{{text}}<extra></extra>",
                meta={"method": method.label, "part": "mean"},
            )
        )
    finish(figure, x="", y="", legend=True)
    for place, (axis, (low, high)) in enumerate(zip(axes, spans, strict=True)):
        figure.add_vline(x=place, line={"color": GRID, "width": 1}, layer="below")
        for value, y, anchor in ((low, -_EDGE, "top"), (high, 1 + _EDGE, "bottom")):
            figure.add_annotation(
                x=place, y=y, text=f"{value:.{axis.decimals}f}", showarrow=False, yanchor=anchor,
                font={"size": 10, "color": MUTED},
            )  # fmt: skip
    figure.update_xaxes(
        tickvals=list(range(len(axes))),
        ticktext=[wrapped(plain(a.title), 12) for a in axes],
        showline=False,
        ticks="",
        tickangle=0,
    )
    figure.update_yaxes(visible=False, range=[-0.12, 1.12])
    return figure.update_layout(height=CURVES_HEIGHT + legend_room(figure))


def nothing(figure: go.Figure, words: str) -> go.Figure:
    """Say in the middle of an empty figure why it is empty."""
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure.add_annotation(
        text=wrapped(plain(words, 120), 32),
        x=0.5,
        y=0.5,
        xref="paper",
        yref="paper",
        showarrow=False,
        font={"color": MUTED},
    )
