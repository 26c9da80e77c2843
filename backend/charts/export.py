"""A figure as a file, from the same code that draws it on the page."""

from typing import Literal

import plotly.graph_objects as go
import plotly.io as pio

from backend.charts.style import plain
from backend.errors import AppError

Format = Literal["png", "svg", "html"]
MEDIA_TYPES: dict[str, str] = {"png": "image/png", "svg": "image/svg+xml", "html": "text/html; charset=utf-8"}
WIDTH, HEIGHT = 653, 400
"""6.8 inches at 96 dots an inch: two columns of a journal; 12 dots are 9 pt."""
_TITLE_ROOM = 32
_LEGEND_ROW = 20
_LEGEND_ENTRY = 150


class ExportUnavailable(AppError):
    """PNG and SVG need kaleido and a Chromium."""

    status = 501
    title = "This export is not installed"


def on_paper(figure: go.Figure, title: str) -> go.Figure:
    """A copy with its title above and its legend below the axes, each in room of its own."""
    figure = go.Figure(figure)
    layout = figure.layout
    names = {trace.name for trace in figure.data if trace.name and trace.showlegend is not False}
    in_row = (WIDTH - 72) // _LEGEND_ENTRY
    legend = -(-len(names) // in_row) * _LEGEND_ROW if layout.showlegend else 0
    top, bottom = layout.margin.t or 16, layout.margin.b or 48
    figure.update_layout(
        title={
            "text": plain(title, 120), "x": 0.02, "y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 12},
            "font": {"size": 13},
        },
        margin={"t": top + _TITLE_ROOM, "b": bottom + legend},
        height=(layout.height or HEIGHT) + _TITLE_ROOM + legend,
    )  # fmt: skip
    if legend:
        figure.update_layout(
            legend={"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom", "entrywidth": 0}
        )
    return figure


def render(figure: go.Figure, title: str, form: Format) -> bytes:
    """The figure as PNG, SVG (text as text) or a page that needs no network.

    Raises:
        ExportUnavailable: If PNG or SVG is asked for without kaleido and Chromium.
    """
    figure = on_paper(figure, title)
    if form == "html":
        page: str = pio.to_html(figure, full_html=True, include_plotlyjs=True, default_width="100%")
        return page.encode()
    try:
        size = {"width": WIDTH, "height": figure.layout.height}
        image: bytes = pio.to_image(figure, format=form, **size, scale=3 if form == "png" else 1)
    except (ImportError, ValueError, RuntimeError) as error:
        raise ExportUnavailable(
            f"{form.upper()} needs kaleido and a Chromium on the server ({str(error).splitlines()[0][:120]}).",
            remedy="Install both (`pip install 'aft-workbench[export]'`, `apt-get install chromium`), or export HTML.",
        ) from error
    return image
