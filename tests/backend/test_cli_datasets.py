"""``aft datasets``: everything the pages do with data, from a terminal."""

import json
from pathlib import Path

import pytest

from backend.db.models import Dataset, Upload
from tests.backend.cli import aft, ids
from tests.backend.importing import compute, count, gsm8k, jsonl

pytestmark = pytest.mark.usefixtures("data_directory")


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Training and test rows in GSM8K's form."""
    (tmp_path / "sums_train.jsonl").write_bytes(jsonl(gsm8k(8)))
    (tmp_path / "sums_test.jsonl").write_bytes(jsonl(gsm8k(6, first=50)))
    return [str(tmp_path / "sums_train.jsonl"), str(tmp_path / "sums_test.jsonl")]


def imported(*arguments: str) -> str:
    """Queue an import, do the worker's part, and give the version's id."""
    run_id, version_id = ids(aft("datasets", "import", *arguments, "--no-wait"))
    compute(run_id)
    return version_id


def test_files_are_imported_listed_shown_and_split(files: list[str]) -> None:
    version_id = imported(*files, "--name", "sums")
    listed = aft("datasets", "list")
    assert "sums" in listed
    assert "train 8 / test 6" in listed
    assert version_id in listed
    shown = aft("datasets", "show", version_id)
    assert "sums, version 1 (ready), 14 rows" in shown
    assert "sums_train.jsonl: 8 rows, sha256" in shown
    made = aft("datasets", "split", version_id, "--train", "5", "--validation", "2", "--test", "3", "--seed", "4")
    assert "{'train': 5, 'validation': 2, 'test': 3}" in made
    assert ids(made)[0] in aft("datasets", "show", version_id)


def test_file_of_another_form_is_mapped_by_columns(tmp_path: Path) -> None:
    place = tmp_path / "mine.jsonl"
    place.write_text("".join(json.dumps({"p": f"How many are {n} and 1?", "r": str(n + 1)}) + "\n" for n in range(3)))
    refused = aft("datasets", "import", str(place), "--task", "gsm8k", status=1)
    assert "Map the columns" in refused
    version_id = imported(str(place), "--task", "gsm8k", "--column", "question=p", "--column", "answer=r")
    assert "3 rows" in aft("datasets", "show", version_id)
    assert "WHAT=COLUMN" in aft("datasets", "import", str(place), "--column", "question", status=1)
    assert "rating" in aft("datasets", "import", str(place), "--task", "gsm8k", "--column", "rating=p", status=1)


def test_new_version_of_a_data_set(files: list[str]) -> None:
    imported(files[0], "--name", "sums")
    with_name = aft("datasets", "import", files[1], "--name", "sums", "--no-wait", status=1)
    assert "import a new version of it" in with_name
    from backend.db.session import reading

    with reading() as session:
        dataset_id = session.query(Dataset).one().id
    version_id = imported(*files, "--dataset", dataset_id)
    assert "sums, version 2 (ready), 14 rows" in aft("datasets", "show", version_id)


def test_import_with_refused_rows_is_accepted_or_discarded(tmp_path: Path) -> None:
    place = tmp_path / "sums.jsonl"
    place.write_bytes(jsonl([*gsm8k(3), {"question": "No answer?", "answer": "none"}]))
    version_id = imported(str(place))
    assert "Refused: 1 rows." in aft("datasets", "show", version_id)
    assert "is imported" in aft("datasets", "accept", version_id)
    assert "(ready), 3 rows" in aft("datasets", "show", version_id)
    assert "imported and ready" in aft("datasets", "discard", version_id, status=1)
    other = imported(str(place), "--name", "others")
    assert "Nothing was imported." in aft("datasets", "discard", other)
    assert "There is no data set version" in aft("datasets", "show", other, status=1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["import", "absent.jsonl"], "absent.jsonl cannot be read: No such file"),
        (["import", "{file}", "--part", "other.jsonl=test"], "not one of the files"),
        (["import", "{file}", "--part", "{file}=tset"], "tset"),
        (["import", "{file}", "--task", "algebra"], "algebra"),
        (["import", "{file}", "--task", "aqua", "--no-wait"], "recognised as gsm8k"),
        (["show", "0" * 32], "There is no data set version"),
        (["split", "0" * 32, "--preset", "gsm8k"], "There is no data set version"),
        (["split", "0" * 32, "--preset", "unheard-of"], "unheard-of"),
        (["split", "0" * 32, "--train", "-3"], "train"),
        (["accept", "0" * 32], "There is no data set version"),
    ],
)
def test_what_cannot_work_is_said_in_words(files: list[str], arguments: list[str], words: str) -> None:
    said = aft("datasets", *(argument.format(file=files[0]) for argument in arguments), status=1)
    assert words in said
    assert "Traceback" not in said
    assert count(Dataset) == 0


def test_unreadable_file_leaves_no_upload(tmp_path: Path) -> None:
    place = tmp_path / "empty.jsonl"
    place.write_bytes(b"")
    assert "empty" in aft("datasets", "import", str(place), status=1)
    assert count(Upload) == 0


def test_command_on_a_database_that_was_never_made_says_how_to_make_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backend.db.session import reset_engines

    monkeypatch.setenv("AFT_DATA_DIR", str(tmp_path / "nothing"))
    reset_engines()
    assert "`aft migrate` prepares it" in aft("datasets", "list", status=1)
    reset_engines()


def test_ids_can_be_copied_from_a_narrow_terminal(files: list[str]) -> None:
    version_id = imported(*files, "--name", "A data set whose name wants more room than a terminal of 80 columns has")
    assert version_id in ids(aft("datasets", "list", columns=80))
