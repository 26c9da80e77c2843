"""Rows into a file of some kind, piece by piece, with its size and sha256: what every export is written with."""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from json.encoder import encode_basestring
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


@dataclass(frozen=True, slots=True)
class Structs:
    """A column whose cells are lists of structs, kept flat: a million rows are not made of millions of dicts.

    Cell ``i`` holds the places from ``offsets[i]`` up to ``offsets[i + 1]`` of every field.
    """

    offsets: list[int]
    fields: dict[str, list[Any]]

    def __iter__(self) -> Iterator[list[Row]]:
        whole = [dict(zip(self.fields, values, strict=True)) for values in zip(*self.fields.values(), strict=True)]
        return (whole[start:end] for start, end in pairwise(self.offsets))

    @classmethod
    def of(cls, names: Sequence[str], cells: Iterable[Sequence[Sequence[Any]]]) -> "Structs":
        """From each cell's structs as tuples in the order of ``names``."""
        offsets: list[int] = [0]
        flat: list[Sequence[Any]] = []
        for cell in cells:
            flat.extend(cell)
            offsets.append(len(flat))
        return cls(offsets, {name: [one[at] for one in flat] for at, name in enumerate(names)})


Cells = Sequence[Any] | Structs
Table = Mapping[str, Cells]
"""Some rows, column by column, in the order of the file's columns."""


def as_table(rows: Sequence[Row], columns: Sequence[Column]) -> Table:
    """Rows turned into columns."""
    return {column.name: [row[column.name] for row in rows] for column in columns}


class TableWriter(Protocol):
    """Writes batches of rows to an outlet."""

    def write(self, table: Table, n_rows: int) -> None:
        """Write some rows."""

    def finish(self) -> None:
        """Write what a file of this kind ends with."""


def table_writer(kind: Kind, columns: Sequence[Column], outlet: Outlet) -> TableWriter:
    """The writer of a kind of file."""
    match kind:
        case "jsonl":
            return _Jsonl(columns, outlet)
        case "csv":
            return _Csv(columns, outlet)
        case "parquet":
            return _Parquet(columns, outlet)


def file_name(stem: str, kind: Kind) -> str:
    """The file's name with the kind's ending."""
    return f"{stem}.{_ENDINGS[kind]}"


def written(
    batches: Iterable[Table], kind: Kind, columns: Sequence[Column], outlet: Outlet, counted: list[int]
) -> Iterator[bytes]:
    """The bytes of a file, a piece a batch.

    Args:
        batches: The rows.
        kind: Of the file.
        columns: Their names and types.
        outlet: Knows size and sha256 at the end.
        counted: Its one element becomes the number of rows.
    """
    writer = table_writer(kind, columns, outlet)
    for table in batches:
        first = table[columns[0].name]
        assert not isinstance(first, Structs)  # a row's id or text comes first
        if first:
            writer.write(table, len(first))
            counted[0] += len(first)
        if piece := outlet.take():
            yield piece
    writer.finish()
    if piece := outlet.take():
        yield piece


