"""Figures over several data sets and models."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import plotly.graph_objects as go

from backend.charts.methods import MethodValues
from backend.charts.scatter import Pearson, label_places, pearson_words
from backend.charts.style import GRID, INK, MUTED, finish, marker_style, plain

HEIGHT: Final = 384
_SPREAD: Final = 0.6
"""Methods of a block stand below each other within this share of its band."""
_METHOD_HEIGHT: Final = 15
_LINE_HEIGHT: Final = 14
_FRAME_HEIGHT: Final = 150
"""Pixels of the axis, its title and the legend."""
_LINE_LENGTH: Final = 20
_MOST_LINES: Final = 4


@dataclass(frozen=True, slots=True)
class BlockValues:
    """A data set and model with its methods, in the unit shown."""

    title: str
    methods: Sequence[MethodValues]


@dataclass(frozen=True, slots=True)
class ModelSpot:
    """A model's means, in percent."""

    title: str
    assessment: float
    task: float


def by_block(blocks: Sequence[BlockValues], axis: str) -> go.Figure:
    """Mean ± standard deviation of every method, a band for each block, methods below each other; gaps stay gaps.

    Args:
        blocks: Each with the same methods in the same order; the first is drawn on top.
        axis: The metric with its unit.
    """
    figure = go.Figure()
    labels = [method.label for method in blocks[0].methods] if blocks else []
    step = _SPREAD / max(1, len(labels) - 1)
    for place, label in enumerate(labels):
        methods = [block.methods[place] for block in blocks]
        shift = place * step - _SPREAD / 2 if len(labels) > 1 else 0.0
        first, name = methods[0], plain(label)
        figure.add_trace(
            go.Scatter(
                x=[method.mean for method in methods],
                y=[index + shift for index in range(len(blocks))],
                error_x={
                    "type": "data", "array": [method.std or 0.0 for method in methods], "color": INK,
                    "thickness": 1.2, "width": 3,
                },
                mode="markers",
                marker=marker_style(first.family, first.constraint, ranks=first.ranks, size=9),
                text=[plain(block.title, 160) for block in blocks],
                name=name,
                hovertemplate=f"{name}<br>%{{text}}<br>%{{x:.1f}}<extra></extra>",
                meta={"method": label, "part": "mean"},
            )
        )  # fmt: skip
    finish(figure, x=axis, y="", legend=True)
    titles = [_in_lines(block.title) for block in blocks]
    band = max(_LINE_HEIGHT * max((len(lines) for lines in titles), default=1) + 8, _METHOD_HEIGHT * len(labels))
    # Outside the plot, where the number of legend rows moves nothing.
    figure.update_layout(
        height=_FRAME_HEIGHT + band * max(1, len(blocks)),
        margin={"l": 8},
        legend={"y": 0, "yref": "container", "yanchor": "bottom"},
    )
    figure.update_xaxes(showgrid=True)
    figure.update_yaxes(
        tickvals=list(range(len(blocks))),
        ticktext=["<br>".join(plain(line) for line in lines) for lines in titles],
        tickfont={"size": 11},
        range=[max(0, len(blocks) - 1) + 0.5, -0.5],
        showgrid=False,
        ticks="",
        ticklabelstandoff=6,
    )
    for index in range(1, len(blocks)):
        figure.add_hline(y=index - 0.5, line={"color": GRID, "width": 1}, layer="below")
    return figure


def _in_lines(title: str) -> list[str]:
    """A block's name in at most four lines that leave room for the figure on a telephone."""
    lines = [line for part in title.split(" · ") for line in textwrap.wrap(part, _LINE_LENGTH, break_on_hyphens=False)]
    return lines if len(lines) <= _MOST_LINES else [*lines[: _MOST_LINES - 1], f"{lines[_MOST_LINES - 1]} …"]


def over_models(spots: Sequence[ModelSpot], *, pearson: Pearson | None) -> go.Figure:
    """Task against assessment accuracy, a point a model, with Pearson's r over models (Table 1).

    Args:
        spots: One method's means under each model.
        pearson: None with fewer than four models.
    """
    figure = go.Figure()
    named = [plain(spot.title) for spot in spots]
    places = label_places([(spot.assessment, spot.task) for spot in spots], named)
    figure.add_trace(
        go.Scatter(
            x=[spot.assessment for spot in spots],
            y=[spot.task for spot in spots],
            mode="markers+text",
            marker={"color": INK, "size": 10},
            text=named,
            textposition=places,
            textfont={"size": 10.5, "color": INK},
            cliponaxis=False,
            showlegend=False,
            hovertemplate="%{text}<br>assessment %{x:.1f} %<br>task %{y:.1f} %<extra></extra>",
        )
    )
    finish(figure, x="Assessment accuracy (%)", y="Task accuracy (%)")
    figure.update_layout(height=HEIGHT, margin={"t": 44, "r": 24})
    words = "Pearson’s r needs four models." if pearson is None else pearson_words(pearson, "models")
    figure.add_annotation(
        text=words, x=0, y=1, xref="paper", yref="paper", xanchor="left", align="left", yanchor="bottom", yshift=6,
        showarrow=False, font={"size": 11, "color": MUTED},
    )  # fmt: skip
    return figure
