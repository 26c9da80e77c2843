"""An estimate with its bootstrap interval over questions."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aft.metrics.checks import require_confidence

SAMPLES: Final = 1000
_FEWEST_SAMPLES: Final = 200
_CELLS: Final = 40_000_000
_CELLS_AT_ONCE: Final = 2_000_000

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""From weights ``[draw, unit]`` to one value a draw; NaN where it is not defined."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A statistic of agreement.

    Attributes:
        value: The estimate; None where the data do not define it.
        low: Lower end of the percentile bootstrap interval over questions; None below two questions.
        high: Its upper end.
        n: Units behind it: COTs, or pairs of COTs, that two raters have both judged.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int


def estimate(
    statistic: Statistic, questions: Sequence[Hashable], *, n: int, confidence: float = 0.95, seed: int = 0
) -> Estimate:
    """A statistic on all units, and its interval from resampled questions.

    The COTs of one question are not independent, so questions are drawn, each with all its units.

    Args:
        statistic: Takes how often each unit counts.
        questions: The question of every unit.
        n: What to report as the number of cases.
        confidence: Confidence of the interval.
        seed: Of the resampling, so that a page never changes by being looked at.
    """
    require_confidence(confidence)
    units = len(questions)
    if units == 0:
        return Estimate(None, None, None, n)
    value = float(statistic(np.ones((1, units)))[0])
    if not np.isfinite(value):
        return Estimate(None, None, None, n)
    place = {question: index for index, question in enumerate(dict.fromkeys(questions))}
    if len(place) < 2:
        return Estimate(value, None, None, n)
    codes = np.array([place[question] for question in questions])
    samples = int(np.clip(_CELLS // units, _FEWEST_SAMPLES, SAMPLES))
    generator = np.random.default_rng(seed)
    found: list[Any] = []
    at_once = max(1, min(samples, _CELLS_AT_ONCE // units))
    shares = np.full(len(place), 1 / len(place))
    with np.errstate(divide="ignore", invalid="ignore"):
        for start in range(0, samples, at_once):
            drawn = generator.multinomial(len(place), shares, size=min(at_once, samples - start))
            found.append(statistic(drawn[:, codes].astype(np.float64)))
    values = np.concatenate(found)
    values = values[np.isfinite(values)]
    # Few questions give draws that define nothing; an interval from a minority of draws would be another statistic's.
    if len(values) < 0.9 * samples:
        return Estimate(value, None, None, n)
    low, high = np.quantile(values, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return Estimate(value, float(low), float(high), n)


def share(part: Floats, whole: Floats) -> Floats:
    """A quotient, NaN where the whole is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole > 0, part / whole, np.nan)
