"""Rows from the database to figures with their title, description and table."""

import json
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from aft.config.method import method_label
from aft.metrics import pearson
from backend.charts import curves
from backend.charts.blocks import by_block, over_models
from backend.charts.calibration import Calibration, calibration_curves, right_by_score
from backend.charts.methods import MetricAxis, by_method
from backend.charts.rows import QUANTILES, Change, ScoreQuantiles, degradation, score_distributions
from backend.charts.scatter import task_against_assessment
from backend.charts.style import wrapped
from backend.charts.sweeps import ParallelAxis, parallel, sweep_curves, sweep_panels
from backend.db.models import Experiment, Run
from backend.schemas.comparison import Comparison, ComparisonOptions, MethodRow
from backend.services import block_figures, comparison, figure_parts, metrics, watch_figures
from backend.services.degradation import is_degraded
from backend.services.figure_parts import MadeFigure as MadeFigure

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
        "Perplexity of fresh right COTs",
    ),
}
FROM_NUMBERS: Final = (*AXES, "scatter")
RUN_FIGURES: Final = {
    "loss": (curves.LOSS_NAMES, curves.loss_curves, "Loss and its parts"),
    "push": (curves.PUSH_NAMES, curves.push_curves, "Gradient push on better and worse COTs"),
}
_TABLE_ROWS: Final = 500


def names(spec: ExperimentSpec) -> tuple[str, ...]:
    """The figures that an experiment has."""
    several = len(spec.blocks) > 1
    return tuple(name for name in (*AXES, *TABLE_FIGURES, *EXPERIMENT_FIGURES) if several or name not in OVER_BLOCKS)


def as_json(made: MadeFigure) -> dict[str, Any]:
    """The figure as the API and bundles carry it."""
    return {
        "title": made.title,
        "description": made.description,
        "figure": json.loads(made.figure.to_json()),
        "columns": made.columns,
        "rows": made.rows,
    }


def of_experiment(
    session: Session, experiment: Experiment, name: str, options: ComparisonOptions = comparison.DEFAULTS
) -> MadeFigure:
    """One of the experiment's figures, by its name in `EXPERIMENT_FIGURES`.

    Raises:
        Invalid: If the options name a baseline or a published column that does not exist.
    """
    # A test over questions reads every answer, and no figure shows its result.
    table = comparison.compare(session, experiment, options.model_copy(update={"test": "paired-t"}))
    table.rows = [row for row in table.rows if row.method not in options.hidden]
    if name in AXES or name in TABLE_FIGURES:
        return of_table(session, table, name)
    return EXPERIMENT_FIGURES[name](session, experiment, table)


def of_table(session: Session, table: Comparison, name: str) -> MadeFigure:
    """A figure that needs the comparison's rows only: one of `AXES` or `TABLE_FIGURES`."""
    return _by_method(table, name) if name in AXES else TABLE_FIGURES[name](session, table)


def of_numbers(table: Comparison, name: str) -> MadeFigure:
    """A figure whose every number is in the comparison's rows: one of `FROM_NUMBERS`."""
    return _by_method(table, name) if name in AXES else _of_accuracies(table)


def of_run(session: Session, run: Run, name: str) -> MadeFigure:
    """One of a run's figures: loss, push or degradation."""
    if name == "degradation":
        return watch_figures.of_run(session, run)
    names, draw, title = RUN_FIGURES[name]
    series = metrics.read_series(session, run.id, list(names))
    figure = draw(series)
    steps = sorted({step for points in series.values() for step, _ in points})
    at = {key: dict(points) for key, points in series.items()}
    rows = [[step, *[at[key].get(step) for key in sorted(at)]] for step in steps[:200]]
    return MadeFigure(title, f"{title} over optimizer steps of '{run.name}'.", figure, ["Step", *sorted(at)], rows)


def _by_method(table: Comparison, name: str) -> MadeFigure:
    metric, scale, axis, title = AXES[name]
    methods = comparison.values_by_method(table, metric, scale=scale)
    seeds = list(table.rows[0].statistics[metric].values) if table.rows else []
    published = [m.published[0] if m.published else None for m in methods] if table.published else []
    rows: list[list[Any]] = [
        [m.label, m.mean, m.std, len(m.by_seed), *[m.by_seed.get(seed) for seed in seeds]] for m in methods
    ]
    return MadeFigure(
        title=f"{title.split(' of ')[0]} per method",
        description=f"{title} per method: mean with standard deviation over seeds, every seed as a dot.",
        figure=by_method(methods, axis, baseline=table.baseline),
        columns=[
            "Method",
            "Mean",
            "Std",
            "Seeds",
            *[f"Seed {seed}" for seed in seeds],
            *(["Published"] if published else []),
        ],
        rows=[[*row, paper] for row, paper in zip(rows, published, strict=True)] if published else rows,
    )


def _scatter(_session: Session, table: Comparison) -> MadeFigure:
    return _of_accuracies(table)


