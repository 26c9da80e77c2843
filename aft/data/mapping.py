"""Turn rows into examples: which column holds what, and how its values are read."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from aft.answers.expressions import last_box
from aft.data.examples import CHOICE_TASKS, EXPRESSION_TASK, MIXED, TASKS, Example
from aft.data.gold import choice_texts, gold_answer, split_reference
from aft.data.sources import RowError

Row = Mapping[str, Any]
Part = Literal["train", "validation", "test"]
PART_NAMES: Final[Mapping[str, Part]] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
_MISSING: Final = object()
_LONGEST_ID: Final = 255


class ColumnMapping(BaseModel):
    """Which column of a file holds what. A dot reaches into an object: ``question.stem``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str = Field(description="Column of the question's text.")
    reference: str | None = Field(default=None, description="Column of the reference COT.")
    answer: str | None = Field(
        default=None,
        description="Column of the gold answer. Without one it is read from the end of the reference COT, "
        "after ####, [ANS], 'A:' or 'The answer is', or from its last box for mathematics.",
    )
    choices: list[str] | str | None = Field(
        default=None, description="Column of the list of choices, or one column per choice in the order of the letters."
    )
    id: str | None = Field(default=None, description="Column of a name that no other row has.")
    task: str | None = Field(default=None, description="Column of each row's own task, for a data set of several.")
    part: str | None = Field(default=None, description="Column that says train, validation or test.")

    def columns(self) -> list[str]:
        """Every column that is named, once."""
        choices = [self.choices] if isinstance(self.choices, str) else self.choices or []
        named = [self.question, self.reference, self.answer, *choices, self.id, self.task, self.part]
        return list(dict.fromkeys(name for name in named if name))


def value_at(row: Row, column: str) -> Any:
    """The value of a column, reaching into objects at dots; None where there is none."""
    value = row.get(column, _MISSING)
    if value is not _MISSING:
        return value
    head, dot, rest = column.partition(".")
    inner = row.get(head)
    return value_at(inner, rest) if dot and isinstance(inner, Mapping) else None


def _text(row: Row, column: str, what: str) -> str:
    value = value_at(row, column)
    if isinstance(value, str):
        text = value.strip()
    elif value is None:
        text = ""
    elif isinstance(value, int | float) and not isinstance(value, bool):
        text = str(value)
    else:
        raise RowError(column, f"The {what} is not a text but {type(value).__name__}. Map another column.")
    if not text:
        raise RowError(column, f"The {what} is missing or empty.")
    return text


RowParser = Callable[[Row, int], Example]


def row_parser(
    mapping: ColumnMapping,
    task: str,
    *,
    id_prefix: str,
    part: str | None = None,
    references: Mapping[str, str] | None = None,
) -> RowParser:
    """Build the function that parses every row of a file.

    Args:
        mapping: Which column holds what.
        task: One of `TASKS`, or `MIXED` where a column says each row's own.
        id_prefix: Start of the ids of rows without one; the row's place, from 0, is added.
        part: The part of all rows, unless a column says it.
        references: Reference COTs by id for files that hold questions only (CommonsenseQA).

    Raises:
        ValueError: If the task is unknown, or has choices and none are mapped.
    """
    if task == MIXED and mapping.task is None:
        raise ValueError("Rows of several tasks need a column that says each one's task. Map the task column.")
    if task not in (*TASKS, MIXED):
        raise ValueError(f"Unknown task {task!r}. Use one of {', '.join(TASKS)}.")
    if task in CHOICE_TASKS and not mapping.choices:
        raise ValueError(f"Task '{task}' is answered with the letter of a choice. Map the choices column.")
    if mapping.answer is None and mapping.reference is None:
        raise ValueError("No column holds the gold answer. Map the answer, or a reference COT that ends with it.")

    question_column, are_mapped = mapping.question, bool(mapping.choices)
    answer_column = mapping.answer or mapping.reference

    def parse(row: Row, row_number: int) -> Example:
        try:
            own = _task(row, mapping) if task == MIXED else task
            with_choices = are_mapped and own in CHOICE_TASKS
            question = _text(row, question_column, "question")
            labels, texts = _choices(row, mapping) if with_choices else ((), None)
            name = _id(row, mapping, id_prefix, row_number)
            reference, answer = _reference_and_answer(row, mapping, own)
            try:
                gold = gold_answer(answer, own, labels, texts)
            except ValueError as error:
                raise RowError(answer_column, str(error)) from None
            if references is not None and not reference:
                reference = references.get(name, "").strip()
            return Example(name, question, reference, gold, own, texts, _part(row, mapping, part))
        except RowError as error:
            error.row_number = row_number
            raise

    return parse


