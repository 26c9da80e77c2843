"""What β does over a data set: the share of worse COTs that a step pushes down."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import plotly.graph_objects as go

from backend.charts.style import INK, MUTED, colour, finish, half_tone, line_style

PAPER_GRID: Final = tuple(round(0.05 * step, 2) for step in range(11))
"""The β values that the paper searches: 0 to 0.5 in steps of 0.05."""
_NAMES: Final = {"none": "AFT · none", "detached": "AFT · detached", "boundary": "AFT · boundary"}


@dataclass(frozen=True, slots=True)
class ShareCurve:
    """One constraint's shares, at the same β values as all others."""

    constraint: str
    shares: Sequence[float | None]
    """Fractions; None where nothing can be measured."""


def pushed_down_curves(
    betas: Sequence[float], curves: Sequence[ShareCurve], *, beta: float, here: float | None
) -> go.Figure:
    """Share of the worse COTs pushed down over β, the paper's grid and the chosen β marked.

    Args:
        betas: Values of β, nats a token, ascending.
        curves: One for each constraint.
        beta: The chosen β.
        here: Share under the boundary constraint at the chosen β.
    """
    figure = go.Figure()
    for curve in curves:
        figure.add_trace(
            go.Scatter(
                x=list(betas),
                y=[None if share is None else 100 * share for share in curve.shares],
                mode="lines",
                line=line_style("aft", curve.constraint, ranks=True),
                name=_NAMES[curve.constraint],
                hovertemplate="β %{x:.2f}<br>%{y:.1f} % pushed down<extra></extra>",
                meta={"part": "curve", "constraint": curve.constraint},
            )
        )
    boundary = next((dict(zip(betas, c.shares, strict=True)) for c in curves if c.constraint == "boundary"), {})
    grid = [(at, boundary[at]) for at in PAPER_GRID if boundary.get(at) is not None]
    figure.add_trace(
        go.Scatter(
            x=[at for at, _ in grid],
            y=[100 * share for _, share in grid if share is not None],
            mode="markers",
            marker={"symbol": "diamond", "size": 6, "color": INK},
            name="the paper's search grid",
            hoverinfo="skip",
            meta={"part": "grid"},
        )
    )
    if here is not None:
        figure.add_trace(
            go.Scatter(
                x=[beta],
                y=[100 * here],
                mode="markers",
                marker={"size": 12, "color": half_tone(colour("aft")), "line": {"color": colour("aft"), "width": 2}},
                showlegend=False,
                hovertemplate="β %{x:.3f}<br>%{y:.1f} % pushed down<extra></extra>",
                meta={"part": "here"},
            )
        )
    figure.add_vline(x=beta, line={"color": MUTED, "width": 1, "dash": "dot"}, layer="below")
    finish(figure, x="β (nats/token)", y="Worse COTs pushed down (%)", legend=True)
    figure.update_xaxes(range=[min(betas) - 0.02, max(max(betas), beta) + 0.02])
    figure.update_yaxes(range=[-3, 103])
    return figure
