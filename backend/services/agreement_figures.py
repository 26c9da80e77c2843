"""The picture of two raters of a queue."""

from collections import Counter

from backend.charts.agreement import one_against_other
from backend.services.figures import MadeFigure
from backend.services.judgements import Judgements, Rater

_UNITS = {
    "verify": "0 wrong, 1 right",
    "rate": "1 to 10",
    "rank": "share of the others beaten",
    "pair": "0 worse, 1 better",
}
_MOST_ROWS = 500


def pair_figure(found: Judgements, one: Rater, other: Rater) -> MadeFigure:
    """Every COT that both have judged, one's value against the other's."""
    points = [
        (cot.values[one.key], cot.values[other.key])
        for cot in found.cots
        if one.key in cot.values and other.key in cot.values
    ]
    low, high = (1.0, 10.0) if found.mode == "rate" else (0.0, 1.0)
    figure = one_against_other(points, one=one.name, other=other.name, low=low, high=high, unit=_UNITS[found.mode])
    counted = sorted(Counter(points).items())
    return MadeFigure(
        title=f"{other.name} against {one.name}",
        description=(
            f"{len(points)} COTs that both have judged: {one.name} on the horizontal axis, {other.name} on the "
            "vertical; on the dotted line they agree."
        ),
        figure=figure,
        columns=[one.name, other.name, "COTs"],
        rows=[[x, y, n] for (x, y), n in counted[:_MOST_ROWS]],
    )
