"""The comparison table as text: CSV for spreadsheets, LaTeX for papers."""

import csv
import io
import unicodedata
from typing import Final

from backend.schemas.comparison import Comparison, MethodRow, MethodStatistic

_TITLES: Final = {
    "task_accuracy": ("Task acc.", 100.0, 1),
    "assessment_accuracy": ("Assessment acc.", 100.0, 1),
    "assessment_accuracy_3x3": (r"3$\times$3", 100.0, 1),
    "perplexity": ("PPL", 1.0, 2),
    "rating_agreement": ("Ratings", 100.0, 1),
}


def _greek(letter: str) -> str:
    name = unicodedata.name(letter).rsplit(" ", 1)[-1].replace("LAMDA", "LAMBDA")
    return rf"$\{name.lower() if letter.islower() else name.capitalize()}$"


_LATEX: Final = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "`": r"\textasciigrave{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    # At the start of a row both would be read as options of the row before.
    "[": "{[}",
    "*": "{*}",
    "·": r"$\cdot$",
    "±": r"$\pm$",
    "⊕": r"$\oplus$",
    "×": r"$\times$",
    "−": "$-$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≈": r"$\approx$",
    "≠": r"$\neq$",
    "∞": r"$\infty$",
    "→": r"$\rightarrow$",
    "←": r"$\leftarrow$",
    "′": r"$\prime$",
    "«": r"$\ll$",
    "»": r"$\gg$",
    "–": "--",
    "—": "---",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "„": ",,",
    "…": r"\ldots{}",
    **dict(zip("₀₁₂₃₄₅₆₇₈₉", (f"$_{digit}$" for digit in range(10)), strict=True)),
    **{letter: _greek(letter) for letter in "αβγδεζηθικλμνξπρστφχψωΓΔΘΛΞΠΣΦΨΩ"},
}
_LATIN: Final = 0x180
"""pdfLaTeX sets letters below by itself."""
_COLUMNS: Final = (
    "method",
    "metric",
    "mean",
    "std",
    "n",
    "difference",
    "difference_low",
    "difference_high",
    "p_value",
    "p_holm",
    "verdict",
    "published_mean",
    "published_std",
    "values_per_seed",
)


def as_csv(table: Comparison) -> str:
    """One line per method and metric, numbers in full precision; what was not measured is empty."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(_COLUMNS)
    for row in table.rows:
        for metric, cell in row.statistics.items():
            values = " ".join(f"{seed}:{'' if v is None else repr(v)}" for seed, v in cell.values.items())
            named = {"method": row.method, "metric": metric, "values_per_seed": values}
            line = [named.get(column, getattr(cell, column, None)) for column in _COLUMNS]
            writer.writerow([safe_cell(value) for value in line])
    return stream.getvalue()


def safe_cell(value: object) -> object:
    """A CSV cell that no spreadsheet runs: a label of the user's may begin like a formula."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return "" if value is None else value


def as_latex(table: Comparison, title: str) -> str:
    """Booktabs tables of means ± std, the difference in task accuracy with its interval, and the corrected p.

    One of all questions and, for a mixed data set, one of each task's.
    """
    ours = [_latex_table(table, title, None)]
    ours += [_latex_table(table, f"{title}, {task} questions", task) for task in table.tasks]
    needs = ["% Needs \\usepackage{booktabs,graphicx}."]
    if any(ord(character) >= _LATIN for table_text in ours for character in table_text):
        needs.append("% Some letters need XeLaTeX or LuaLaTeX and a font that has them.")
    return "\n".join([*needs, *ours])


def _latex_table(table: Comparison, title: str, task: str | None) -> str:
    metrics = [
        metric for metric in _TITLES if metric in table.metrics and _of(metric, task) in table.rows[0].statistics
    ]
    heads = ["Method", "$n$", *[_TITLES[metric][0] for metric in metrics]]
    published = table.published if task is None else None
    if published:
        heads.append("Published")
    heads += [r"$\Delta$ task [95\,\%]", "$p$"]
    shown = [row.statistics[_of(metric, task)] for row in table.rows for metric in metrics]
    spread = r"$\pm$ is the standard deviation over seeds; " if any(map(_has_spread, shown)) else ""
    stop = "" if title.rstrip()[-1:] in {".", "?", "!"} else "."
    lines = [
        # The star lets it span both columns of a two-column paper.
        r"\begin{table*}",
        r"\centering\footnotesize\setlength{\tabcolsep}{3pt}",
        rf"\caption{{{latex(title)}{stop} {spread}$\Delta$ is the difference in task "
        rf"accuracy to {latex(table.baseline or 'no baseline')} in points; $p$ is Holm-corrected. "
        rf"{latex(table.test_about)}}}",
        # Only what is too wide is made smaller.
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{l{'r' * (len(heads) - 1)}}}",
        r"\toprule",
        " & ".join(heads) + r" \\",
        r"\midrule",
    ]
    lines += [_latex_row(row, metrics, task, has_published=published is not None) for row in table.rows]
    lines += [r"\bottomrule", r"\end{tabular}}"]
    if published:
        lines.append(rf"% Published: {published.title}; {table.published_source}.")
    return "\n".join([*lines, r"\end{table*}", ""])


def _has_spread(cell: MethodStatistic) -> bool:
    return cell.std is not None or cell.published_std is not None


def latex(text: str) -> str:
    """Text that LaTeX prints as it is, on one line; symbols that its fonts lack become question marks."""
    return "".join(map(_character, " ".join(text.split())))


def _character(character: str) -> str:
    if character in _LATEX:
        return _LATEX[character]
    kind = unicodedata.category(character)
    if kind.startswith("C"):
        return ""
    return character if ord(character) < _LATIN or kind.startswith(("L", "M")) else "?"


def _of(metric: str, task: str | None) -> str:
    return metric if task is None else f"{metric}/{task}"


def _latex_row(row: MethodRow, metrics: list[str], of_task: str | None, *, has_published: bool) -> str:
    task = row.statistics[_of("task_accuracy", of_task)]
    cells = [latex(row.method), str(task.n)]
    cells += [_mean(row.statistics[_of(metric, of_task)], *_TITLES[metric][1:]) for metric in metrics]
    if has_published:
        has = task.published_mean is not None
        cells.append(_spread(100 * (task.published_mean or 0), task.published_std, 100, 2) if has else "--")
    if row.is_baseline or task.difference is None:
        cells += ["--", "--"]
    else:
        between = ""
        if task.difference_low is not None and task.difference_high is not None:
            between = rf"\ [{100 * task.difference_low:.1f}, {100 * task.difference_high:.1f}]"
        cells.append(f"${100 * task.difference:+.1f}{between}$")
        cells.append("--" if task.p_holm is None else "$<$0.001" if task.p_holm < 0.001 else f"{task.p_holm:.3f}")
    return " & ".join(cells) + r" \\"


def _mean(cell: MethodStatistic, scale: float, decimals: int) -> str:
    return "--" if cell.mean is None else _spread(cell.mean * scale, cell.std, scale, decimals)


def _spread(mean: float, std: float | None, scale: float, decimals: int) -> str:
    return f"{mean:.{decimals}f}" + ("" if std is None else rf" $\pm$ {std * scale:.{decimals}f}")
