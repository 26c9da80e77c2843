"""Read rows of an uploaded file of any supported kind, one at a time.

JSONL, a JSON array, CSV, TSV and Parquet, each optionally gzipped. The kind is decided by content
first and by name second. A bad row is yielded as a `RowError` in its place and reading goes on;
only what makes the whole file unreadable raises `FileError`.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from aft.data.json_rows import array_rows, jsonl_rows
from aft.data.parquet_rows import parquet_rows
from aft.data.sources import DEFAULT_LIMITS, FileError, Limits, RowError, open_source, require_text
from aft.data.table_rows import table_rows

__all__ = ["DEFAULT_LIMITS", "Container", "FileError", "Limits", "RowError", "container_of", "read_rows"]

Container = Literal["jsonl", "json", "csv", "tsv", "parquet"]

_BY_SUFFIX: dict[str, Container] = {
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "json": "jsonl",  # AQUA-RAT's .json files are JSON lines; arrays are told by their bracket
    "csv": "csv",
    "tsv": "tsv",
    "tab": "tsv",
}


def container_of(head: bytes, filename: str) -> Container:
    """Decide how rows stand in a file.

    Args:
        head: The first bytes after unpacking.
        filename: The name it was uploaded under.

    Raises:
        FileError: If it is none of the supported kinds.
    """
    if head.startswith(b"PAR1"):
        return "parquet"
    require_text(head)
    suffix = filename.lower().removesuffix(".gz").rpartition(".")[2]
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    named = _BY_SUFFIX.get(suffix)
    if suffix == "parquet":
        raise FileError("The file is named .parquet and is not a Parquet file. Upload the original file.")
    if named in ("csv", "tsv"):
        return named
    if start.startswith(b"["):
        return "json"
    first_line = start.split(b"\n", 1)[0].strip()
    if start.startswith(b"{"):
        if first_line == b"{":
            raise FileError(
                "The file holds one JSON object over several lines, not rows. "
                "Give an array of objects, or one object a line."
            )
        return "jsonl"
    if named == "jsonl":
        return named
    return "tsv" if b"\t" in first_line else "csv"


def read_rows(
    path: Path, filename: str, limits: Limits = DEFAULT_LIMITS, *, on_read: Callable[[int], object] | None = None
) -> Iterator[tuple[int, dict[str, Any] | RowError]]:
    """Read a file row by row.

    Args:
        path: Where its bytes are.
        filename: The name it was uploaded under.
        limits: Caps on its size.
        on_read: Told how many bytes of the file have been read, for progress.

    Yields:
        The row number, counted from 1 (for JSONL the line, otherwise the row without the header),
        and the row, or what is wrong with it.

    Raises:
        FileError: If the file is empty, of no supported kind, broken, over a cap, or has no rows.
    """
    with open_source(path, limits, on_read) as source:
        container = container_of(source.head, filename)
        match container:
            case "jsonl":
                rows = jsonl_rows(source, limits)
            case "json":
                rows = array_rows(source, limits)
            case "csv" | "tsv":
                rows = table_rows(source, "\t" if container == "tsv" else ",", limits)
            case "parquet":
                rows = parquet_rows(source, path, limits, packed=source.packed)
        first = next(rows, None)
        if first is None:
            what = "has a header and no rows" if container in ("csv", "tsv") else "has no rows"
            raise FileError(f"The file {what}. Upload a file with at least one row.")
        yield first
        yield from rows
