"""The degradation panel's figures: one training run's, and an experiment's methods together."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.orm import Session

from aft.config.method import RANKING_METHODS, MethodConfig, method_label
from backend.charts.watch import PANELS, Measure, WatchedMethod, watched
from backend.db.models import Experiment, Run
from backend.schemas.comparison import Comparison
from backend.services import alarms, figure_parts, metrics
from backend.services.figure_parts import MadeFigure

SCALES: Final[Mapping[Measure, float]] = {"task_accuracy": 100.0, "assessment_accuracy": 100.0, "perplexity": 1.0}
_TABLE_ROWS: Final = 500
_ABOUT: Final = (
    "Greedy accuracy on validation questions, assessment accuracy and perplexity of fresh right COTs over optimizer "
    "steps. A triangle marks an alarm: assessment accuracy rose while task accuracy fell and perplexity rose beyond "
    "chance."
)


def of_run(session: Session, run: Run) -> MadeFigure:
    """A training run's three curves, the VFT model's values as dotted lines."""
    names = [f"{kind}/{measure}" for kind in ("validation", "baseline") for measure, _, _ in PANELS]
    series = metrics.read_series(session, run.id, names)
    seed, found = str(run.seed), alarms.of_runs(session, [run.id])
    method = MethodConfig.model_validate(run.config["method"]) if "method" in run.config else MethodConfig(name="vft")
    line = WatchedMethod(
        label=run.method or method_label(method),
        family=method.name,
        constraint=method.constraint if method.name in RANKING_METHODS else "none",
        measures={
            measure: {
                seed: [(step, value * SCALES[measure]) for step, value in series.get(f"validation/{measure}", [])]
            }
            for measure, _, _ in PANELS
        },
        alarms={seed: found[0].step} if found else {},
    )
    baseline = {
        measure: series[f"baseline/{measure}"][-1][1] * SCALES[measure]
        for measure, _, _ in PANELS
        if series.get(f"baseline/{measure}")
    }
    return MadeFigure(
        title="Degradation during training",
        description=_ABOUT,
        figure=watched([line], baseline),
        columns=["Method", "Seed", "Step", *[title for _, title, _ in PANELS], "Alarm"],
        rows=_rows(line),
    )


def of_experiment(session: Session, experiment: Experiment, table: Comparison) -> MadeFigure:
    """Every method's three curves, mean over seeds."""
    place = {
        kinds["train"]: (row.method, seed)
        for row in table.rows
        for seed, kinds in row.run_ids.items()
        if "train" in kinds
    }
    alarmed: dict[str, dict[str, int]] = {}
    for alarm in alarms.of_experiment(session, experiment.id):
        if alarm.run_id in place:
            method, seed = place[alarm.run_id]
            alarmed.setdefault(method, {})[seed] = alarm.step
    measured = {
        measure: {
            item.label: item.by_seed
            for item in figure_parts.series(session, table.rows, f"validation/{measure}", scale=SCALES[measure])
        }
        for measure, _, _ in PANELS
    }
    lines = [
        WatchedMethod(
            row.method,
            row.family,
            row.constraint,
            {measure: by_method.get(row.method, {}) for measure, by_method in measured.items()},
            alarmed.get(row.method, {}),
        )
        for row in table.rows
    ]
    return MadeFigure(
        title="Degradation during training",
        description=f"{_ABOUT} Lines are means over seeds.",
        figure=watched(lines),
        columns=["Method", "Seed", "Step", *[title for _, title, _ in PANELS], "Alarm"],
        rows=[row for line in lines for row in _rows(line)][:_TABLE_ROWS],
    )


def _rows(line: WatchedMethod) -> list[list[Any]]:
    rows = []
    for seed in line.measures["task_accuracy"]:
        at = {measure: dict(by_seed.get(seed, ())) for measure, by_seed in line.measures.items()}
        for step in sorted({step for values in at.values() for step in values}):
            is_alarm = line.alarms.get(seed) == step
            values = [at[measure].get(step) for measure, _, _ in PANELS]
            rows.append([line.label, seed, step, *values, "alarm" if is_alarm else ""])
    return rows
