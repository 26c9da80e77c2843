"""Figures as data."""

import re
from pathlib import Path

import plotly.graph_objects as go
import pytest

from backend.charts import curves, export
from backend.charts.blocks import BlockValues, by_block
from backend.charts.methods import MethodValues, MetricAxis, by_method
from backend.charts.rows import Change, degradation
from backend.charts.scatter import label_places, task_against_assessment
from backend.charts.style import FAMILY_COLOURS, half_tone, plain
from backend.charts.sweeps import ParallelAxis, Sweep, SweepPoint, parallel, sweep_curves, sweep_panels

VFT = MethodValues("VFT", "vft", "none", {"1": 32.0, "2": 34.0}, 33.0, 1.414, {"1": "run of 1"})
NONE = MethodValues("AFT · none", "aft", "none", {"1": 23.0, "2": 25.0}, 24.0, 1.414)
DETACHED = MethodValues("AFT · detached", "aft", "detached", {"1": 35.0}, 35.0, None)
MISSING = MethodValues("PRO · none", "pro", "none", {}, None, None)
AXIS = MetricAxis("Task accuracy (%)", 1, bars=True)


def test_every_seed_is_a_dot_and_the_mean_a_bar_with_its_spread() -> None:
    figure = by_method([VFT, NONE], AXIS)
    bars = [trace for trace in figure.data if isinstance(trace, go.Bar)]
    dots = [trace for trace in figure.data if isinstance(trace, go.Scatter)]
    assert [bar.x[0] for bar in bars] == [33.0, 24.0]
    assert bars[0].error_x.array == (1.414,)
    assert list(dots[0].x) == [32.0, 34.0]
    assert [list(row) for row in dots[0].customdata] == [["1", "run of 1"], ["2", None]]
    assert dots[0].meta == {"method": "VFT", "part": "seed"}


def test_equal_seeds_stay_two_dots_within_their_method_row() -> None:
    equal = MethodValues("VFT", "vft", "none", {"10": 32.0, "9": 32.0}, 32.0, 0.0)
    dots = by_method([DETACHED, equal], AXIS).data[3]
    assert [seed for seed, _ in dots.customdata] == ["9", "10"]
    assert len(set(dots.y)) == 2
    assert all(0.5 < place < 1.5 for place in dots.y)


def test_the_baseline_runs_through_all_rows_and_the_published_value_is_a_black_diamond() -> None:
    published = MethodValues("RFT", "rft", "none", {}, None, None, published=(39.75, 1.03))
    figure = by_method([VFT, published], AXIS, baseline="VFT")
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(33.0, 33.0)]
    diamond = figure.data[-1]
    assert (list(diamond.x), diamond.marker.symbol, diamond.marker.color) == ([39.75], "diamond", "#000000")


def test_fill_tells_the_constraint_and_colour_the_family() -> None:
    figure = by_method([VFT, NONE, DETACHED], AXIS)
    vft, none, detached = (trace.marker for trace in figure.data if isinstance(trace, go.Bar))
    assert vft.color == FAMILY_COLOURS["vft"]
    assert none.pattern.shape == "/"
    assert none.line.color == detached.line.color == FAMILY_COLOURS["aft"]
    assert detached.color == half_tone(FAMILY_COLOURS["aft"])


def test_a_missing_cell_keeps_its_place_and_says_so() -> None:
    figure = by_method([VFT, MISSING], AXIS)
    assert list(figure.layout.yaxis.ticktext) == ["VFT", "PRO · none"]
    assert [note.text for note in figure.layout.annotations] == ["not measured"]
    bars = [trace for trace in figure.data if isinstance(trace, go.Bar)]
    assert bars[1].x == (None,)


def test_one_seed_has_no_spread() -> None:
    figure = by_method([DETACHED], AXIS)
    assert figure.data[0].error_x.array is None


def test_bars_begin_at_zero_and_markers_need_not() -> None:
    assert by_method([VFT], AXIS).layout.xaxis.rangemode == "tozero"
    assert by_method([VFT], MetricAxis("Perplexity", 2, bars=False)).layout.xaxis.rangemode == "normal"


def test_the_scatter_names_pearsons_r_with_its_interval() -> None:
    figure = task_against_assessment([(VFT, NONE)], pearson=(0.93, -0.5, 0.99, 4))
    # In two lines: one would be wider than a column of a journal.
    assert "r = 0.93<br>(95 % interval −0.50 to 0.99; 4 methods)" in figure.layout.annotations[0].text
    assert not task_against_assessment([(VFT, MISSING)], pearson=None).layout.annotations


