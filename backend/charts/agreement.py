"""One rater against another, COT by COT."""

from collections import Counter
from collections.abc import Sequence

import plotly.graph_objects as go

from backend.charts.style import FAMILY_COLOURS, MUTED, finish, plain

HEIGHT = 384
_LARGEST = 28.0


def one_against_other(
    points: Sequence[tuple[float, float]], *, one: str, other: str, low: float, high: float, unit: str
) -> go.Figure:
    """Values of two raters; equal points are one dot whose area is their number, the diagonal is agreement.

    Args:
        points: (one's, other's) value of each COT.
        one: Name on the horizontal axis.
        other: Name on the vertical axis.
        low: Lowest value of the scale.
        high: Its highest.
        unit: The scale in words.
    """
    counted = Counter((round(x, 6), round(y, 6)) for x, y in points)
    most = max(counted.values(), default=1)
    places = sorted(counted)
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=[low, high],
            y=[low, high],
            mode="lines",
            line={"color": MUTED, "width": 1, "dash": "dot"},
            hoverinfo="skip",
            name="equal",
            showlegend=False,
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[x for x, _ in places],
            y=[y for _, y in places],
            customdata=[counted[place] for place in places],
            mode="markers",
            marker={
                "color": FAMILY_COLOURS["aft"],
                "opacity": 0.7,
                "line": {"width": 0},
                # Areas, so that twice as many COTs look like twice as many.
                "size": [max(5.0, _LARGEST * (counted[place] / most) ** 0.5) if most > 1 else 7.0 for place in places],
            },
            name="COTs",
            hovertemplate=(
                f"{plain(one)} %{{x:.2f}}<br>{plain(other)} %{{y:.2f}}<br>%{{customdata}} COTs<extra></extra>"
            ),
            showlegend=False,
        )
    )
    finish(figure, x=f"{plain(one)} ({unit})", y=f"{plain(other)} ({unit})")
    margin = (high - low) * 0.08
    figure.update_xaxes(range=[low - margin, high + margin], showgrid=True)
    figure.update_yaxes(range=[low - margin, high + margin])
    figure.update_layout(height=HEIGHT)
    return figure