def _task(row: Row, mapping: ColumnMapping) -> str:
    value = value_at(row, mapping.task or "")
    name = value.strip().lower() if isinstance(value, str) else ""
    if name not in TASKS:
        raise RowError(mapping.task, f"The task {str(value)[:40]!r} is unknown. Write one of {', '.join(TASKS)}.")
    if name in CHOICE_TASKS and not mapping.choices:
        raise RowError(mapping.task, f"Task '{name}' is answered with the letter of a choice. Map the choices column.")
    return name


def _choices(row: Row, mapping: ColumnMapping) -> tuple[tuple[str, ...], tuple[str, ...]]:
    column = mapping.choices if isinstance(mapping.choices, str) else (mapping.choices or [""])[0]
    if isinstance(mapping.choices, str):
        value = value_at(row, column)
    else:
        value = [_text(row, each, "choice") for each in mapping.choices or ()]
    try:
        return choice_texts(value)
    except ValueError as error:
        raise RowError(column, str(error)) from None


def _id(row: Row, mapping: ColumnMapping, id_prefix: str, row_number: int) -> str:
    if mapping.id is None:
        return f"{id_prefix}-{row_number - 1}"
    name = _text(row, mapping.id, "id")
    if len(name) > _LONGEST_ID:
        raise RowError(mapping.id, f"The id has {len(name)} characters; at most {_LONGEST_ID} are kept.")
    return name


def _reference_and_answer(row: Row, mapping: ColumnMapping, task: str) -> tuple[str, Any]:
    reference = ""
    if mapping.reference is not None:
        value = value_at(row, mapping.reference)
        if isinstance(value, list) and all(isinstance(step, str) for step in value):
            value = "\n".join(value)
        if value is not None and not isinstance(value, str):
            raise RowError(mapping.reference, f"The reference COT is not a text but {type(value).__name__}.")
        reference = (value or "").strip()
    marked = split_reference(reference) if reference else None
    if mapping.answer is None:
        column = mapping.reference
        if not reference:
            raise RowError(column, "The reference COT is missing or empty.")
        if marked is None and task == EXPRESSION_TASK and (box := last_box(reference)):
            return reference, box  # the box is part of the last sentence, so the COT keeps it
        if marked is None:
            raise RowError(column, "No final answer is marked. End the reference COT with '#### 18' or '[ANS] 18'.")
        return marked
    answer = value_at(row, mapping.answer)
    if answer is None or (isinstance(answer, str) and not answer.strip()):
        raise RowError(mapping.answer, "The gold answer is missing or empty.")
    if marked is not None and mapping.answer != mapping.reference and _is_marker_line(reference, marked[0]):
        reference = marked[0]
    return reference, answer


def _is_marker_line(reference: str, cot: str) -> bool:
    """Whether what stands behind the COT is only a ``####`` or ``[ANS]`` line, which `Example` leaves out."""
    return reference[len(cot) :].lstrip().startswith(("####", "[ANS]"))


def _part(row: Row, mapping: ColumnMapping, part: str | None) -> str | None:
    if mapping.part is None:
        return part
    value = value_at(row, mapping.part)
    if value is None or value == "":
        return part
    name = PART_NAMES.get(value.strip().lower()) if isinstance(value, str) else None
    if name is None:
        raise RowError(mapping.part, f"The part {str(value)[:40]!r} is unknown. Write train, validation or test.")
    return name