def test_names_in_the_scatter_avoid_each_other_and_the_edges() -> None:
    assert label_places([(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)], ["left", "AFT · boundary", "VFT · continued"]) == [
        "middle right",
        "middle left",
        "middle left",
    ]
    crowded = label_places(
        [(5.0, 5.0), (5.3, 5.0), (0.0, 0.0), (10.0, 10.0)], ["AFT · none", "AFT · detached", "a", "b"]
    )
    assert crowded[0] != crowded[1]
    assert label_places([], []) == []
    # The last has to stand left of its point, where the first had been written before.
    models = [(72.3, 32.6), (69.0, 22.0), (72.05, 27.2), (72.15, 31.6), (74.6, 32.4)]
    names = [
        "Small Llama (built-in)",
        "Smaller Llama (built-in)",
        "Reseeded Llama",
        "Cleaner Llama",
        "Larger Llama (built-in)",
    ]
    moved = label_places(models, names)
    assert (moved[0] != "middle right", moved[4]) == (True, "middle left")
    # Points on one spot, in the middle of their axes: every side takes one name.
    assert len(set(label_places([(0.0, 5.0)] * 4, ["RFT", "AFT · none", "AFT · boundary", "PRO · none"]))) == 4


def test_a_label_cannot_bring_markup_into_a_figure() -> None:
    hostile = MethodValues("<a href='x'>AFT</a>", "aft", "none", {"1": 1.0}, 1.0, None)
    text = by_method([hostile], AXIS).to_json()
    assert "<a href" not in text
    assert plain("<b>" * 100).endswith("…")


def test_the_band_is_the_spread_over_seeds_at_each_step() -> None:
    series = curves.MethodSeries("VFT", "vft", "none", {"1": [(10, 30.0), (20, 40.0)], "2": [(10, 34.0)]})
    figure = curves.method_curves([series], "y")
    mean = figure.data[-2]
    assert "standard deviation" in figure.data[-1].name
    assert list(mean.x) == [10, 20]
    assert list(mean.y) == [32.0, 40.0]
    assert mean.customdata[0] == pytest.approx(8**0.5)
    assert mean.customdata[1] == 0.0
    within = curves.method_curves([series], "y", bounds=(30.0, 34.0))
    assert (within.data[0].y[0], within.data[0].y[-1]) == (34.0, 30.0)


def test_a_long_curve_marks_some_of_its_points() -> None:
    """Every mark is an element of the page: 10 curves of 200 points took it half a second to draw."""
    points = [(step, 1.0) for step in range(200)]
    figure = curves.method_curves([curves.MethodSeries("VFT", "vft", "none", {"1": points})], "y")
    assert (len(figure.data[0].x), figure.data[0].marker.maxdisplayed) == (200, 30)


def test_figures_are_made_of_what_the_page_can_draw() -> None:
    """The page has Plotly's basic bundle: a trace of another kind would draw nothing."""
    files = Path(curves.__file__).parent.glob("*.py")
    made = {name for file in files for name in re.findall(r"\bgo\.([A-Z]\w*)\(", file.read_text(encoding="utf-8"))}
    assert made == {"Figure", "Bar", "Scatter"}


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


def test_every_block_has_its_band_and_its_name_in_short_lines() -> None:
    long = f"{'a data set with a long name ' * 6}v1 (trained on numbers v2) · the model"
    blocks = [BlockValues(title, [VFT, MISSING, NONE]) for title in ("numbers v1 · small <b>", long)]
    figure = by_block(blocks, "Task accuracy (%)")
    short, cut = figure.layout.yaxis.ticktext
    assert short == "numbers v1<br>small &lt;b&gt;"
    lines = cut.split("<br>")
    assert len(lines) == 4
    assert lines[-1].endswith(" …")
    assert max(map(len, lines)) < 25
    assert list(figure.layout.yaxis.tickvals) == [0, 1]
    vft, missing, none = figure.data
    assert list(vft.x) == [33.0, 33.0]
    assert list(missing.x) == [None, None]
    # The first method on top of its band, and no band reaches into the next.
    assert vft.y[0] < missing.y[0] < none.y[0] < 0.5 < vft.y[1]
    alone = by_block(blocks[:1], "Task accuracy (%)")
    assert alone.layout.height < figure.layout.height


