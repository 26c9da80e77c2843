"""The chosen test of a method against the baseline, with the evidence it needs read only when it needs it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from aft.statistics import Tested, flips, mcnemar, paired_bootstrap, paired_t, welch
from backend.schemas.comparison import TestName
from backend.services import outcomes

_ABOUT: Final = {
    "paired-t": "Paired t-test over the seeds that both methods have: does the difference hold for another training?",
    "welch": "Welch's t-test: seeds as two independent groups, without pairing.",
    "bootstrap": (
        "Paired bootstrap over questions, all seeds of a question together: does the difference hold for other "
        "questions, with these trained models? It says nothing about other trainings."
    ),
    "mcnemar": (
        "McNemar's exact test of two runs on the same questions, seed {seed}: does the difference hold for other "
        "questions, with these two trained models? Task accuracy only."
    ),
}

ReadOutcomes = Callable[[str, str], dict[int, float]]
"""Evaluation run and metric -> the metric's value on each question that has one."""


@dataclass
class Evidence:
    """Where the outcomes of an experiment's evaluations are; questions are read once."""

    read: ReadOutcomes
    run_ids: dict[str, dict[str, dict[str, str]]]
    """Method label -> seed -> train and evaluate run."""
    seeds: list[str]
    seed: int
    """The seed of a test of two runs."""
    across_seeds: bool = False
    """Of one run each, compare the two whatever their seeds."""
    _read: dict[tuple[str, str], dict[int, float]] = field(default_factory=dict)

    def questions(self, label: str, seed: str, metric: str) -> dict[int, float]:
        """The metric's value per question; empty where the run is missing."""
        run_id = self.run_ids.get(label, {}).get(seed, {}).get("evaluate")
        if run_id is None:
            return {}
        key = (run_id, metric)
        if key not in self._read:
            # Resampling draws by place: the same questions in the same order give the same interval everywhere.
            self._read[key] = dict(sorted(self.read(run_id, metric).items()))
        return self._read[key]

    def pairs(self, label: str, baseline: str) -> list[tuple[str, str]]:
        """Seeds under which both were evaluated; ``across_seeds`` also of one run each."""
        mine, theirs = (
            [seed for seed in self.seeds if "evaluate" in self.run_ids.get(name, {}).get(seed, {})]
            for name in (label, baseline)
        )
        common = [(seed, seed) for seed in mine if seed in theirs]
        is_alone = self.across_seeds and len(mine) == len(theirs) == 1
        return [(mine[0], theirs[0])] if is_alone and not common else common


def about(test: TestName, seed: int) -> str:
    """The test in words."""
    return _ABOUT[test].format(seed=seed)


def run_test(
    test: TestName,
    metric: str,
    label: str,
    baseline: str,
    mine: dict[str, float | None],
    theirs: dict[str, float | None],
    evidence: Evidence,
) -> Tested | None:
    """Compare a method with the baseline; None where the test does not apply or has too little to go by.

    Args:
        test: Which test.
        metric: The metric.
        label: The method.
        baseline: The baseline.
        mine: The method's value per seed.
        theirs: The baseline's.
        evidence: Where outcomes per question are.
    """
    if test == "paired-t":
        common = [seed for seed in mine if mine[seed] is not None and theirs.get(seed) is not None]
        return paired_t([mine[seed] or 0.0 for seed in common], [theirs[seed] or 0.0 for seed in common])
    if test == "welch":
        return welch(
            [value for value in mine.values() if value is not None],
            [value for value in theirs.values() if value is not None],
        )
    measure = metric.partition("/")[0]
    if test == "mcnemar":
        return _mcnemar(metric, label, baseline, evidence) if measure == "task_accuracy" else None
    if measure not in outcomes.QUESTION_METRICS:
        return None
    measured = [
        (ours, base)
        for ours, base in evidence.pairs(label, baseline)
        if mine.get(ours) is not None and theirs.get(base) is not None
    ]
    return paired_bootstrap(
        [
            (evidence.questions(label, ours, metric), evidence.questions(baseline, base, metric))
            for ours, base in measured
        ]
    )


def _mcnemar(metric: str, label: str, baseline: str, evidence: Evidence) -> Tested | None:
    pairs = evidence.pairs(label, baseline)
    alone = len(pairs) == 1 and pairs[0][0] != pairs[0][1]
    seeds = pairs[0] if alone else (str(evidence.seed),) * 2
    ours, base = (
        {key: value == 1 for key, value in evidence.questions(name, seed, metric).items()}
        for name, seed in zip((label, baseline), seeds, strict=True)
    )
    found = flips(ours, base)
    return mcnemar(len(found.fixed), len(found.broken), found.n)
