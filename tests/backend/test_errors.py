"""What pydantic finds, in words: one message for one mistake."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from aft.config.experiment import ExperimentSpec
from backend.app import validation_problem
from backend.cli.acting import words
from tests.backend.cli import aft

BODY: dict[str, Any] = {"name": "x", "dataset_version_id": "d", "base_model_id": "m"}
WRONG = {"name": "vft", "constraint": "boundary"}


def found(**values: Any) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        ExperimentSpec.model_validate({**BODY, **values})
    return caught.value


def test_a_refused_method_is_the_only_thing_said() -> None:
    error = found(methods=[WRONG])
    problem = validation_problem(list(error.errors()))
    assert [item["field"] for item in problem["errors"]] == ["methods.0"]
    assert words(error) == [f"methods.0: {problem['errors'][0]['message']}"]
    assert "constraint 'boundary' does not apply to method 'vft'" in problem["detail"]


def test_an_empty_list_is_still_said() -> None:
    # A list that is empty by itself, beside one that is short of its refused item.
    problem = validation_problem(list(found(methods=[], seeds=["one"]).errors()))
    assert sorted(item["field"] for item in problem["errors"]) == ["methods", "seeds.0"]


def test_a_yaml_file_is_refused_in_the_same_words(tmp_path: Path, data_directory: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("name: x\ndataset_version_id: d\nbase_model_id: m\nmethods: [{name: vft, weight: 2}]\n")
    out = " ".join(aft("experiments", "plan", str(file), status=1).split())
    assert "methods.0: weight 2 does not apply to method 'vft'" in out
    assert "Value error" not in out
    assert "at least 1 item" not in out
