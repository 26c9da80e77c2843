"""Series over training steps: one run's, and a method's over its seeds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from aft.config.method import RANKING_METHODS
from backend.charts.style import CURVE_MARKER, MUTED, finish, legend_room, line_style, plain

Points = Sequence[tuple[int, float]]
CURVES_HEIGHT = 384

LOSS_NAMES = {
    "train/loss": ("Loss", "#1F2937", "solid"),
    "train/loss_vft": ("VFT part", "#6B7280", "dot"),
    "train/loss_rank": ("Ranking part", "#0072B2", "dash"),
}
PUSH_NAMES = {
    "train/push_up": ("Pushed up", "#0F766E", "solid"),
    "train/push_down": ("Pushed down", "#D55E00", "dash"),
}


def loss_curves(series: Mapping[str, Points]) -> go.Figure:
    """The loss and its parts over the optimizer steps."""
    return _named(series, LOSS_NAMES, "Loss (nats/token + ranking loss)")


def push_curves(series: Mapping[str, Points]) -> go.Figure:
    """Total gradient on scores per question, upwards on better and downwards on worse candidates."""
    return _named(series, PUSH_NAMES, "Sum of |dL/ds| per question")


def _named(series: Mapping[str, Points], names: Mapping[str, tuple[str, str, str]], y: str) -> go.Figure:
    figure = go.Figure()
    for name, (label, tone, dash) in names.items():
        points = series.get(name, ())
        if not points:
            continue
        figure.add_trace(
            go.Scatter(
                x=[step for step, _ in points],
                y=[value for _, value in points],
                mode="lines",
                line={"color": tone, "dash": dash, "width": 1.6},
                name=plain(label),
                hovertemplate="step %{x}<br>%{y:.4g}<extra>" + plain(label) + "</extra>",
            )
        )
    return finish(figure, x="Optimizer step", y=y, legend=True)


@dataclass(frozen=True, slots=True)
class MethodSeries:
    """A metric of one method over steps, for each seed."""

    label: str
    family: str
    constraint: str
    by_seed: Mapping[str, Points]


def method_curves(
    methods: Sequence[MethodSeries], y: str, *, bounds: tuple[float, float] = (-math.inf, math.inf)
) -> go.Figure:
    """Mean over seeds per method; the band is one standard deviation over the seeds with a value at the step.

    Args:
        methods: The methods.
        y: Title of the axis.
        bounds: What a value can be at least and at most; no band leaves them.
    """
    figure = go.Figure()
    for method in methods:
        ranks = method.family in RANKING_METHODS
        line = line_style(method.family, method.constraint, ranks=ranks)
        steps, means, spreads = mean_over_seeds(method.by_seed)
        if not steps:
            continue
        label = plain(method.label)
        meta = {"method": method.label, "part": "band"}
        if any(spread > 0 for spread in spreads):
            edge = [min(m + s, bounds[1]) for m, s in zip(means, spreads, strict=True)]
            edge += [max(m - s, bounds[0]) for m, s in zip(reversed(means), reversed(spreads), strict=True)]
            figure.add_trace(
                go.Scatter(
                    x=steps + steps[::-1], y=edge, fill="toself", fillcolor=line["color"], opacity=0.15,
                    line={"width": 0}, hoverinfo="skip", showlegend=False, legendgroup=label, meta=meta,
                )
            )  # fmt: skip
        figure.add_trace(
            go.Scatter(
                x=steps, y=means, mode="lines+markers", line=line, marker=CURVE_MARKER, name=label, legendgroup=label,
                customdata=spreads, meta=meta | {"part": "mean"},
                hovertemplate=f"{label}<br>step %{{x}}<br>%{{y:.2f}} ± %{{customdata:.2f}}<extra></extra>",
            )
        )  # fmt: skip
    if any(trace.fill == "toself" for trace in figure.data):
        figure.add_trace(
            go.Scatter(
                x=[None], y=[None], mode="markers", name="band: ± standard deviation over seeds", hoverinfo="skip",
                marker={"symbol": "square", "size": 10, "color": MUTED, "opacity": 0.3},
            )
        )  # fmt: skip
    return finish(figure, x="Optimizer step", y=y, legend=True).update_layout(
        height=CURVES_HEIGHT + legend_room(figure)
    )


def mean_over_seeds(by_seed: Mapping[str, Points]) -> tuple[list[int], list[float], list[float]]:
    """Steps, means and standard deviations over the seeds with a value at the step."""
    at_step: dict[int, list[float]] = {}
    for points in by_seed.values():
        for step, value in points:
            at_step.setdefault(step, []).append(value)
    steps = sorted(at_step)
    means = [sum(at_step[step]) / len(at_step[step]) for step in steps]
    spreads = []
    for step, mean in zip(steps, means, strict=True):
        values = at_step[step]
        variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1) if len(values) > 1 else 0.0
        spreads.append(variance**0.5)
    return steps, means, spreads


def push_by_method(up: Sequence[MethodSeries], down: Sequence[MethodSeries]) -> go.Figure:
    """Total gradient on better scores upwards and on worse scores downwards, mean over seeds per method."""
    figure = go.Figure()
    for sign, methods in ((1, up), (-1, down)):
        for method in methods:
            steps, means, _ = mean_over_seeds(method.by_seed)
            if not steps:
                continue
            label = plain(method.label)
            word = "up on better" if sign > 0 else "down on worse"
            figure.add_trace(
                go.Scatter(
                    x=steps,
                    y=[sign * value for value in means],
                    mode="lines",
                    line=line_style(method.family, method.constraint, ranks=method.family in RANKING_METHODS),
                    name=label,
                    legendgroup=label,
                    showlegend=sign > 0,
                    customdata=means,
                    hovertemplate=f"{label}, {word}<br>step %{{x}}: %{{customdata:.3g}}<extra></extra>",
                    meta={"method": method.label, "part": "mean"},
                )
            )
    figure.add_hline(y=0, line={"color": MUTED, "width": 1})
    for y, words in ((1, "better COTs up"), (0, "worse COTs down")):
        figure.add_annotation(
            x=1, y=y, xref="paper", yref="paper", xanchor="right", yanchor="top" if y else "bottom", text=words,
            showarrow=False, font={"size": 10, "color": MUTED},
        )  # fmt: skip
    finish(figure, x="Optimizer step", y="Push per question, Σ|dL/ds|", legend=True)
    return figure.update_layout(height=CURVES_HEIGHT + legend_room(figure))
