"""What a test says about a difference."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tested:
    """A difference (method minus baseline) with its interval and p-value.

    Attributes:
        difference: The estimate, in the unit of the values.
        low: Lower end of the confidence interval.
        high: Its upper end.
        p: Two-sided p-value of "there is no difference".
        n: How many independent units the test rests on: seeds or questions.
    """

    difference: float
    low: float
    high: float
    p: float
    n: int
