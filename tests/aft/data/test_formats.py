import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from aft.data.detection import part_of
from aft.data.examples import Example
from aft.data.formats import (
    ColumnMapping,
    Detection,
    FileError,
    RowError,
    detect,
    inspect_file,
    parse_example,
    preview,
    read_explanations,
    read_ids,
    read_rows,
    row_parser_of,
)

FIXTURES = Path(__file__).parents[2] / "fixtures" / "data"


def load(name: str) -> tuple[Detection, list[Example]]:
    path = FIXTURES / name
    detection = inspect_file(path, name).detection
    parse = row_parser_of(detection)
    return detection, [parse(row, number) for number, row in read_rows(path, name) if not isinstance(row, RowError)]


@pytest.mark.parametrize(
    ("name", "task", "form", "part"),
    [
        ("gsm8k_train.jsonl", "gsm8k", "gsm8k", "train"),
        ("aqua_dev.json", "aqua", "aqua", "validation"),
        ("aqua_dev.tok.json", "aqua", "aqua-tokenised", "validation"),
        ("flan_aqua_train.tsv", "aqua", "flan-aqua", "train"),
        ("flan_ecqa_train.tsv", "ecqa", "flan-ecqa", "train"),
        ("cqa_data_test.csv", "ecqa", "ecqa-csv", "test"),
        ("ecqa_joined_train.jsonl", "ecqa", "ecqa-joined", "train"),
        ("dev_rand_split.jsonl", "ecqa", "commonsenseqa", "validation"),
        ("world_rivers_test.csv", "mmlu", "mmlu", "test"),
        ("arithmetic.jsonl", "arithmetic", "arithmetic", None),
        ("ecqa.jsonl", None, "ecqa-explanations", None),
        ("test_ids.txt", None, "ids", "test"),
    ],
)
def test_published_forms_are_recognised(name: str, task: str | None, form: str, part: str | None) -> None:
    detection = inspect_file(FIXTURES / name, name).detection
    assert (detection.task, detection.format, detection.part) == (task, form, part)
    assert detection.confidence == "certain"
    assert detection.reason


def test_gsm8k_keeps_annotations_and_cuts_the_marker() -> None:
    _, examples = load("gsm8k_train.jsonl")
    assert [example.answer for example in examples] == ["22", "36000", "-3"]
    assert examples[0].reference.endswith("There are 72-50 = <<72-50=22>>22 rolls left.")
    assert [example.id for example in examples] == ["gsm8k-train-0", "gsm8k-train-1", "gsm8k-train-2"]
    assert {example.part for example in examples} == {"train"}


def test_aqua_options_lose_their_letters_even_when_doubled() -> None:
    _, examples = load("aqua_dev.json")
    assert examples[0].choices == ("20", "25", "30", "35", "None of these")
    assert examples[1].choices == ("59", "60", "61", "62", "63")
    assert [example.answer for example in examples] == ["C", "A"]
    assert load("aqua_dev.tok.json")[1][0].choices == examples[0].choices


def test_flan_rows_are_taken_apart() -> None:
    aqua = load("flan_aqua_train.tsv")[1][0]
    assert aqua.question == "A cart covers 90 km in 3 hours.\nWhat is its speed?"
    assert (aqua.answer, aqua.choices, aqua.reference) == ("C", ("20", "25", "30", "35", "40"), "90 / 3 = 30\nSo 30.")
    ecqa = load("flan_ecqa_train.tsv")[1][0]
    assert (ecqa.answer, ecqa.choices) == ("B", ("lake", "drawer", "sky", "oven", "cloud"))


def test_ecqa_csv_finds_the_letter_by_text() -> None:
    _, examples = load("cqa_data_test.csv")
    assert [example.answer for example in examples] == ["B", "B"]
    assert examples[0].question == 'Where would you keep a "spare" key?'
    assert examples[1].reference == "A knife has an edge.\nIt cuts bread."
    assert examples[0].id == "0123456789abcdef0123456789abcdef"


def test_ecqa_joined_goes_by_label_and_by_the_authors_part() -> None:
    _, (example,) = load("ecqa_joined_train.jsonl")
    assert (example.answer, example.part) == ("D", "validation")


def test_commonsenseqa_takes_its_explanations_from_ecqa() -> None:
    name = "dev_rand_split.jsonl"
    detection = inspect_file(FIXTURES / name, name).detection
    parse = row_parser_of(detection, references=read_explanations(FIXTURES / "ecqa.jsonl", "ecqa.jsonl"))
    ((number, row),) = read_rows(FIXTURES / name, name)
    assert not isinstance(row, RowError)
    example = parse(row, number)
    assert example.reference == "A knife has an edge. It cuts bread."
    assert example.question == "What do you cut bread with?"
    assert load(name)[1][0].reference == ""


