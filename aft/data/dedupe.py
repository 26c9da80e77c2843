"""Equal texts are counted once (AFT paper, Section 4.1: candidates of a question)."""

from collections.abc import Iterable


def same_text(text: str) -> str:
    """Bring a text to the form in which two texts are compared: runs of white space are one space."""
    return " ".join(text.split())


def deduplicate(texts: Iterable[str]) -> list[int | None]:
    """Find repeated texts, ignoring differences in white space.

    Returns:
        For every text the index of the first equal text before it, or None where it is the first.
    """
    first: dict[str, int] = {}
    found: list[int | None] = []
    for index, text in enumerate(texts):
        earlier = first.setdefault(same_text(text), index)
        found.append(None if earlier == index else earlier)
    return found
