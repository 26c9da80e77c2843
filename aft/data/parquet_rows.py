"""Rows of Parquet files, read in small batches."""

import io
import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast

from aft.data.json_rows import unsafe_text
from aft.data.sources import FileError, Limits, RowError, Source, excerpt

_BATCH_BYTES: Final = 256 << 20


@contextmanager
def _seekable(source: Source, path: Path, packed: bool) -> Iterator[io.BufferedIOBase]:
    """Parquet is read from its end, so a gzipped one is unpacked to a temporary file first."""
    if not packed:
        with path.open("rb") as file:
            yield file
        return
    with tempfile.TemporaryFile() as unpacked:
        while chunk := source.read():
            unpacked.write(chunk)
        unpacked.seek(0)
        yield cast(io.BufferedIOBase, unpacked)


def parquet_rows(
    source: Source, path: Path, limits: Limits, *, packed: bool
) -> Iterator[tuple[int, dict[str, Any] | RowError]]:
    """Read rows as dictionaries, numbered from 1.

    Raises:
        FileError: If the file is damaged, too large once unpacked, or has too many columns.
    """
    import pyarrow
    import pyarrow.parquet as pq

    with _seekable(source, path, packed) as stream:
        try:
            file = pq.ParquetFile(stream)
            largest = _check(file, limits)
            # A dictionary-encoded column can unpack to far more than its chunk: one text, a million times.
            rows_per_batch = max(16, min(1024, _BATCH_BYTES // max(largest, 1)))
            number = 0
            for batch in file.iter_batches(batch_size=rows_per_batch):
                for row in _rows(batch):
                    number += 1
                    yield number, _checked(row, number, limits) if isinstance(row, dict) else _numbered(row, number)
        except (pyarrow.ArrowException, OSError) as error:
            raise FileError(f"The Parquet file is damaged or of an unknown kind ({excerpt(str(error))}).") from error


def _check(file: Any, limits: Limits) -> int:
    metadata = file.metadata
    if any(metadata.schema.column(i).path.count(".") > 2 * limits.depth for i in range(metadata.num_columns)):
        raise FileError(f"A column is nested more than {limits.depth} levels deep. Flatten it.")
    if file.schema_arrow is not None and len(file.schema_arrow.names) > limits.columns:
        raise FileError(f"The table has {len(file.schema_arrow.names):,} columns; at most {limits.columns:,} are read.")
    if len(set(file.schema_arrow.names)) != len(file.schema_arrow.names):
        raise FileError("Two columns of the Parquet file have the same name. Rename one of them.")
    total = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    if total > limits.decompressed_bytes:
        raise FileError(
            f"The Parquet file holds {total:,} bytes after unpacking; at most {limits.decompressed_bytes:,} are read. "
            "Split it into smaller files."
        )
    return max(
        (
            metadata.row_group(i).column(j).total_uncompressed_size
            for i in range(metadata.num_row_groups)
            for j in range(metadata.num_columns)
        ),
        default=0,
    )


def _rows(batch: Any) -> Iterator[dict[str, Any] | RowError]:
    names = batch.schema.names
    try:
        columns = [batch.column(i).to_pylist() for i in range(len(names))]
    except UnicodeDecodeError:
        yield from (_row(batch, names, i) for i in range(batch.num_rows))
        return
    for values in zip(*columns, strict=True):
        yield dict(zip(names, values, strict=True))


def _row(batch: Any, names: list[str], index: int) -> dict[str, Any] | RowError:
    """One row by itself, because a text of its batch is not UTF-8."""
    row = {}
    for i, name in enumerate(names):
        try:
            row[name] = batch.column(i)[index].as_py()
        except UnicodeDecodeError as error:
            return RowError(name, f"Byte 0x{error.object[error.start]:02x} is not UTF-8.")
    return row


def _numbered(error: RowError, number: int) -> RowError:
    error.row_number = number
    return error


def _checked(row: dict[str, Any], number: int, limits: Limits) -> dict[str, Any] | RowError:
    size = 0
    for name, value in row.items():
        if type(value) is str:
            size += len(value)
            if "\x00" not in value:  # Arrow has already checked that it is UTF-8
                continue
        else:
            try:
                row[name] = value = _plain(value)
            except UnicodeDecodeError:
                return RowError(name, "The column holds bytes, not text.", row_number=number)
            size += len(repr(value)) if isinstance(value, list | dict) else 0
        if reason := unsafe_text(value):
            return RowError(name, reason, row_number=number, excerpt=excerpt(repr(value)))
    if size > limits.row_bytes:
        reason = f"The row is longer than {limits.row_bytes:,} bytes. Shorten it or leave it out."
        return RowError(None, reason, row_number=number)
    return row


def _plain(value: Any) -> Any:
    """Turn a Parquet value into what JSON can hold; a missing number becomes None."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case bytes():
            return value.decode()
        case datetime() | date() | time():
            return value.isoformat()
        case Decimal() | timedelta():
            return str(value)
        case list():
            return [_plain(item) for item in value]
        case tuple():
            return [_plain(item) for item in value]
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
    return value
