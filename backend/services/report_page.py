"""The report of an experiment as one HTML page that opens without a network: pure functions from values to text.

Every text of people and models passes ``escape``; data for the charts is JSON in which no tag can begin or end.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from plotly.offline import get_plotlyjs

from backend.schemas.comparison import Comparison, ComparisonOverview, MethodRow, MethodStatistic, OverBlocks

_METRICS: Final = {
    "task_accuracy": ("Task accuracy (%)", 100.0, 1),
    "assessment_accuracy": ("Assessment accuracy (%)", 100.0, 1),
    "assessment_accuracy_3x3": ("Assessment, 3 × 3 (%)", 100.0, 1),
    "perplexity": ("Perplexity", 1.0, 2),
}
_POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
)
_STYLE: Final = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 1020px; padding: 24px 20px 64px; color: #1f2937; background: #fff;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 4px; } h2 { font-size: 18px; margin: 40px 0 8px; }
h3 { font-size: 15px; margin: 24px 0 4px; } p { margin: 6px 0; max-width: 78ch; }
.facts, .quiet { color: #4b5563; font-size: 13px; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 5px 10px; border-bottom: 1px solid #e5e7eb; vertical-align: top;
  white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; } td.words { white-space: normal; min-width: 9em; }
td.words, th.words { text-align: left; }
thead th { border-bottom: 1px solid #6b7280; font-weight: 600; white-space: normal; vertical-align: bottom; }
tr.baseline td { background: #f3f4f6; } .published { color: #4b5563; display: block; }
ul { padding-left: 20px; margin: 8px 0; max-width: 78ch; } figure { margin: 16px 0 8px; }
.plot { width: 100%; } summary { cursor: pointer; color: #0072b2; font-size: 13px; }
summary:focus-visible, a:focus-visible { outline: 2px solid #0072b2; outline-offset: 2px; }
pre { background: #f8fafc; border: 1px solid #e5e7eb; padding: 10px 12px; overflow-x: auto; font-size: 12.5px;
  line-height: 1.5; white-space: pre-wrap; overflow-wrap: anywhere; margin: 6px 0; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(280px, 1fr)); gap: 12px; }
.note { border-left: 3px solid #e69f00; padding: 2px 0 2px 12px; margin: 8px 0; }
code { font-size: 12px; overflow-wrap: anywhere; } nav a { color: #0072b2; margin-right: 14px; font-size: 13px; }
@page { margin: 14mm; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } nav, figure summary { display: none; }
  summary { color: inherit; } figure, tr, .pair { break-inside: avoid; } h2, h3 { break-after: avoid; } }
"""
_WORDS: Final = ' class="words"'
_DRAW: Final = """
for (const place of document.querySelectorAll(".plot")) {
  const figure = JSON.parse(document.getElementById(place.dataset.figure).textContent);
  figure.layout.autosize = true;
  delete figure.layout.width;
  Plotly.newPlot(place, figure.data, figure.layout, { responsive: true, displayModeBar: false });
}
addEventListener("beforeprint", () => {
  for (const question of document.querySelectorAll("details.question")) question.open = true;
});
"""