def _of_accuracies(table: Comparison) -> MadeFigure:
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


def _curves(session: Session, table: Comparison) -> MadeFigure:
    """Validation task accuracy during training, per method over seeds."""
    methods = figure_parts.series(session, table.rows, "validation/task_accuracy", scale=PERCENT)
    rows = [
        [m.label, seed, step, value] for m in methods for seed, points in m.by_seed.items() for step, value in points
    ]
    return MadeFigure(
        title="Validation task accuracy during training",
        description="Greedy accuracy on validation questions over optimizer steps, mean over seeds per method.",
        figure=curves.method_curves(methods, "Task accuracy (%)", bounds=(0, 100)),
        columns=["Method", "Seed", "Step", "Task accuracy (%)"],
        rows=rows[:_TABLE_ROWS],
    )


def _push(session: Session, table: Comparison) -> MadeFigure:
    up = figure_parts.series(session, table.rows, "train/push_up", max_points=60)
    down = figure_parts.series(session, table.rows, "train/push_down", max_points=60)
    rows = []
    for one, other in zip(up, down, strict=True):
        lasts = [[points[-1][1] for points in each.by_seed.values() if points] for each in (one, other)]
        if all(lasts):
            rows.append([one.label, *[sum(last) / len(last) for last in lasts]])
    return MadeFigure(
        title="Push on scores during training",
        description=(
            "Total gradient on better COTs' scores upwards and on worse COTs' downwards, mean over seeds per method."
        ),
        figure=curves.push_by_method(up, down),
        columns=["Method", "Push up at the end", "Push down at the end"],
        rows=rows,
    )


def _scores(session: Session, table: Comparison) -> MadeFigure:
    found = figure_parts.scored(session, table.rows)

    def at(values: list[float]) -> list[float] | None:
        ordered = sorted(values)
        return [figure_parts.quantile(ordered, share) for share in QUANTILES] if ordered else None

    methods = [
        ScoreQuantiles(label, at(scores.right), at(scores.wrong), len(scores.right), len(scores.wrong))
        for label, scores in found.items()
    ]
    heads = [f"{word} {100 * share:.0f} %" for word in ("Right", "Wrong") for share in QUANTILES]
    blank = [None] * len(QUANTILES)
    return MadeFigure(
        title="Scores of right and wrong COTs",
        description="Quantiles of the scores of fresh right and wrong COTs under each method's models, nats a token.",
        figure=score_distributions(methods),
        columns=["Method", *heads],
        rows=[[m.label, *(m.right or blank), *(m.wrong or blank)] for m in methods],
    )


def _calibration(session: Session, table: Comparison) -> MadeFigure:
    found = figure_parts.scored(session, table.rows)
    methods = []
    for row in table.rows:
        scores = found[row.method]
        scored = [(score, True) for score in scores.right] + [(score, False) for score in scores.wrong]
        shares, means = right_by_score(scored)
        methods.append(Calibration(row.method, row.family, row.constraint, shares, means, len(scored)))
    return MadeFigure(
        title="Right COTs by score",
        description="Share of right COTs in each tenth of the fresh COTs by score, lowest scores first, per method.",
        figure=calibration_curves(methods),
        columns=["Method", *[f"Tenth {n}" for n in range(1, 11)]],
        rows=[[m.label, *m.shares] for m in methods if m.shares],
    )


def _degradation(_session: Session, table: Comparison) -> MadeFigure:
    baseline = figure_parts.baseline_row(table)
    changes = [_change(row, baseline) for row in table.rows if baseline is not None and not row.is_baseline]
    return MadeFigure(
        title=f"Change against {table.baseline or 'the baseline'}",
        description=(
            "Assessment accuracy, task accuracy and perplexity against the baseline. ⚠ marks methods "
            "with worse answers and higher perplexity beyond the spread over seeds."
        ),
        figure=degradation(changes),
        columns=["Method", "Assessment (points)", "Task (points)", "Perplexity", "Degraded"],
        rows=[[c.label, c.assessment, c.task, c.perplexity, "yes" if c.degraded else "no"] for c in changes],
    )


def _change(row: MethodRow, baseline: MethodRow) -> Change:
    def change(metric: str, scale: float) -> float | None:
        mine, theirs = row.statistics[metric].mean, baseline.statistics[metric].mean
        return None if mine is None or theirs is None else (mine - theirs) * scale

    return Change(
        row.method,
        change("assessment_accuracy", PERCENT),
        change("task_accuracy", PERCENT),
        change("perplexity", 1.0),
        is_degraded(row, baseline),
    )


