"""The processes that are measured: the product as a user starts it, and a PostgreSQL server of its own."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

_PATIENCE_SECONDS = 120.0


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A private server that keeps its durability; gives the address of a database, the one that is there if one is.

    Raises:
        FileNotFoundError: If its programs are not installed.
    """
    programs = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)
    if programs is None:
        raise FileNotFoundError("PostgreSQL's programs are not installed")
    folder.mkdir(parents=True, exist_ok=True)
    # It refuses to run as root.
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    initdb = [str(programs / "initdb"), "-D", str(data), "-U", "aft", "-A", "trust", "-E", "UTF8"]
    if not data.exists():
        subprocess.run([*as_user, *initdb], check=True, capture_output=True, cwd="/")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    options = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"]
    options += ["-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB"]
    server = subprocess.Popen(
        [*as_user, str(programs / "postgres"), "-D", str(data), "-p", str(port), *options],
        cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        ready = [*as_user, str(programs / "pg_isready"), "-h", "127.0.0.1", "-p", str(port)]
        began = time.monotonic()
        while subprocess.run(ready, check=False, capture_output=True, cwd="/").returncode != 0:
            if time.monotonic() - began > _PATIENCE_SECONDS:
                raise TimeoutError(f"PostgreSQL does not answer on port {port}")
            time.sleep(0.1)
        yield f"postgresql+psycopg://aft@127.0.0.1:{port}/postgres"
    finally:
        stop = [str(programs / "pg_ctl"), "-D", str(data), "stop", "-m", "fast"]
        subprocess.run([*as_user, *stop], check=False, capture_output=True, cwd="/")
        server.wait(timeout=_PATIENCE_SECONDS)


class Product:
    """A running ``aft up`` with one worker."""

    def __init__(self, process: "subprocess.Popen[str]", address: str, start_seconds: float) -> None:
        self._process = process
        self.address = address
        self.start_seconds = start_seconds

    def child(self, word: str) -> psutil.Process:
        """The supervisor's child with this word in its command."""
        children = psutil.Process(self._process.pid).children()
        return next(child for child in children if word in child.cmdline())

    def memory_bytes(self) -> int:
        """Memory of all its processes; pages that several share count once."""
        whole = psutil.Process(self._process.pid)
        total = 0
        for process in (whole, *whole.children(recursive=True)):
            try:
                total += process.memory_full_info().pss
            except psutil.Error:
                continue
        return total


@contextmanager
def product(environment: dict[str, str]) -> Iterator[Product]:
    """The product on a free port, without a browser and without a login."""
    command = [sys.executable, "-m", "backend.cli.main", "up", "--no-browser", "--port", "0", "--slots", "1"]
    began = time.monotonic()
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env={**os.environ, **environment}
    )
    assert process.stderr is not None
    try:
        found = (re.search(r"http://[\w.]+:\d+", line) for line in process.stderr)
        match = next((one for one in found if one is not None), None)
        if match is None:
            raise RuntimeError("`aft up` ended without saying its address; run it alone to see why")
        yield Product(process, match.group(), time.monotonic() - began)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.stderr.close()
        process.wait(_PATIENCE_SECONDS)
