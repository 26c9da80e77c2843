"""Two kinds of numbers for each method, methods as rows: score distributions, and changes against a baseline."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import plotly.graph_objects as go

from backend.charts.methods import FRAME_HEIGHT, ROW_HEIGHT
from backend.charts.style import MUTED, finish, plain, wrapped

RIGHT: Final = "#0F766E"
WRONG: Final = "#D55E00"
QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
_OFFSET: Final = 0.17


@dataclass(frozen=True, slots=True)
class ScoreQuantiles:
    """Scores of a method's fresh candidates at `QUANTILES`; None on a side without candidates."""

    label: str
    right: Sequence[float] | None
    wrong: Sequence[float] | None
    n_right: int
    n_wrong: int


def score_distributions(methods: Sequence[ScoreQuantiles]) -> go.Figure:
    """Scores of right and of wrong COTs under each method: middle half thick, 5 to 95 % thin, median a mark."""
    figure = go.Figure()
    for word, tone, symbol, side in (("right", RIGHT, "circle", -1), ("wrong", WRONG, "x", 1)):
        for row, method in enumerate(methods):
            quantiles, n = (method.right, method.n_right) if word == "right" else (method.wrong, method.n_wrong)
            if quantiles is None:
                continue
            low, first, middle, third, high = quantiles
            y = row + side * _OFFSET
            meta = {"method": method.label, "part": word}
            for ends, width in (((low, high), 1.5), ((first, third), 7)):
                figure.add_trace(
                    go.Scatter(
                        x=list(ends), y=[y, y], mode="lines", line={"color": tone, "width": width}, hoverinfo="skip",
                        showlegend=False, meta=meta, legendgroup=word,
                    )
                )  # fmt: skip
            figure.add_trace(
                go.Scatter(
                    x=[middle],
                    y=[y],
                    mode="markers",
                    marker={"color": "#FFFFFF", "symbol": symbol, "size": 5, "line": {"color": tone, "width": 1.2}},
                    name=f"{word} COTs",
                    legendgroup=word,
                    showlegend=False,
                    customdata=[[low, first, third, high, n]],
                    hovertemplate=(
                        f"{plain(method.label)} · {word}<br>median %{{x:.3f}}<br>half between %{{customdata[1]:.3f}} "
                        "and %{customdata[2]:.3f}<br>%{customdata[4]} COTs<extra></extra>"
                    ),
                    meta=meta,
                )
            )
        figure.add_trace(
            go.Scatter(
                x=[None], y=[None], mode="lines", line={"color": tone, "width": 7}, name=f"{word} COTs",
            )
        )  # fmt: skip
    finish(figure, x="Score (nats/token)", y="", legend=True)
    return method_rows(figure, [method.label for method in methods])


def method_rows(figure: go.Figure, labels: Sequence[str]) -> go.Figure:
    """Name the rows of a figure whose y is the method's place, the first on top."""
    figure.update_layout(height=FRAME_HEIGHT + 28 + ROW_HEIGHT * max(1, len(labels)), margin={"l": 8})
    figure.update_xaxes(showgrid=True)
    figure.update_yaxes(
        tickvals=list(range(len(labels))),
        ticktext=[plain(label) for label in labels],
        range=[len(labels) - 0.4, -0.6],
        showgrid=False,
        ticks="",
        ticklabelstandoff=6,
    )
    return figure


@dataclass(frozen=True, slots=True)
class Change:
    """A method's changes against the baseline, in the unit shown; None where not measured."""

    label: str
    assessment: float | None
    task: float | None
    perplexity: float | None
    degraded: bool
    """Worse answers and higher perplexity, beyond the spread over seeds."""


_PARTS: Final = (
    ("assessment", "Assessment accuracy (points)", 1),
    ("task", "Task accuracy (points)", 1),
    ("perplexity", "Perplexity", 2),
)


def degradation(changes: Sequence[Change]) -> go.Figure:
    """Assessment accuracy, task accuracy and perplexity against the baseline, side by side; degraded methods marked."""
    figure = go.Figure()
    for part, (name, title, decimals) in enumerate(_PARTS):
        axis = "" if part == 0 else str(part + 1)
        for row, change in enumerate(changes):
            value = getattr(change, name)
            if value is None:
                continue
            worse = value > 0 if name == "perplexity" else value < 0
            tone = MUTED if abs(value) < 0.5 * 10**-decimals else WRONG if worse else RIGHT
            figure.add_trace(
                go.Bar(
                    x=[value], y=[row], orientation="h", width=0.6, xaxis=f"x{axis}", yaxis="y", showlegend=False,
                    marker={"color": tone, "opacity": 1.0 if change.degraded else 0.55}, name=plain(change.label),
                    hovertemplate=f"{plain(change.label)}<br>{title}: %{{x:+.{decimals}f}}<extra></extra>",
                    meta={"method": change.label, "part": "mean"},
                )
            )  # fmt: skip
    finish(figure, x="", y="")
    method_rows(figure, [change.label + (" ⚠" if change.degraded else "") for change in changes])
    gap = 0.07
    width = (1 - 2 * gap) / 3
    for part, (_, title, _) in enumerate(_PARTS):
        start = part * (width + gap)
        key = "xaxis" if part == 0 else f"xaxis{part + 1}"
        # One column of a journal leaves a panel half an inch.
        title_look = {"text": wrapped(title, 12), "standoff": 8, "font": {"size": 10}}
        look = {"domain": [start, start + width], "anchor": "y", "title": title_look}
        line = {"zeroline": True, "zerolinecolor": MUTED, "showgrid": True, "gridcolor": "#E5E7EB", "nticks": 3}
        figure.update_layout({key: look | line | {"tickangle": 0, "tickfont": {"size": 10}}})
    return figure.update_layout(margin={"b": 80}, height=figure.layout.height + 32)
