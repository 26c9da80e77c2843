"""What figures over several data sets and models show."""

from collections.abc import Collection

from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from aft.metrics import pearson
from backend.charts.blocks import BlockValues, ModelSpot
from backend.charts.scatter import Pearson
from backend.db.models import Experiment
from backend.schemas.comparison import Comparison, ComparisonOptions
from backend.services import blocks, comparison

LEAST_MODELS = 4
"""Fewer points have no interval of r."""


def values(session: Session, experiment: Experiment, table: Comparison, shown: Collection[str]) -> list[BlockValues]:
    """Task accuracy of the methods shown, in percent, a block each."""
    found = []
    for block in blocks.read(session, ExperimentSpec.model_validate(experiment.spec)):
        options = ComparisonOptions(baseline=table.baseline, block=block.key)
        one = comparison.compare(session, experiment, options)
        methods = comparison.values_by_method(one, "task_accuracy", scale=100)
        found.append(BlockValues(block.short, [item for item in methods if item.label in shown]))
    return found


def over_models(
    session: Session, experiment: Experiment, table: Comparison
) -> tuple[str, list[ModelSpot], Pearson | None]:
    """The baseline's means on the table's data set, a spot a model, and Pearson's r over models."""
    spec = ExperimentSpec.model_validate(experiment.spec)
    here = blocks.choose(spec, table.block)
    label = table.baseline or table.rows[0].method
    names = {block.key: block.model for block in blocks.read(session, spec)}
    spots = []
    for block in spec.blocks:
        same_data = (block.dataset_version_id, block.split_id) == (here.dataset_version_id, here.split_id)
        if not same_data or block.trained is not None:
            continue
        one = comparison.compare(session, experiment, ComparisonOptions(baseline=label, block=block.key))
        row = next(row for row in one.rows if row.method == label)
        assessment, task = (row.statistics[name].mean for name in ("assessment_accuracy", "task_accuracy"))
        if assessment is not None and task is not None:
            spots.append(ModelSpot(names[block.key], 100 * assessment, 100 * task))
    if len(spots) < LEAST_MODELS:
        return label, spots, None
    found = pearson([spot.assessment for spot in spots], [spot.task for spot in spots])
    if found is None or found.low is None or found.high is None:
        return label, spots, None
    return label, spots, (found.r, found.low, found.high, found.n)
