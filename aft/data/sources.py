"""Bytes of an uploaded file as lines and chunks, never more than a cap at a time.

Uploads are not trusted: a small gzip file can unpack to terabytes, a line can have no end.
Everything here reads in chunks, counts what was unpacked, and skips what is too long.
"""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CHUNK_BYTES: Final = 1 << 20
_HEAD_BYTES: Final = 1 << 16
_GZIP_MAGIC: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"
_BOMB_RATIO: Final = 200
"""Unpacked bytes per packed byte that no real text reaches; GSM8K reaches 3, deflate ends at 1,032."""
_BOMB_FLOOR_BYTES: Final = 256 << 20


class RowError(ValueError):
    """A row that cannot be used; the rows after it can.

    Attributes:
        column: The column at fault, or None when it is the whole row.
        reason: What is wrong, with the value, and what to do.
        row_number: Counted from 1 in the source file, where known.
        excerpt: The start of the row as it stands in the file.
    """

    def __init__(self, column: str | None, reason: str, *, row_number: int | None = None, excerpt: str = "") -> None:
        super().__init__(reason if column is None else f"Column '{column}': {reason}")
        self.column = column
        self.reason = reason
        self.row_number = row_number
        self.excerpt = excerpt


class FileError(ValueError):
    """A file that cannot be read at all, or no further."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps of one file.

    Attributes:
        decompressed_bytes: Size of the file after unpacking.
        row_bytes: Size of one row (line, record or array element).
        depth: Levels of objects and lists inside one another in a row.
        columns: Columns of a row.
    """

    decompressed_bytes: int = 16 << 30
    row_bytes: int = 4 << 20
    depth: int = 32
    columns: int = 512


DEFAULT_LIMITS: Final = Limits()


def excerpt(raw: bytes | str, length: int = 160) -> str:
    """The start of a row in a form that can be stored and shown: no control characters, no lone surrogates."""
    text = raw[: 4 * length].decode("utf-8", "replace") if isinstance(raw, bytes) else raw[:length]
    return "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text)[:length]


class Source:
    """A file's bytes after unpacking, with a cap and without the byte order mark."""

    def __init__(
        self,
        stream: io.BufferedIOBase,
        limits: Limits,
        packed_bytes: int | None,
        on_read: Callable[[], object] | None = None,
    ) -> None:
        self._stream = stream
        self._on_read = on_read
        self._limits = limits
        self._packed_bytes = packed_bytes
        self._pending = b""
        self.packed = packed_bytes is not None
        self.read_bytes = 0
        self.head = self._take(_HEAD_BYTES)
        """The first bytes, up to 64 KiB, still to be read."""
        self._pending = self.head.removeprefix(_BOM)

    def read(self) -> bytes:
        """Read the next bytes, about 1 MiB.

        Raises:
            FileError: If the file is broken or unpacks to more than the cap.
        """
        if self._pending:
            chunk, self._pending = self._pending[:CHUNK_BYTES], self._pending[CHUNK_BYTES:]
            return chunk
        return self._take(CHUNK_BYTES)

    def _take(self, size: int) -> bytes:
        try:
            chunk = self._stream.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise FileError(
                f"The gzip data is broken after {self.read_bytes:,} unpacked bytes ({error}). Upload the file again."
            ) from error
        self.read_bytes += len(chunk)
        if self._on_read is not None:
            self._on_read()
        if self.read_bytes > self._limits.decompressed_bytes:
            raise FileError(
                f"The file holds more than {self._limits.decompressed_bytes:,} bytes after unpacking. "
                "Split it into smaller files."
            )
        if (
            self._packed_bytes is not None
            and self.read_bytes > _BOMB_FLOOR_BYTES
            and self.read_bytes > _BOMB_RATIO * self._packed_bytes
        ):
            raise FileError(
                f"The gzip file of {self._packed_bytes:,} bytes unpacks to more than {self.read_bytes:,} bytes, "
                f"over {_BOMB_RATIO} times its size. Upload it without compression if that is right."
            )
        return chunk

    def lines(self) -> Iterator[bytes | None]:
        """Split into lines with their line breaks; a line longer than the cap of a row is None."""
        cap = self._limits.row_bytes
        parts: list[bytes] = []
        held = 0
        while chunk := self.read():
            pieces = chunk.splitlines(keepends=True) if b"\r" not in chunk else _split_lf(chunk)
            for piece in pieces:
                if not held and len(piece) <= cap and piece.endswith(b"\n"):
                    yield piece
                    continue
                held += len(piece)
                if held <= cap:
                    parts.append(piece)
                else:
                    parts.clear()
                if piece.endswith(b"\n"):
                    if held > cap:
                        yield None
                    else:
                        yield piece if len(parts) == 1 else b"".join(parts)
                    parts.clear()
                    held = 0
        if held:
            yield None if held > cap else b"".join(parts)


def _split_lf(chunk: bytes) -> list[bytes]:
    # bytes.splitlines also splits at a lone carriage return, which may stand inside a quoted cell.
    pieces = chunk.split(b"\n")
    last = pieces.pop()
    lines = [piece + b"\n" for piece in pieces]
    return [*lines, last] if last else lines


@contextmanager
def open_source(
    path: Path, limits: Limits = DEFAULT_LIMITS, on_read: Callable[[int], object] | None = None
) -> Iterator[Source]:
    """Open a file for reading, unpacking gzip whatever its name says.

    Args:
        path: Where its bytes are.
        limits: Caps on its size.
        on_read: Told after every chunk how many bytes of the file, as it lies there, have been read.

    Raises:
        FileError: If the file is empty or its first bytes cannot be unpacked.
    """
    with path.open("rb") as file:
        told = None if on_read is None else lambda: on_read(file.tell())
        packed = file.read(2) == _GZIP_MAGIC
        file.seek(0)
        if packed:
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield _checked(Source(unpacked, limits, path.stat().st_size, told))
        else:
            yield _checked(Source(file, limits, None, told))


def _checked(source: Source) -> Source:
    if not source.head.removeprefix(_BOM).strip():
        raise FileError("The file is empty. Upload a file with at least one row.")
    return source


def require_text(head: bytes) -> None:
    """Refuse what is not UTF-8 text as a whole; single bad rows are left to the reader.

    Raises:
        FileError: If the first bytes are UTF-16, UTF-32 or no text.
    """
    sample = head[:_HEAD_BYTES]
    evens, odds = sample[::2].count(0), sample[1::2].count(0)
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")) or abs(evens - odds) > 0.4 * len(sample[::2]) > 4:
        raise FileError("The file is UTF-16 or UTF-32 text. Save it as UTF-8 and upload it again.")
    for magic, name in _BINARY_KINDS.items():
        if sample.startswith(magic):
            raise FileError(f"The file is {name}, not rows of text. {_WANTED}")
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if controls > 0.05 * len(sample):
        raise FileError(f"The file is binary, not rows of text. {_WANTED}")


_CONTROLS: Final = bytes([*range(9), *range(14, 32), 127])
_WANTED: Final = "Upload JSONL, JSON, CSV, TSV or Parquet, each also gzipped."
_BINARY_KINDS: Final = {
    b"PK\x03\x04": "a ZIP archive or an office document",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "an SQLite database",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x28\xb5\x2f\xfd": "packed with Zstandard",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ": "packed with xz",
    b"ARROW1": "an Arrow file",
    b"Obj\x01": "an Avro file",
    b"\x7fELF": "a program",
    b"\x1f\x8b": "packed with gzip twice",
}
