"""The comparison table from measured values: pure, so that a bundle recomputes it without a database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aft.config.experiment import ExperimentSpec
from aft.config.grid import FIRST_BLOCK
from aft.config.method import method_label
from aft.metrics import RATING_AGREEMENT, mean_and_std
from aft.paper import SOURCE, PublishedColumn, columns, get_column, method_key
from aft.statistics import holm
from backend.errors import Invalid
from backend.schemas.comparison import Comparison, ComparisonOptions, MethodRow, MethodStatistic, PublishedChoice
from backend.services import comparison_notes
from backend.services.comparison_tests import Evidence, ReadOutcomes, about, run_test
from backend.services.planning import effective_feedback

METRICS = ("task_accuracy", "assessment_accuracy", "assessment_accuracy_3x3", "perplexity")
RANKED_METRICS = (*METRICS, RATING_AGREEMENT)
"""Of an experiment whose evaluations compare scores with a ranking set."""
NOISE_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Measured:
    """What an experiment's evaluations found, by place."""

    values: dict[tuple[str, str, str], float | None]
    """(method label, seed, metric) -> value."""
    details: list[dict[str, Any]]
    """Of the 3x3 form: how many questions counted."""
    run_ids: dict[str, dict[str, dict[str, str]]]
    """Method label -> seed -> train and evaluate run."""
    missing: dict[str, list[str]]
    """Method label -> why cells are missing."""

    @property
    def tasks(self) -> list[str]:
        """The tasks that a mixed data set's questions were measured by; none where there is one task."""
        return sorted({task for *_, metric in self.values if (task := of_task(metric)[1]) is not None})

    def by_seed(self, label: str, metric: str, seeds: list[str]) -> dict[str, float | None]:
        """A method's value per seed; None where the cell is missing."""
        return {seed: self.values.get((label, seed, metric)) for seed in seeds}


def of_task(metric: str) -> tuple[str, str | None]:
    """A metric without its task, and the task: ``task_accuracy/gsm8k`` counts one task's questions."""
    measure, _, task = metric.partition("/")
    return measure, task or None


@dataclass(frozen=True, slots=True)
class Arm:
    """A row to be: a method, or runs that belong together."""

    label: str
    family: str
    constraint: str
    published_as: str | None
    """Key of the paper's method."""


def build(spec: ExperimentSpec, measured: Measured, read: ReadOutcomes, options: ComparisonOptions) -> Comparison:
    """Methods as rows against a baseline; cells that are missing say why.

    Args:
        spec: The experiment.
        measured: What its evaluations found.
        read: Outcomes per question of an evaluation, read when the test needs them.
        options: Baseline, test and published column.

    Raises:
        Invalid: If the baseline, the seed or the published column does not exist.
    """
    arms = [
        Arm(method_label(method), method.name, method.constraint, method_key(method, effective_feedback(spec, method)))
        for method in spec.methods
    ]
    metrics = METRICS if spec.agreement_set_id is None else RANKED_METRICS
    return build_arms(arms, list(spec.seeds), metrics, measured, read, options)


def build_arms(
    arms: Sequence[Arm],
    seeds: list[int],
    metrics: Sequence[str],
    measured: Measured,
    read: ReadOutcomes,
    options: ComparisonOptions,
    *,
    across_seeds: bool = False,
) -> Comparison:
    """The same of any rows with distinct labels, measured under some of ``seeds``; see `Evidence` for the last.

    Raises:
        Invalid: If the baseline, the seed or the published column does not exist.
    """
    labels = [arm.label for arm in arms]
    baseline = _baseline(arms, options.baseline)
    seed = _seed(seeds, options)
    evidence = Evidence(read, measured.run_ids, [str(n) for n in seeds], seed, across_seeds)
    column = _column(options.published)
    shown = [*metrics, *(f"{metric}/{task}" for task in measured.tasks for metric in METRICS)]
    by_metric = {metric: _statistics(metric, labels, baseline, measured, evidence, options) for metric in shown}
    rows = []
    for arm in arms:
        published = column.values.get(arm.published_as or "", {}) if column else {}
        statistics = {}
        for metric in shown:
            # The paper's assessment accuracy is the 3x3 form.
            value = published.get("assessment_accuracy" if metric.endswith("3x3") else metric)
            beside = {"published_mean": value.mean, "published_std": value.std} if value is not None else {}
            statistics[metric] = by_metric[metric][arm.label].model_copy(update=beside)
        rows.append(
            MethodRow(
                method=arm.label,
                family=arm.family,
                constraint=arm.constraint,
                is_baseline=arm.label == baseline,
                statistics=statistics,
                run_ids=measured.run_ids.get(arm.label, {}),
                missing=measured.missing.get(arm.label, []),
            )
        )
    return Comparison(
        baseline=baseline,
        metrics=list(metrics),
        tasks=measured.tasks,
        rows=rows,
        test=options.test,
        test_about=about(options.test, seed),
        seed=seed if options.test == "mcnemar" else None,
        published=PublishedChoice(key=column.key, title=column.title) if column else None,
        published_choices=_choices({arm.published_as for arm in arms if arm.published_as is not None}),
        published_source=SOURCE,
        block=options.block or FIRST_BLOCK,
        notes=comparison_notes.notes(rows, baseline, options.test, measured.details, len(seeds)),
    )


