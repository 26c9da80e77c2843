"""One metric per method: seeds as dots, mean and standard deviation. Methods are rows, so names stay readable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import plotly.graph_objects as go

from aft.config.method import RANKING_METHODS
from backend.charts.style import INK, MUTED, bar_style, finish, marker_style, plain

ROW_HEIGHT: Final = 30
FRAME_HEIGHT: Final = 84
"""Pixels of axis, title and margins around the rows."""
SEED_SPREAD: Final = 0.24
"""Seeds share their method's row, each on a line of its own, so that equal values stay two dots."""


@dataclass(frozen=True, slots=True)
class MethodValues:
    """A method's values of one metric, in the unit shown."""

    label: str
    family: str
    constraint: str
    by_seed: dict[str, float]
    mean: float | None
    std: float | None
    runs: Mapping[str, str] = field(default_factory=dict)
    """The run behind each seed's value."""
    published: tuple[float, float | None] | None = None
    """The paper's mean and standard deviation."""

    @property
    def ranks(self) -> bool:
        """Whether the method has a ranking loss, to which a constraint could apply."""
        return self.family in RANKING_METHODS


@dataclass(frozen=True, slots=True)
class MetricAxis:
    """How a metric is shown."""

    title: str
    """Axis title with unit."""
    decimals: int
    bars: bool
    """Bars begin at zero; without bars a mean marker, for numbers where zero means nothing."""
    reference: tuple[float, str] | None = None
    """A line to compare with: value and label, e.g. chance."""


def by_method(methods: Sequence[MethodValues], axis: MetricAxis, *, baseline: str | None = None) -> go.Figure:
    """Mean per method with its standard deviation over seeds, and every seed as a dot.

    A method without a value keeps its place, marked as not measured.

    Args:
        methods: In the experiment's order; the first is drawn on top.
        axis: The metric.
        baseline: The label of the method whose mean is drawn through all rows.
    """
    figure = go.Figure()
    for row, method in enumerate(methods):
        if method.mean is None:
            figure.add_annotation(
                x=0, xref="paper", xanchor="left", xshift=6, y=row, text="not measured", showarrow=False,
                font={"size": 11, "color": MUTED},
            )  # fmt: skip
        figure.add_trace(_mean(method, row, axis))
    for row, method in enumerate(methods):
        figure.add_trace(_seeds(method, row, axis))
        if method.published is not None:
            figure.add_trace(_published(method, row, axis))
    finish(figure, x=axis.title, y="")
    _lines(figure, methods, axis, baseline)
    figure.update_layout(height=FRAME_HEIGHT + ROW_HEIGHT * max(1, len(methods)), margin={"l": 8, "t": 24, "b": 57})
    figure.update_xaxes(showgrid=True, rangemode="tozero" if axis.bars else "normal")
    figure.update_yaxes(
        tickvals=list(range(len(methods))),
        ticktext=[plain(method.label) for method in methods],
        range=[len(methods) - 0.4, -0.6],
        showgrid=False,
        ticks="",
        ticklabelstandoff=6,
    )
    return figure


def _mean(method: MethodValues, row: int, axis: MetricAxis) -> go.Bar | go.Scatter:
    label = plain(method.label)
    n = len(method.by_seed)
    error = {"type": "data", "array": [method.std], "color": INK, "thickness": 1.4, "width": 4}
    spread = "" if method.std is None else f" ± {method.std:.{axis.decimals}f} (standard deviation)"
    hover = f"{label}<br>mean %{{x:.{axis.decimals}f}}{spread}<br>{n} seed{'s' if n != 1 else ''}<extra></extra>"
    common: dict[str, Any] = {
        "x": [method.mean],
        "y": [row],
        "error_x": error if method.std is not None else None,
        "name": label,
        "hovertemplate": hover,
        "showlegend": False,
        "meta": {"method": method.label, "part": "mean"},
    }
    if axis.bars:
        style = bar_style(method.family, method.constraint, ranks=method.ranks)
        return go.Bar(**common, orientation="h", width=0.66, marker=style)
    marker = marker_style(method.family, method.constraint, ranks=method.ranks, size=12)
    return go.Scatter(**common, mode="markers", marker=marker | {"symbol": "square"})


def _seeds(method: MethodValues, row: int, axis: MetricAxis) -> go.Scatter:
    seeds = sorted(method.by_seed, key=_by_number)
    step = 2 * SEED_SPREAD / (len(seeds) - 1) if len(seeds) > 1 else 0.0
    return go.Scatter(
        x=[method.by_seed[seed] for seed in seeds],
        y=[row + (place * step - SEED_SPREAD if len(seeds) > 1 else 0.0) for place in range(len(seeds))],
        customdata=[[seed, method.runs.get(seed)] for seed in seeds],
        mode="markers",
        marker={"color": "#FFFFFF", "size": 5.5, "line": {"color": "#111827", "width": 1.1}},
        name=plain(method.label),
        hovertemplate=(f"{plain(method.label)}<br>seed %{{customdata[0]}}: %{{x:.{axis.decimals}f}}<extra></extra>"),
        showlegend=False,
        meta={"method": method.label, "part": "seed"},
    )


def _published(method: MethodValues, row: int, axis: MetricAxis) -> go.Scatter:
    value, std = method.published or (0.0, None)
    spread = "" if std is None else f" ± {std:.2f}"
    return go.Scatter(
        x=[value],
        y=[row],
        mode="markers",
        marker={"color": "#000000", "symbol": "diamond", "size": 7},
        name="Published",
        hovertemplate=f"{plain(method.label)}<br>published %{{x:.{max(2, axis.decimals)}f}}{spread}<extra></extra>",
        showlegend=False,
        meta={"method": method.label, "part": "published"},
    )


def _lines(figure: go.Figure, methods: Sequence[MethodValues], axis: MetricAxis, baseline: str | None) -> None:
    drawn = [(axis.reference[0], axis.reference[1])] if axis.reference is not None else []
    drawn += [(m.mean, plain(m.label)) for m in methods if m.label == baseline and m.mean is not None]
    for value, label in drawn:
        figure.add_vline(
            x=value, line={"color": MUTED, "width": 1, "dash": "dot"}, layer="below", annotation_text=plain(label),
            annotation_position="top", annotation_font={"size": 10, "color": MUTED},
        )  # fmt: skip


def _by_number(seed: str) -> tuple[int, str]:
    return (int(seed), "") if seed.isdigit() else (2**31, seed)
