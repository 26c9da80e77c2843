"""Received files: streamed to disk with caps, recognised, previewed. The client's name is only a label."""

import contextlib
import errno
import hashlib
import re
import shutil
import time
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.data.formats import Detection, FileError, inspect_file
from backend import storage
from backend.db.models import Run, Upload, new_id, utcnow
from backend.errors import AppError, Conflict, Invalid, NotFound, StorageFull, TooLarge
from backend.schemas.datasets import DetectionRead, FileRole, UploadRead
from backend.services.run_states import OPEN
from backend.settings import get_settings

RESERVE_BYTES = 256 << 20
"""Room that uploads leave on the disk, for the database and running work."""
KEPT_FOR = timedelta(days=7)
"""Files that nobody imported are removed after this long."""
_CHECK_EVERY_BYTES = 32 << 20
_FILE = "data"


class Receiver:
    """Writes one upload to disk as it arrives; nothing is left behind unless ``finish`` was reached."""

    def __init__(self, filename: str, announced_bytes: int | None = None) -> None:
        """Refuse what cannot fit before the first byte is read.

        Raises:
            TooLarge: If more bytes are announced than the server takes.
            StorageFull: If they do not fit on the disk.
        """
        self.filename = label(filename)
        self.id = new_id()
        self.key = storage.new_key("uploads", self.id, _FILE)
        self.size_bytes = 0
        self._cap = get_settings().max_upload_bytes
        self._digest = hashlib.sha256()
        self._next_check = 0
        self._check_size(announced_bytes or 0)
        self._check_room(announced_bytes or 0)
        storage.directory("uploads", self.id)
        self._stream = storage.path(self.key).open("xb")

    def write(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises:
            TooLarge: If there are more than the server takes.
            StorageFull: If the disk has no room left.
        """
        self._check_size(self.size_bytes + len(chunk))
        if self.size_bytes >= self._next_check:
            self._check_room(len(chunk))
            self._next_check = self.size_bytes + _CHECK_EVERY_BYTES
        try:
            self._stream.write(chunk)
        except OSError as error:
            raise _disk_error(error, self.filename) from error
        self._digest.update(chunk)
        self.size_bytes += len(chunk)

    def finish(self) -> str:
        """Close the file and return its sha256.

        Raises:
            StorageFull: If the last bytes do not fit.
        """
        try:
            self._stream.close()
        except OSError as error:
            raise _disk_error(error, self.filename) from error
        return self._digest.hexdigest()

    def abort(self) -> None:
        """Remove what was written."""
        with contextlib.suppress(OSError):  # the last bytes may not fit on the disk; the file goes anyway
            self._stream.close()
        storage.delete(storage.new_key("uploads", self.id))

    def _check_size(self, size: int) -> None:
        if size > self._cap:
            raise TooLarge(
                f"'{self.filename}' has more than {self._cap:,} bytes, the most this server takes.",
                remedy="Compress it with gzip, split it, or raise AFT_MAX_UPLOAD_BYTES.",
                field="file",
            )

    def _check_room(self, needed: int) -> None:
        free = storage.free_bytes()
        if needed + RESERVE_BYTES > free:
            raise _full(self.filename, free)


def label(filename: str) -> str:
    """A name to show: the last part of the client's, without control characters, at most 255 characters."""
    last = re.split(r"[\\/]", filename)[-1]
    shown = "".join(char for char in last if char.isprintable()).strip()
    if len(shown) > 255:
        shown = f"{shown[:200]}…{shown[-54:]}"
    return shown or "upload"


def keep(session: Session, receiver: Receiver, sha256: str, detection: Detection) -> Upload:
    """Record a received file that was looked at."""
    upload = Upload(
        id=receiver.id,
        filename=receiver.filename,
        key=receiver.key,
        size_bytes=receiver.size_bytes,
        sha256=sha256,
        detection=detection.model_dump(mode="json"),
    )
    session.add(upload)
    session.flush()
    return upload


def look(place: Path, filename: str) -> Detection:
    """Recognise a file by its first rows.

    Raises:
        Invalid: If it cannot be read at all.
    """
    try:
        return inspect_file(place, filename).detection
    except FileError as error:
        raise Invalid(f"'{filename}' cannot be read: {error}", field="file") from error


def get(session: Session, upload_id: str) -> Upload:
    """The upload.

    Raises:
        NotFound: If there is none, or it was imported or removed.
    """
    upload = session.get(Upload, upload_id)
    if upload is None or not storage.path(upload.key).is_file():
        raise NotFound(
            f"There is no uploaded file {upload_id[:40]!r}.",
            remedy="It was imported, removed, or too old. Upload it again.",
        )
    return upload


def delete(session: Session, upload_id: str) -> None:
    """Remove an upload and its file.

    Raises:
        NotFound: If there is none.
        Conflict: If an unfinished import reads it.
    """
    upload = get(session, upload_id)
    run = reading_run(session, {upload_id}).get(upload_id)
    if run is not None:
        raise Conflict(f"'{upload.filename}' is being imported by '{run.name}'.", remedy="Cancel that import first.")
    forget(session, upload)


def forget(session: Session, upload: Upload) -> None:
    """Remove the row and the file."""
    session.delete(upload)
    storage.delete(storage.new_key("uploads", upload.id))


def forget_imported(session: Session, run: Run | None) -> None:
    """Remove the uploads of an import that is over, unless another one reads them."""
    if run is None:
        return
    ids = {str(file["upload_id"]) for file in run.config["files"]}
    for upload in session.scalars(
        select(Upload).where(Upload.id.in_(ids - set(reading_run(session, ids, but=run.id))))
    ):
        forget(session, upload)


def reading_run(session: Session, upload_ids: set[str], *, but: str | None = None) -> dict[str, Run]:
    """Unfinished imports of these uploads, by upload; ``but`` is a run that does not count."""
    found: dict[str, Run] = {}
    query = select(Run).where(Run.kind.in_(("import", "import-cots")), Run.state.in_(OPEN), Run.id != (but or ""))
    for run in session.scalars(query):
        found |= {file["upload_id"]: run for file in run.config["files"] if file["upload_id"] in upload_ids}
    return found


def sweep(session: Session) -> int:
    """Remove uploads that nobody imported for a week, and files that a killed server left half-written."""
    old = list(session.scalars(select(Upload).where(Upload.created_at < utcnow() - KEPT_FOR).limit(1000)))
    busy = reading_run(session, {upload.id for upload in old})
    for upload in old:
        if upload.id not in busy:
            forget(session, upload)
    removed = len(old) - len(busy)
    place = storage.path(storage.new_key("uploads")).parent
    day_ago = time.time() - 86_400
    for folder in place.iterdir() if place.is_dir() else ():
        if folder.stat().st_mtime < day_ago and session.get(Upload, folder.name) is None:
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed


def role_of(detection: Detection) -> FileRole:
    """What a file is for in an import."""
    match detection.format:
        case "ecqa-explanations":
            return "explanations"
        case "ids":
            return "ids"
        case _:
            return "questions"


def read(upload: Upload) -> UploadRead:
    """The upload as the API shows it."""
    detection = Detection.model_validate(upload.detection)
    role = role_of(detection)
    problem = None
    if role == "questions" and detection.mapping is None:
        problem = f"{detection.reason} {detection.note or ''}".strip()
    elif role == "questions" and detection.task is None:
        problem = "The columns are known, the task is not. Choose the task."
    return UploadRead(
        id=upload.id,
        filename=upload.filename,
        size_bytes=upload.size_bytes,
        sha256=upload.sha256,
        created_at=upload.created_at,
        detection=DetectionRead(
            task=detection.task,  # type: ignore[arg-type]  # one of TASKS
            format=detection.format,
            role=role,
            part=detection.part,
            mapping=detection.mapping,
            why=detection.reason,
            note=detection.note,
            confidence=detection.confidence,
        ),
        columns=detection.columns,
        problem=problem,
    )


def _full(filename: str, free: int) -> StorageFull:
    return StorageFull(
        f"There is no room for '{filename}': {free / 1e9:.1f} GB are free on the data directory's disk.",
        remedy="Free space there, or move the data directory with AFT_DATA_DIR. Nothing of the file was kept.",
        field="file",
    )


def _disk_error(error: OSError, filename: str) -> AppError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return _full(filename, storage.free_bytes())
    return AppError(
        f"'{filename}' could not be written: {error.strerror}.", remedy="Look at the data directory with `aft doctor`."
    )
