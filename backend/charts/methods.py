"""One metric per method: seeds as dots, mean and standard deviation; and task against assessment accuracy."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from aft.config.method import RANKING_METHODS
from backend.charts.style import MUTED, bar_style, colour, finish, marker_style, plain


@dataclass(frozen=True, slots=True)
class MethodValues:
    """A method's values of one metric, in the unit shown."""

    label: str
    family: str
    constraint: str
    by_seed: dict[str, float]
    mean: float | None
    std: float | None

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


def by_method(methods: Sequence[MethodValues], axis: MetricAxis) -> go.Figure:
    """Mean per method with its standard deviation over seeds, and every seed as a dot.

    A method without a value keeps its place, marked as not measured.
    """
    figure = go.Figure()
    for method in methods:
        if method.mean is None:
            figure.add_annotation(
                x=plain(method.label), y=0, yref="paper", text="not measured", showarrow=False, textangle=-90,
                yanchor="bottom", font={"size": 10, "color": MUTED},
            )  # fmt: skip
        figure.add_trace(_mean(method, axis))
    for method in methods:
        seeds = sorted(method.by_seed)
        figure.add_trace(
            go.Scatter(
                x=[plain(method.label)] * len(seeds),
                y=[method.by_seed[seed] for seed in seeds],
                customdata=seeds,
                mode="markers",
                marker={"color": "#FFFFFF", "size": 6, "line": {"color": "#111827", "width": 1.2}},
                hovertemplate=f"%{{x}}<br>seed %{{customdata}}: %{{y:.{axis.decimals}f}}<extra></extra>",
                showlegend=False,
            )
        )
    if axis.reference is not None:
        value, label = axis.reference
        figure.add_hline(
            y=value, line={"color": MUTED, "width": 1, "dash": "dot"}, annotation_text=plain(label),
            annotation_position="top right", annotation_font={"size": 10, "color": MUTED},
        )  # fmt: skip
    finish(figure, x="", y=axis.title)
    figure.update_xaxes(
        categoryorder="array",
        categoryarray=[plain(method.label) for method in methods],
        range=[-0.6, len(methods) - 0.4],
        tickangle=-35 if len(methods) > 4 else 0,
    )
    if axis.bars:
        figure.update_yaxes(rangemode="tozero")
    return figure


def _mean(method: MethodValues, axis: MetricAxis) -> go.Bar | go.Scatter:
    label = plain(method.label)
    n = len(method.by_seed)
    error = {"type": "data", "array": [method.std], "color": "#111827", "thickness": 1.2, "width": 5}
    spread = "" if method.std is None else f" ± {method.std:.{axis.decimals}f} (standard deviation)"
    hover = f"{label}<br>mean %{{y:.{axis.decimals}f}}{spread}<br>{n} seed{'s' if n != 1 else ''}<extra></extra>"
    common = {
        "x": [label],
        "y": [method.mean],
        "error_y": error if method.std is not None else None,
        "name": label,
        "hovertemplate": hover,
        "showlegend": False,
    }
    if axis.bars:
        return go.Bar(**common, marker=bar_style(method.family, method.constraint, ranks=method.ranks))
    marker = marker_style(method.family, method.constraint, ranks=method.ranks, size=13)
    return go.Scatter(**common, mode="markers", marker=marker | {"symbol": "square"})


def task_against_assessment(
    methods: Sequence[tuple[MethodValues, MethodValues]], *, pearson: tuple[float, float, float] | None
) -> go.Figure:
    """Every method's mean task accuracy against its mean assessment accuracy, with Pearson's r.

    Args:
        methods: Task and assessment values of each method, in percent.
        pearson: r and its 95 % interval over the methods' means; None with fewer than four.
    """
    figure = go.Figure()
    for task, assessment in methods:
        seeds = sorted(set(task.by_seed) & set(assessment.by_seed))
        label = plain(task.label)
        figure.add_trace(
            go.Scatter(
                x=[assessment.by_seed[seed] for seed in seeds],
                y=[task.by_seed[seed] for seed in seeds],
                customdata=seeds,
                mode="markers",
                marker={"color": colour(task.family), "opacity": 0.35, "size": 5},
                hovertemplate=(
                    f"{label} · seed %{{customdata}}<br>assessment %{{x:.1f}} %<br>task %{{y:.1f}} %<extra></extra>"
                ),
                showlegend=False,
            )
        )
        if task.mean is None or assessment.mean is None:
            continue
        figure.add_trace(
            go.Scatter(
                x=[assessment.mean],
                y=[task.mean],
                mode="markers",
                marker=marker_style(task.family, task.constraint, ranks=task.ranks, size=12),
                name=label,
                hovertemplate=f"{label}<br>assessment %{{x:.1f}} %<br>task %{{y:.1f}} %<extra></extra>",
            )
        )
    finish(figure, x="Assessment accuracy (%)", y="Task accuracy (%)", legend=True)
    if pearson is not None:
        r, low, high = pearson
        figure.add_annotation(
            text=f"Pearson's r = {r:.2f} (95 % {low:.2f} to {high:.2f})", x=1, y=0, xref="paper", yref="paper",
            xanchor="right", yanchor="bottom", showarrow=False, font={"size": 11, "color": MUTED},
        )  # fmt: skip
    return figure
