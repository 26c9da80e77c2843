"""How every figure looks: colour is the method's family, fill is its constraint."""

import textwrap
from typing import Any, Final

import plotly.graph_objects as go

FAMILY_COLOURS: Final = {
    "vft": "#6B7280",
    "vft-continued": "#6B7280",
    "rft": "#56B4E9",
    "aft": "#0072B2",
    "rrhf": "#E69F00",
    "pro": "#CC79A7",
    "dpo": "#6A3D9A",
}
OWN_METHOD: Final = "#009E73"
INK: Final = "#1F2937"
MUTED: Final = "#6B7280"
GRID: Final = "#E5E7EB"
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def colour(family: str) -> str:
    """The family's colour."""
    return FAMILY_COLOURS.get(family, OWN_METHOD)


def half_tone(colour_hex: str) -> str:
    """The colour mixed half and half with white: the constraint detaches, the method remains."""
    parts = [int(colour_hex[start : start + 2], 16) for start in (1, 3, 5)]
    return "#" + "".join(f"{(part + 255) // 2:02X}" for part in parts)


def bar_style(family: str, constraint: str, *, ranks: bool) -> dict[str, Any]:
    """A bar's fill: hatched without a constraint, half tone when detached, solid with a boundary."""
    tone = colour(family)
    outline = {"color": tone, "width": 1.5}
    if family == "vft-continued":
        return {"color": "#FFFFFF", "line": outline, "pattern": {"shape": ".", "fgcolor": tone, "size": 5}}
    if not ranks:
        return {"color": tone, "line": outline}
    if constraint == "none":
        return {"color": "#FFFFFF", "line": outline, "pattern": {"shape": "/", "fgcolor": tone, "size": 6}}
    if constraint in {"detached", "detached-lowest"}:
        return {"color": half_tone(tone), "line": outline}
    return {"color": tone, "line": outline}


def marker_style(family: str, constraint: str, *, ranks: bool, size: int = 9) -> dict[str, Any]:
    """A marker's fill, by the same rule as the bars'."""
    tone = colour(family)
    outline = {"color": tone, "width": 1.6}
    if family == "vft-continued" or (ranks and constraint == "none"):
        return {"color": "#FFFFFF", "line": outline, "size": size}
    if ranks and constraint.startswith("detached"):
        return {"color": half_tone(tone), "line": outline, "size": size}
    return {"color": tone, "line": outline, "size": size}


def line_style(family: str, constraint: str, *, ranks: bool) -> dict[str, Any]:
    """A line: dotted for the control, dashed without a constraint, else solid."""
    dash = "dot" if family == "vft-continued" else "dash" if ranks and constraint == "none" else "solid"
    tone = half_tone(colour(family)) if ranks and constraint.startswith("detached") else colour(family)
    return {"color": tone, "dash": dash, "width": 2}


CURVE_MARKER: Final = {"size": 5, "maxdisplayed": 30}
"""Points of a curve: all of a few, and 30 of many, for each is an element of the page; the line has every one."""


_LEGEND_COLUMNS: Final = 2
"""Methods side by side in a figure of half a page."""
_LEGEND_ROWS: Final = 3
"""What a figure's usual height leaves room for."""
_LEGEND_ROW: Final = 19


def finish(figure: go.Figure, *, x: str, y: str, legend: bool = False) -> go.Figure:
    """Axes with names and units, hairlines, no template."""
    axis = {
        "showline": True,
        "linecolor": MUTED,
        "linewidth": 1,
        "ticks": "outside",
        "tickcolor": MUTED,
        "gridcolor": GRID,
        "zeroline": False,
        "automargin": True,
        "title": {"standoff": 12},
    }
    figure.update_layout(
        template="none",
        font={"family": FONT, "size": 12, "color": INK},
        paper_bgcolor="#FFFFFF",
        plot_bgcolor="#FFFFFF",
        # What numbers and title below the axis need: where a margin has to grow, everything is drawn twice.
        margin={"l": 56, "r": 16, "t": 16, "b": 57},
        showlegend=legend,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hoverlabel={"font": {"family": FONT}},
        bargap=0.35,
        dragmode=False,
    )
    figure.update_xaxes(**axis, title_text=x, showgrid=False)
    figure.update_yaxes(**axis, title_text=y, showgrid=True)
    return figure


def legend_room(figure: go.Figure) -> int:
    """Pixels that a long legend takes from the plot below it, for the figure to be higher by."""
    names = {trace.name for trace in figure.data if trace.name and trace.showlegend is not False}
    rows = -(-len(names) // _LEGEND_COLUMNS)
    return max(0, rows - _LEGEND_ROWS) * _LEGEND_ROW


def wrapped(text: str, width: int) -> str:
    """Text in lines of about so many characters, broken between words: one column of a journal is 3.3 inches."""
    return "<br>".join(textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False))


def plain(text: str, limit: int = 60) -> str:
    """Text safe inside a Plotly label, which would render some HTML."""
    short = text if len(text) <= limit else text[: limit - 1] + "…"
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