def _sweep(_session: Session, experiment: Experiment, table: Comparison) -> MadeFigure:
    spec = ExperimentSpec.model_validate(experiment.spec)
    values = {m.label: m for m in comparison.values_by_method(table, "task_accuracy", scale=PERCENT)}
    k = spec.sampled_k
    found = [figure_parts.sweeps(spec.methods, values, name, k) for name in figure_parts.varying(spec.methods, k)]
    # The setting with the most values stands first, and names the figure where it is the only one.
    found = sorted((curves for curves in found if curves), key=lambda c: -sum(len(curve.points) for curve in c))
    over = (
        found[0][0].setting if len(found) == 1 else "each setting that varies" if found else "the setting that varies"
    )
    return MadeFigure(
        title=f"Task accuracy over {over}",
        description="Mean task accuracy with standard deviation over seeds at each value of the setting.",
        figure=sweep_panels(found, "Task accuracy (%)", baseline=values.get(table.baseline or "")),
        columns=["Setting", "Curve", "Value", "Mean", "Std", "Seeds"],
        rows=[
            [c.setting, c.name, p.x, p.values.mean, p.values.std, len(p.values.by_seed)]
            for curves in found
            for c in curves
            for p in c.points
        ],
    )


def _votes(session: Session, table: Comparison) -> MadeFigure:
    values = {m.label: m for m in comparison.values_by_method(table, "task_accuracy", scale=PERCENT)}
    found = figure_parts.votes(session, table.rows, values)
    figure = sweep_curves(found, "Task accuracy by majority vote (%)", baseline=None)
    if not found:
        why = "No majority votes yet: they come with the evaluations where self_consistency is set."
        figure.layout.annotations[0].text = wrapped(why, 32)
    return MadeFigure(
        title="Self-consistency",
        description="Task accuracy by majority vote over sampled paths, mean with standard deviation over seeds.",
        figure=figure,
        columns=["Method", "Paths", "Mean", "Std", "Seeds"],
        rows=[[c.name, p.x, p.values.mean, p.values.std, len(p.values.by_seed)] for c in found for p in c.points],
    )


def _parallel(_session: Session, experiment: Experiment, table: Comparison) -> MadeFigure:
    spec = ExperimentSpec.model_validate(experiment.spec)
    shown = {row.method for row in table.rows}
    configs = [method for method in spec.methods if method_label(method) in shown]
    methods = comparison.values_by_method(table, "task_accuracy", scale=PERCENT)
    axes = [
        ParallelAxis(
            figure_parts.setting_title(configs, name).split(",")[0],
            [figure_parts.setting_value(method, name, spec.sampled_k) for method in configs],
            2,
        )
        for name in figure_parts.varying(spec.methods, spec.sampled_k)
    ]
    for metric, scale, axis, title in (AXES["assessment"], AXES["perplexity"], AXES["task"]):
        means = [m.mean for m in comparison.values_by_method(table, metric, scale=scale)]
        axes.append(ParallelAxis(title.replace(" of fresh right COTs", ""), means, axis.decimals))
    return MadeFigure(
        title="Settings and results together",
        description="Every method as a line across its settings and mean results, each axis from lowest to highest.",
        figure=parallel(methods, axes),
        columns=["Method", *[axis.title for axis in axes]],
        rows=[[m.label, *[axis.values[place] for axis in axes]] for place, m in enumerate(methods)],
    )


def _blocks(session: Session, experiment: Experiment, table: Comparison) -> MadeFigure:
    """Every method on every data set and model."""
    shown = {row.method for row in table.rows}
    found = block_figures.values(session, experiment, table, shown)
    return MadeFigure(
        title="Task accuracy over data sets and models",
        description="Mean task accuracy of every method on each data set and model, standard deviation over seeds.",
        figure=by_block(found, "Task accuracy (%)"),
        columns=["Data and model", "Method", "Mean", "Std", "Seeds"],
        rows=[[b.title, m.label, m.mean, m.std, len(m.by_seed)] for b in found for m in b.methods],
    )


def _models(session: Session, experiment: Experiment, table: Comparison) -> MadeFigure:
    """Assessment and task accuracy of one method over models (Table 1)."""
    label, spots, found = block_figures.over_models(session, experiment, table)
    return MadeFigure(
        title="Over models: task against assessment accuracy",
        description=f"Mean task accuracy of {label} against its mean assessment accuracy, a point a model.",
        figure=over_models(spots, pearson=found),
        columns=["Model", "Assessment accuracy (%)", "Task accuracy (%)"],
        rows=[[spot.title, spot.assessment, spot.task] for spot in spots],
    )


OVER_BLOCKS: Final = frozenset({"blocks", "models"})
"""Figures about several data sets or models."""
TABLE_FIGURES: Final[dict[str, Callable[[Session, Comparison], MadeFigure]]] = {
    "scatter": _scatter,
    "curves": _curves,
    "push": _push,
    "scores": _scores,
    "calibration": _calibration,
    "degradation": _degradation,
    "votes": _votes,
}
EXPERIMENT_FIGURES: Final[dict[str, Callable[[Session, Experiment, Comparison], MadeFigure]]] = {
    "watch": watch_figures.of_experiment,
    "sweep": _sweep,
    "parallel": _parallel,
    "blocks": _blocks,
    "models": _models,
}
