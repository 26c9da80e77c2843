"""A real server for browser tests, without login and, if not asked for, without workers."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.waiting import free_port, wait_until


@contextmanager
def served(directory: Path, *options: str, workers: bool = False) -> Iterator[str]:
    """Serve a data directory; gives the address.

    Args:
        directory: Where the installation keeps everything; may hold a filled database.
        options: Further options of ``aft up``.
        workers: Compute runs as well.
    """
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AFT_")}
    environment |= {"AFT_DATA_DIR": str(directory), "AFT_PORT": str(port), "AFT_REQUIRE_LOGIN": "0"}
    command = [sys.executable, "-m", "backend.cli.main", "up", "--no-browser", *options]
    if not workers:
        command.append("--no-workers")
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        try:
            return httpx.get(f"{address}/ready").status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_until(ready, "the server answers", seconds=90)
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