def _statistics(
    metric: str,
    labels: list[str],
    baseline: str | None,
    measured: Measured,
    evidence: Evidence,
    options: ComparisonOptions,
) -> dict[str, MethodStatistic]:
    """Every method's statistic of one metric; one family of tests, corrected together."""
    seeds = evidence.seeds
    theirs = measured.by_seed(baseline, metric, seeds) if baseline is not None else {}
    tests = {}
    for label in labels:
        if baseline is not None and label != baseline:
            mine = measured.by_seed(label, metric, seeds)
            tests[label] = run_test(options.test, metric, label, baseline, mine, theirs, evidence)
    compared = list(tests)
    corrected = holm([found.p if (found := tests[label]) is not None else None for label in compared])
    p_holm = dict(zip(compared, corrected, strict=True))
    statistics = {}
    for label in labels:
        mine = measured.by_seed(label, metric, seeds)
        present = [value for value in mine.values() if value is not None]
        spread, tested = mean_and_std(present), tests.get(label)
        difference = tested.difference if tested else None if label == baseline else _mean_difference(mine, theirs)
        corrected_p = p_holm.get(label)
        # Seeds that all differ by the same amount have no spread to make an interval of.
        has_interval = tested is not None and (tested.low < tested.high or tested.difference == 0)
        verdict = None
        if tested is not None and corrected_p is not None:
            clear = corrected_p < NOISE_LEVEL
            verdict = ("higher" if tested.difference > 0 else "lower") if clear else "within noise"
        statistics[label] = MethodStatistic(
            mean=spread.mean if spread else None,
            std=spread.std if spread else None,
            n=len(present),
            values=mine,
            difference=difference,
            difference_low=tested.low if tested and has_interval else None,
            difference_high=tested.high if tested and has_interval else None,
            p_value=tested.p if tested else None,
            p_holm=corrected_p,
            tested_n=tested.n if tested else None,
            verdict=verdict,  # type: ignore[arg-type]
            published_mean=None,
            published_std=None,
        )
    return statistics


def _mean_difference(mine: dict[str, float | None], theirs: dict[str, float | None]) -> float | None:
    """With one common seed there is a difference and no test of it."""
    common = [
        value - other for seed, value in mine.items() if value is not None and (other := theirs.get(seed)) is not None
    ]
    return sum(common) / len(common) if common else None


def _baseline(arms: Sequence[Arm], wanted: str | None) -> str | None:
    if wanted is None:
        return next((arm.label for arm in arms if arm.family == "vft"), None)
    if wanted not in [arm.label for arm in arms]:
        raise Invalid(
            f"There is no method '{wanted}' in this comparison.",
            remedy=f"Choose one of {', '.join(arm.label for arm in arms)}.",
            field="baseline",
        )
    return wanted


def _seed(seeds: list[int], options: ComparisonOptions) -> int:
    if options.seed is None:
        return seeds[0]
    if options.seed not in seeds:
        raise Invalid(
            f"The comparison has no seed {options.seed}.",
            remedy=f"Choose one of {', '.join(map(str, seeds))}.",
            field="seed",
        )
    return options.seed


def _column(key: str | None) -> PublishedColumn | None:
    if key is None:
        return None
    found = get_column(key)
    if found is None:
        raise Invalid(
            f"There is no published column '{key}'.",
            remedy="Leave it out, or choose one of published_choices.",
            field="published",
        )
    return found


def _choices(keys: set[str]) -> list[PublishedChoice]:
    """Published columns that share at least two methods with the comparison, or its only one."""
    wanted = min(2, len(keys)) or 1
    return [
        PublishedChoice(key=column.key, title=column.title)
        for column in columns()
        if len(keys & set(column.values)) >= wanted
    ]
