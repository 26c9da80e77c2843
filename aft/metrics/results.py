"""From stored cases to the numbers of an evaluation, each with its n and its interval.

Pure functions of plain values, so that every number can be recomputed from what is stored. What was not measured
is None, never 0.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Final, TypeVar

from aft.metrics.assessment import PAPER_PER_SIDE, Assessment, ScoredQuestion, assess, auroc
from aft.metrics.intervals import Interval, auroc_interval, mean_interval, median_interval
from aft.metrics.task import Proportion, majority_vote, median_perplexity, pass_at_k, perplexity, proportion

Case = TypeVar("Case")

CONFIDENCE: Final = 0.95
TIE_RULE: Final = "among equally frequent answers the one sampled first wins"


@dataclass(frozen=True, slots=True)
class Measured:
    """One number of an evaluation."""

    metric: str
    value: float | None
    """None when nothing could be measured, or when it is not finite."""
    n: int
    """Cases behind it."""
    details: dict[str, Any] = field(default_factory=dict)
    """Interval (low, high, confidence), coverage, and what else belongs to the number."""


@dataclass(frozen=True, slots=True)
class Path:
    """One sampled response as far as votes need it."""

    answer: str | None
    right: bool
    truncated: bool


def greedy_results(verdicts: Sequence[str], truncated: Sequence[bool]) -> list[Measured]:
    """Task accuracy, unparsed and truncated rate of greedy responses, with Wilson intervals.

    Args:
        verdicts: right, wrong, unparsed or truncated, one a question.
        truncated: Whether each was cut by the length limit.
    """
    counts = {
        "task_accuracy": sum(verdict == "right" for verdict in verdicts),
        "unparsed_rate": sum(verdict == "unparsed" for verdict in verdicts),
        "truncated_rate": sum(truncated),
    }
    return [_share(metric, count, len(verdicts)) for metric, count in counts.items()]


def with_tasks(
    cases: Sequence[Case], tasks: Sequence[str | None], measure: Callable[[Sequence[Case]], list[Measured]]
) -> list[Measured]:
    """Measure all cases and, of a mixed data set, those of each task too: ``task_accuracy/gsm8k``.

    Args:
        cases: What is measured.
        tasks: The task of each case's question; None in a data set of one task.
        measure: From cases to their numbers.
    """
    found = measure(cases)
    for task in sorted({task for task in tasks if task is not None}):
        mine = [case for case, own in zip(cases, tasks, strict=True) if own == task]
        found += [Measured(f"{item.metric}/{task}", item.value, item.n, item.details) for item in measure(mine)]
    return found


def path_results(
    questions: Sequence[Sequence[Path]], self_consistency: Sequence[int], pass_k: Sequence[int]
) -> list[Measured]:
    """Self-consistency and pass@k, all from one set of sampled paths.

    ``self_consistency@n`` is the majority vote over the first n paths of a question in the order of sampling;
    ``pass@k`` the unbiased estimate from all of them, averaged over questions. Truncated paths and paths without an
    answer do not vote and are not right.

    Args:
        questions: The paths of every question in the order of their sample index.
        self_consistency: Values of n.
        pass_k: Values of k.

    Raises:
        ValueError: If a question has fewer paths than asked for.
    """
    wanted = max((*self_consistency, *pass_k), default=0)
    for index, paths in enumerate(questions):
        if len(paths) < wanted:
            raise ValueError(f"Question {index} has {len(paths)} sampled paths; {wanted} are needed. Sample more.")
    found = [_consistency(questions, n) for n in self_consistency]
    for k in pass_k:
        shares = [pass_at_k(len(paths), sum(path.right for path in paths), k) for paths in questions]
        details = {"paths": len(questions[0]) if questions else 0, "estimate": "1 - C(n - c, k) / C(n, k)"}
        found.append(_mean(f"pass@{k}", shares, details))
    return found


def _consistency(questions: Sequence[Sequence[Path]], n: int) -> Measured:
    right = ties = silent = 0
    for paths in questions:
        first = [None if path.truncated else path.answer for path in paths[:n]]
        vote = majority_vote(first)
        if vote is None:
            silent += 1
            continue
        right += next(path.right for path, answer in zip(paths, first, strict=False) if answer == vote)
        votes = [first.count(answer) for answer in set(first) - {None}]
        ties += votes.count(max(votes)) > 1
    share = _share(f"self_consistency@{n}", right, len(questions))
    return Measured(
        share.metric,
        share.value,
        share.n,
        {**share.details, "paths": n, "tie_rule": TIE_RULE, "ties": ties, "questions_without_answer": silent},
    )


def assessment_results(questions: Sequence[ScoredQuestion], per_side: int = PAPER_PER_SIDE) -> list[Measured]:
    """Assessment accuracy (Eq. 3) in three forms, perplexities and calibration, from scores.

    Args:
        questions: Scores of each question's distinct candidates in the order they were sampled.
        per_side: Positives and negatives compared for each question in the exact form (the paper: three of each).
    """
    capped = [ScoredQuestion(item.positives[:per_side], item.negatives[:per_side]) for item in questions]
    compared = [item for item in capped if item.positives and item.negatives]
    positives = [score for item in compared for score in item.positives]
    negatives = [score for item in compared for score in item.negatives]
    side = {"candidates_per_side": per_side}
    return [
        _assessed("assessment_accuracy", assess(questions), side),
        _assessed("assessment_accuracy_3x3", assess(questions, per_side), side),
        _assessed("assessment_accuracy_up_to_3x3", assess(capped), side),
        _number("perplexity", perplexity(positives), len(positives), _spread(positives, mean_interval), side),
        _number(
            "perplexity_negative_median",
            median_perplexity(negatives),
            len(negatives),
            _spread(negatives, median_interval),
            side,
        ),
        _calibration(questions),
    ]


def choice_results(likelihoods: Sequence[Mapping[str, float]], gold: Sequence[str]) -> list[Measured]:
    """Accuracy of the likeliest letter, for questions with choices.

    Args:
        likelihoods: Log-likelihood of each letter as the answer, one mapping a question; of equals the first counts.
        gold: The right letters.
    """
    right = sum(
        max(item, key=item.__getitem__) == letter for item, letter in zip(likelihoods, gold, strict=True) if item
    )
    share = _share("choice_accuracy", right, len(gold))
    chance = fmean(1 / len(item) for item in likelihoods) if likelihoods else None
    return [Measured(share.metric, share.value, share.n, {**share.details, "chance": chance})]


def _calibration(questions: Sequence[ScoredQuestion]) -> Measured:
    """How well scores tell right from wrong candidates across questions."""
    positives = [score for item in questions for score in item.positives]
    negatives = [score for item in questions for score in item.negatives]
    area = auroc([*positives, *negatives], [True] * len(positives) + [False] * len(negatives))
    interval = None if area is None else auroc_interval(area, len(positives), len(negatives), CONFIDENCE)
    details = {"positives": len(positives), "negatives": len(negatives), "ties": "count a half"}
    return _number("score_auroc", area, len(positives) + len(negatives), interval, details)


def _assessed(metric: str, found: Assessment, details: dict[str, Any]) -> Measured:
    more = {"coverage": found.coverage, "questions_total": found.questions_total, "pairs": found.pairs}
    interval = None if found.low is None or found.high is None else (found.low, found.high)
    return _number(metric, found.value, found.questions_counted, interval, {**more, **details})


def _share(metric: str, count: int, total: int) -> Measured:
    share: Proportion | None = proportion(count, total, CONFIDENCE)
    if share is None:
        return Measured(metric, None, total)
    details = {"low": share.low, "high": share.high, "confidence": CONFIDENCE, "count": count}
    return Measured(metric, share.value, total, details)


def _mean(metric: str, values: Sequence[float], details: dict[str, Any]) -> Measured:
    interval = mean_interval(values, CONFIDENCE)
    if interval is not None:
        interval = (max(0.0, interval[0]), min(1.0, interval[1]))
    return _number(metric, fmean(values) if values else None, len(values), interval, details)


def _spread(scores: Sequence[float], interval: Any) -> Interval | None:
    values = [math.exp(-score) if score > -709 else math.inf for score in scores]
    if interval is mean_interval and not all(map(math.isfinite, values)):
        return None
    found: Interval | None = interval(values, CONFIDENCE)
    return found if found is None or all(map(math.isfinite, found)) else None


def _number(
    metric: str, value: float | None, n: int, interval: Interval | None, details: Mapping[str, Any]
) -> Measured:
    more = dict(details)
    if interval is not None:
        more |= {"low": interval[0], "high": interval[1], "confidence": CONFIDENCE}
    if value is not None and not math.isfinite(value):
        return Measured(metric, None, n, {**more, "overflow": True})
    return Measured(metric, value, n, more)
