"""Claims about differences between methods, judged over seeds."""

from dataclasses import astuple

import pytest

from aft import statistics
from aft.paper.claims import CLAIMS
from aft.paper.columns import highest
from aft.paper.shapes import Judged, Part, corrected, judge, over_models, summary
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
    found = judge(Part("t", method, "base", sign=sign), TABLES, {})  # type: ignore[arg-type]
    assert found.verdict == verdict
    if verdict == "holds":
        assert found.tested == paired_t(list(CLEAR.values()), list(BASE.values()))


def test_only_seeds_in_common_count() -> None:
    tables = {"t": {**TABLES["t"], ("base", "task_accuracy"): {"3": 0.30, "2": 0.31, "9": 0.9}}}
    found = judge(Part("t", "clear", "base"), tables, {})
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


def test_a_published_level_stands_for_the_other_method() -> None:
    found = judge(Part("t", "clear", "the paper", sign=-1, level=0.5), TABLES, {})
    assert found.verdict == "holds"
    assert found.tested is not None
    assert found.tested.difference == pytest.approx(-0.09)


def test_vft_is_measured_against_the_papers_best_assessment() -> None:
    """LLaMA2-13B on GSM8K, of four models on two tasks."""
    assert highest("table1", "vft", "assessment_accuracy") == pytest.approx(0.7306)
    levels = [part.level for claim in CLAIMS for part in claim.parts if part.level is not None]
    assert levels == [highest("table1", "vft", "assessment_accuracy")]


def test_a_gain_is_compared_with_the_others_gain() -> None:
    votes = {
        ("a", "votes@16"): {"1": 0.5, "2": 0.6},
        ("a", "votes@1"): {"1": 0.3, "2": 0.3},
        ("b", "votes@16"): {"1": 0.4, "2": 0.5},
        ("b", "votes@1"): {"1": 0.3, "2": 0.39},
    }
    found = judge(Part("t", "a", "b", "votes@16", minus="votes@1"), {"t": votes}, {})
    assert found.tested is not None
    assert found.tested.difference == pytest.approx((0.1 + 0.19) / 2)


MODELS = {
    f"model {n}": {
        ("VFT", "task_accuracy"): {"1": 0.30 + 0.02 * n, "2": 0.32 + 0.02 * n},
        ("VFT", "assessment_accuracy"): {"1": 0.6 + 0.01 * n + wobble, "2": 0.6 + 0.01 * n - wobble},
        ("AFT", "task_accuracy"): {"1": 0.34 + 0.02 * n + wobble, "2": 0.33 + 0.02 * n + wobble},
    }
    for n, wobble in enumerate((0.0, 0.004, 0.001, 0.003))
}


def test_over_models_each_counts_once_with_its_mean() -> None:
    found = judge(Part("p", "AFT", "VFT", over="models"), {"p": MODELS["model 0"]}, {"p": over_models(MODELS)})
    expected = paired_t([0.335, 0.359, 0.376, 0.398], [0.31, 0.33, 0.35, 0.37])
    assert found.tested is not None
    assert expected is not None
    assert astuple(found.tested) == pytest.approx(astuple(expected))
    assert (found.tested.n, found.verdict) == (4, "holds")


def test_a_model_that_lacks_a_seed_is_left_out() -> None:
    short = {**MODELS["model 3"], ("AFT", "task_accuracy"): {"1": 0.9}}
    table = over_models({**MODELS, "model 3": short})
    assert set(table["AFT", "task_accuracy"]) == {"model 0", "model 1", "model 2"}
    assert len(table["VFT", "task_accuracy"]) == 4


def test_judging_and_answering_are_correlated_over_models() -> None:
    part = Part("p", "VFT", "assessment", rises_with="assessment_accuracy", over="models")
    found = judge(part, {}, {"p": over_models(MODELS)})
    assert found.tested is not None
    assert found.tested.difference == pytest.approx(1.0)
    assert found.tested.n == 4
    assert found.verdict == "holds"
    three = {model: MODELS[model] for model in list(MODELS)[:3]}
    assert judge(part, {}, {"p": over_models(three)}).verdict == "missing"


def test_clear_differences_are_counted_before_and_after_correction() -> None:
    def judged(p: float | None) -> Judged:
        tested = None if p is None else statistics.Tested(difference=0.1, low=0.0, high=0.2, p=p, n=3)
        return Judged(Part("t", "a", "b"), tested, "holds")

    # Holm: 0.01 x 3, 0.03 x 2, 0.4.
    assert corrected([judged(0.03), judged(0.01), judged(None), judged(0.4)]) == (3, 2, 1)
