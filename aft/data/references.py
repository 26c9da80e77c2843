"""References that lead nowhere but end in the right answer, to see how much a method depends on clean ones."""

import math
import random
from collections.abc import Sequence

from aft.arithmetic import parse_question
from aft.arithmetic.corpus import corrupt_steps


def noisy_references(questions: Sequence[tuple[str, str, str]], share: float, seed: int, task: str) -> dict[str, str]:
    """Other reference COTs for a share of the questions; their answers stay as they are.

    Steps of the arithmetic task get random operators and operands, their arithmetic staying true. Elsewhere a question
    gets the COT of another one. Those of a smaller share are among those of a larger.

    Args:
        questions: Id, question and reference COT, in an order of their own that does not vary.
        share: So many of them, rounded to the nearest count.
        seed: Decides which, and how.
        task: The data set's task.

    Returns:
        Id -> reference, of the questions that were drawn.

    Raises:
        ValueError: If the share is not between 0 and 1.
    """
    if not (math.isfinite(share) and 0 <= share <= 1):
        raise ValueError(f"The share of references to make wrong is {share}. Give a number from 0 to 1.")
    # Shuffling, unlike drawing, makes a smaller share a part of a larger one.
    order = list(range(len(questions)))
    random.Random(f"noisy references {seed}").shuffle(order)
    drawn = order[: round(share * len(questions))]
    found = {}
    for place in drawn:
        key, question, _ = questions[place]
        if task == "arithmetic":
            rng = random.Random(f"noisy references {seed} {key}")
            steps = corrupt_steps(parse_question(question), rng, corrupted_share=1.0, slip_share=0.0)
            found[key] = " ".join(map(str, steps))
        else:
            found[key] = questions[(place + 1) % len(questions)][2]
    return found
