"""Explaining a verdict: the same answer as the extractor's, every attempt with its place, the comparison in words."""

import time
from typing import Any

import pytest

from aft.answers import explain, extract_answer, rule_in_words
from aft.answers.explain import MOST_ATTEMPTS
from tests.aft.test_answers import CASES


def test_an_explanation_reads_and_grades_every_case_as_the_extractor_does() -> None:
    for case in CASES:
        found = explain(case["text"], case["gold"], case["task"], case["choices"])
        assert found.answer == extract_answer(case["text"], case["task"], case["choices"])
        assert found.is_right is case["correct"]
        assert found.steps
        decisive = [attempt for attempt in found.attempts if attempt.decides]
        if found.decided_by is not None:
            assert found.attempts[found.decided_by] is decisive[0]
        words = found.steps[-1]
        assert ("right" in words) is case["correct"], (case["text"], found.steps)


def test_attempts_say_where_they_looked() -> None:
    text = "The answer is 5. No wait.\n#### 6\n[ANS] none of it"
    found = explain(text, "6", "gsm8k")
    assert [attempt.outcome for attempt in found.attempts[:3]] == ["concluded", "read", "read"]
    assert [attempt.rule for attempt in found.attempts[:3]] == ["ans-marker", "hash-marker", "the-answer-is"]
    assert found.decided_by == 0
    assert found.answer is None
    marker = found.attempts[1].marker
    assert marker is not None
    assert text[slice(*marker)] == "####"
    assert "nothing before it is taken" in found.steps[-1]


def test_a_run_on_question_is_named_as_the_cut() -> None:
    found = explain("[ANS] 4\nQuestion: what is 5 + 5?\n[ANS] 10", "4", "gsm8k")
    assert found.cut_at == 8
    assert found.is_right
    assert "character 8" in found.steps[0]


@pytest.mark.parametrize(
    ("text", "gold", "task", "choices", "words"),
    [
        ("[ANS] 7", "10", "gsm8k", None, "differ by 3"),
        ("[ANS] 0.3333", "1/3", "gsm8k", None, "never rounded"),
        ("so 12 it", "12", "gsm8k", None, "equal"),
        ("[ANS] C", "A", "ecqa", ["pen", "cup", "Pen"], "differ"),
        ("[ANS] pen", "C", "ecqa", ["pen", "cup", "Pen"], "same text"),
    ],
)
def test_the_comparison_is_told_in_words(
    text: str, gold: str, task: str, choices: list[str] | None, words: str
) -> None:
    assert words in " ".join(explain(text, gold, task, choices).steps)


def test_loops_and_long_numbers_stay_short_and_quick() -> None:
    started = time.process_time()
    found = explain("[ANS] none " * 100_000, "1", "gsm8k")
    assert len(found.attempts) <= MOST_ATTEMPTS
    long: Any = explain(f"[ANS] {'9' * 3000}", "1", "gsm8k")
    assert all(len(step) < 400 for step in long.steps)
    assert time.process_time() - started < 5


def test_every_rule_has_words() -> None:
    assert {rule_in_words(case["rule"]) for case in CASES if case["rule"]}.isdisjoint(
        {case["rule"] for case in CASES if case["rule"]}
    )
