"""Equations of a COT, and the reasoning paths that are distinct by them."""

import time

import pytest

from aft.equations import distinct_paths, equations


@pytest.mark.parametrize(
    ("cot", "listed"),
    [
        ("He has 5 + 3 = 8 apples.", ["5+3=8"]),
        ("48/2 = <<48/2=24>>24 clips, 48+24 = <<48+24=72>>72.", ["48/2=24", "48+24=72"]),
        ("5 apples + 3 apples = 8 apples", ["5+3=8"]),
        ("$1,200 × 2 = $2,400", ["1200*2=2400"]),
        ("6 x 7 = 42 and 42 ÷ 6 = 7", ["6*7=42", "42/6=7"]),
        ("2 + 3 = 5 = 1 * 5", ["2+3=5"]),
        ("2 * (3 + 4) = 14.", ["2*(3+4)=14"]),
        ("-3 + 5 = 2", ["-3+5=2"]),
        ("20% * 50 = 10", ["20%*50=10"]),
        ("Of 3 boxes with 5 + 4 = 9 apples", ["5+4=9"]),
        ("1 + 1 = 2. Then 2 + 2 = 4", ["1+1=2", "2+2=4"]),
        ("x = 8, y = 9", []),
        ("10 / 4 = 2.50", ["10/4=2.5"]),
        ("no numbers", []),
        ("", []),
        ("= = + ( 3", []),
    ],
)
def test_equations_are_read_in_one_form(cot: str, listed: list[str]) -> None:
    assert [equation.text for equation in equations(cot)] == listed


@pytest.mark.parametrize(
    ("equation", "holds"),
    [
        ("2 + 2 = 4", True),
        ("2 + 2 = 5", False),
        ("10 / 3 = 3.33", True),
        ("10 / 3 = 3.34", False),
        ("10 / 3 = 3", False),
        ("20% * 50 = 10", True),
        ("2 + 3 * 4 = 14", True),
        ("8 - 3 - 2 = 3", True),
        ("16 / 4 / 2 = 2", True),
        ("2 + 3 = 5 * 1", True),
    ],
)
def test_calculations_are_checked_exactly_but_for_written_rounding(equation: str, holds: bool) -> None:
    (read,) = equations(equation)
    assert read.holds is holds


def test_a_division_by_zero_is_no_equation() -> None:
    assert equations("1 / 0 = 5") == ()


def test_paths_are_distinct_by_their_equations_in_order() -> None:
    cots = [
        "2 + 3 = 5, 5 * 2 = 10",
        "She adds 2 + 3 = 5 and doubles: 5 * 2 = 10",
        "5 * 2 = 10, 2 + 3 = 5",
        "2 + 3 = 6",
        "in words",
        "in  words",
        "in other words",
    ]
    assert distinct_paths(cots) == [True, False, True, False, True, False, True]


@pytest.mark.parametrize("unit", ["1+", "(", "1=", "9*9*9=1 ", "x", "<<", "1,", "((1)=", "-"])
def test_time_is_linear_in_a_hostile_text(unit: str) -> None:
    start = time.process_time()
    equations(unit * (20_000 // len(unit)))
    equations((unit * 20 + "\n") * 100)
    assert time.process_time() - start < 3
