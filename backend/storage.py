"""Files by key below the data directory. A key is made here, never taken from a client."""

import hashlib
import re
import shutil
from pathlib import Path

from backend.db.models.base import new_id
from backend.errors import Invalid
from backend.settings import get_settings

_KEY = re.compile(r"[a-z]+/[0-9a-f]{32}(/[A-Za-z0-9][A-Za-z0-9._-]{0,100}){0,3}")
KINDS = frozenset({"uploads", "runs", "exports"})


def new_key(kind: str, owner_id: str | None = None, *names: str) -> str:
    """A key for a new file: ``kind/<owner id>/names...``."""
    key = "/".join([kind, owner_id or new_id(), *names])
    _check(key)
    return key


def path(key: str) -> Path:
    """Where the file of a key is."""
    _check(key)
    return get_settings().root / "files" / key


def directory(kind: str, owner_id: str, *, create: bool = True) -> Path:
    """The directory of everything that belongs to one owner."""
    place = path(new_key(kind, owner_id))
    if create:
        place.mkdir(parents=True, exist_ok=True)
    return place


def delete(key: str) -> None:
    """Remove a file or directory; a missing one is fine."""
    place = path(key)
    if place.is_dir():
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)


def free_bytes() -> int:
    """Room left on the data directory's disk."""
    root = get_settings().root
    root.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(root).free


def sha256_of(place: Path) -> tuple[str, int]:
    """Hash and size in bytes of a file, or of all files below a directory in name order."""
    digest, size = hashlib.sha256(), 0
    files = [place] if place.is_file() else sorted(item for item in place.rglob("*") if item.is_file())
    for item in files:
        if item != place:
            digest.update(item.relative_to(place).as_posix().encode() + b"\0")
        with item.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
                size += len(block)
    return digest.hexdigest(), size


def _check(key: str) -> None:
    if not _KEY.fullmatch(key) or key.split("/", 1)[0] not in KINDS:
        msg = f"storage key {key!r} is not one of ours."
        raise Invalid(msg, remedy="Ask for files by the id that the server gave.")
