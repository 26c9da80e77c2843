import random
import subprocess
import sys

import pytest
from pydantic import ValidationError

from aft.data.splits import PRESETS, SplitSpec, make_split

Row = tuple[str, str | None, str]


def rows(part: str | None, n: int, start: int = 0) -> list[Row]:
    return [(f"{part}-{i}", part, f"{part} question {i}") for i in range(start, start + n)]


GSM8K = [*rows("train", 7473), *rows("test", 1319)]


def sizes(split: dict[str, list[str]]) -> tuple[int, int, int]:
    return len(split["train"]), len(split["validation"]), len(split["test"])


def test_gsm8k_preset_has_the_papers_numbers() -> None:
    split = make_split(GSM8K, SplitSpec(preset="gsm8k"))
    assert sizes(split) == (7473, 400, 919)
    assert {id_ for id_, part, _ in GSM8K if part == "test"} == {*split["validation"], *split["test"]}


def test_rank_preset_takes_a_thousand_training_questions() -> None:
    assert sizes(make_split(GSM8K, SplitSpec(preset="gsm8k-rank"))) == (1000, 400, 919)


def test_aqua_preset_draws_what_the_small_files_lack_from_train() -> None:
    data = [*rows("train", 8000), *rows("validation", 254), *rows("test", 254)]
    split = make_split(data, SplitSpec(preset="aqua"))
    assert sizes(split) == (5000, 400, 1254)
    assert {f"test-{i}" for i in range(254)} <= set(split["test"])
    assert not set(split["train"]) & {*split["validation"], *split["test"]}


def test_ecqa_preset_follows_the_parts_of_rows() -> None:
    data = [*rows("train", 7598), *rows("validation", 1090), *rows("test", 2194)]
    split = make_split(data, SplitSpec(preset="ecqa"))
    assert sizes(split) == (7598, 1090, 2194)
    assert all(id_.startswith("test-") for id_ in split["test"])


def test_ecqa_preset_without_the_authors_parts_draws_by_seed() -> None:
    data = [*rows("train", 9741), *rows("validation", 1221)]
    assert sizes(make_split(data, SplitSpec(preset="ecqa"))) == (7598, 1090, 2194)


def test_lists_of_ids_win_over_parts_and_test_keeps_shared_ids() -> None:
    data = rows(None, 10)
    ids = {"train": ["None-0", "None-1", "None-2"], "validation": ["None-3"], "test": ["None-2", "None-4"]}
    split = make_split(data, SplitSpec(preset="ecqa"), part_ids=ids)
    assert {part: sorted(found) for part, found in split.items()} == {
        "train": ["None-0", "None-1"],
        "validation": ["None-3"],
        "test": ["None-2", "None-4"],
    }


def test_listed_ids_that_are_missing_are_a_shortage() -> None:
    with pytest.raises(ValueError, match="asks for 2 train"):
        make_split(rows(None, 1), SplitSpec(preset="ecqa"), part_ids={"train": ["None-0", "None-9"]})


def test_mmlu_preset_is_test_only() -> None:
    assert sizes(make_split([*rows("test", 7), *rows("validation", 3)], SplitSpec(preset="mmlu"))) == (0, 0, 7)


def test_arithmetic_preset_keeps_the_generators_parts() -> None:
    data = [*rows("train", 5), *rows("validation", 3), *rows("test", 4)]
    assert sizes(make_split(data, SplitSpec(preset="arithmetic"))) == (5, 3, 4)


def test_own_counts_take_validation_from_train_where_there_is_none() -> None:
    split = make_split([*rows("train", 20), *rows("test", 5)], SplitSpec(train=10, validation=6, test=5))
    assert sizes(split) == (10, 6, 5)
    assert all(id_.startswith("train-") for id_ in split["validation"])


def test_order_of_rows_changes_nothing() -> None:
    shuffled = random.Random(1).sample(GSM8K, len(GSM8K))
    assert make_split(shuffled, SplitSpec(preset="gsm8k")) == make_split(GSM8K, SplitSpec(preset="gsm8k"))


def test_rows_with_equal_questions_are_ordered_by_id() -> None:
    data: list[Row] = [("b", None, "same"), ("a", None, "same"), ("c", None, "other")]
    spec = SplitSpec(train=3)
    assert make_split(data, spec) == make_split(data[::-1], spec)


def test_seed_changes_the_draw_and_the_process_does_not() -> None:
    first = make_split(GSM8K, SplitSpec(preset="gsm8k", seed=1))["validation"]
    assert first != make_split(GSM8K, SplitSpec(preset="gsm8k", seed=2))["validation"]
    script = (
        "from aft.data.splits import *\n"
        "rows = [(f'test-{i}', None, f'test question {i}') for i in range(100)]\n"
        "print(make_split(rows, SplitSpec(train=3, seed=1))['train'])"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1


def test_a_question_of_the_test_part_is_never_drawn_for_training() -> None:
    data: list[Row] = [("t", "test", "Shared  question?"), ("a", "train", "shared question?"), ("b", "train", "own")]
    assert make_split(data, SplitSpec(train=1, test=1))["train"] == ["b"]
    with pytest.raises(ValueError, match="repeats of questions drawn for another part do not count"):
        make_split(data, SplitSpec(train=2, test=1))


def test_published_overlap_of_ecqa_is_no_shortage() -> None:
    data = [*rows("train", 7597), *rows("validation", 1090), *rows("test", 2194)]
    data.append(("extra", "train", "test question 0"))
    assert sizes(make_split(data, SplitSpec(preset="ecqa"))) == (7597, 1090, 2194)


def test_shortage_names_numbers_and_remedy() -> None:
    with pytest.raises(ValueError, match=r"asks for 400 validation .* 100 are left .* 50 train, 100 test.*allow fewer"):
        make_split([*rows("train", 50), *rows("test", 100)], SplitSpec(preset="gsm8k"))


def test_fewer_are_taken_when_allowed() -> None:
    split = make_split([*rows("train", 50), *rows("test", 500)], SplitSpec(preset="gsm8k", allow_fewer=True))
    assert sizes(split) == (50, 400, 100)


def test_part_that_is_absent_altogether_is_a_shortage() -> None:
    with pytest.raises(ValueError, match="asks for all test questions"):
        make_split(rows("train", 5), SplitSpec(preset="mmlu"))


def test_ids_may_be_integers() -> None:
    assert sorted(make_split([(i, None, str(i)) for i in range(4)], SplitSpec(train=4))["train"]) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"preset": "chess"}, "Unknown preset 'chess'"),
        ({}, "has no questions"),
        ({"preset": "gsm8k", "train": 5}, "brings its own counts"),
        ({"train": -1}, "greater than or equal to 0"),
        ({"train": 1, "extra": 1}, "Extra inputs"),
    ],
)
def test_impossible_specs_are_refused(spec: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SplitSpec.model_validate(spec)


def test_presets_carry_the_papers_counts() -> None:
    assert PRESETS["gsm8k"].counts == {"train": 7473, "validation": 400, "test": 919}
    assert PRESETS["aqua"].counts == {"train": 5000, "validation": 400, "test": 1254}
    assert PRESETS["ecqa"].counts == {"train": 7598, "validation": 1090, "test": 2194}
