"""Answers that many ask for at once are made once."""

import threading
from functools import partial

import pytest

from backend.services.shared_answers import SharedAnswers


def test_those_who_ask_meanwhile_wait_for_the_first() -> None:
    answers, made, begun, go_on = SharedAnswers(), [], threading.Event(), threading.Event()

    def make() -> bytes:
        made.append(1)
        begun.set()
        assert go_on.wait(10)
        return b"figure"

    got: list[bytes] = []
    threads = [threading.Thread(target=lambda: got.append(answers.get("run", 1, make))) for _ in range(8)]
    threads[0].start()
    assert begun.wait(10)
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join()
    assert got == [b"figure"] * 8
    assert made == [1]


def test_another_mark_makes_it_anew_and_the_oldest_are_forgotten() -> None:
    answers = SharedAnswers(kept=2)
    assert [answers.get("a", mark, partial(b"%d".__mod__, mark)) for mark in (1, 1, 2)] == [b"1", b"1", b"2"]
    for what in ("b", "c"):
        answers.get(what, 1, lambda: b"x")
    assert answers.get("a", 2, lambda: b"anew") == b"anew"


def test_a_failure_is_told_and_not_kept() -> None:
    answers = SharedAnswers()

    def fail() -> bytes:
        raise ValueError("no such figure")

    with pytest.raises(ValueError, match="no such figure"):
        answers.get("a", 1, fail)
    assert answers.get("a", 1, lambda: b"now") == b"now"
