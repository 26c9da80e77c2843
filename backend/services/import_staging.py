"""The version that an import fills, before and after: opened, emptied, given up."""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from backend import storage
from backend.db.models import DatasetVersion, Example, RowReject, Split
from backend.db.session import transaction
from backend.errors import NotFound, StorageFull
from backend.schemas.datasets import ImportConfig
from backend.services import events

_DISK_FACTOR = 2.5
"""The database grows by about this many times the files' size, indexes and journal included."""
_ROWS_AT_ONCE = 4_000

Fence = Callable[[Session], None]


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """How an import ended."""

    state: str
    """ready, review, or staging when it was stopped."""
    rows: int
    rejected: int
    stopped: bool = False


def importing_version(session: Session, version_id: str) -> DatasetVersion:
    """The version an import fills.

    Raises:
        NotFound: If it was removed.
    """
    version = session.get(DatasetVersion, version_id)
    if version is None or version.state not in {"staging", "review", "ready", "discarded"}:
        raise NotFound("The data set version of this import was removed.", remedy="Import the files again.")
    return version


def begin(version_id: str, fence: Fence) -> ImportOutcome | None:
    """Make the version ready for reading, or tell how an earlier attempt ended that could not say so itself."""
    with transaction() as session:
        fence(session)
        version = importing_version(session, version_id)
        if version.state in {"ready", "review"}:
            return ImportOutcome(version.state, version.n_rows, version.n_rejected)
        version.state, version.report, version.sha256 = "staging", None, None
    return None


def wipe(version_id: str, fence: Fence) -> None:
    """Remove what an earlier attempt left, a few thousand rows at a time."""
    with transaction() as session:
        fence(session)
        session.execute(delete(RowReject).where(RowReject.version_id == version_id))
        session.execute(delete(Split).where(Split.version_id == version_id))
    while True:
        with transaction() as session:
            fence(session)
            mine = Example.version_id == version_id
            first = session.scalar(select(func.min(Example.position)).where(mine))
            if first is None:
                return
            some = delete(Example).where(mine, Example.position < first + _ROWS_AT_ONCE)
            session.execute(some.execution_options(synchronize_session=False))


def give_up(version_id: str, fence: Fence) -> None:
    """Leave nothing of a failed import but its version's number, so that it can be retried."""
    wipe(version_id, fence)
    with transaction() as session:
        fence(session)
        version = importing_version(session, version_id)
        version.state, version.n_rows = "discarded", 0
        events.publish(session, "dataset", "discarded", subject_id=version.dataset_id, data={"version_id": version_id})


def require_room(config: ImportConfig) -> None:
    """Refuse to begin what cannot fit.

    Raises:
        StorageFull: If the disk has too little room.
    """
    needed = int(_DISK_FACTOR * sum(file.size_bytes for file in config.files))
    free = storage.free_bytes()
    if needed > free:
        raise StorageFull(
            f"The import needs about {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free on the data directory's disk.",
            remedy="Free space there and retry the run.",
        )


@contextmanager
def full_disk_is_named() -> Iterator[None]:
    """Turn the ways in which a full disk shows itself into one plain error."""
    full = StorageFull("The disk became full during the import.", remedy="Free space there and retry the run.")
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise full from error
        raise
    except OperationalError as error:
        if "disk is full" in str(error.orig) or "No space left" in str(error.orig):
            raise full from error
        raise
