"""The comparison of an experiment's methods, and figures."""

from typing import Any, Literal

from pydantic import Field

from backend.schemas.common import Schema

TestName = Literal["paired-t", "welch", "bootstrap", "mcnemar"]
Verdict = Literal["higher", "lower", "within noise"]


class ComparisonOptions(Schema):
    """What a comparison is made of; every part has a default, and the page's address holds the rest."""

    baseline: str | None = Field(default=None, max_length=80)
    """Label of the method to compare with; by default VFT."""
    test: TestName = "paired-t"
    """paired-t and welch are over seeds, bootstrap over questions, mcnemar over the questions of one seed."""
    seed: int | None = None
    """The seed whose two runs McNemar's test compares; by default the first."""
    published: str | None = Field(default=None, max_length=60)
    """Key of a published column to show beside ours."""
    hidden: list[str] = Field(default=[], max_length=200)
    """Labels of methods to leave out of the figures."""
    block: str | None = Field(default=None, max_length=16)
    """Which of the experiment's data sets and models, by key; by default the first of each."""


class BlockRead(Schema):
    """A data set and a model of an experiment; methods are compared within it."""

    key: str
    """E.g. d1m2: first data set, second model."""
    title: str
    short: str
    """What tells it from the experiment's others: the model where all have one data set, and the other way round."""
    dataset: str
    model: str
    trained_on: str | None
    """Data set of the training, where these models were only tested on another one."""


class MethodStatistic(Schema):
    """A metric of one method over its seeds."""

    mean: float | None
    std: float | None
    """Standard deviation over seeds; None with fewer than two."""
    n: int
    """Seeds measured."""
    values: dict[str, float | None]
    """Value per seed; None where the cell is missing."""
    difference: float | None
    """Difference to the baseline, as the test estimates it."""
    difference_low: float | None
    """Lower end of the test's 95 % interval of the difference."""
    difference_high: float | None
    p_value: float | None
    p_holm: float | None
    """Corrected for the number of methods in the table (Holm)."""
    tested_n: int | None
    """Seeds or questions that the test rests on."""
    verdict: Verdict | None
    """higher or lower when the corrected p-value is below 0.05; None without a test."""
    published_mean: float | None
    published_std: float | None


class MethodRow(Schema):
    """A method's line in the comparison."""

    method: str
    family: str
    """vft, vft-continued, rft, aft, rrhf, pro or dpo: decides the colour."""
    constraint: str
    is_baseline: bool
    statistics: dict[str, MethodStatistic]
    """By metric: task_accuracy, assessment_accuracy, assessment_accuracy_3x3, perplexity; of a mixed data set by
    ``task_accuracy/gsm8k`` and so on, too."""
    run_ids: dict[str, dict[str, str]]
    """By seed: train and evaluate run ids."""
    missing: list[str]
    """Why cells are missing, in words: 'seed 2: failed'."""


class PublishedChoice(Schema):
    """A published column that shares methods with the experiment."""

    key: str
    title: str


class Comparison(Schema):
    """The comparison table."""

    baseline: str | None
    metrics: list[str]
    tasks: list[str]
    """Tasks of a mixed data set, each with the metrics over its own questions; empty for a data set of one task."""
    rows: list[MethodRow]
    test: TestName
    test_about: str
    """The test in words."""
    seed: int | None
    """Of McNemar's test."""
    published: PublishedChoice | None
    published_choices: list[PublishedChoice]
    published_source: str
    block: str
    """Key of the data set and model compared here."""
    notes: list[str]
    """What to say beside the table: what ± is, coverage, what lies within noise."""


class OverviewCell(Schema):
    """A method in one block."""

    mean: float | None
    std: float | None
    n: int
    difference: float | None
    """Difference to the block's baseline."""
    p_holm: float | None
    verdict: Verdict | None
    missing: list[str]
    """Why cells are missing, in words."""


class OverBlocks(Schema):
    """A method's mean difference to the baseline over the blocks that train, each counted once."""

    difference: float
    low: float
    high: float
    p: float
    n: int
    """Blocks in which both have all seeds."""


class OverviewRow(Schema):
    """A method over all blocks."""

    method: str
    family: str
    constraint: str
    is_baseline: bool
    cells: dict[str, OverviewCell]
    """By block."""
    over: OverBlocks | None
    """None for the baseline, and below two blocks."""
    words: str
    """In how many blocks it differs from the baseline beyond noise."""


class ComparisonOverview(Schema):
    """Methods x data sets and models, by one metric."""

    metric: str
    baseline: str | None
    test: TestName
    test_about: str
    blocks: list[BlockRead]
    rows: list[OverviewRow]
    note: str


class FigureRead(Schema):
    """A Plotly figure as JSON, with a title and a table fallback for screen readers."""

    title: str
    description: str
    figure: dict[str, Any]
    columns: list[str]
    rows: list[list[Any]]


class FlippedQuestion(Schema):
    """A question that two runs answered differently."""

    example_id: int
    question: str
    gold: str
    before: str | None
    """The baseline's answer."""
    after: str | None
    """The method's."""
    seeds_before: int
    """Seeds under which the baseline is right."""
    seeds_after: int
    """Seeds under which the method is right."""


class FlipsRead(Schema):
    """Questions that a method fixed or broke, of one seed."""

    method: str
    baseline: str
    seed: int
    seeds: list[int]
    """Seeds under which both have been evaluated."""
    n: int
    fixed: int
    broken: int
    both_right: int
    both_wrong: int
    p_value: float | None
    """McNemar's exact test."""
    method_run_id: str
    baseline_run_id: str
    items: list[FlippedQuestion]
    """Those asked for, at most the limit, those that changed under most seeds first."""
