from typing import Any

import pytest

from aft.data.gold import choice_answer, choice_texts, gold_answer, number_text, split_reference

LETTERS = ("A", "B", "C", "D", "E")


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ("72", "72"),
        ("114,200", "114200"),
        ("-10", "-10"),
        ("−3", "-3"),
        ("$1,218.", "1218"),
        ("-$5", "-5"),
        ("45%", "45"),
        (".5", ".5"),
        ("3/4", "3/4"),
        ("1e3", "1e3"),
        (18, "18"),
        (18.0, "18"),
        (2.5, "2.5"),
        (10**400, "1" + "0" * 400),
    ],
)
def test_gold_numbers_are_read(value: Any, plain: str) -> None:
    assert number_text(value) == plain


@pytest.mark.parametrize(
    "value", ["", "-", "18 apples", "1,2", "1/0", "nan", "inf", None, True, [1], float("nan"), "."]
)
def test_what_is_no_number_is_named(value: Any) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        number_text(value)


@pytest.mark.parametrize(("value", "stored"), [("$\\frac{1}{2}$", "0.5"), ("x + 1.", "x + 1"), (3, "3")])
def test_gold_expressions_are_read(value: Any, stored: str) -> None:
    assert gold_answer(value, "math", (), None) == stored


@pytest.mark.parametrize("value", ["", "$$", None, True, ["x"], "x" * 401])
def test_what_is_no_expression_is_named(value: Any) -> None:
    with pytest.raises(ValueError, match="is no mathematical expression"):
        gold_answer(value, "math", (), None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb\n#### 1,000", ("a\nb", "1,000")),
        ("so 3.\n[ANS] 3.", ("so 3.", "3.")),
        ("work\nA: 24", ("work", "24")),
        ("Work. So the answer is (c).", ("Work.", "(c).")),
        ("#### 1\n#### 2", ("#### 1", "2")),
        ("no marker", None),
        ("ends with ####", None),
    ],
)
def test_reference_is_cut_at_its_last_marker(text: str, expected: tuple[str, str] | None) -> None:
    assert split_reference(text) == expected


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (["A)24", "B)6"], ("24", "6")),
        (["A ) 24", "B ) 6"], ("24", "6")),
        (["(A) 24", "(B) 6"], ("24", "6")),
        (["A)A)59", "B)60"], ("59", "60")),
        (["a) x", "b) y"], ("x", "y")),
        (["A)24", "6"], ("A)24", "6")),
        ([1, 2.5], ("1", "2.5")),
        ({"label": ["A", "B"], "text": ["x", "y"]}, ("x", "y")),
        ({"A": "x", "B": "y"}, ("x", "y")),
        ([{"label": "A", "text": "x"}, {"label": "B", "text": "y"}], ("x", "y")),
        ("A) x\nB) y", ("x", "y")),
        ("- x\\n- y", ("x", "y")),
    ],
)
def test_choices_are_read_in_every_published_form(value: Any, texts: tuple[str, ...]) -> None:
    assert choice_texts(value)[1] == texts


@pytest.mark.parametrize("value", [None, 3, ["one"], ["a", None], ["a", True], [str(i) for i in range(27)]])
def test_unreadable_choices_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"choice"):
        choice_texts(value)


@pytest.mark.parametrize(
    ("value", "letter"), [("C", "C"), ("(c)", "C"), ("c.", "C"), ("drawer", "B"), ("  Drawer. ", "B"), (0, "A")]
)
def test_right_choice_is_found_by_label_text_or_place(value: Any, letter: str) -> None:
    assert choice_answer(value, LETTERS, ("lake", "drawer", "sky", "drawer", "cloud")) == letter


def test_label_wins_over_a_choice_that_reads_like_a_letter() -> None:
    assert choice_answer("B", LETTERS, ("B", "C", "D", "E", "A")) == "B"


def test_numbered_labels_are_followed() -> None:
    assert choice_answer("2", ("1", "2", "3"), ("x", "y", "z")) == "B"


@pytest.mark.parametrize("value", ["F", "", "tree", 5, -1, None, True])
def test_answer_outside_the_choices_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="none of the 5 choices"):
        choice_answer(value, LETTERS, ("v", "w", "x", "y", "z"))
