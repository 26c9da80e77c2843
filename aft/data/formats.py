"""What an uploaded file holds, and how its rows become examples.

`inspect_file` looks at the first rows; `row_parser_of` gives the function that turns every row of the
file into an `Example`. Reading is in `aft.data.readers`, recognising in `aft.data.detection`.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aft.data.detection import Detection, detect
from aft.data.examples import TASKS, Example
from aft.data.mapping import ColumnMapping, Row, RowParser, row_parser
from aft.data.published import FORMS
from aft.data.readers import DEFAULT_LIMITS, FileError, Limits, RowError, read_rows

__all__ = [
    "ColumnMapping",
    "Detection",
    "FileError",
    "Inspection",
    "Limits",
    "PreviewRow",
    "RowError",
    "RowParser",
    "detect",
    "inspect_file",
    "parse_example",
    "preview",
    "read_explanations",
    "read_ids",
    "read_rows",
    "row_parser_of",
]

_SNIFFED_ROWS: Final = 50


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row as read, with the example it becomes or what is wrong with it."""

    row_number: int
    row: dict[str, Any] | None
    example: Example | None
    error: RowError | None


@dataclass(frozen=True, slots=True)
class Inspection:
    """The first rows of a file and what it was found to hold."""

    detection: Detection
    rows: list[PreviewRow]


def inspect_file(
    path: Path, filename: str, limits: Limits = DEFAULT_LIMITS, *, rows: int = _SNIFFED_ROWS
) -> Inspection:
    """Read the first rows of a file, recognise it, and parse those rows.

    Raises:
        FileError: If the file cannot be read, or none of its first rows can.
    """
    first = list(itertools.islice(read_rows(path, filename, limits), rows))
    readable = [row for _, row in first if not isinstance(row, RowError)]
    if not readable:
        error = first[0][1]
        raise FileError(f"None of the first {len(first)} rows can be read. Row {first[0][0]}: {error}")
    detection = detect(readable, filename)
    return Inspection(detection, preview(first, detection))


def preview(
    rows: Sequence[tuple[int, dict[str, Any] | RowError]],
    detection: Detection,
    mapping: ColumnMapping | None = None,
    task: str | None = None,
) -> list[PreviewRow]:
    """Parse rows for a preview, under a person's mapping and task where given."""
    parse = None
    if (mapping or detection.mapping) and (task or detection.task):
        parse = row_parser_of(detection, mapping=mapping, task=task)
    shown = []
    for number, row in rows:
        if isinstance(row, RowError):
            shown.append(PreviewRow(number, None, None, row))
            continue
        example, error = None, None
        try:
            example = parse(row, number) if parse else None
        except RowError as bad:
            error = bad
        shown.append(PreviewRow(number, row, example, error))
    return shown


def row_parser_of(
    detection: Detection,
    *,
    mapping: ColumnMapping | None = None,
    task: str | None = None,
    part: str | None = None,
    references: Mapping[str, str] | None = None,
) -> RowParser:
    """Build the function that parses the rows of a detected file.

    Args:
        detection: What the file was found to hold.
        mapping: A person's mapping, instead of the detected one.
        task: A person's choice of task, instead of the detected one.
        part: The part of all rows, instead of the detected one.
        references: Reference COTs by id, for files of questions only; see `read_explanations`.

    Raises:
        ValueError: If there is neither a mapping nor a task, or they do not go together.
    """
    chosen, chosen_task = mapping or detection.mapping, task or detection.task
    if chosen is None:
        raise ValueError(f"No column holds a question. {detection.note or detection.reason}")
    if chosen_task is None:
        raise ValueError(f"The task of the file is not known. Say which of {', '.join(TASKS)} it is.")
    parse = row_parser(
        chosen, chosen_task, id_prefix=detection.id_prefix, part=part or detection.part, references=references
    )
    expand = next((form.expand for form in FORMS if form.name == detection.format), None)
    if expand is None or chosen != detection.mapping:
        return parse
    return lambda row, row_number: parse(expand(row), row_number)


def parse_example(row: Row, source: Detection | ColumnMapping, task: str | None, row_number: int) -> Example:
    """Turn one row into an example. For a whole file, build its parser once with `row_parser_of`.

    Raises:
        RowError: If a column is missing or its value cannot be used.
        ValueError: If task and mapping do not go together.
    """
    if isinstance(source, ColumnMapping):
        if task is None:
            raise ValueError(f"A mapping needs a task. Say which of {', '.join(TASKS)} it is.")
        return row_parser(source, task, id_prefix=task)(row, row_number)
    return row_parser_of(source, task=task)(row, row_number)


def read_explanations(path: Path, filename: str, limits: Limits = DEFAULT_LIMITS) -> dict[str, str]:
    """Read ECQA's file of explanations: reference COTs by CommonsenseQA id."""
    rows = (row for _, row in read_rows(path, filename, limits) if not isinstance(row, RowError))
    return {
        row["id"]: row["explanation"]
        for row in rows
        if isinstance(row.get("id"), str) and isinstance(row.get("explanation"), str)
    }


def read_ids(path: Path, filename: str, limits: Limits = DEFAULT_LIMITS) -> list[str]:
    """Read a list of ids, one a line, such as a part of the ECQA authors' split."""
    rows = (row for _, row in read_rows(path, filename, limits) if not isinstance(row, RowError))
    return [str(next(iter(row.values()))).strip() for row in rows]