def zipped(name: str, pieces: Iterator[bytes], others: Any) -> Iterator[bytes]:
    """A ZIP archive of a file that is still being written, and of smaller ones made once it is complete.

    A piece is compressed while the next one is made: zlib leaves the interpreter to others meanwhile.

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
        with ThreadPoolExecutor(1, "zip") as beside, archive.open(entry, "w", force_zip64=True) as member:
            before: Future[int] | None = None
            for piece in pieces:
                if before is not None:
                    before.result()
                    if ready := outlet.take():
                        yield ready
                before = beside.submit(member.write, piece)
            if before is not None:
                before.result()
        for other, text in others().items():
            archive.writestr(other, text)
    yield outlet.take()


def safe_cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(value, list | dict):
        value = _dumps(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_WORDS = {None: "null", True: "true", False: "false"}


class _Jsonl:
    def __init__(self, columns: Sequence[Column], outlet: Outlet) -> None:
        self._outlet = outlet
        self._types = {column.name: column.type for column in columns}
        self._line = _json_template(self._types)

    def write(self, table: Table, n_rows: int) -> None:
        cells = [_as_json(table[name], kind) for name, kind in self._types.items()]
        lines = "\n".join([self._line % values for values in zip(*cells, strict=True)])
        # Lone surrogates, which hostile text may hold, have no UTF-8 form.
        self._outlet.write(lines.encode("utf-8", "replace") + b"\n")

    def finish(self) -> None:
        """Nothing: the last line is complete."""


def _json_template(names: Iterable[str]) -> str:
    return "{" + ",".join(f"{_dumps(name)}:%s".replace("%", "%%", name.count("%")) for name in names) + "}"


def _as_json(cells: Cells, kind: pa.DataType) -> list[str]:
    """Every cell as JSON text. What repeats, such as the question of a group, is encoded once a batch."""
    if isinstance(cells, Structs):
        items = _struct_items(cells, {field.name: field.type for field in kind.value_type})
        return [f"[{','.join(items[start:end])}]" for start, end in pairwise(cells.offsets)]
    if pa.types.is_string(kind) or pa.types.is_boolean(kind):
        known = {value: _WORDS[value] if value in _WORDS else encode_basestring(value) for value in set(cells)}
        return [known[value] for value in cells]
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return ["null" if value is None else repr(value) for value in cells]
    return ["null" if value is None else _dumps(value) for value in cells]


def _struct_items(cells: Structs, types: dict[str, pa.DataType]) -> list[str]:
    """Every struct as JSON text. Texts before the last field, such as a model's names, repeat and are encoded once."""
    *heads, last = types
    if not heads or not all(pa.types.is_string(types[name]) for name in heads):
        item = _json_template(types)
        encoded = [_as_json(cells.fields[name], of_field) for name, of_field in types.items()]
        return [item % values for values in zip(*encoded, strict=True)]
    item = _json_template(types)
    keys = list(zip(*[cells.fields[name] for name in heads], strict=True))
    distinct = list(set(keys))
    texts = [_as_json(values, types[name]) for name, values in zip(heads, zip(*distinct, strict=True), strict=True)]
    known = {
        key: (item % (*named, "")).removesuffix("}")
        for key, named in zip(distinct, zip(*texts, strict=True), strict=True)
    }
    ends = _as_json(cells.fields[last], types[last])
    return [f"{known[key]}{end}}}" for key, end in zip(keys, ends, strict=True)]


class _Csv:
    def __init__(self, columns: Sequence[Column], outlet: Outlet) -> None:
        self._outlet = outlet
        self._names = [column.name for column in columns]
        self._put([self._names])

    def write(self, table: Table, n_rows: int) -> None:
        self._put(zip(*[map(safe_cell, table[name]) for name in self._names], strict=True))

    def finish(self) -> None:
        """Nothing: the last line is complete."""

    def _put(self, lines: Iterable[Iterable[Any]]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(lines)
        self._outlet.write(text.getvalue().encode("utf-8", "replace"))


class _Parquet:
    def __init__(self, columns: Sequence[Column], outlet: Outlet) -> None:
        self._schema = pa.schema([(column.name, column.type) for column in columns])
        self._writer = pq.ParquetWriter(outlet, self._schema, compression="snappy")

    def write(self, table: Table, n_rows: int) -> None:
        arrays = [_as_arrow(table[item.name], item.type) for item in self._schema]
        self._writer.write_batch(pa.record_batch(arrays, schema=self._schema), row_group_size=n_rows)

    def finish(self) -> None:
        self._writer.close()


def _as_arrow(cells: Cells, kind: pa.DataType) -> pa.Array:
    if not isinstance(cells, Structs):
        return pa.array(cells, kind)
    fields = list(kind.value_type)
    parts = [pa.array(cells.fields[field.name], field.type) for field in fields]
    return pa.ListArray.from_arrays(
        pa.array(cells.offsets, pa.int32()), pa.StructArray.from_arrays(parts, fields=fields), type=kind
    )
