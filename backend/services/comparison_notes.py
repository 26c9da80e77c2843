"""What has to be said beside a comparison table, in words."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from backend.schemas.comparison import MethodRow, TestName
from backend.services.degradation import is_degraded, is_over_punished, reasons

_TEST_NAMES: Final = {
    "paired-t": "paired t-test over seeds",
    "welch": "Welch's t-test over seeds",
    "bootstrap": "paired bootstrap over questions",
    "mcnemar": "McNemar's test",
}


def notes(
    rows: Sequence[MethodRow], baseline: str | None, test: TestName, details: Iterable[dict[str, Any]], n_seeds: int
) -> list[str]:
    """Everything a reader must know before believing a difference."""
    # A row may have fewer seeds than the table: the spread is over those that it was measured under.
    measured = max((row.statistics["task_accuracy"].n for row in rows), default=0)
    if n_seeds > 1 and measured != 1:
        found = [f"± is the standard deviation over {n_seeds} seeds."]
    else:
        found = ["One seed each: there is no standard deviation."]
        if baseline is not None and test in {"paired-t", "welch"}:
            found[0] += (
                " No difference between trainings can be told from chance; McNemar's test and the bootstrap compare "
                "the trained models themselves, on the questions."
            )
    if baseline is not None:
        found += _noise(rows, baseline, test)
    base = next((row for row in rows if row.is_baseline), None)
    for row in rows:
        if base is not None and row is not base and is_degraded(row, base):
            what = "shows the signature of over-punishing" if is_over_punished(row, base) else "is degraded"
            found.append(f"{row.method} {what}, against {baseline}: {reasons(row, base)}.")
    coverage = [(d["questions_counted"], d["questions_total"]) for d in details if "questions_total" in d]
    if coverage:
        counted = sum(n for n, _ in coverage) / len(coverage)
        total = sum(n for _, n in coverage) / len(coverage)
        found.append(
            f"The 3x3 form counts the questions with three fresh right and three fresh wrong COTs: {counted:.0f} of "
            f"{total:.0f} on average. The all-pairs form counts every question with at least one of each."
        )
    if any(row.family == "vft-continued" for row in rows):
        found.append("VFT · continued is the equal-epoch control: compare AFT, RRHF and PRO with it too.")
    return found


def _noise(rows: Sequence[MethodRow], baseline: str, test: TestName) -> list[str]:
    tested = [(row.method, row.statistics["task_accuracy"]) for row in rows]
    noise = [method for method, statistic in tested if statistic.verdict == "within noise"]
    clear = {
        word: [method for method, statistic in tested if statistic.verdict == word] for word in ("higher", "lower")
    }
    by = f"{_TEST_NAMES[test]}, Holm-corrected for {len(noise) + sum(map(len, clear.values()))} comparisons"
    found = []
    for word, methods in clear.items():
        if methods:
            found.append(f"Task accuracy {word} than {baseline} beyond noise (p < 0.05, {by}): {', '.join(methods)}.")
    if noise:
        found.append(f"Task accuracy within noise of {baseline} (p ≥ 0.05, {by}): {', '.join(noise)}.")
    return found
