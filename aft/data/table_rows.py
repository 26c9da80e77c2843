"""Rows of CSV and TSV files, with real quoting: a cell may hold separators, quotes and line breaks."""

import csv
import re
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

from aft.data.sources import FileError, Limits, RowError, Source, excerpt

_LONG_CELL: Final = 120
_READ_TWICE_ROWS: Final = 16
_FLAN_OPTIONS: Final = "\\nOptions:\\n"
_ID: Final = re.compile(r"[0-9a-f]{32}")
_Record = tuple[list[str] | None, str, str]


class _BrokenRecordError(Exception):
    pass


class _Lines:
    """Feeds lines to the CSV parser, one record at a time, so that a missing quote costs one row.

    A quote that is never closed would swallow the rest of the file as one cell. When the record passes
    the cap of a row, or the file ends inside it, its later lines are put back and read again as rows.
    """

    def __init__(self, source: Source, limits: Limits) -> None:
        self._lines = source.lines()
        self._again: deque[str] = deque()
        self._limits = limits
        self.record: list[str] = []
        self._held = 0
        self._read_twice = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._fresh()
        if line is None:
            if self.record:
                raise _BrokenRecordError("A quote is opened in this row and never closed. Close it or remove it.")
            raise StopIteration
        self.record.append(line)
        self._held += len(line)
        if self._held > self._limits.row_bytes:
            reason = f"The row is longer than {self._limits.row_bytes:,} bytes"
            if len(self.record) > 1:
                reason += ", probably because a quote is opened and never closed. Close it or remove it."
            raise _BrokenRecordError(reason.rstrip(".") + ".")
        return line

    def _fresh(self) -> str | None:
        line = next(self._lines, b"")
        if line is None:
            self.record.append("")
            raise _BrokenRecordError(
                f"The row is longer than {self._limits.row_bytes:,} bytes. Shorten it or leave it out."
            )
        return line.decode("utf-8", "surrogateescape") if line else None

    def begin(self) -> None:
        self.record.clear()
        self._held = 0

    def put_back(self) -> None:
        # Rows can be written so that each of them opens a quote: reading ahead for all would take forever.
        self._read_twice += self._held
        if self._read_twice > _READ_TWICE_ROWS * self._limits.row_bytes:
            raise FileError("Quotes are opened and never closed in too many rows. Repair the file's quoting.")
        self._again.extendleft(reversed(self.record[1:]))


def _records(source: Source, delimiter: str, limits: Limits) -> Iterator[_Record]:
    """Yield (cells or None, reason, excerpt of the raw text) per record; blank lines are passed over."""
    # The parser's own cap on a cell is one number for the whole process and smaller than ours.
    csv.field_size_limit(max(csv.field_size_limit(), limits.row_bytes))
    lines = _Lines(source, limits)
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _BrokenRecordError as error:
            raw = lines.record[0]
            lines.put_back()
            yield None, str(error), raw
        except csv.Error as error:
            yield (
                None,
                f"The row cannot be read as a table row ({error}). Check quotes and line breaks.",
                lines.record[0],
            )
        else:
            if cells:
                yield cells, "", lines.record[0]


def _faults(cells: list[str]) -> tuple[int, str] | None:
    for index, cell in enumerate(cells):
        if "\x00" in cell:
            return index, "The cell holds a NUL character. Remove it."
        if not cell.isascii():
            escaped = next((c for c in cell if "\udc80" <= c <= "\udcff"), None)
            if escaped is not None:
                return index, f"Byte 0x{ord(escaped) - 0xDC00:02x} is not UTF-8. Save the file as UTF-8."
    return None


def has_header(cells: list[str]) -> bool:
    """Whether the first record names columns rather than being a row itself."""
    mmlu = len(cells) == 6 and cells[-1].strip() in {"A", "B", "C", "D"}
    data = any(len(cell) > _LONG_CELL or "\n" in cell or _FLAN_OPTIONS in cell for cell in cells)
    return not (mmlu or data or (len(cells) == 1 and _ID.fullmatch(cells[0].strip())))


def column_names(cells: list[str]) -> list[str]:
    """Name every column once; a column without a name is called by its place."""
    names: list[str] = []
    taken: set[str] = set()
    for place, cell in enumerate(cells, start=1):
        base = name = cell.strip() or f"column {place}"
        repeat = 1
        while name in taken:
            repeat += 1
            name = f"{base} ({repeat})"
        taken.add(name)
        names.append(name)
    return names


def table_rows(
    source: Source, delimiter: str, limits: Limits, *, header: bool | None = None
) -> Iterator[tuple[int, dict[str, Any] | RowError]]:
    """Read records as dictionaries; the row number counts records from 1, without the header.

    Args:
        source: The file.
        delimiter: The separator of cells.
        limits: Caps of a row.
        header: Whether the first record names the columns; None decides by `has_header`.

    Raises:
        FileError: If the header cannot be read or has too many columns.
    """
    names: list[str] | None = None
    number = 0
    for cells, reason, raw in _records(source, delimiter, limits):
        if names is None:
            if cells is None:
                raise FileError(f"The first row of the table cannot be read. {reason}")
            if len(cells) > limits.columns:
                raise FileError(f"The table has {len(cells):,} columns; at most {limits.columns:,} are read.")
            named = has_header(cells) if header is None else header
            fault = _faults(cells)
            if named and fault:
                raise FileError(f"The header's column {fault[0] + 1} cannot be read. {fault[1]}")
            names = column_names(cells if named else [""] * len(cells))
            if named:
                continue
        number += 1
        if cells is None:
            yield number, RowError(None, reason, row_number=number, excerpt=excerpt(raw))
        elif len(cells) != len(names):
            reason = (
                f"The row has {len(cells):,} cells and the table {len(names):,} columns. "
                "Check its separators and quotes."
            )
            yield number, RowError(None, reason, row_number=number, excerpt=excerpt(raw))
        elif fault := _faults(cells):
            yield number, RowError(names[fault[0]], fault[1], row_number=number, excerpt=excerpt(raw))
        else:
            yield number, dict(zip(names, cells, strict=True))
