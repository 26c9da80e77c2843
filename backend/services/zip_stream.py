"""A zip archive written in blocks into a stream that cannot seek, with the hash of everything in it."""

import hashlib
import io
import time
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Written:
    """A file of the archive."""

    sha256: str
    size_bytes: int


class ZipStream:
    """An archive under way; give away what ``add`` and ``close`` yield, in order.

    Args:
        compression: zipfile's method: stored for what does not compress.
    """

    def __init__(self, compression: int = zipfile.ZIP_DEFLATED) -> None:
        self.files: dict[str, Written] = {}
        self._sink = Sink()
        self._compression = compression
        self._archive = zipfile.ZipFile(self._sink, "w", compression, allowZip64=True)
        self._at = time.gmtime()[:6]

    def add(self, name: str, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Write one file from its blocks."""
        digest, size = hashlib.sha256(), 0
        entry = zipfile.ZipInfo(name, self._at)
        entry.compress_type = self._compression
        entry.external_attr = 0o644 << 16
        with self._archive.open(entry, "w", force_zip64=True) as file:
            for block in blocks:
                digest.update(block)
                size += len(block)
                file.write(block)
                if taken := self._sink.taken():
                    yield taken
        self.files[name] = Written(digest.hexdigest(), size)
        yield self._sink.taken()

    def close(self) -> bytes:
        """The archive's end."""
        self._archive.close()
        return self._sink.taken()


class Sink(io.RawIOBase):
    """An unseekable stream that is emptied block by block."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(data)  # type: ignore[call-overload]  # zipfile writes bytes and memoryviews
        self._parts.append(part)
        return len(part)

    def flush(self) -> None:
        # An archive that is given up half-way is closed by the garbage collector, maybe after this stream: it must not
        # complain of that where somebody reads about the real error.
        pass

    def taken(self) -> bytes:
        """What was written since the last call."""
        whole = b"".join(self._parts)
        self._parts.clear()
        return whole
