"""Mathematical equality: decided in a process of its own that hostile answers cannot hold up."""

import os
import threading
import time
from collections.abc import Iterator

import pytest

from aft.answers.equality import _Helper, same_expression
from aft.answers.expressions import expression_text, last_box, words_of


@pytest.fixture(scope="module")
def helper() -> Iterator[_Helper]:
    helper = _Helper(seconds=1)
    yield helper
    helper.stop()


def pid_of(helper: _Helper) -> int:
    assert helper._process is not None
    return helper._process.pid


def test_threads_ask_one_process_at_a_time(helper: _Helper) -> None:
    verdicts: dict[int, bool] = {}

    def ask(index: int) -> None:
        verdicts[index] = helper.same(f"{index}x + {index}", f"{index}(x + {index % 3})")

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(1, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verdicts == {index: index % 3 == 1 for index in range(1, 13)}


def test_what_computes_without_end_is_not_the_same_and_the_next_question_is_answered(helper: _Helper) -> None:
    start = time.process_time()
    # The first is interrupted in Python; the second is one operation that only the system can end.
    assert not helper.same("9^{9^{9^9}}", "12x")
    assert not helper.same("\\frac{10^{9999999999}}{3}", "12x")
    assert helper.same("\\frac{2x}{4}", "\\frac{x}{2}")
    assert time.process_time() - start < 2


@pytest.mark.parametrize("answer", ["{" * 300, "\\frac" * 80, "}{", "\x00", "\\begin{pmatrix}", "\ud800", "\n"])
def test_nonsense_is_not_the_same(helper: _Helper, answer: str) -> None:
    assert not helper.same(answer, "\\sqrt{2}")


def test_a_killed_process_is_started_again(helper: _Helper) -> None:
    assert helper.same("\\sqrt{8}", "2\\sqrt{2}")
    os.kill(pid_of(helper), 9)
    assert not helper.same("\\sqrt{8}", "2\\sqrt{2}")  # nothing says that they are
    assert helper.same("\\sqrt{8}", "2\\sqrt{2}")


def test_a_forked_child_leaves_the_process_to_its_parent(helper: _Helper) -> None:
    helper.same("x", "y")
    before = pid_of(helper)
    child = os.fork()
    if child == 0:
        helper.forget()
        os._exit(0 if helper._process is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert helper.same("\\sqrt{8}", "2\\sqrt{2}")
    assert pid_of(helper) == before


def test_a_process_that_does_not_start_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(RuntimeError, match="does not start"):
        _Helper().same("x", "y")


def test_numbers_are_compared_exactly_and_words_as_words() -> None:
    assert not same_expression("0.333333", "1/3")
    assert same_expression("1e3", "1000")
    assert not same_expression("was", "saw")
    assert same_expression("\\text{Even}", "even")
    assert not same_expression("x" * 401, "y")


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("  \\frac{1}{2} ", "0.5"),
        ("$x + 1$", "x + 1"),
        ("3\\,000\\!", "3000"),
        ("1,\\!234", "1234"),
        ("a \\; b", "a b"),
        ("1 & 2 \\\\ 3", "1 & 2 \\\\ 3"),
        ("7 \\mathrm{cm}", "7"),
        ("12 square meters", "12"),
        ("2x", "2x"),
        (".", None),
        ("y" * 401, None),
    ],
)
def test_expressions_are_stored_in_one_form(text: str, stored: str | None) -> None:
    assert expression_text(text) == stored


def test_the_last_box_of_a_reference_is_found() -> None:
    assert last_box("a \\boxed{1} then $\\boxed{\\frac{1}{\\sqrt{2}}}$.") == "\\frac{1}{\\sqrt{2}}"
    assert last_box("\\boxed{open") is None
    assert last_box("none") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [("\\text{two words}", "two words"), ("odd", "odd"), ("xy", None), ("x+y", None), ("\\pi", None), ("{abc}", "abc")],
)
def test_words_are_told_from_products(text: str, words: str | None) -> None:
    assert words_of(text) == words
