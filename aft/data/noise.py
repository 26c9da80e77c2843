"""Low-quality COTs for Figure 2a of the AFT paper: characters replaced by full stops (Table 9)."""

import math
import random
from typing import Final

NOISE: Final = "."


def replace_characters(text: str, share: float, seed: int | str) -> str:
    """Replace a share of a text's characters by full stops.

    The places depend on the seed and the text's length alone, and those of a smaller share are among those of a larger.

    Args:
        text: A COT.
        share: α, from 0 to 1; so many of the characters, rounded to the nearest count, white space among them.
        seed: Decides the places.

    Raises:
        ValueError: If the share is not between 0 and 1.
    """
    if not (math.isfinite(share) and 0 <= share <= 1):
        raise ValueError(f"The share of characters to replace is {share}. Give a number from 0 to 1.")
    places = list(range(len(text)))
    # Shuffling, unlike drawing, makes the places of a smaller share a part of a larger one's.
    random.Random(seed).shuffle(places)
    characters = list(text)
    for place in places[: round(share * len(text))]:
        characters[place] = NOISE
    return "".join(characters)
