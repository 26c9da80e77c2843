"""The first rows of a received file as they would be imported, under a mapping that is being tried."""

import itertools
from typing import Any

from aft.data.examples import MIXED, Example
from aft.data.formats import ColumnMapping, Detection, FileError, RowError, preview, read_rows
from aft.data.mapping import value_at
from backend import storage
from backend.db.models import Upload
from backend.errors import Invalid
from backend.schemas.datasets import CellError, PreviewRead, PreviewRequest, PreviewRow
from backend.services.uploads import role_of

PREVIEW_ROWS = 20
SHOWN_CELL = 300
SHOWN_TEXT = 4_000


def preview_upload(upload: Upload, body: PreviewRequest) -> PreviewRead:
    """The first rows as they would be imported.

    Raises:
        Invalid: If the file cannot be read.
    """
    detection = Detection.model_validate(upload.detection)
    if body.part is not None:
        detection = detection.model_copy(update={"part": None if body.part == "unmarked" else body.part})
    place = storage.path(upload.key)
    try:
        rows = list(itertools.islice(read_rows(place, upload.filename), PREVIEW_ROWS))
    except FileError as error:
        raise Invalid(f"'{upload.filename}' cannot be read: {error}") from error
    mapping, task = body.mapping or detection.mapping, body.task or detection.task
    if task == MIXED and (mapping is None or mapping.task is None):
        task = detection.task  # a file of one task in a mixed data set
    problem = None
    if mapping is None or task is None:
        problem = "Choose the task." if mapping is not None else "Say which column holds the question and the answer."
        problem = detection.note if role_of(detection) != "questions" else problem
    try:
        parsed = preview(rows, detection, mapping=body.mapping, task=task if body.task else None)
    except ValueError as error:
        problem, parsed = str(error), preview(rows, detection.model_copy(update={"mapping": None}))
    shown = [_row(item.row_number, item.row, item.example, item.error, mapping) for item in parsed]
    return PreviewRead(
        columns=detection.columns,
        task=task,  # type: ignore[arg-type]  # one of TASKS
        mapping=mapping,
        rows=shown,
        n_errors=sum(row.error is not None for row in shown),
        problem=problem,
        cells=[{key: _cell(value) for key, value in (item.row or {}).items()} for item in parsed],
    )


def _row(
    number: int,
    row: dict[str, Any] | None,
    example: Example | None,
    error: RowError | None,
    mapping: ColumnMapping | None,
) -> PreviewRow:
    answer_column = (mapping.answer or mapping.reference) if mapping else None
    raw = value_at(row, answer_column) if row is not None and answer_column else None
    return PreviewRow(
        row_number=number,
        question=example.question[:SHOWN_TEXT] if example else None,
        reference=example.reference[:SHOWN_TEXT] if example else None,
        answer=_cell(raw) if raw is not None else None,
        gold=example.answer[:SHOWN_TEXT] if example else None,
        choices=[choice[:SHOWN_CELL] for choice in example.choices] if example and example.choices else None,
        part=example.part if example else None,  # type: ignore[arg-type]  # one of the parts
        error=CellError(column=error.column, reason=error.reason) if error else None,
    )


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN_CELL else f"{text[:SHOWN_CELL]}…"
