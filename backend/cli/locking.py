"""One server per data directory."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyServed(Exception):
    """Another server holds the data directory."""


@contextmanager
def server_lock(root: Path) -> Iterator[Callable[[str], None]]:
    """Hold the data directory for this process; the kernel lets go when the process ends, however it ends.

    Yields:
        A function that notes the server's address, to be told to a second server.

    Raises:
        AlreadyServed: If another process holds it.
    """
    path = root / "server.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyServed(_refusal(root, _owner(descriptor))) from None

        def note(address: str) -> None:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "address": address}).encode(), 0)

        os.ftruncate(descriptor, 0)
        yield note
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def noted_address(root: Path) -> str | None:
    """The address of the server that holds the data directory, if one does."""
    try:
        descriptor = os.open(root / "server.lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        # What a killed server noted is still there, but nobody holds the lock.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        address = _owner(descriptor).get("address")
        return address if isinstance(address, str) else None
    finally:
        os.close(descriptor)
    return None


def _owner(descriptor: int) -> dict[str, object]:
    try:
        owner = json.loads(os.pread(descriptor, 4096, 0))
    except ValueError:  # it has taken the lock and not yet written who it is
        return {}
    return owner if isinstance(owner, dict) else {}


def _refusal(root: Path, owner: dict[str, object]) -> str:
    who = f"process {owner['pid']} at {owner['address']}" if {"pid", "address"} <= owner.keys() else "another process"
    return (
        f"The data directory {root} is already served by {who}. Open that address, stop that server with Ctrl-C, "
        "or start this one on another directory with --data-dir."
    )