def test_mmlu_has_no_header_and_names_its_subject_in_the_ids() -> None:
    _, examples = load("world_rivers_test.csv")
    assert examples[0].choices == ("Oslo", 'Rhine, or "Rhein"', "Etna", "Sahara")
    assert [example.answer for example in examples] == ["B", "C"]
    assert examples[1].question.splitlines()[1] == "Statement 2 | Rivers are made of sand."
    assert examples[0].id == "mmlu-world_rivers_test-0"


def test_mmlu_with_places_for_answers() -> None:
    row = {"question": "Which?", "subject": "rivers", "choices": ["a", "b", "c", "d"], "answer": 3}
    detection = detect([row], "test-00000-of-00001.parquet")
    assert parse_example(row, detection, None, 1).answer == "D"


def test_math_has_its_answer_in_the_solutions_last_box() -> None:
    row = {"problem": "Half of $\\pi$?", "solution": "It is $\\boxed{\\frac{\\pi}{2}}$.", "level": "Level 1"}
    detection = detect([row], "train.jsonl")
    example = parse_example(row, detection, None, 1)
    assert (detection.format, example.task, example.answer) == ("math", "math", "\\frac{\\pi}{2}")
    assert example.reference == row["solution"]
    with pytest.raises(RowError, match="No final answer is marked"):
        parse_example({**row, "solution": "no box"}, detection, None, 2)
    with pytest.raises(RowError, match="no mathematical expression of at most 400"):
        parse_example({**row, "solution": "\\boxed{" + "x" * 401 + "}"}, detection, None, 3)


def test_arithmetic_rows_keep_id_and_part() -> None:
    _, (example,) = load("arithmetic.jsonl")
    assert (example.id, example.part, example.answer) == ("arithmetic-0001", "train", "19")


def test_ids_are_read_as_a_list() -> None:
    assert len(read_ids(FIXTURES / "test_ids.txt", "test_ids.txt")) == 2


def test_compression_and_name_do_not_hide_the_form(tmp_path: Path) -> None:
    packed = tmp_path / "upload.bin"
    packed.write_bytes(gzip.compress((FIXTURES / "gsm8k_train.jsonl").read_bytes()))
    inspection = inspect_file(packed, "gsm8k_test.jsonl.gz")
    assert (inspection.detection.format, inspection.detection.part) == ("gsm8k", "test")
    assert [row.example.answer for row in inspection.rows if row.example] == ["22", "36000", "-3"]
    shutil.copy(FIXTURES / "gsm8k_train.jsonl", tmp_path / "data.txt")
    assert inspect_file(tmp_path / "data.txt", "data.txt").detection.format == "gsm8k"


def test_a_few_odd_rows_do_not_hide_the_form() -> None:
    rows = [{"question": "q", "answer": "so\n#### 1"}] * 9 + [{"question": "q", "answer": "none"}]
    assert detect(rows, "train.jsonl").format == "gsm8k"


def test_other_files_are_mapped_by_column_names() -> None:
    rows = [{"problem": "1 + 1?", "solution": "It is 2.", "final_answer": "2", "uuid": "x"}]
    detection = detect(rows, "mine.jsonl")
    assert detection.mapping == ColumnMapping(
        question="problem", reference="solution", answer="final_answer", id="uuid"
    )
    assert (detection.task, detection.confidence) == ("gsm8k", "likely")
    assert parse_example(rows[0], detection, None, 1).answer == "2"


def test_answer_is_read_from_the_reference_where_it_has_no_column() -> None:
    mapping = ColumnMapping(question="q", reference="r")
    example = parse_example({"q": "1 + 1?", "r": "It is.\nThe answer is 2."}, mapping, "gsm8k", 1)
    assert (example.reference, example.answer) == ("It is.", "2")
    with pytest.raises(RowError, match="No final answer is marked"):
        parse_example({"q": "1 + 1?", "r": "It is."}, mapping, "gsm8k", 1)


def test_unknown_columns_ask_a_person() -> None:
    detection = detect([{"foo": "1", "bar": "2"}], "x.csv")
    assert (detection.task, detection.mapping, detection.confidence) == (None, None, "unknown")
    assert "'foo', 'bar'" in detection.reason
    with pytest.raises(ValueError, match="Say which column holds what"):
        row_parser_of(detection)


