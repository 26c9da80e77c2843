"""The comparison as LaTeX: whatever a name holds, the table stays one table."""

import re

import pytest

from backend.schemas.comparison import Comparison, MethodRow, MethodStatistic
from backend.services import comparison, comparison_notes
from backend.services.comparison_files import as_latex, latex


def statistic(mean: float, std: float | None, n: int) -> MethodStatistic:
    return MethodStatistic(
        mean=mean, std=std, n=n, values={}, difference=0.1, difference_low=None, difference_high=None, p_value=None,
        p_holm=None, tested_n=None, verdict=None, published_mean=None, published_std=None,
    )  # fmt: skip


def rows_of(*labels: str, std: float | None = 0.01, n: int = 3) -> list[MethodRow]:
    return [
        MethodRow(
            method=label, family="vft", constraint="none", is_baseline=label == labels[0],
            statistics=dict.fromkeys(comparison.METRICS, statistic(0.5, std, n)), run_ids={}, missing=[],
        )
        for label in labels
    ]  # fmt: skip


def table_of(*labels: str, std: float | None = 0.01, n: int = 3) -> Comparison:
    return Comparison(
        baseline=labels[0], metrics=["task_accuracy"], tasks=[], rows=rows_of(*labels, std=std, n=n), test="paired-t",
        test_about="A test.", seed=None, published=None, published_choices=[], published_source="", block="d1m1",
        notes=[],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("a & b_c 100% #1 {x} $y$", r"a \& b\_c 100\% \#1 \{x\} \$y\$"),
        (r"}\end{table*}\input{/etc/passwd}", r"\}\textbackslash{}end\{table{*}\}\textbackslash{}input\{/etc/passwd\}"),
        # A blank line would end the caption, brackets and stars would be options of the row before.
        ("two\n\nlines\tand a tab", "two lines and a tab"),
        ("[opt] *", "{[}opt] {*}"),
        ("bell\x07 \u202eback", "bell back"),
        ("AFT · β≥0.15, λ₂", r"AFT $\cdot$ $\beta$$\geq$0.15, $\lambda$$_2$"),
        ("<b>|`", r"\textless{}b\textgreater{}\textbar{}\textasciigrave{}"),
        ("naïve 😀", "naïve ?"),
    ],
)
def test_names_are_printed_as_they_are(name: str, printed: str) -> None:
    assert latex(name) == printed
    text = as_latex(table_of("VFT", name), name)
    assert text.count(r"\begin{table*}") == text.count(r"\end{table*}") == 1
    assert "\n\n" not in text
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in rows} == {4}


def test_letters_that_pdflatex_lacks_are_kept_and_said() -> None:
    assert "XeLaTeX" in as_latex(table_of("VFT", "中文"), "t")
    assert "中文" in as_latex(table_of("VFT", "中文"), "t")
    assert "XeLaTeX" not in as_latex(table_of("VFT", "AFT · β"), "t")


def test_a_title_that_is_a_question_gets_no_full_stop() -> None:
    assert r"\caption{Is it? $\pm$" in as_latex(table_of("VFT"), "Is it?")


def test_one_seed_has_no_spread_to_speak_of() -> None:
    assert "standard deviation" not in as_latex(table_of("VFT", std=None, n=1), "t")
    notes = comparison_notes.notes(rows_of("VFT", "RFT", "AFT", std=None, n=1), "VFT", "paired-t", [], 1)
    assert notes[0].startswith("One seed each: there is no standard deviation.")
    assert "the trained models themselves" in notes[0]
    by_question = comparison_notes.notes(rows_of("VFT", std=None, n=1), "VFT", "mcnemar", [], 1)
    assert by_question[0] == "One seed each: there is no standard deviation."
    assert comparison_notes.notes(rows_of("VFT"), "VFT", "welch", [], 3)[0] == (
        "± is the standard deviation over 3 seeds."
    )
