"""Reading the final answer out of a response, and grading it.

These verdicts are training labels, so the rules are few, exact and versioned:

1. The text is cut at the first end mark or at the start of a new question.
2. The last explicit marker that states an answer wins: ``[ANS]``, ``####``, a box, "the answer is".
3. Without one, a bare last number (or a last line that is a choice) is used, under a rule of its own.

Choices are compared by letter, numbers exactly, and general mathematical answers by Math-Verify.
What no rule can read is None, *unparsed*, and not a wrong answer. Nothing is ever evaluated.
"""

from aft.answers.attempts import Attempt
from aft.answers.explain import Explanation, explain, rule_in_words
from aft.answers.extract import extract_answer
from aft.answers.found import EXTRACTOR_VERSION, FALLBACK_RULES, Answer
from aft.answers.grade import is_correct
from aft.answers.verdict import judge

__all__ = [
    "EXTRACTOR_VERSION",
    "FALLBACK_RULES",
    "Answer",
    "Attempt",
    "Explanation",
    "explain",
    "extract_answer",
    "is_correct",
    "judge",
    "rule_in_words",
]
