"""Replies by content: the same question to the same model is paid for once, also after a restart."""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

Entry = dict[str, Any]


@runtime_checkable
class ReplyCache(Protocol):
    """Where readable replies are kept."""

    def get(self, key: str) -> Entry | None:
        """What is stored under a key."""
        ...

    def put(self, key: str, entry: Entry) -> None:
        """Store; an equal key is replaced."""
        ...


def key_of(content: Mapping[str, Any]) -> str:
    """sha256 of everything that decides a reply."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class NoCache:
    """Keeps nothing."""

    def get(self, key: str) -> Entry | None:
        """Nothing."""
        return None

    def put(self, key: str, entry: Entry) -> None:
        """Forget it."""


class DirectoryCache:
    """One small file an entry, written whole or not at all; many processes may share the directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def _place(self, key: str) -> Path:
        return self._directory / key[:2] / f"{key}.json"

    def get(self, key: str) -> Entry | None:
        """What is stored under a key; a damaged file counts as missing."""
        with suppress(OSError, ValueError):
            found = json.loads(self._place(key).read_text(encoding="utf-8"))
            if isinstance(found, dict):
                return found
        return None

    def put(self, key: str, entry: Entry) -> None:
        """Store an entry."""
        place = self._place(key)
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                json.dump(entry, stream)
            Path(name).replace(place)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
