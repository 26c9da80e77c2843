"""The paired bootstrap over questions."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy as np

from aft.metrics.checks import require_confidence
from aft.statistics.tested import Tested

BOOTSTRAP_SAMPLES: Final = 2000
_CELLS_AT_ONCE: Final = 8_000_000

PairedOutcomes: TypeAlias = tuple[Mapping[Any, float], Mapping[Any, float]]
"""Of one seed: the method's and the baseline's outcome by question."""


def paired_bootstrap(
    seeds: Sequence[PairedOutcomes],
    *,
    samples: int = BOOTSTRAP_SAMPLES,
    confidence: float = 0.95,
    seed: int = 0,
) -> Tested | None:
    """Resample questions, the same ones for both methods and all seeds, and look at the mean difference.

    A question is drawn with all its seeds, because answers to one question under several seeds are not
    independent. The result speaks about other questions of the kind, for these trained models; a test over
    seeds speaks about other trainings.

    Args:
        seeds: The outcomes of each seed; a question counts in a seed where both methods have it.
        samples: Bootstrap samples.
        confidence: Confidence of the percentile interval.
        seed: Of the resampling, so that a table never changes by being looked at.

    Returns:
        The mean over seeds of the mean difference over questions, its percentile interval, and twice the smaller share
        of samples on either side of 0 (never below ``1 / samples``); None with fewer than two questions.

    Raises:
        ValueError: If ``samples`` is below 1, an outcome is not finite, or the confidence is not between 0 and 1.
    """
    require_confidence(confidence)
    if samples < 1:
        raise ValueError(f"samples is {samples}. Give at least 1.")
    questions = {
        question: place
        for place, question in enumerate(
            dict.fromkeys(question for method, base in seeds for question in method if question in base)
        )
    }
    if len(questions) < 2:
        return None
    differences, counted = np.zeros((len(questions), len(seeds))), np.zeros((len(questions), len(seeds)))
    for column, (method, base) in enumerate(seeds):
        for question, value in method.items():
            if question in base:
                differences[questions[question], column] = value - base[question]
                counted[questions[question], column] = 1
    if not np.isfinite(differences).all():
        raise ValueError("An outcome is NaN or infinite. Leave questions without an outcome out.")
    used = counted.sum(axis=0) > 0
    differences, counted = differences[:, used], counted[:, used]
    estimate = float((differences.sum(axis=0) / counted.sum(axis=0)).mean())
    means = np.concatenate(
        [_resampled_means(differences, counted, draws) for draws in _draws(len(questions), samples, seed)]
    )
    low, high = np.quantile(means, [0.5 - confidence / 2, 0.5 + confidence / 2])
    side = min(float((means <= 0).mean()), float((means >= 0).mean()))
    return Tested(estimate, float(low), float(high), min(1.0, max(2 * side, 1 / samples)), len(questions))


def _draws(n: int, samples: int, seed: int) -> list[Any]:
    """How often each question is drawn in each sample, in parts that fit into memory."""
    if n * samples <= _CELLS_AT_ONCE:
        return [_few_draws(n, samples, seed)]
    at_once = max(1, _CELLS_AT_ONCE // n)
    parts = range(0, samples, at_once)
    return [_draw(n, min(at_once, samples - start), seed, start) for start in parts]


@lru_cache(maxsize=4)
def _few_draws(n: int, samples: int, seed: int) -> Any:
    """Kept: a table tests every method on the same questions, and drawing costs more than the rest."""
    return _draw(n, samples, seed, 0)


def _draw(n: int, samples: int, seed: int, start: int) -> Any:
    generator = np.random.default_rng([seed, start])
    return generator.multinomial(n, np.full(n, 1 / n), size=samples).astype(np.float32)


def _resampled_means(differences: Any, counted: Any, draws: Any) -> Any:
    """Mean over seeds of the resampled mean over questions, one per sample."""
    totals = draws @ differences.astype(np.float32)
    counts = draws @ counted.astype(np.float32)
    # A seed whose few questions were not drawn says nothing in this sample.
    present = counts > 0
    shares = np.divide(totals, counts, out=np.zeros_like(totals), where=present)
    return shares.sum(axis=1) / np.maximum(present.sum(axis=1), 1)
