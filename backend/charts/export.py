"""A figure as a file, from the same code that draws it on the page."""

from typing import Literal

import plotly.graph_objects as go
import plotly.io as pio

from backend.charts.style import plain
from backend.errors import AppError

Format = Literal["png", "svg", "html"]
MEDIA_TYPES: dict[str, str] = {"png": "image/png", "svg": "image/svg+xml", "html": "text/html; charset=utf-8"}
WIDTH, HEIGHT = 653, 400
"""6.8 inches at 96 dots an inch: two columns of a journal."""


class ExportUnavailable(AppError):
    """PNG and SVG need kaleido and a Chromium."""

    status = 501
    title = "This export is not installed"


def render(figure: go.Figure, title: str, form: Format) -> bytes:
    """The figure as PNG, SVG (text as text) or a page that needs no network.

    Raises:
        ExportUnavailable: If PNG or SVG is asked for without kaleido and Chromium.
    """
    figure = go.Figure(figure).update_layout(title={"text": plain(title, 120), "x": 0.02, "font": {"size": 14}})
    top = figure.layout.margin.t or 16
    figure.update_layout(margin={"t": top + 40})
    if form == "html":
        page: str = pio.to_html(figure, full_html=True, include_plotlyjs=True, default_width="100%")
        return page.encode()
    try:
        height = (figure.layout.height or HEIGHT) + 40
        image: bytes = pio.to_image(figure, format=form, width=WIDTH, height=height, scale=3 if form == "png" else 1)
    except (ImportError, ValueError, RuntimeError) as error:
        raise ExportUnavailable(
            f"{form.upper()} needs kaleido and a Chromium on the server ({str(error).splitlines()[0][:120]}).",
            remedy="Install both (`pip install 'aft-workbench[export]'`, `apt-get install chromium`), or export HTML.",
        ) from error
    return image
