"""From a response to its verdict: the rule that makes training labels."""

from collections.abc import Sequence

from aft.answers.extract import extract_answer
from aft.answers.found import Answer
from aft.answers.grade import is_correct


def judge(
    text: str, finish_reason: str, gold: str, task: str, choices: Sequence[str] | None = None
) -> tuple[Answer | None, str]:
    """Read a response's answer and say right, wrong, unparsed or truncated.

    A truncated response is never right, whatever it says: it has no end of its own.

    Args:
        text: The response.
        finish_reason: stop, or length for a truncated one.
        gold: The gold answer as stored.
        task: One of the tasks `extract_answer` knows.
        choices: Choice texts in the order of their letters.

    Returns:
        The answer, None where no rule finds one, and the verdict.
    """
    answer = extract_answer(text, task, choices)
    if finish_reason == "length":
        return answer, "truncated"
    if answer is None:
        return None, "unparsed"
    return answer, "right" if is_correct(answer, gold, task, choices) else "wrong"
