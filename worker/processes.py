"""The supervisor's side of computing processes: start one, wait for it, stop it with all it started."""

import json
import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import psutil

from worker.guard import can_die_with_parent, kill_group
from worker.nursery import READY

LOST_EXIT_CODE = -9
"""Stands for a process that went with its nursery."""
_GONE_SECONDS = 5.0


class Process(Protocol):
    """A run's process, leader of its own group."""

    def wait(self, seconds: float) -> int | None:
        """The exit code (negative: a signal), or None while it runs after so many seconds."""
        ...

    def signal(self, number: int) -> None:
        """Signal the process and everything it started."""
        ...


class PlainProcess:
    """``python -m worker.child``, for platforms without fork and while the nursery warms up."""

    def __init__(self, request: dict[str, Any], environment: dict[str, str]) -> None:
        with Path(request["log"]).open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "worker.child", str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(request).encode())
            self._process.stdin.close()

    def wait(self, seconds: float) -> int | None:
        """See ``Process``."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        kill_group(self._process.pid)
        return code

    def signal(self, number: int) -> None:
        """See ``Process``."""
        if self._process.returncode is None:
            kill_group(self._process.pid, number)


class Nursery:
    """A handle on the nursery process, restarted when it is gone.

    Created and used in the main thread only: the kernel ties the nursery's life to the thread that started it.
    """

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._unread = b""
        self.is_ready = False
        self.exits: dict[int, int] = {}
        self.started: list[int] = []

    def open(self) -> None:
        """Start it if it is not there; it loads its libraries while we go on."""
        if not can_die_with_parent() or self.is_alive():
            return
        self.close()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "worker.nursery", str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environment,
                start_new_session=True,
            )

    def is_alive(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def close(self) -> None:
        """End it with everything it started."""
        process, self._process = self._process, None
        self.is_ready, self._unread = False, b""
        if process is None:
            return
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        kill_group(process.pid)
        process.wait()

    def start(self, request: dict[str, Any]) -> "NurseryProcess":
        """Have it fork a process for ``request``.

        Raises:
            OSError: If it is not there.
        """
        if self._process is None or self._process.stdin is None:
            raise BrokenPipeError("the nursery is not running")
        self.started.clear()
        self._process.stdin.write(json.dumps({"start": request}).encode() + b"\n")
        self._process.stdin.flush()
        return NurseryProcess(self)

    def pump(self, seconds: float) -> bool:
        """Read answers for at most so long; False when the nursery is gone."""
        if self._process is None or self._process.stdout is None:
            return False
        descriptor = self._process.stdout.fileno()
        readable, _, _ = select.select([descriptor], [], [], seconds)
        if not readable:
            return True
        content = os.read(descriptor, 1 << 16)
        if not content:
            return False
        *lines, self._unread = (self._unread + content).split(b"\n")
        for line in lines:
            answer = json.loads(line)
            self.is_ready = self.is_ready or READY in answer
            if "started" in answer:
                self.started.append(answer["started"])
            if "exited" in answer:
                self.exits[answer["exited"]] = answer["code"]
        return True


class NurseryProcess:
    """A process forked by the nursery."""

    def __init__(self, nursery: Nursery) -> None:
        self._nursery = nursery
        self._pid: int | None = None
        self._code: int | None = None

    def wait(self, seconds: float) -> int | None:
        """See ``Process``."""
        deadline = time.monotonic() + seconds
        while self._code is None:
            if self._pid is None and self._nursery.started:
                self._pid = self._nursery.started.pop()
            if self._pid in self._nursery.exits:
                self._code = self._nursery.exits.pop(self._pid)
                break
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            if not self._nursery.pump(left):
                self._leave_nothing_behind()
                self._code = LOST_EXIT_CODE
        return self._code

    def signal(self, number: int) -> None:
        """See ``Process``."""
        if self._code is not None:
            return
        if self._pid is None:
            # Not forked yet: the nursery is still loading, and nothing is lost with it.
            self._nursery.close()
        else:
            kill_group(self._pid, number)

    def _leave_nothing_behind(self) -> None:
        self._nursery.close()
        if self._pid is None:
            return
        kill_group(self._pid)
        with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
            psutil.Process(self._pid).wait(_GONE_SECONDS)
