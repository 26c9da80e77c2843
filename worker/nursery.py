"""The nursery: loads torch once and forks a fresh process for every run.

Importing torch and transformers takes seconds of computing; a forked process has them at once. The nursery has one
thread, has run no tensor operation and touched no GPU, which is what makes its forks safe.

It reads commands as JSON lines on its standard input and answers on its standard output:
``{"start": <request>}`` -> ``{"started": <pid>}``, later ``{"exited": <pid>, "code": <n>}`` (negative: a signal).
"""

import gc
import importlib
import json
import os
import select
import signal
import sys
from typing import Any, NoReturn

from worker import child, tasks
from worker.guard import die_with_parent, kill_group

READY = "ready"


def preload() -> None:
    """Import what nearly every run needs, and compute nothing."""
    importlib.import_module("transformers.models.llama.modeling_llama")
    tasks.load_all()


class Nursery:
    """Forks on command, reports exits."""

    def __init__(self) -> None:
        self._commands = os.dup(0)
        self._answers = os.dup(1)
        # Whatever a library prints must not be taken for an answer.
        os.dup2(2, 1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._children: set[int] = set()
        self._unread = b""

    def serve(self) -> None:
        """Work until the supervisor closes the command pipe; no child outlives that."""
        signal.set_wakeup_fd(self._wake_write)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        preload()
        gc.collect()
        gc.freeze()
        self._answer({READY: os.getpid()})
        while True:
            readable, _, _ = select.select([self._commands, self._wake_read], [], [])
            if self._wake_read in readable:
                os.read(self._wake_read, 4096)
                self._reap()
            if self._commands in readable:
                content = os.read(self._commands, 1 << 16)
                if not content:
                    for pid in self._children:
                        kill_group(pid)
                    return
                *lines, self._unread = (self._unread + content).split(b"\n")
                for line in lines:
                    self._start(json.loads(line)["start"])

    def _start(self, request: dict[str, Any]) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become_child(parent, request)
        self._children.add(pid)
        self._answer({"started": pid})

    def _become_child(self, parent: int, request: dict[str, Any]) -> NoReturn:
        code = 1
        try:
            os.setsid()
            die_with_parent(parent)
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            for descriptor in (self._commands, self._answers, self._wake_read, self._wake_write):
                os.close(descriptor)
            child.write_to_log(request["log"])
            code = child.main(request)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            # The parent's exit handlers are not this process's.
            os._exit(code)

    def _reap(self) -> None:
        for pid in list(self._children):
            # The leader stays a zombie until its group is dead, so that nobody else can get the number.
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                continue
            kill_group(pid)
            _, status = os.waitpid(pid, 0)
            self._children.discard(pid)
            self._answer({"exited": pid, "code": os.waitstatus_to_exitcode(status)})

    def _answer(self, message: dict[str, Any]) -> None:
        os.write(self._answers, json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]))
    Nursery().serve()
