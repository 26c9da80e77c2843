"""The published values beside our methods."""

import pytest

from aft.config.method import MethodConfig
from aft.paper import columns, get_column, method_key
from aft.paper.presets import get_preset
from aft.paper.scales import REPRODUCED, SCALES, reproduced_spec

DC = MethodConfig(name="aft", constraint="detached")
BC = MethodConfig(name="aft", constraint="boundary")
RDC2 = MethodConfig(name="aft", constraint="detached-lowest")
RRHF_DC = MethodConfig(name="rrhf", constraint="detached")
PRO_NT = MethodConfig(name="pro", temperature=False)


def test_every_table_of_results_is_a_column_and_keys_are_unique() -> None:
    keys = [column.key for column in columns()]
    assert len(set(keys)) == len(keys) == 8 + 12 + 4 + 1 + 4 + 3
    assert {key.split("/")[0] for key in keys} == {f"table{n}" for n in (1, 2, 3, 4, 5, 8, 10, 11)}


@pytest.mark.parametrize(
    ("column", "method", "feedback", "metric", "mean", "std"),
    [
        ("table2/llama-7b/gsm8k", DC, "binary", "task_accuracy", 0.4043, 0.0104),
        ("table3/llama2-13b/gsm8k-rank", BC, "ranking", "task_accuracy", 0.3548, 0.0135),
        ("table4/llama-7b/gsm8k-rank", MethodConfig(name="aft"), "ranking", "perplexity", 7.81, 0.03),
        ("table4/llama-7b/gsm8k-rank", RRHF_DC, "ranking", "assessment_accuracy", 0.7989, 0.006),
        ("table8/llama-7b/gsm8k-rank", RDC2, "ranking", "task_accuracy", 0.1257, 0.0134),
        ("table10/llama-7b/gsm8k-rank", MethodConfig(name="rrhf", beta=0.3), "ranking", "task_accuracy", 0.1505, None),
        ("table10/llama-7b/gsm8k-rank", MethodConfig(name="rrhf"), "ranking", "task_accuracy", 0.0751, None),
        ("table11/llama-7b/gsm8k-rank", PRO_NT, "ranking", "task_accuracy", 0.0718, 0.0078),
    ],
)  # fmt: skip
def test_a_method_finds_its_published_value(
    column: str, method: MethodConfig, feedback: str, metric: str, mean: float, std: float | None
) -> None:
    found = get_column(column)
    assert found is not None
    value = found.values[method_key(method, feedback)][metric]
    assert value.mean == pytest.approx(mean)
    assert value.std == (None if std is None else pytest.approx(std))


def test_binary_and_ranking_feedback_are_different_methods() -> None:
    table = get_column("table3/llama-7b/gsm8k-rank")
    assert table is not None
    assert method_key(MethodConfig(name="aft", constraint="boundary"), "binary") not in table.values
    assert get_column("table6/llama-7b/gsm8k") is None


def test_no_preset_makes_the_smoke_test_of_the_path_large() -> None:
    specs = {name: reproduced_spec(get_preset(name), SCALES["smoke"], (1,), "m") for name in REPRODUCED}
    assert {spec.test_questions for spec in specs.values()} == {20}
    assert reproduced_spec(get_preset("figure-2d"), SCALES["mini"], (1,), "m").test_questions == 1000
