"""Refused rows: some in the database for paging, all of them in a file to download."""

import json
import os
from typing import Any, BinaryIO

from aft.data.formats import RowError
from backend import storage

REJECTS_FILE = "rejects.jsonl"
_KEPT_ROW_BYTES = 16_384


class RejectsFile:
    """All refused rows as JSON lines; made with the first one, gone unless kept."""

    def __init__(self, run_id: str) -> None:
        self._key = storage.new_key("runs", run_id, REJECTS_FILE)
        self._draft = storage.directory("runs", run_id) / f"{REJECTS_FILE}.part"
        self._stream: BinaryIO | None = None
        self.kept: tuple[str, str, int] | None = None
        """Key, sha256 and size."""

    def __enter__(self) -> "RejectsFile":
        return self

    def add(self, filename: str, number: int, error: RowError, row: dict[str, Any] | None) -> None:
        """Note a row; the row itself is kept too where it is not huge."""
        if self._stream is None:
            self._stream = self._draft.open("wb")
        line = {"file": filename, "row": number, "column": error.column, "reason": error.reason}
        whole = json.dumps(row, ensure_ascii=False, default=str) if row is not None else ""
        kept = (
            {"content": row} if row is not None and len(whole) <= _KEPT_ROW_BYTES else {"excerpt": _excerpt(error, row)}
        )
        self._stream.write(json.dumps(line | kept, ensure_ascii=False, default=str).encode("utf-8", "replace") + b"\n")

    def keep(self) -> None:
        """Give the file its name, once all rows were read."""
        if self._stream is None:
            return
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        place = storage.path(self._key)
        self._draft.replace(place)
        self.kept = (self._key, *storage.sha256_of(place))

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()
        self._draft.unlink(missing_ok=True)


def _excerpt(error: RowError, row: dict[str, Any] | None) -> str:
    return error.excerpt or (json.dumps(row, ensure_ascii=False, default=str)[:300] if row is not None else "")


def reject_row(
    version_id: str, filename: str, number: int, error: RowError, row: dict[str, Any] | None
) -> dict[str, Any]:
    """Values of a ``RowReject``."""
    return {
        "version_id": version_id,
        "filename": filename,
        "row_number": number,
        "column": error.column[:255] if error.column else None,
        "reason": error.reason[:2000],
        "excerpt": _excerpt(error, row),
    }
