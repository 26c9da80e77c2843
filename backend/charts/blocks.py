"""Figures over several data sets and models."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import plotly.graph_objects as go

from backend.charts.methods import MethodValues
from backend.charts.scatter import Pearson, label_places, pearson_words
from backend.charts.style import INK, MUTED, finish, marker_style, plain

HEIGHT: Final = 384
_SPREAD: Final = 0.6
"""Methods of a block stand side by side within this share of its place."""


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
    """Mean ± standard deviation of every method in every block, methods side by side; gaps stay gaps.

    Args:
        blocks: Each with the same methods in the same order.
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
                x=[index + shift for index in range(len(blocks))],
                y=[method.mean for method in methods],
                error_y={
                    "type": "data", "array": [method.std or 0.0 for method in methods], "color": INK,
                    "thickness": 1.2, "width": 3,
                },
                mode="markers",
                marker=marker_style(first.family, first.constraint, ranks=first.ranks, size=9),
                text=[plain(block.title) for block in blocks],
                name=name,
                hovertemplate=f"{name}<br>%{{text}}<br>%{{y:.1f}}<extra></extra>",
                meta={"method": label, "part": "mean"},
            )
        )  # fmt: skip
    finish(figure, x="", y=axis, legend=True)
    figure.update_layout(height=HEIGHT)
    figure.update_xaxes(
        tickvals=list(range(len(blocks))),
        ticktext=[plain(block.title).replace(" · ", "<br>") for block in blocks],
        range=[-0.6, max(0, len(blocks) - 1) + 0.6],
    )
    return figure


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
    figure.update_layout(height=HEIGHT, margin={"t": 32, "r": 24})
    words = "Pearson’s r needs four models." if pearson is None else pearson_words(pearson, "models")
    figure.add_annotation(
        text=words, x=0, y=1, xref="paper", yref="paper", xanchor="left", yanchor="bottom", yshift=6, showarrow=False,
        font={"size": 11, "color": MUTED},
    )  # fmt: skip
    return figure
