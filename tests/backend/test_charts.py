"""Figures as data."""

import plotly.graph_objects as go
import pytest

from backend.charts import curves, export
from backend.charts.methods import MethodValues, MetricAxis, by_method, task_against_assessment
from backend.charts.style import FAMILY_COLOURS, half_tone, plain

VFT = MethodValues("VFT", "vft", "none", {"1": 32.0, "2": 34.0}, 33.0, 1.414)
NONE = MethodValues("AFT · none", "aft", "none", {"1": 23.0, "2": 25.0}, 24.0, 1.414)
DETACHED = MethodValues("AFT · detached", "aft", "detached", {"1": 35.0}, 35.0, None)
MISSING = MethodValues("PRO · none", "pro", "none", {}, None, None)
AXIS = MetricAxis("Task accuracy (%)", 1, bars=True)


def test_every_seed_is_a_dot_and_the_mean_a_bar_with_its_spread() -> None:
    figure = by_method([VFT, NONE], AXIS)
    bars = [trace for trace in figure.data if isinstance(trace, go.Bar)]
    dots = [trace for trace in figure.data if isinstance(trace, go.Scatter)]
    assert [bar.y[0] for bar in bars] == [33.0, 24.0]
    assert bars[0].error_y.array == (1.414,)
    assert list(dots[0].y) == [32.0, 34.0]
    assert list(dots[0].customdata) == ["1", "2"]


def test_fill_tells_the_constraint_and_colour_the_family() -> None:
    figure = by_method([VFT, NONE, DETACHED], AXIS)
    vft, none, detached = (trace.marker for trace in figure.data if isinstance(trace, go.Bar))
    assert vft.color == FAMILY_COLOURS["vft"]
    assert none.pattern.shape == "/"
    assert none.line.color == detached.line.color == FAMILY_COLOURS["aft"]
    assert detached.color == half_tone(FAMILY_COLOURS["aft"])


def test_a_missing_cell_keeps_its_place_and_says_so() -> None:
    figure = by_method([VFT, MISSING], AXIS)
    assert list(figure.layout.xaxis.categoryarray) == ["VFT", "PRO · none"]
    assert [note.text for note in figure.layout.annotations] == ["not measured"]
    bars = [trace for trace in figure.data if isinstance(trace, go.Bar)]
    assert bars[1].y == (None,)


def test_one_seed_has_no_spread() -> None:
    figure = by_method([DETACHED], AXIS)
    assert figure.data[0].error_y.array is None


def test_bars_begin_at_zero_and_markers_need_not() -> None:
    assert by_method([VFT], AXIS).layout.yaxis.rangemode == "tozero"
    assert by_method([VFT], MetricAxis("Perplexity", 2, bars=False)).layout.yaxis.rangemode is None


def test_the_scatter_names_pearsons_r_with_its_interval() -> None:
    figure = task_against_assessment([(VFT, NONE)], pearson=(0.93, 0.5, 0.99))
    assert "r = 0.93 (95 % 0.50 to 0.99)" in figure.layout.annotations[0].text
    assert not task_against_assessment([(VFT, MISSING)], pearson=None).layout.annotations


def test_a_label_cannot_bring_markup_into_a_figure() -> None:
    hostile = MethodValues("<a href='x'>AFT</a>", "aft", "none", {"1": 1.0}, 1.0, None)
    text = by_method([hostile], AXIS).to_json()
    assert "<a href" not in text
    assert plain("<b>" * 100).endswith("…")


def test_the_band_is_the_spread_over_seeds_at_each_step() -> None:
    series = curves.MethodSeries("VFT", "vft", "none", {"1": [(10, 30.0), (20, 40.0)], "2": [(10, 34.0)]})
    figure = curves.method_curves([series], "y")
    mean = figure.data[-1]
    assert list(mean.x) == [10, 20]
    assert list(mean.y) == [32.0, 40.0]
    assert mean.customdata[0] == pytest.approx(8**0.5)
    assert mean.customdata[1] == 0.0


def test_a_series_that_was_not_written_is_left_out() -> None:
    figure = curves.loss_curves({"train/loss": [(1, 2.0)]})
    assert [trace.name for trace in figure.data] == ["Loss"]


def test_html_needs_no_network() -> None:
    page = export.render(by_method([VFT], AXIS), "Task accuracy", "html").decode()
    assert "cdn.plot.ly" not in page.split("<body>")[0]
    assert "Task accuracy" in page


def test_svg_keeps_text_as_text() -> None:
    svg = export.render(by_method([VFT], AXIS), "Task accuracy", "svg").decode()
    assert "<text" in svg
    assert "Task accuracy" in svg
