"""Methods over all data sets and models of an experiment: one comparison a block, side by side."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final

from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from aft.statistics import paired_t
from backend.db.models import Experiment
from backend.errors import Invalid
from backend.schemas.comparison import (
    Comparison,
    ComparisonOptions,
    ComparisonOverview,
    OverBlocks,
    OverviewCell,
    OverviewRow,
    Verdict,
)
from backend.services import blocks, comparison

_ORDER: Final[tuple[Verdict, ...]] = ("higher", "within noise", "lower")


def read(session: Session, experiment: Experiment, options: ComparisonOptions, metric: str) -> ComparisonOverview:
    """A metric of every method in every block, each against the block's own baseline.

    Raises:
        Invalid: If the metric, the baseline or the seed does not exist.
    """
    spec = ExperimentSpec.model_validate(experiment.spec)
    found = blocks.read(session, spec)
    tables = {
        block.key: comparison.compare(session, experiment, options.model_copy(update={"block": block.key}))
        for block in found
    }
    first = tables[found[0].key]
    if metric not in first.metrics:
        raise Invalid(
            f"There is no metric '{metric}'.", remedy=f"Choose one of {', '.join(first.metrics)}.", field="metric"
        )
    rows = []
    columns = [{key: _cell(table, place, metric) for key, table in tables.items()} for place in range(len(first.rows))]
    baseline = next((cells for row, cells in zip(first.rows, columns, strict=True) if row.is_baseline), None)
    trained = [block.key for block in found if block.trained_on is None]
    for row, cells in zip(first.rows, columns, strict=True):
        rows.append(
            OverviewRow(
                method=row.method,
                family=row.family,
                constraint=row.constraint,
                is_baseline=row.is_baseline,
                cells=cells,
                over=None if baseline is None or row.is_baseline else _over(cells, baseline, trained, len(spec.seeds)),
                words=_words(cells, is_baseline=row.is_baseline),
            )
        )
    return ComparisonOverview(
        metric=metric,
        baseline=first.baseline,
        test=first.test,
        test_about=first.test_about,
        blocks=found,
        rows=rows,
        note=(
            "Every column is compared with its own baseline; p-values are Holm-corrected over the methods of a column, "
            "not over columns. Over all: each data set and model that trains counts once, with its mean over seeds; "
            "95 % interval and p of the paired t-test over them, not corrected."
        ),
    )


def _cell(table: Comparison, place: int, metric: str) -> OverviewCell:
    row = table.rows[place]
    statistic = row.statistics[metric]
    return OverviewCell(
        mean=statistic.mean,
        std=statistic.std,
        n=statistic.n,
        difference=statistic.difference,
        p_holm=statistic.p_holm,
        verdict=statistic.verdict,
        missing=row.missing,
    )


def _over(
    cells: Mapping[str, OverviewCell], baseline: Mapping[str, OverviewCell], keys: Sequence[str], n_seeds: int
) -> OverBlocks | None:
    """``keys`` are of blocks that train: models tested on other data as well are no further evidence."""
    means = [(cells[key].mean, baseline[key].mean) for key in keys if cells[key].n == baseline[key].n == n_seeds]
    pairs = [(mine, theirs) for mine, theirs in means if mine is not None and theirs is not None]
    tested = paired_t([mine for mine, _ in pairs], [theirs for _, theirs in pairs])
    return None if tested is None else OverBlocks(**asdict(tested))


def _words(cells: dict[str, OverviewCell], *, is_baseline: bool) -> str:
    """In how many blocks the difference is real."""
    verdicts = Counter(cell.verdict for cell in cells.values() if cell.verdict is not None)
    if is_baseline:
        return ""
    if not verdicts:
        return "not tested"
    tested = sum(verdicts.values())
    return ", ".join(f"{word} in {verdicts[word]} of {tested}" for word in _ORDER if verdicts[word])
