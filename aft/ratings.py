"""Ratings of candidates: quality given from outside, higher is better.

A rating is what a judge says about a candidate; a score is what a model says. Candidates that were
cut by the length limit never count as right.
"""

from collections.abc import Sequence
from typing import Final

from aft.answers import Answer, is_correct
from aft.arithmetic import OracleRating, oracle_rating

RIGHT: Final = 1.0
WRONG: Final = 0.0


def rate_by_answer(
    answer: Answer | str | None,
    gold: str,
    task: str,
    choices: Sequence[str] | None = None,
    *,
    truncated: bool = False,
) -> float:
    """Rate a candidate 1 if its extracted answer is the gold answer, otherwise 0 (binary feedback).

    Args:
        answer: The extracted answer; None where nothing could be read, which is rated 0.
        gold: The gold answer as stored.
        task: The task, as for `aft.answers.is_correct`.
        choices: Choice texts in the order of their letters.
        truncated: Whether the candidate was cut by the length limit.

    Raises:
        ValueError: If the task is unknown, or the gold answer is none of it.
    """
    right = is_correct(answer, gold, task, choices)
    return RIGHT if right and not truncated else WRONG


def rate_by_oracle(question: str, response: str, *, truncated: bool = False) -> OracleRating:
    """Rate a candidate of the built-in task from 1 to 10 by checking its steps (ranking feedback).

    Args:
        question: The question's text.
        response: The candidate's text.
        truncated: Whether the candidate was cut by the length limit; its answer then counts as wrong.

    Raises:
        ValueError: If the question is none of the built-in task.
    """
    rating = oracle_rating(question, response)
    if not (truncated and rating.answer_right):
        return rating
    return OracleRating(max(1, rating.rating - 1), rating.wrong_steps, rating.missing_steps, answer_right=False)