@dataclass(frozen=True, slots=True)
class ReportFigure:
    """A figure with its numbers."""

    name: str
    title: str
    description: str
    figure: dict[str, Any]
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with the baseline's and the method's response."""

    question: str
    gold: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Flipped:
    """Questions that a method fixed or broke under one seed."""

    method: str
    seed: int
    fixed: int
    broken: int
    p_value: float | None
    examples_fixed: Sequence[Answered]
    examples_broken: Sequence[Answered]


@dataclass(frozen=True, slots=True)
class Report:
    """What the page says."""

    name: str
    facts: Sequence[tuple[str, str]]
    """Name and value: data set, base model, seeds, dates."""
    hashes: Sequence[tuple[str, str]]
    table: Comparison
    overview: ComparisonOverview | None
    """Over all data sets and models, where there are several."""
    figures: Sequence[ReportFigure]
    flips: Sequence[Flipped]
    warnings: Sequence[tuple[str, str]]
    """Message and remedy."""
    yaml: str
    runs: Sequence[Sequence[str]]
    """Cell, state, attempts, device, time, sha256 of the weights."""
    environment: Sequence[tuple[str, str]]


def render(report: Report) -> Iterator[str]:
    """The page in pieces."""
    title = escape(report.name)
    yield (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><header><h1>{title}</h1>"
        f'<p class="facts">{" · ".join(f"{escape(name)} {escape(value)}" for name, value in report.facts)}</p>'
        '<nav aria-label="Sections"><a href="#methods">Methods</a><a href="#figures">Figures</a>'
        '<a href="#questions">Questions</a><a href="#settings">Settings</a><a href="#runs">Runs</a></nav></header>'
        "<main>"
    )
    yield from _methods(report)
    if report.overview is not None:
        yield from _overview(report.overview)
    yield '<h2 id="figures">Figures</h2>'
    for figure in report.figures:
        yield from _figure(figure)
    yield from _questions(report)
    yield from _settings(report)
    yield "</main><script>"
    yield get_plotlyjs().replace("</script", r"<\/script")
    yield f"</script><script>{_DRAW}</script></body></html>\n"


def _overview(overview: ComparisonOverview) -> Iterator[str]:
    title, scale, decimals = _METRICS[overview.metric]
    yield f"<h2>Data sets and models: {escape(title)}</h2><p>{escape(overview.note)}</p>"
    yield '<div class="scroll"><table><thead><tr><th scope="col">Method</th>'
    yield "".join(f'<th scope="col">{escape(block.short)}</th>' for block in overview.blocks)
    yield f'<th scope="col">Over all</th><th scope="col"{_WORDS}>In words</th></tr></thead><tbody>'
    for row in overview.rows:
        yield f"<tr{' class=baseline' if row.is_baseline else ''}><td>{escape(row.method)}</td>"
        for block in overview.blocks:
            cell = row.cells[block.key]
            value = "not measured" if cell.mean is None else f"{cell.mean * scale:.{decimals}f}"
            value += "" if cell.std is None else f" ± {cell.std * scale:.{decimals}f}"
            change = "" if row.is_baseline or cell.difference is None else f"{cell.difference * scale:+.{decimals}f}"
            verdict = f" {cell.verdict}" if cell.verdict else ""
            small = "; ".join(filter(None, [f"{change}{verdict}".strip(), *cell.missing]))
            yield f'<td>{value}<span class="published">{escape(small)}</span></td>'
        yield f"<td>{_over(row.over, scale, decimals)}</td>"
        yield f'<td class="words">{escape(row.words)}</td></tr>'
    yield "</tbody></table></div>"


def _over(over: OverBlocks | None, scale: float, decimals: int) -> str:
    if over is None:
        return ""
    mean, low, high = (f"{value * scale:+.{decimals}f}" for value in (over.difference, over.low, over.high))
    return f'{mean}<span class="published">{low} to {high}; p = {over.p:.3f}, n = {over.n}</span>'


def _methods(report: Report) -> Iterator[str]:
    table = report.table
    yield '<h2 id="methods">Methods</h2>'
    yield "<ul>" + "".join(f"<li>{escape(note)}</li>" for note in table.notes) + "</ul>"
    heads = ["Method", "n", *[_METRICS[metric][0] for metric in table.metrics if metric in _METRICS]]
    heads += ["Δ task (points)", "95 % interval", "p (Holm)", "In words"]
    missing = any(row.missing for row in table.rows)
    rows = [_method(table, row, missing) for row in table.rows]
    yield _table([*heads, "Missing"] if missing else heads, rows)
    if table.tasks:
        yield from _tasks(table)
    yield f'<p class="quiet">Δ is the difference in task accuracy to {escape(table.baseline or "no baseline")}. '
    yield f"{escape(table.test_about)}</p>"
    if table.published is not None:
        yield (
            f'<p class="quiet">◆ {escape(table.published.title)}; {escape(table.published_source)}. Other models on '
            "other data: compare the pattern, not the numbers.</p>"
        )
    for message, remedy in report.warnings:
        yield f'<p class="note">{escape(message)} <span class="quiet">{escape(remedy)}</span></p>'


def _tasks(table: Comparison) -> Iterator[str]:
    """The same numbers over each task's own questions."""
    measures = [metric for metric in _METRICS if metric in table.metrics]
    for task in table.tasks:
        yield f"<h3>{escape(task)} questions</h3>"
        rows = []
        for row in table.rows:
            found = [row.statistics[f"{metric}/{task}"] for metric in measures]
            cells = [
                f"<td>{_mean(cell, *_METRICS[metric][1:])}</td>" for cell, metric in zip(found, measures, strict=True)
            ]
            change = found[0].difference
            cells.append(f"<td>{'–' if row.is_baseline or change is None else _signed(100 * change)}</td>")
            words = "baseline" if row.is_baseline else found[0].verdict or "not tested"
            body = "".join([f"<td>{escape(row.method)}</td>", *cells, f'<td class="words">{escape(words)}</td>'])
            rows.append(f"<tr{' class=baseline' if row.is_baseline else ''}>{body}</tr>")
        yield _table(["Method", *[_METRICS[metric][0] for metric in measures], "Δ task (points)", "In words"], rows)


