"""Methods of an experiment against a baseline, over seeds."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from aft.config.grid import Block
from aft.config.method import method_label
from backend.charts.methods import MethodValues
from backend.db.models import Experiment, Result
from backend.schemas.comparison import Comparison, ComparisonOptions
from backend.services import blocks, comparison_table, experiments, outcomes
from backend.services.comparison_table import METRICS, NOISE_LEVEL, Measured
from backend.services.experiments import Cell

__all__ = ["DEFAULTS", "METRICS", "NOISE_LEVEL", "Measured", "compare", "measure", "results_at", "values_by_method"]

DEFAULTS = ComparisonOptions()


def compare(session: Session, experiment: Experiment, options: ComparisonOptions = DEFAULTS) -> Comparison:
    """The comparison table of an experiment; cells that are missing say why.

    Raises:
        Invalid: If the block, the baseline, the seed or the published column does not exist.
    """
    spec = ExperimentSpec.model_validate(experiment.spec)
    block = blocks.choose(spec, options.block)
    measured = measure(session, spec, experiments.cells(session, experiment.id), block)
    return comparison_table.build(spec, measured, partial(outcomes.by_question, session), options)


def values_by_method(
    table: Comparison, metric: str, *, scale: float, hidden: tuple[str, ...] | list[str] = ()
) -> list[MethodValues]:
    """A metric of every row for the charts, multiplied by ``scale`` (100 for percent)."""
    found = []
    for row in table.rows:
        if row.method in hidden:
            continue
        statistic = row.statistics[metric]
        published = None
        if statistic.published_mean is not None:
            std = statistic.published_std
            published = (statistic.published_mean * scale, None if std is None else std * scale)
        found.append(
            MethodValues(
                label=row.method,
                family=row.family,
                constraint=row.constraint,
                by_seed={seed: value * scale for seed, value in statistic.values.items() if value is not None},
                mean=None if statistic.mean is None else statistic.mean * scale,
                std=None if statistic.std is None else statistic.std * scale,
                runs={seed: kinds["evaluate"] for seed, kinds in row.run_ids.items() if "evaluate" in kinds},
                published=published,
            )
        )
    return found


def measure(session: Session, spec: ExperimentSpec, cells: list[Cell], block: Block) -> Measured:
    """The results of a block's evaluations, and which are missing."""
    trained = block.trained or block.key
    cells = [cell for cell in cells if cell.place.block == (block.key if cell.run.kind == "evaluate" else trained)]
    seeds = [str(seed) for seed in spec.seeds]
    run_ids: dict[str, dict[str, dict[str, str]]] = {}
    missing: dict[str, list[str]] = {}
    # What waited for a failed run is cancelled; the failure is why there is no number.
    failed = {(cell.place.method, str(cell.place.seed)) for cell in cells if cell.run.state == "failed"}
    for method in spec.methods:
        label = method_label(method)
        found: dict[str, dict[str, str]] = {seed: {} for seed in seeds}
        for cell in cells:
            seed = str(cell.place.seed)
            mine_or_shared = cell.place.method == label or (method.name == "vft" and cell.place.stage == "vft")
            if mine_or_shared and cell.run.kind in {"train", "evaluate"} and seed in found:
                found[seed][cell.run.kind] = cell.run.id
                if cell.run.kind == "evaluate" and cell.run.state != "succeeded":
                    cause = "failed" if (label, seed) in failed else cell.run.state
                    missing.setdefault(label, []).append(f"seed {seed}: {cause}")
        run_ids[label] = found
    # Two labels of equal content share their runs.
    places: dict[str, list[tuple[str, str]]] = {}
    for cell in cells:
        if cell.run.kind == "evaluate" and cell.run.state == "succeeded":
            places.setdefault(cell.run.id, []).append((cell.place.method or "", str(cell.place.seed)))
    values, details = results_at(session, places)
    return Measured(values, details, run_ids, missing)


def results_at(
    session: Session, places: Mapping[str, Sequence[tuple[str, str]]]
) -> tuple[dict[tuple[str, str, str], float | None], list[dict[str, Any]]]:
    """Results of evaluations at their places in a table, and how many questions their 3x3 form counted.

    Args:
        session: The transaction.
        places: Evaluation run -> its labels and seeds.
    """
    values: dict[tuple[str, str, str], float | None] = {}
    details = []
    query = select(Result).where(Result.run_id.in_(list(places))).order_by(Result.run_id, Result.metric)
    for result in session.scalars(query):
        for place in places[result.run_id]:
            values[(*place, result.metric)] = result.value
        if result.metric == "assessment_accuracy_3x3" and result.details:
            details.append({"questions_counted": result.n, **result.details})
    return values, details
