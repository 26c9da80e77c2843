"""Methods of an experiment against its baseline, over seeds."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from aft.config.method import MethodConfig, method_label
from aft.metrics import difference_to_baseline, mean_and_std
from backend.charts.methods import MethodValues
from backend.db.models import Experiment, Result
from backend.schemas.experiments import Comparison, MethodRow, MethodStatistic
from backend.services import experiments
from backend.services.experiments import Cell

METRICS = ("task_accuracy", "assessment_accuracy", "assessment_accuracy_3x3", "perplexity")
NOISE_LEVEL = 0.05

Values = dict[tuple[str, str, str], float | None]
"""(method label, seed, metric) -> value."""


def compare(session: Session, experiment: Experiment) -> Comparison:
    """The comparison table of an experiment; cells that are missing say why."""
    spec = ExperimentSpec.model_validate(experiment.spec)
    cells = experiments.cells(session, experiment.id)
    values, details = _results(session, cells)
    labels = [method_label(method) for method in spec.methods]
    baseline = next((method_label(method) for method in spec.methods if method.name == "vft"), None)
    rows = [
        _row(method, spec, cells, values, baseline if baseline != method_label(method) else None, baseline)
        for method in spec.methods
    ]
    return Comparison(
        baseline=baseline,
        metrics=list(METRICS),
        rows=rows,
        notes=_notes(rows, baseline, details, labels, len(spec.seeds)),
    )


def values_by_method(table: Comparison, metric: str, *, scale: float) -> list[MethodValues]:
    """A metric of every row for the charts, multiplied by ``scale`` (100 for percent)."""
    found = []
    for row in table.rows:
        statistic = row.statistics[metric]
        found.append(
            MethodValues(
                label=row.method,
                family=row.family,
                constraint=row.constraint,
                by_seed={seed: value * scale for seed, value in statistic.values.items() if value is not None},
                mean=None if statistic.mean is None else statistic.mean * scale,
                std=None if statistic.std is None else statistic.std * scale,
            )
        )
    return found


def _results(session: Session, cells: list[Cell]) -> tuple[Values, list[dict[str, Any]]]:
    places = {
        cell.run.id: cell.place for cell in cells if cell.run.kind == "evaluate" and cell.run.state == "succeeded"
    }
    values: Values = {}
    details = []
    for result in session.scalars(select(Result).where(Result.run_id.in_(list(places)))):
        place = places[result.run_id]
        values[(place.method or "", str(place.seed), result.metric)] = result.value
        if result.metric == "assessment_accuracy_3x3" and result.details:
            details.append(result.details)
    return values, details


def _row(
    method: MethodConfig,
    spec: ExperimentSpec,
    cells: list[Cell],
    values: Values,
    against: str | None,
    baseline: str | None,
) -> MethodRow:
    label = method_label(method)
    seeds = [str(seed) for seed in spec.seeds]
    statistics = {}
    for metric in METRICS:
        mine = {seed: values.get((label, seed, metric)) for seed in seeds}
        theirs = {seed: values.get((against, seed, metric)) for seed in seeds} if against else {}
        statistics[metric] = _statistic(mine, theirs)
    run_ids: dict[str, dict[str, str]] = {seed: {} for seed in seeds}
    missing = []
    for cell in cells:
        seed = str(cell.place.seed)
        mine_or_shared = cell.place.method == label or (method.name == "vft" and cell.place.stage == "vft")
        if mine_or_shared and cell.run.kind in {"train", "evaluate"} and seed in run_ids:
            run_ids[seed][cell.run.kind] = cell.run.id
            if cell.run.kind == "evaluate" and cell.run.state != "succeeded":
                missing.append(f"seed {seed}: {cell.run.state}")
    return MethodRow(
        method=label,
        family=method.name,
        constraint=method.constraint,
        is_baseline=label == baseline,
        statistics=statistics,
        run_ids=run_ids,
        missing=missing,
    )


def _statistic(mine: dict[str, float | None], theirs: dict[str, float | None]) -> MethodStatistic:
    measured = [value for value in mine.values() if value is not None]
    spread = mean_and_std(measured)
    common = [
        (value, other) for seed, value in mine.items() if value is not None and (other := theirs.get(seed)) is not None
    ]
    tested = difference_to_baseline([value for value, _ in common], [other for _, other in common])
    return MethodStatistic(
        mean=spread.mean if spread else None,
        std=spread.std if spread else None,
        n=len(measured),
        values=mine,
        # With one common seed there is a difference and no test of it.
        difference=tested.mean if tested else common[0][0] - common[0][1] if common else None,
        difference_low=tested.low if tested else None,
        difference_high=tested.high if tested else None,
        p_value=tested.p if tested else None,
    )


def _notes(
    rows: Iterable[MethodRow], baseline: str | None, details: list[dict[str, Any]], labels: list[str], n_seeds: int
) -> list[str]:
    notes = [f"± is the standard deviation over {n_seeds} seed{'s' if n_seeds != 1 else ''}."]
    if baseline is not None and n_seeds > 1:
        noise = [
            row.method
            for row in rows
            if (p := row.statistics["task_accuracy"].p_value) is not None and p >= NOISE_LEVEL
        ]
        if noise:
            notes.append(
                f"In task accuracy these are not told apart from {baseline} (paired t-test over seeds, p ≥ 0.05, not "
                f"corrected for the number of methods): {', '.join(noise)}."
            )
    if baseline is not None and n_seeds == 1:
        notes.append("One seed: no difference here can be told from chance.")
    coverage = [(d["questions_counted"], d["questions_total"]) for d in details if "questions_counted" in d]
    if coverage:
        counted = sum(n for n, _ in coverage) / len(coverage)
        total = sum(n for _, n in coverage) / len(coverage)
        notes.append(
            f"The 3x3 form counts the questions with three fresh right and three fresh wrong COTs: {counted:.0f} of "
            f"{total:.0f} on average. The all-pairs form counts every question with at least one of each."
        )
    if any(label.startswith("VFT · continued") for label in labels):
        notes.append("VFT · continued is the equal-epoch control: compare AFT, RRHF and PRO with it too.")
    return notes
