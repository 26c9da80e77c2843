"""How much a text repeats itself: the sign of a model that has been pushed too far (Table 12)."""

from typing import Final

N: Final = 4
"""Words to an n-gram, as in rep-4 of Welleck et al. (2020)."""


def repetition(text: str, n: int = N) -> float | None:
    """The share of a text's n-grams of words that have stood in it before.

    Args:
        text: Any text; words are what white space separates.
        n: Words to an n-gram.

    Returns:
        From 0 (every n-gram is new) to nearly 1; None for a text of fewer than n words.

    Raises:
        ValueError: If ``n`` is below 1.
    """
    if n < 1:
        raise ValueError(f"n is {n}. Give at least 1.")
    words = text.split()
    grams = [tuple(words[start : start + n]) for start in range(len(words) - n + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else None
