"""Rows from the database to figures with their title, description and table."""

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from sqlalchemy.orm import Session

from aft.metrics import pearson
from backend.charts import curves
from backend.charts.methods import MethodValues, MetricAxis, by_method
from backend.charts.scatter import task_against_assessment
from backend.db.models import Experiment, Run
from backend.schemas.comparison import Comparison, ComparisonOptions
from backend.services import comparison, experiments, metrics

PERCENT = 100.0
AXES = {
    "task": ("task_accuracy", PERCENT, MetricAxis("Task accuracy (%)", 1, bars=True), "Task accuracy"),
    "assessment": (
        "assessment_accuracy",
        PERCENT,
        MetricAxis("Assessment accuracy (%)", 1, bars=False, reference=(50.0, "chance")),
        "Assessment accuracy",
    ),
    "perplexity": (
        "perplexity",
        1.0,
        MetricAxis("Perplexity of right COTs", 2, bars=False),
        "Perplexity of freshly sampled right COTs",
    ),
}


@dataclass(frozen=True, slots=True)
class MadeFigure:
    """A figure with what a reader without eyes for it needs."""

    title: str
    description: str
    figure: go.Figure
    columns: list[str]
    rows: list[list[Any]]


def of_experiment(
    session: Session, experiment: Experiment, name: str, options: ComparisonOptions = comparison.DEFAULTS
) -> MadeFigure:
    """One of the experiment's figures: task, assessment, perplexity, scatter or curves.

    Raises:
        Invalid: If the options name a baseline or a published column that does not exist.
    """
    # A test over questions reads every answer, and no figure shows its result.
    table = comparison.compare(session, experiment, options.model_copy(update={"test": "paired-t"}))
    table.rows = [row for row in table.rows if row.method not in options.hidden]
    if name == "scatter":
        return _scatter(table)
    if name == "curves":
        return _validation(session, experiment, table)
    metric, scale, axis, title = AXES[name]
    methods = comparison.values_by_method(table, metric, scale=scale)
    rows = [[m.label, m.mean, m.std, len(m.by_seed), *[m.by_seed.get(seed) for seed in _seeds(table)]] for m in methods]
    return MadeFigure(
        title=f"{title} per method",
        description=f"{title} per method: mean with standard deviation over seeds, every seed as a dot.",
        figure=by_method(methods, axis, baseline=table.baseline),
        columns=["Method", "Mean", "Std", "Seeds", *[f"Seed {seed}" for seed in _seeds(table)]],
        rows=rows,
    )


def of_run(session: Session, run: Run, name: str) -> MadeFigure:
    """One of a run's figures: loss, push or validation."""
    wanted = {
        "loss": list(curves.LOSS_NAMES),
        "push": list(curves.PUSH_NAMES),
        "validation": [found for found in metrics.names(session, run.id) if found.startswith("validation/")],
    }[name]
    series = metrics.read_series(session, run.id, wanted)
    if name == "loss":
        figure, title = curves.loss_curves(series), "Loss and its parts"
    elif name == "push":
        figure, title = curves.push_curves(series), "Gradient push on better and worse COTs"
    else:
        series = {key: [(step, value * PERCENT) for step, value in points] for key, points in series.items()}
        figure, title = curves.validation_curves(series, unit="Validation accuracy (%)"), "Validation during training"
    steps = sorted({step for points in series.values() for step, _ in points})
    at = {key: dict(points) for key, points in series.items()}
    rows = [[step, *[at[key].get(step) for key in sorted(at)]] for step in steps[:200]]
    return MadeFigure(title, f"{title} over optimizer steps of '{run.name}'.", figure, ["Step", *sorted(at)], rows)


def _scatter(table: Comparison) -> MadeFigure:
    task = comparison.values_by_method(table, "task_accuracy", scale=PERCENT)
    assessment = comparison.values_by_method(table, "assessment_accuracy", scale=PERCENT)
    pairs = list(zip(task, assessment, strict=True))
    means = [(a.mean, t.mean) for t, a in pairs if a.mean is not None and t.mean is not None]
    found = pearson([a for a, _ in means], [t for _, t in means]) if len(means) >= 4 else None
    line = None
    if found is not None and found.low is not None and found.high is not None:
        line = (found.r, found.low, found.high, found.n)
    return MadeFigure(
        title="Task accuracy against assessment accuracy",
        description="Each method's mean task accuracy against its mean assessment accuracy; small dots are seeds.",
        figure=task_against_assessment(pairs, pearson=line),
        columns=["Method", "Assessment accuracy (%)", "Task accuracy (%)"],
        rows=[[t.label, a.mean, t.mean] for t, a in pairs],
    )


def _validation(session: Session, experiment: Experiment, table: Comparison) -> MadeFigure:
    """Validation task accuracy during training, per method over seeds."""
    name = "validation/task_accuracy"
    wanted: dict[str, MethodValues] = {
        row.label: row for row in comparison.values_by_method(table, "task_accuracy", scale=1)
    }
    series: dict[str, dict[str, list[tuple[int, float]]]] = {label: {} for label in wanted}
    for cell in experiments.cells(session, experiment.id):
        label = cell.place.method
        if cell.run.kind != "train" or label not in wanted:
            continue
        for points in metrics.read_series(session, cell.run.id, [name]).values():
            series[label][str(cell.place.seed)] = [(step, value * PERCENT) for step, value in points]
    methods = [
        curves.MethodSeries(label, values.family, values.constraint, series[label]) for label, values in wanted.items()
    ]
    rows = [
        [m.label, seed, step, value] for m in methods for seed, points in m.by_seed.items() for step, value in points
    ]
    return MadeFigure(
        title="Validation task accuracy during training",
        description="Greedy accuracy on validation questions over optimizer steps, mean over seeds per method.",
        figure=curves.method_curves(methods, "Validation task accuracy (%)"),
        columns=["Method", "Seed", "Step", "Task accuracy (%)"],
        rows=rows[:500],
    )


def _seeds(table: Comparison) -> list[str]:
    return list(table.rows[0].statistics["task_accuracy"].values) if table.rows else []
