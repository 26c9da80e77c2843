"""Whether an experiment bears out a claim about differences between methods.

A claim is judged by the paired t-test over seeds, or over base models with each model's mean over seeds. No claim is
made to hold by choosing among its parts: every part is shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final, Literal, TypeAlias

from aft.statistics import Tested, correlation, holm, paired_t

Verdict = Literal["holds", "in the direction, within noise", "not seen", "the opposite", "missing"]
SeedValues: TypeAlias = Mapping[str, float]
"""Seed -> value."""
Table: TypeAlias = Mapping[tuple[str, str], SeedValues]
"""(method label, metric) -> values of one experiment."""
NOISE_LEVEL: Final = 0.05

TASK: Final = "task_accuracy"
ASSESSMENT: Final = "assessment_accuracy"
PERPLEXITY: Final = "perplexity"


@dataclass(frozen=True, slots=True)
class Part:
    """One difference that a claim is about: method minus other, expected above or below 0."""

    preset: str
    method: str
    other: str
    metric: str = TASK
    sign: Literal[1, -1] = 1
    minus: str | None = None
    """Of both, the gain of ``metric`` over this one is compared."""
    level: float | None = None
    """A published value in place of the other method's; ``other`` then says whose."""
    over: Literal["seeds", "models"] = "seeds"
    """What the values are paired over."""
    rises_with: str | None = None
    """In place of a difference, Pearson's r of ``metric`` with this one; ``other`` then says what that is."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A finding of the paper."""

    name: str
    where: str
    """Its table or figure."""
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A part with what was measured."""

    part: Part
    tested: Tested | None
    verdict: Verdict


def over_models(tables: Mapping[str, Table]) -> Table:
    """Every method's mean over seeds on each model, as a table whose values are paired over models.

    Args:
        tables: Model -> values of one experiment's block. A method that lacks seeds on a model is left out there.
    """
    n_seeds = max((len(values) for table in tables.values() for values in table.values()), default=0)
    means: dict[tuple[str, str], dict[str, float]] = {}
    for model, table in tables.items():
        for key, values in table.items():
            if len(values) == n_seeds:
                means.setdefault(key, {})[model] = fmean(values.values())
    return means


def judge(part: Part, tables: Mapping[str, Table], models: Mapping[str, Table]) -> Judged:
    """Compare the two methods over the seeds or models they share; below two of them nothing can be said.

    Args:
        part: The difference.
        tables: Preset -> values by seed from its first base model.
        models: Preset -> values by base model, for presets over models.
    """
    table = (tables if part.over == "seeds" else models).get(part.preset, {})
    mine = _values(table, part.method, part)
    theirs = _others(table, part, mine)
    seeds = [seed for seed in mine if seed in theirs]
    test = paired_t if part.rises_with is None else correlation
    tested = test([mine[seed] for seed in seeds], [theirs[seed] for seed in seeds])
    if tested is None:
        return Judged(part, None, "missing")
    agrees = tested.difference * part.sign > 0
    clear = tested.p < NOISE_LEVEL
    verdict: Verdict = "holds" if clear else "in the direction, within noise"
    if not agrees:
        verdict = "the opposite" if clear else "not seen"
    return Judged(part, tested, verdict)


def _others(table: Table, part: Part, mine: SeedValues) -> SeedValues:
    if part.rises_with is not None:
        return table.get((part.method, part.rises_with), {})
    return _values(table, part.other, part) if part.level is None else dict.fromkeys(mine, part.level)


def _values(table: Table, method: str, part: Part) -> SeedValues:
    values = table.get((method, part.metric), {})
    if part.minus is None:
        return values
    before = table.get((method, part.minus), {})
    return {seed: value - before[seed] for seed, value in values.items() if seed in before}


def corrected(judged: Sequence[Judged]) -> tuple[int, int, int]:
    """Of the differences tested: how many, how many with p < 0.05, and how many of them after Holm's correction."""
    ps = [item.tested.p for item in judged if item.tested is not None]
    return len(ps), sum(p < NOISE_LEVEL for p in ps), sum(p is not None and p < NOISE_LEVEL for p in holm(ps))


def summary(judged: Sequence[Judged]) -> Verdict | Literal["in part", "within noise"]:
    """A claim in a word: what all its measured parts have in common, else whether some hold, or all are noise."""
    verdicts = {item.verdict for item in judged if item.verdict != "missing"}
    if not verdicts:
        return "missing"
    if len(verdicts) == 1:
        return verdicts.pop()
    if "holds" in verdicts:
        return "in part"
    return "not seen" if "the opposite" in verdicts else "within noise"
