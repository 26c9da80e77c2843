"""Claims about differences between methods, judged over seeds."""

import pytest

from aft.paper.shapes import Judged, Part, judge, summary
from aft.statistics import paired_t

CLEAR = {"1": 0.40, "2": 0.42, "3": 0.41}
BASE = {"1": 0.30, "2": 0.31, "3": 0.30}
NOISY = {"1": 0.29, "2": 0.36, "3": 0.27}
TABLES = {
    "t": {
        ("clear", "task_accuracy"): CLEAR,
        ("base", "task_accuracy"): BASE,
        ("noisy", "task_accuracy"): NOISY,
        ("one", "task_accuracy"): {"1": 0.5},
    }
}


@pytest.mark.parametrize(
    ("method", "sign", "verdict"),
    [
        ("clear", 1, "holds"),
        ("clear", -1, "the opposite"),
        ("noisy", 1, "in the direction, within noise"),
        ("noisy", -1, "not seen"),
        ("one", 1, "missing"),
        ("absent", 1, "missing"),
    ],
)
def test_a_part_is_judged_by_its_sign_and_p(method: str, sign: int, verdict: str) -> None:
    found = judge(Part("t", method, "base", sign=sign), TABLES)  # type: ignore[arg-type]
    assert found.verdict == verdict
    if verdict == "holds":
        assert found.tested == paired_t(list(CLEAR.values()), list(BASE.values()))


def test_only_seeds_in_common_count() -> None:
    tables = {"t": {**TABLES["t"], ("base", "task_accuracy"): {"3": 0.30, "2": 0.31, "9": 0.9}}}
    found = judge(Part("t", "clear", "base"), tables)
    assert found.tested is not None
    assert found.tested.n == 2
    assert found.tested.difference == pytest.approx(0.11)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["missing"], "missing"),
        (["holds", "missing", "holds"], "holds"),
        (["holds", "not seen"], "in part"),
        (["holds", "the opposite"], "in part"),
        (["not seen", "in the direction, within noise"], "within noise"),
        (["not seen", "the opposite"], "not seen"),
    ],
)
def test_a_claim_in_a_word(verdicts: list[str], expected: str) -> None:
    parts = [Judged(Part("t", "a", "b"), None, verdict) for verdict in verdicts]  # type: ignore[arg-type]
    assert summary(parts) == expected
