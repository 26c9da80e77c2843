"""Rows into a file of some kind, piece by piece, with its size and sha256: what every export is written with."""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

Kind = Literal["jsonl", "csv", "parquet"]
Row = dict[str, Any]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ENDINGS: dict[Kind, str] = {"jsonl": "jsonl", "csv": "csv", "parquet": "parquet"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an export and its Arrow type; CSV holds what is nested as JSON."""

    name: str
    type: pa.DataType


@dataclass
class Outlet(io.RawIOBase):
    """Takes bytes, hashes them, and hands over what has gathered; cannot seek, as a response cannot."""

    size_bytes: int = 0
    _held: list[bytes] = field(default_factory=list)
    _digest: Any = field(default_factory=hashlib.sha256)

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any) -> int:
        """Take bytes."""
        taken = bytes(data)
        self._held.append(taken)
        self._digest.update(taken)
        self.size_bytes += len(taken)
        return len(taken)

    def tell(self) -> int:
        """Bytes written so far."""
        return self.size_bytes

    def take(self) -> bytes:
        """What was written since the last call."""
        held, self._held = self._held, []
        return b"".join(held)

    def sha256(self) -> str:
        """Of everything written."""
        return str(self._digest.hexdigest())


class RowWriter(Protocol):
    """Writes batches of rows to an outlet."""

    def write(self, rows: Sequence[Row]) -> None:
        """Write some rows."""

    def finish(self) -> None:
        """Write what a file of this kind ends with."""


def row_writer(kind: Kind, columns: Sequence[Column], outlet: Outlet) -> RowWriter:
    """The writer of a kind of file."""
    match kind:
        case "jsonl":
            return _Jsonl(outlet)
        case "csv":
            return _Csv(columns, outlet)
        case "parquet":
            return _Parquet(columns, outlet)


def file_name(stem: str, kind: Kind) -> str:
    """The file's name with the kind's ending."""
    return f"{stem}.{_ENDINGS[kind]}"


def written(
    batches: Iterable[Sequence[Row]], kind: Kind, columns: Sequence[Column], outlet: Outlet, counted: list[int]
) -> Iterator[bytes]:
    """The bytes of a file, a piece a batch.

    Args:
        batches: The rows.
        kind: Of the file.
        columns: Their names and types.
        outlet: Knows size and sha256 at the end.
        counted: Its one element becomes the number of rows.
    """
    writer = row_writer(kind, columns, outlet)
    for rows in batches:
        writer.write(rows)
        counted[0] += len(rows)
        if piece := outlet.take():
            yield piece
    writer.finish()
    if piece := outlet.take():
        yield piece


def zipped(name: str, pieces: Iterator[bytes], others: Any) -> Iterator[bytes]:
    """A ZIP archive of a file that is still being written, and of smaller ones made once it is complete.

    Args:
        name: Of the file within.
        pieces: Its bytes.
        others: Called at the end; gives text by file name.
    """
    outlet = Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        # A Parquet file is compressed already.
        entry = zipfile.ZipInfo(name)
        entry.compress_type = zipfile.ZIP_STORED if name.endswith(".parquet") else zipfile.ZIP_DEFLATED
        entry._compresslevel = 1  # type: ignore[attr-defined]  # public from Python 3.13 on
        with archive.open(entry, "w", force_zip64=True) as member:
            for piece in pieces:
                member.write(piece)
                if ready := outlet.take():
                    yield ready
        for other, text in others().items():
            archive.writestr(other, text)
    yield outlet.take()


def safe_cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(value, list | dict):
        value = _dumps(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class _Jsonl:
    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet

    def write(self, rows: Sequence[Row]) -> None:
        lines = "\n".join(map(_dumps, rows))
        if rows:
            # Lone surrogates, which hostile text may hold, have no UTF-8 form.
            self._outlet.write(lines.encode("utf-8", "replace") + b"\n")

    def finish(self) -> None:
        """Nothing: the last line is complete."""


class _Csv:
    def __init__(self, columns: Sequence[Column], outlet: Outlet) -> None:
        self._outlet = outlet
        self._names = [column.name for column in columns]
        self._put([self._names])

    def write(self, rows: Sequence[Row]) -> None:
        self._put([[safe_cell(row[name]) for name in self._names] for row in rows])

    def finish(self) -> None:
        """Nothing: the last line is complete."""

    def _put(self, lines: list[list[Any]]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(lines)
        self._outlet.write(text.getvalue().encode("utf-8", "replace"))


class _Parquet:
    def __init__(self, columns: Sequence[Column], outlet: Outlet) -> None:
        self._schema = pa.schema([(column.name, column.type) for column in columns])
        self._writer = pq.ParquetWriter(outlet, self._schema, compression="snappy")

    def write(self, rows: Sequence[Row]) -> None:
        arrays = [pa.array([row[item.name] for row in rows], item.type) for item in self._schema]
        if rows:
            self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))

    def finish(self) -> None:
        self._writer.close()
