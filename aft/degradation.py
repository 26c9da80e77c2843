"""The paper's signature of over-punishing, watched during training (Table 4).

A ranking loss without a constraint goes on pushing wrong COTs down long after they are below the right ones. The model
then assesses better and answers worse: assessment accuracy rises, task accuracy falls, and the perplexity of right
COTs rises. An `Evaluated` model is compared with earlier ones on the same questions and the same candidates, so that
the tests are paired.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any, Final, Literal

from aft.metrics import ScoredQuestion, assess, median_perplexity, perplexity
from aft.statistics import flips

LEVEL: Final = 0.05
"""A loss counts where chance alone would bring as large a one in fewer than this share of cases."""
Measure = Literal["task_accuracy", "assessment_accuracy", "perplexity"]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A model on the watched questions, case by case."""

    right: Mapping[str, bool]
    """Whether each validation question was answered right."""
    scored: Mapping[str, ScoredQuestion]
    """Scores of each assessment question's right and wrong candidates."""

    @property
    def values(self) -> dict[str, float]:
        """What was measured: task and assessment accuracy, perplexity of right and median of wrong candidates."""
        positives = [score for question in self.scored.values() for score in question.positives]
        negatives = [score for question in self.scored.values() for score in question.negatives]
        found = {
            "task_accuracy": fmean(self.right.values()) if self.right else None,
            "assessment_accuracy": assess(list(self.scored.values())).value,
            "perplexity": perplexity(positives),
            "perplexity_negative_median": median_perplexity(negatives),
        }
        return {name: value for name, value in found.items() if value is not None and math.isfinite(value)}

    def as_json(self) -> dict[str, Any]:
        """The cases, for a file."""
        scored = {key: [list(item.positives), list(item.negatives)] for key, item in self.scored.items()}
        return {"right": dict(self.right), "scored": scored}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> "Evaluated":
        """The cases from a file."""
        return cls(body["right"], {key: ScoredQuestion(*sides) for key, sides in body["scored"].items()})


@dataclass(frozen=True, slots=True)
class Change:
    """What a measure was and is now."""

    measure: Measure
    before: float
    after: float
    p: float | None
    """One-sided p-value of the change in the alarm's direction; None where the questions allow no test."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Assessment accuracy rose, if only by chance, while task accuracy fell and perplexity rose beyond it."""

    step: int
    against: str
    """What the model is compared with, in words: ``the VFT model`` or ``step 120``."""
    changes: tuple[Change, ...]
    """Assessment accuracy, task accuracy, perplexity."""

    def as_json(self) -> dict[str, Any]:
        """The alarm with its reasons in numbers."""
        changes = [
            {"measure": item.measure, "before": item.before, "after": item.after, "p": item.p} for item in self.changes
        ]
        return {"step": self.step, "against": self.against, "changes": changes}


def find_alarm(step: int, now: Evaluated, references: Sequence[tuple[str, Evaluated]]) -> Alarm | None:
    """Compare a model with earlier ones; the first that it has degraded against gives the alarm.

    Task accuracy must have fallen (exact McNemar test) and the right candidates' scores too (paired t-test over
    questions; scores rather than ``exp(-s)``, whose tail a single candidate can fill), both one-sided at `LEVEL`.
    Assessment accuracy need only have risen: some losses gain little more once nearly every pair is ordered.

    Args:
        step: The optimizer step the model is at.
        now: The model.
        references: Earlier models with their names, the most telling first.
    """
    for name, before in references:
        changes = _changes(before, now)
        if changes is None:
            continue
        assessment, task, likelihood = changes
        losses = (task.p, likelihood.p)
        if assessment.after > assessment.before and all(p is not None and p < LEVEL for p in losses):
            return Alarm(step, name, changes)
    return None


def _changes(before: Evaluated, now: Evaluated) -> tuple[Change, Change, Change] | None:
    old, new = before.values, now.values
    measures: tuple[Measure, Measure, Measure] = ("assessment_accuracy", "task_accuracy", "perplexity")
    if any(measure not in old or measure not in new for measure in measures):
        return None
    common = [key for key in before.scored if key in now.scored]
    gains = _differences(before, now, common, _share)
    drops = [-value for value in _differences(before, now, common, _mean_positive)]
    flipped = flips(now.right, before.right)
    p = (_p_of_mean(gains), _p_of_flips(len(flipped.fixed), len(flipped.broken)), _p_of_mean(drops))
    one, two, three = (
        Change(measure, old[measure], new[measure], chance) for measure, chance in zip(measures, p, strict=True)
    )
    return one, two, three


def _differences(before: Evaluated, now: Evaluated, keys: Sequence[str], measure: Any) -> list[float]:
    pairs = ((measure(before.scored[key]), measure(now.scored[key])) for key in keys)
    return [new - old for old, new in pairs if old is not None and new is not None]


def _share(question: ScoredQuestion) -> float | None:
    return assess([question]).value


def _mean_positive(question: ScoredQuestion) -> float | None:
    return fmean(question.positives) if question.positives else None


def _p_of_flips(fixed: int, broken: int) -> float | None:
    """Chance of at least so many broken among the flipped, were each fixed or broken like a fair coin."""
    if fixed + broken == 0:
        return None
    from scipy import stats

    return float(stats.binom.sf(broken - 1, fixed + broken, 0.5))


def _p_of_mean(values: Sequence[float]) -> float | None:
    """One-sided paired t-test of a mean above 0; None below two questions."""
    if len(values) < 2:
        return None
    mean, spread = fmean(values), stdev(values)
    if spread == 0:
        return 0.0 if mean > 0 else 1.0
    from scipy import stats

    return float(stats.t.sf(mean / (spread / math.sqrt(len(values))), len(values) - 1))
