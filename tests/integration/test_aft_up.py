"""`aft up` as a user types it: the real server and a real worker under the supervisor."""

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from queue import Queue
from urllib.parse import urlsplit

import psutil
import pytest

from backend.db.session import make_engine

PATIENCE_SECONDS = 60.0


@dataclass
class Product:
    """A running `aft up`."""

    process: subprocess.Popen[str]
    data: Path
    lines: Queue[str] = field(default_factory=Queue)

    def __post_init__(self) -> None:
        """Read its output from now on, so that it never blocks on a full pipe."""
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            for line in stream:
                self.lines.put(line.rstrip("\n"))

    def said(self, pattern: str) -> str:
        """Wait for a line with this in it, and return what matched."""
        while True:
            if match := re.search(pattern, self.lines.get(timeout=PATIENCE_SECONDS)):
                return match.group()

    def exit_status(self) -> int:
        """Wait for its end."""
        status = self.process.wait(PATIENCE_SECONDS)
        self.reader.join()
        return status

    def child(self, word: str) -> psutil.Process:
        """The supervisor's child with this word in its command."""
        children = psutil.Process(self.process.pid).children()
        return next(child for child in children if word in child.cmdline())


def start(data: Path) -> Product:
    """Start it, on a free port and without a browser window."""
    command = [sys.executable, "-m", "backend.cli.main", "up", "--no-browser", "--port", "0", "--slots", "1"]
    environment = {**os.environ, "AFT_DATA_DIR": str(data)}
    return Product(subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment), data)


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    """A started product, stopped at the end."""
    product = start(tmp_path / "data")
    yield product
    product.process.send_signal(signal.SIGINT)
    product.exit_status()


def get(url: str, headers: dict[str, str] | None = None) -> tuple[int, Message]:
    """Status and headers of a GET that follows no redirect."""
    parts = urlsplit(url)
    with closing(http.client.HTTPConnection(parts.netloc, timeout=PATIENCE_SECONDS)) as connection:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers or {})
        response = connection.getresponse()
        response.read()
        return response.status, response.headers


def test_product_starts_survives_and_stops(product: Product) -> None:
    link = product.said(r"http://\S+/login\?token=\S+")
    address = link.partition("/login")[0]

    # The link signs one browser in, once.
    status, headers = get(link)
    assert (status, headers["Location"]) == (303, "/")
    assert get(link)[1]["Location"] == "/expired"
    cookie = headers["Set-Cookie"].partition(";")[0]
    assert get(f"{address}/api/v1/runs")[0] == 401

    # A second server on the same data directory is refused and names the first.
    second = start(product.data)
    assert second.exit_status() == 1
    second.said(rf"already served by process {product.process.pid} at {re.escape(address)}")

    # A killed server comes back; requests in between wait, because the socket is the supervisor's.
    product.child("uvicorn").kill()
    product.said(r"server ended \(killed by SIGKILL\); starting it again")
    assert get(f"{address}/health")[0] == 200
    assert get(f"{address}/api/v1/runs", {"Cookie": cookie})[0] == 200

    worker = product.child("celery")
    worker.kill()
    product.said(r"worker-1 ended \(killed by SIGKILL\); starting it again")

    family = psutil.Process(product.process.pid).children(recursive=True)
    product.process.send_signal(signal.SIGINT)
    product.said("Stopped")
    assert product.exit_status() == 0
    _, alive = psutil.wait_procs(family, timeout=PATIENCE_SECONDS)
    assert not alive


def test_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/workbench.sqlite3")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('9999')")
    engine.dispose()
    product = start(tmp_path)
    assert product.exit_status() == 1
    product.said("does not fit this version.*--data-dir")


def test_web_process_never_loads_torch() -> None:
    code = (
        "import sys, backend.app as b; b.create_app().openapi(); print('torch' in sys.modules, 'celery' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
