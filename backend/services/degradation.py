"""The paper's signature of over-punishing, in an experiment's results (Table 4)."""

from backend.schemas.comparison import MethodRow


def is_over_punished(row: MethodRow, baseline: MethodRow) -> bool:
    """Assessment accuracy higher, task accuracy lower and perplexity higher: it judges better and answers worse.

    The losses must exceed the spread over seeds; the gain need only be one, for some losses gain little.
    """
    assessment = _change(row, baseline, "assessment_accuracy")
    return is_degraded(row, baseline) and assessment is not None and assessment[0] > 0


def is_degraded(row: MethodRow, baseline: MethodRow) -> bool:
    """Task accuracy lower and perplexity higher than the baseline by more than their spreads over seeds."""
    task = _change(row, baseline, "task_accuracy")
    perplexity = _change(row, baseline, "perplexity")
    return task is not None and perplexity is not None and task[0] < -task[1] and perplexity[0] > perplexity[1]


def reasons(row: MethodRow, baseline: MethodRow) -> str:
    """Why a method counts as over-punished, with its numbers."""
    parts = []
    for metric, name, scale, decimals, unit in (
        ("assessment_accuracy", "assessment accuracy", 100.0, 1, " points"),
        ("task_accuracy", "task accuracy", 100.0, 1, " points"),
        ("perplexity", "perplexity", 1.0, 2, ""),
    ):
        change = _change(row, baseline, metric)
        if change is not None:
            parts.append(f"{name} {change[0] * scale:+.{decimals}f}{unit}".replace("-", "−"))
    return ", ".join(parts)


def _change(row: MethodRow, baseline: MethodRow, metric: str) -> tuple[float, float] | None:
    """Difference of the means, and the larger of the two spreads."""
    mine, theirs = row.statistics[metric], baseline.statistics[metric]
    if mine.mean is None or theirs.mean is None:
        return None
    return mine.mean - theirs.mean, max(mine.std or 0.0, theirs.std or 0.0)
