"""From what a reviewer sends to values by candidate, on the mode's scale: pure functions."""

from collections.abc import Mapping, Sequence

from backend.errors import Invalid
from backend.schemas.reviews import ReviewSubmit

VERIFY_VALUES = (0.0, 0.5, 1.0)
MOST_STEPS = 500


def judged_values(mode: str, letters: Mapping[str, int], body: ReviewSubmit) -> dict[str, float]:
    """Value by candidate id.

    Args:
        mode: verify, rate, rank or pair.
        letters: Candidate id by letter.
        body: The submission.

    Raises:
        Invalid: If a candidate is missing or unknown, or a value is not of the scale.
    """
    given = ranked(body.tiers) if mode in {"rank", "pair"} else body.values
    field = "tiers" if mode in {"rank", "pair"} else "values"
    unknown = sorted(given.keys() - letters.keys())
    missing = sorted(letters.keys() - given.keys())
    if unknown:
        raise Invalid(f"This item has no COT {unknown[0]}.", remedy=f"It has {', '.join(letters)}.", field=field)
    if missing:
        raise Invalid(
            f"COT {', '.join(missing)} has no judgement.", remedy="Judge every COT, or skip the item.", field=field
        )
    for letter, value in given.items():
        if mode == "verify" and value not in VERIFY_VALUES:
            raise Invalid(f"COT {letter} is judged {value:g}.", remedy="Use 1, 0.5 or 0.", field="values")
        if mode == "rate" and (value != int(value) or not 1 <= value <= 10):
            raise Invalid(f"COT {letter} is rated {value:g}.", remedy="Use a whole number, 1 to 10.", field="values")
    return {str(letters[letter]): float(given[letter]) for letter in letters}


def ranked(tiers: Sequence[Sequence[str]]) -> dict[str, float]:
    """Share of the other COTs that each one beats, ties counting half: 1 for the best, 0 for the worst.

    Raises:
        Invalid: If a letter stands twice.
    """
    flat = [letter for tier in tiers for letter in tier]
    if len(set(flat)) != len(flat):
        twice = sorted(letter for letter in set(flat) if flat.count(letter) > 1)
        raise Invalid(f"COT {twice[0]} stands in the ranking twice.", remedy="Rank every COT once.", field="tiers")
    if len(flat) < 2:
        return dict.fromkeys(flat, 0.5)
    values: dict[str, float] = {}
    below = len(flat)
    for tier in tiers:
        below -= len(tier)
        for letter in tier:
            values[letter] = (below + (len(tier) - 1) / 2) / (len(flat) - 1)
    return values


def beaten_shares(values: Mapping[int, float]) -> dict[int, float]:
    """Share of the other COTs that each one beats, ties counting half, from values of any scale."""
    if len(values) < 2:
        return dict.fromkeys(values, 0.5)
    return {
        key: (sum(value > other for other in values.values()) + (sum(value == o for o in values.values()) - 1) / 2)
        / (len(values) - 1)
        for key, value in values.items()
    }


def judged_steps(letters: Mapping[str, int], body: ReviewSubmit) -> dict[str, list[list[int]]]:
    """Steps marked wrong by candidate id.

    Raises:
        Invalid: If a span is none, or there are absurdly many.
    """
    found: dict[str, list[list[int]]] = {}
    for letter, spans in body.steps.items():
        if letter not in letters:
            raise Invalid(f"This item has no COT {letter}.", remedy=f"It has {', '.join(letters)}.", field="steps")
        if len(spans) > MOST_STEPS or any(not 0 <= start < end <= 10_000_000 for start, end in spans):
            raise Invalid(f"The steps marked in COT {letter} are no spans.", remedy="Mark them again.", field="steps")
        if spans:
            found[str(letters[letter])] = [list(span) for span in sorted(set(spans))]
    return found