def test_a_file_has_its_title_above_and_its_legend_below_the_axes() -> None:
    figure = curves.loss_curves({name: [(1, 2.0), (2, 1.0)] for name in curves.LOSS_NAMES})
    before = go.Figure(figure)
    paper = export.on_paper(figure, "Loss <b>")
    assert figure == before
    assert paper.layout.title.text == "Loss &lt;b&gt;"
    assert (paper.layout.legend.y, paper.layout.legend.yanchor) == (0, "bottom")
    room = paper.layout.margin.t + paper.layout.margin.b - before.layout.margin.t - before.layout.margin.b
    # The axes keep the height that they have on the page.
    assert paper.layout.height - (before.layout.height or export.HEIGHT) == room > 32
    plain_bars = export.on_paper(by_method([VFT], AXIS), "Bars")
    assert plain_bars.layout.margin.b == by_method([VFT], AXIS).layout.margin.b


def test_words_beside_axes_fit_a_column_of_a_journal() -> None:
    methods = [VFT, NONE]
    shown = parallel(methods, [ParallelAxis("Assessment accuracy (%)", [70.0, 80.0], 1)])
    assert list(shown.layout.xaxis.ticktext) == ["Assessment<br>accuracy (%)"]
    change = degradation([Change("AFT · none", 1.0, -5.0, 0.4, True)])
    titles = [axis.title.text for axis in (change.layout.xaxis, change.layout.xaxis2, change.layout.xaxis3)]
    assert titles == ["Assessment<br>accuracy<br>(points)", "Task<br>accuracy<br>(points)", "Perplexity"]
    why = sweep_curves([], "Task accuracy (%)", baseline=None).layout.annotations[0].text
    assert all(len(line) <= 32 for line in why.split("<br>"))


def test_the_few_values_of_a_sweep_are_named_and_nothing_between() -> None:
    one = sweep_curves([Sweep("AFT", "Sampled paths that vote", [SweepPoint(4, NONE)])], "y", baseline=None)
    assert one.layout.xaxis.tickvals == (4,)
    many = [SweepPoint(value / 10, NONE) for value in range(11)]
    assert sweep_curves([Sweep("AFT", "β", many)], "y", baseline=None).layout.xaxis.tickvals is None


def test_every_setting_that_varies_has_a_panel_with_the_baseline_of_its_own() -> None:
    over_k = [Sweep("AFT · none", "k", [SweepPoint(2, NONE), SweepPoint(4, DETACHED)])]
    over_beta = [Sweep("AFT · none", "β", [SweepPoint(0.1, NONE), SweepPoint(0.2, DETACHED)])]
    figure = sweep_panels([over_k, over_beta], "Task accuracy (%)", baseline=VFT)
    assert (figure.layout.xaxis.title.text, figure.layout.xaxis2.title.text) == ("k", "β")
    curves_of = [trace for trace in figure.data if trace.meta["part"] == "sweep"]
    assert [(trace.xaxis, trace.showlegend) for trace in curves_of] == [("x", None), ("x2", False)]
    assert [shape.yref for shape in figure.layout.shapes] == ["y", "y2"]
    assert figure.layout.yaxis2.domain[1] < figure.layout.yaxis.domain[0]
    assert figure.to_dict() != sweep_curves(over_k, "Task accuracy (%)", baseline=VFT).to_dict()
    one = sweep_panels([over_k], "Task accuracy (%)", baseline=VFT)
    assert one.to_dict() == sweep_curves(over_k, "Task accuracy (%)", baseline=VFT).to_dict()


def test_a_long_legend_makes_the_figure_higher_and_names_of_a_crowd_are_left_to_the_pointer() -> None:
    series = [curves.MethodSeries(f"AFT · k {k}", "aft", "none", {"1": [(10, 30.0), (20, 40.0)]}) for k in range(16)]
    heights = [curves.method_curves(series[:n], "y").layout.height for n in (4, 16)]
    assert heights[0] == curves.CURVES_HEIGHT
    assert heights[1] > heights[0]
    places = label_places([(5.0 + 0.01 * k, 5.0) for k in range(8)] + [(0.0, 0.0), (10.0, 10.0)], ["a long name"] * 10)
    assert places.count("") >= 4
    assert places[-1] != ""