def _method(table: Comparison, row: MethodRow, missing: bool) -> str:
    task = row.statistics["task_accuracy"]
    cells = [f"<td>{escape(row.method)}</td>", f"<td>{task.n}</td>"]
    cells += [
        f"<td>{_mean(row.statistics[metric], *_METRICS[metric][1:])}</td>"
        for metric in table.metrics
        if metric in _METRICS
    ]
    tested = not row.is_baseline and task.difference is not None
    cells.append(f"<td>{_signed(100 * task.difference) if tested and task.difference is not None else '–'}</td>")
    if task.difference_low is not None and task.difference_high is not None:
        cells.append(f"<td>{_signed(100 * task.difference_low)} to {_signed(100 * task.difference_high)}</td>")
    else:
        cells.append("<td>–</td>")
    cells.append(f"<td>{p_words(task.p_holm)}</td>")
    words = "baseline" if row.is_baseline else task.verdict or "not tested"
    cells.append(f'<td class="words">{escape(words)}</td>')
    if missing:
        cells.append(f'<td class="words">{escape(", ".join(row.missing))}</td>')
    return f"<tr{' class=baseline' if row.is_baseline else ''}>{''.join(cells)}</tr>"


def _mean(cell: MethodStatistic, scale: float, decimals: int) -> str:
    ours = _spread(cell.mean, cell.std, scale, decimals)
    if cell.published_mean is None:
        return ours
    return f'{ours}<span class="published">◆ {_spread(cell.published_mean, cell.published_std, scale, 2)}</span>'


def _spread(mean: float | None, std: float | None, scale: float, decimals: int) -> str:
    if mean is None:
        return "–"
    return f"{mean * scale:.{decimals}f}" + ("" if std is None else f" ± {std * scale:.{decimals}f}")


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−")


def p_words(p: float | None) -> str:
    """A p-value as tables print it."""
    return "–" if p is None else "&lt; 0.001" if p < 0.001 else f"{p:.3f}"


def _figure(figure: ReportFigure) -> Iterator[str]:
    height = figure.figure.get("layout", {}).get("height")
    pixels = int(height) if isinstance(height, int | float) else 360
    yield (
        f"<figure><figcaption><h3>{escape(figure.title)}</h3>"
        f'<p class="quiet">{escape(figure.description)}</p></figcaption>'
        f'<div class="plot" role="img" aria-label="{escape(figure.title)}" data-figure="figure-{escape(figure.name)}"'
        f' style="height:{pixels}px"></div><script type="application/json" id="figure-{escape(figure.name)}">'
    )
    yield script_json(figure.figure)
    rows = [f"<tr>{''.join(f'<td>{_cell(value)}</td>' for value in row)}</tr>" for row in figure.rows]
    yield f"</script><details><summary>The numbers</summary>{_table(figure.columns, rows)}</details></figure>"


def script_json(value: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")


def _questions(report: Report) -> Iterator[str]:
    yield '<h2 id="questions">Question by question</h2>'
    if not report.flips:
        yield '<p class="quiet">No method has been evaluated beside the baseline.</p>'
        return
    yield f'<p class="quiet">Against {escape(report.table.baseline or "")}, test questions under one seed.</p>'
    for item in report.flips:
        yield (
            f"<h3>{escape(item.method)}</h3><p>Seed {item.seed}: {item.fixed} fixed, {item.broken} broken; McNemar p "
            f"{p_words(item.p_value)}.</p>"
        )
        for word, examples in (("Fixed", item.examples_fixed), ("Broken", item.examples_broken)):
            for example in examples:
                yield (
                    f"<details class='question'><summary>{word}: {escape(example.question[:140])}</summary>"
                    f"<pre>{escape(example.question)}</pre><p class='quiet'>Gold answer {escape(example.gold)}</p>"
                    f"<div class='pair'><div><p class='quiet'>{escape(report.table.baseline or '')}</p>"
                    f"<pre>{escape(example.before)}</pre></div><div><p class='quiet'>{escape(item.method)}</p>"
                    f"<pre>{escape(example.after)}</pre></div></div></details>"
                )


def _settings(report: Report) -> Iterator[str]:
    yield '<h2 id="settings">Settings</h2>'
    yield f"<pre>{escape(report.yaml)}</pre>"
    yield "<h3>Data and model</h3>" + _pairs(report.hashes)
    yield "<h3>Software of the machine that wrote this page</h3>" + _pairs(report.environment)
    yield '<h2 id="runs">Runs</h2>'
    rows = [f"<tr>{''.join(f'<td>{_cell(value)}</td>' for value in row)}</tr>" for row in report.runs]
    yield _table(["Cell", "State", "Attempts", "Device", "Time", "Weights, sha256"], rows)


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    rows = [
        f"<tr><td>{escape(name)}</td><td class='words'><code>{escape(value)}</code></td></tr>" for name, value in pairs
    ]
    return f"<div class='scroll'><table><tbody>{''.join(rows)}</tbody></table></div>"


def _table(heads: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f'<th scope="col"{_WORDS if title == "In words" else ""}>{escape(title)}</th>' for title in heads)
    return f"<div class='scroll'><table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else escape(str(value))