def test_choices_leave_the_task_to_a_person() -> None:
    rows = [{"question": "Which?", "option_a": "x", "option_b": "y", "answer": "B"}]
    detection = detect(rows, "quiz.csv")
    assert detection.task is None
    with pytest.raises(ValueError, match="task of the file is not known"):
        row_parser_of(detection)
    example = row_parser_of(detection, task="ecqa", part="test")(rows[0], 1)
    assert (example.choices, example.answer, example.part) == (("x", "y"), "B", "test")


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ({"q": "", "a": "1"}, "q", "missing or empty"),
        ({"a": "1"}, "q", "missing or empty"),
        ({"q": "x"}, "a", "missing or empty"),
        ({"q": "x", "a": "many"}, "a", "'many' is not a number"),
        ({"q": {"deep": 1}, "a": "1"}, "q", "not a text but dict"),
        ({"q": "x", "a": [1]}, "a", "is not a number"),
    ],
)
def test_row_errors_name_row_column_and_reason(row: dict[str, object], column: str, reason: str) -> None:
    with pytest.raises(RowError, match=reason) as caught:
        parse_example(row, ColumnMapping(question="q", answer="a"), "gsm8k", 7)
    assert (caught.value.column, caught.value.row_number) == (column, 7)


def test_rows_may_say_their_own_task() -> None:
    rows: list[dict[str, Any]] = [
        {"task": "gsm8k", "question": "1 + 1?", "answer": "2"},
        {"task": "AQUA", "question": "Which?", "answer": "b", "options": ["x", "y"]},
        {"task": "aqua", "question": "Which?", "answer": "b"},
    ]
    detection = detect(rows, "several.jsonl")
    assert detection.task == "mixed"
    assert detection.mapping is not None
    assert detection.mapping.task == "task"
    examples = [parse_example(row, detection, None, 1) for row in rows[:2]]
    assert [(example.task, example.answer, example.choices) for example in examples] == [
        ("gsm8k", "2", None), ("aqua", "B", ("x", "y")),
    ]  # fmt: skip
    with pytest.raises(RowError, match="The choices None are not a list"):
        parse_example(rows[2], detection, None, 3)
    with pytest.raises(RowError, match="The task 'poetry' is unknown"):
        parse_example({**rows[0], "task": "poetry"}, detection, None, 4)
    with pytest.raises(ValueError, match="Map the task column"):
        parse_example(rows[0], ColumnMapping(question="question", answer="answer"), "mixed", 1)


def test_unknown_part_is_a_row_error() -> None:
    mapping = ColumnMapping(question="q", answer="a", part="split")
    assert parse_example({"q": "x", "a": "1", "split": "Dev"}, mapping, "gsm8k", 1).part == "validation"
    with pytest.raises(RowError, match="'secret' is unknown"):
        parse_example({"q": "x", "a": "1", "split": "secret"}, mapping, "gsm8k", 1)


@pytest.mark.parametrize(
    ("mapping", "task", "message"),
    [
        (ColumnMapping(question="q", answer="a"), "aqua", "Map the choices column"),
        (ColumnMapping(question="q"), "gsm8k", "No column holds the gold answer"),
        (ColumnMapping(question="q", answer="a"), "chess", "Unknown task 'chess'"),
        (ColumnMapping(question="q", answer="a"), None, "needs a task"),
    ],
)
def test_mapping_and_task_have_to_go_together(mapping: ColumnMapping, task: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_example({"q": "x", "a": "1"}, mapping, task, 1)


def test_preview_shows_examples_and_errors_side_by_side() -> None:
    rows: list[tuple[int, dict[str, object] | RowError]] = [
        (1, {"question": "q", "answer": "x\n#### 5"}),
        (2, {"question": "q", "answer": "x\n#### five"}),
        (3, RowError(None, "Not valid JSON.", row_number=3)),
    ]
    detection = detect([row for _, row in rows if isinstance(row, dict)][:1], "train.jsonl")
    first, second, third = preview(rows, detection)
    assert first.example is not None
    assert first.example.answer == "5"
    assert second.error is not None
    assert second.error.column == "answer"
    assert third.row is None


def test_a_file_without_a_readable_row_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text("{broken\n{also\n")
    with pytest.raises(FileError, match="None of the first 2 rows can be read"):
        inspect_file(path, path.name)


def test_candidates_are_not_taken_for_questions() -> None:
    row = {"question_id": "1", "question": "q", "gold": "1", "text": "t", "model": "m"}
    detection = detect([row], "candidates.jsonl")
    assert detection.mapping is None
    with pytest.raises(ValueError, match="one candidate COT, not a question"):
        row_parser_of(detection, task="gsm8k")


@pytest.mark.parametrize(
    ("filename", "part"),
    [("train.jsonl", "train"), ("x_val.csv.gz", "validation"), ("latest.csv", None), ("train_or_test.json", "test")],
)
def test_part_is_guessed_from_whole_words_of_the_name(filename: str, part: str | None) -> None:
    assert part_of(filename) == part


def test_detection_survives_storage() -> None:
    detection = inspect_file(FIXTURES / "cqa_data_test.csv", "cqa_data_test.csv").detection
    assert Detection.model_validate(json.loads(detection.model_dump_json())) == detection
