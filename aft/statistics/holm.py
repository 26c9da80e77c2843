"""Correcting p-values for how many there are."""

from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down correction: the chance of even one false alarm in the family stays below the level.

    Args:
        p_values: One per comparison of the family; None where there was no test, which does not count.

    Returns:
        Corrected p-values in the same order, at most 1.

    Raises:
        ValueError: If a p-value is not between 0 and 1.
    """
    tested = [(p, place) for place, p in enumerate(p_values) if p is not None]
    for p, _ in tested:
        if not 0 <= p <= 1:
            raise ValueError(f"p-value {p} is not between 0 and 1.")
    corrected: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, place) in enumerate(sorted(tested)):
        highest = max(highest, min(1.0, (len(tested) - rank) * p))
        corrected[place] = highest
    return corrected
