"""Celery's file-system broker, made safe to read while it is written.

The stock transport can read a half-written message (kombu#1551) and keeps its routing table in a file that
concurrent starts can see empty. Here a message appears under its name complete, and routing lives in memory.
"""

import json
import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem, virtual

POLLING_SECONDS = 0.1


class Channel(filesystem.Channel):
    """Messages are files; writing and taking one are single renames."""

    supports_fanout = False

    get_table = virtual.Channel.get_table
    _delete = virtual.Channel._delete

    def _put(  # type: ignore[override]  # its two base classes disagree about the names
        self, queue: str, payload: dict[str, Any], **kwargs: Any
    ) -> None:
        folder = Path(self.data_folder_out)
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex}.{queue}.msg"
        hidden = folder / f".{name}"
        try:
            with hidden.open("wb") as stream:
                stream.write(json.dumps(payload).encode())
            hidden.replace(folder / name)
        except OSError as error:
            hidden.unlink(missing_ok=True)
            msg = f"A message cannot be written to {folder}: {error.strerror}."
            raise ChannelError(msg) from error

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        folder = Path(self.data_folder_in)
        try:
            names = sorted(os.listdir(folder))
        except FileNotFoundError:
            raise Empty from None
        for name in names:
            if name.startswith(".") or name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = folder / f".taken-{uuid.uuid4().hex}"
            try:
                (folder / name).rename(taken)  # only one reader's rename succeeds
            except FileNotFoundError:
                continue
            content = taken.read_bytes()
            taken.unlink()
            message: dict[str, Any] = json.loads(content)
            return message
        raise Empty


class Transport(filesystem.Transport):
    """The file-system transport with the safe channel and quick polling."""

    Channel = Channel
    polling_interval = POLLING_SECONDS
    default_port = 0
    global_state = virtual.BrokerState()  # type: ignore[no-untyped-call]  # kombu leaves it untyped


def transport_options(root: Path) -> dict[str, Any]:
    """Where the messages of the data directory ``root`` lie; made if missing."""
    folder = root / "broker"
    folder.mkdir(parents=True, exist_ok=True)
    places = {"data_folder_in": str(folder), "data_folder_out": str(folder), "control_folder": str(folder)}
    return {**places, "polling_interval": POLLING_SECONDS}
