"""Task accuracy against assessment accuracy: is a model that judges better also one that answers better?"""

from collections.abc import Sequence
from typing import Final

import plotly.graph_objects as go

from backend.charts.methods import MethodValues
from backend.charts.style import INK, MUTED, colour, finish, marker_style, plain

HEIGHT: Final = 384
Spot = tuple[float, float]
Pearson = tuple[float, float, float, int]
"""r, its 95 % interval and the number of points."""
_CHARACTER: Final = 0.0145
_LINE: Final = 0.056
"""Width of a character and height of a line of a label, as shares of a plot two columns wide."""
_ROUNDS: Final = 4
_CROWDED: Final = 0.3
"""Share of a name's box that may lie on others."""


def task_against_assessment(
    methods: Sequence[tuple[MethodValues, MethodValues]], *, pearson: Pearson | None
) -> go.Figure:
    """Every method's mean task accuracy against its mean assessment accuracy, with Pearson's r.

    Args:
        methods: Task and assessment values of each method, in percent.
        pearson: r, its 95 % interval and the number of methods; None with fewer than four.
    """
    figure = go.Figure()
    for task, assessment in methods:
        figure.add_trace(_seeds(task, assessment))
    measured = [
        (task, (assessment.mean, task.mean))
        for task, assessment in methods
        if task.mean is not None and assessment.mean is not None
    ]
    drawn = [
        (x, y) for task, a in methods for seed, y in task.by_seed.items() if (x := a.by_seed.get(seed)) is not None
    ]
    places = label_places([spot for _, spot in measured], [task.label for task, _ in measured], drawn)
    for (task, (x, y)), place in zip(measured, places, strict=True):
        label = plain(task.label)
        figure.add_trace(
            go.Scatter(
                x=[x],
                y=[y],
                mode="markers+text" if place else "markers",
                marker=marker_style(task.family, task.constraint, ranks=task.ranks, size=11),
                text=[label],
                textposition=place or None,
                textfont={"size": 10.5, "color": INK},
                cliponaxis=False,
                name=label,
                showlegend=False,
                hovertemplate=f"{label}<br>assessment %{{x:.1f}} %<br>task %{{y:.1f}} %<extra></extra>",
                meta={"method": task.label, "part": "mean"},
            )
        )
    finish(figure, x="Assessment accuracy (%)", y="Task accuracy (%)")
    figure.update_layout(height=HEIGHT, margin={"t": 44, "r": 24})
    if pearson is not None:
        figure.add_annotation(
            text=pearson_words(pearson, "methods"),
            x=0, y=1, xref="paper", yref="paper", xanchor="left", align="left", yanchor="bottom", yshift=6,
            showarrow=False, font={"size": 11, "color": MUTED},
        )  # fmt: skip
    return figure


def pearson_words(found: Pearson, what: str) -> str:
    """R with its interval and the number of points."""
    r, low, high, n = found
    return f"Pearson’s r = {_signed(r)}<br>(95 % interval {_signed(low)} to {_signed(high)}; {n} {what})"


def _seeds(task: MethodValues, assessment: MethodValues) -> go.Scatter:
    seeds = sorted(set(task.by_seed) & set(assessment.by_seed))
    label = plain(task.label)
    return go.Scatter(
        x=[assessment.by_seed[seed] for seed in seeds],
        y=[task.by_seed[seed] for seed in seeds],
        customdata=[[seed, task.runs.get(seed)] for seed in seeds],
        mode="markers",
        marker={"color": colour(task.family), "opacity": 0.4, "size": 5},
        name=label,
        hovertemplate=(
            f"{label} · seed %{{customdata[0]}}<br>assessment %{{x:.1f}} %<br>task %{{y:.1f}} %<extra></extra>"
        ),
        showlegend=False,
        meta={"method": task.label, "part": "seed"},
    )


def label_places(spots: Sequence[Spot], labels: Sequence[str], drawn: Sequence[Spot] = ()) -> list[str]:
    """Where each point's name stands, so that names lie on neither points nor each other where that is possible.

    Each name takes the side with the least overlap with what is placed already, in the order given, and then again
    beside all others, until none moves. A name that still covers much of others stands nowhere, an empty place: the
    point says it when it is pointed at.

    Args:
        spots: The points with names.
        labels: Their names.
        drawn: Smaller points, which stretch the axes too.
    """
    if not spots:
        return []
    xs, ys = [x for x, _ in (*spots, *drawn)], [y for _, y in (*spots, *drawn)]
    across, up = _shares(xs), _shares(ys)
    points = list(zip(across[: len(spots)], up[: len(spots)], strict=True))
    dots = [_box(x, y, 0.016, 0.026) for x, y in points]
    sides = [_sides(x, y, _CHARACTER * len(label) / 2) for (x, y), label in zip(points, labels, strict=True)]
    chosen: dict[int, str] = {}
    for _ in range(_ROUNDS):
        before = dict(chosen)
        for index, of_point in enumerate(sides):
            taken = dots + [sides[other][side] for other, side in chosen.items() if other != index]
            costs = {side: _cost(box, taken) for side, box in of_point.items()}
            chosen[index] = min(costs, key=costs.__getitem__)
        if chosen == before:
            break
    for index in reversed(range(len(sides))):
        box = sides[index][chosen[index]]
        others = dots + [sides[other][side] for other, side in chosen.items() if other != index]
        if _cost(box, others) > _CROWDED * (box[2] - box[0]) * (box[3] - box[1]):
            del chosen[index]
    return [chosen.get(index, "") for index in range(len(sides))]


def _shares(values: Sequence[float]) -> list[float]:
    """Where on its axis each value stands; in the middle where they are all the same."""
    low, wide = min(values), (max(values) - min(values)) * 1.1
    return [(value - low) / wide if wide > 0 else 0.5 for value in values]


Box = tuple[float, float, float, float]


def _sides(x: float, y: float, wide: float) -> dict[str, Box]:
    """Where a name of this half width may stand beside its point."""
    return {
        "middle right": _box(x + 0.02 + wide, y, wide, _LINE / 2),
        "middle left": _box(x - 0.02 - wide, y, wide, _LINE / 2),
        "top center": _box(x, y + 0.03 + _LINE / 2, wide, _LINE / 2),
        "bottom center": _box(x, y - 0.03 - _LINE / 2, wide, _LINE / 2),
    }


def _box(x: float, y: float, half_width: float, half_height: float) -> Box:
    return (x - half_width, y - half_height, x + half_width, y + half_height)


def _cost(box: Box, taken: Sequence[Box]) -> float:
    """Area shared with others, and far more for leaving the plot."""
    shared = 0.0
    for other in taken:
        wide = max(0.0, min(box[2], other[2]) - max(box[0], other[0]))
        shared += wide * max(0.0, min(box[3], other[3]) - max(box[1], other[1]))
    outside = max(0.0, -0.06 - box[0]) + max(0.0, box[2] - 1.02)
    return shared + 10 * outside


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
