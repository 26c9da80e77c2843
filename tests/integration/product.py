"""A running `aft up`: the real server and real workers under their supervisor."""

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil

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


def start(data: Path, *, slots: int = 1) -> Product:
    """Start it, on a free port and without a browser window."""
    command = [sys.executable, "-m", "backend.cli.main", "up", "--no-browser", "--port", "0", "--slots", str(slots)]
    environment = {**os.environ, "AFT_DATA_DIR": str(data)}
    return Product(subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment), data)


@contextmanager
def running(data: Path, *, slots: int = 1) -> Iterator[Product]:
    """A started product, stopped by Ctrl-C at the end."""
    product = start(data, slots=slots)
    try:
        yield product
    finally:
        if product.process.poll() is None:
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


class SignedIn:
    """A client that came by the one-time link, as a browser does."""

    def __init__(self, link: str) -> None:
        self.address = link.partition("/login")[0]
        self._web = httpx.Client(
            base_url=self.address, headers={"Origin": self.address}, timeout=PATIENCE_SECONDS, follow_redirects=False
        )
        assert self._web.get(link).status_code == 303

    def get(self, path: str, **parameters: Any) -> Any:
        """JSON of a GET below ``/api/v1``."""
        answer = self._web.get(f"/api/v1{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, *, content: bytes | None = None, **parameters: Any) -> Any:
        """JSON of a POST below ``/api/v1`` that succeeds."""
        answer = self._web.post(f"/api/v1{path}", params=parameters, json=body, content=content)
        assert answer.is_success, answer.text
        return answer.json()

    def close(self) -> None:
        """End its connections."""
        self._web.close()
