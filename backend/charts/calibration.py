"""Whether a higher score means a more probably right COT."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from aft.config.method import RANKING_METHODS
from backend.charts.curves import CURVES_HEIGHT
from backend.charts.style import finish, legend_room, line_style, plain


@dataclass(frozen=True, slots=True)
class Calibration:
    """Share of right COTs by tenth of the candidates, from the lowest to the highest scores."""

    label: str
    family: str
    constraint: str
    shares: Sequence[float]
    """In percent."""
    mean_scores: Sequence[float]
    n: int


def right_by_score(scored: Sequence[tuple[float, bool]], parts: int = 10) -> tuple[list[float], list[float]]:
    """Shares of right COTs (percent) and mean scores, in ``parts`` equal parts of the candidates by score.

    Args:
        scored: Score and whether the COT is right.
        parts: How many parts; fewer candidates than parts give nothing.
    """
    ordered = sorted(scored)
    if len(ordered) < parts:
        return [], []
    shares, means = [], []
    for part in range(parts):
        chunk = ordered[part * len(ordered) // parts : (part + 1) * len(ordered) // parts]
        shares.append(100 * sum(right for _, right in chunk) / len(chunk))
        means.append(sum(score for score, _ in chunk) / len(chunk))
    return shares, means


def calibration_curves(methods: Sequence[Calibration]) -> go.Figure:
    """Right COTs by tenth of the scores: a model that judges well rises steeply."""
    figure = go.Figure()
    for method in methods:
        if not method.shares:
            continue
        label = plain(method.label)
        figure.add_trace(
            go.Scatter(
                x=list(range(1, len(method.shares) + 1)),
                y=list(method.shares),
                mode="lines+markers",
                line=line_style(method.family, method.constraint, ranks=method.family in RANKING_METHODS),
                marker={"size": 5},
                name=label,
                customdata=list(method.mean_scores),
                hovertemplate=(
                    f"{label}<br>tenth %{{x}} of the scores, mean %{{customdata:.3f}} nats/token<br>"
                    "%{y:.1f} % right<extra></extra>"
                ),
                meta={"method": method.label, "part": "mean"},
            )
        )
    finish(figure, x="Tenth of the COTs by score, lowest first", y="Right COTs (%)", legend=True)
    figure.update_xaxes(dtick=1, range=[0.7, 10.3])
    figure.update_yaxes(rangemode="tozero")
    return figure.update_layout(height=CURVES_HEIGHT + legend_room(figure))
