"""Keeps programs running as children, and leaves none behind.

Every child leads its own process group, so that the terminal's Ctrl-C reaches the supervisor alone and a stop
reaches the child with everything it started. On Linux the kernel kills a child when the supervisor dies.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Final

import psutil

FIRST_DELAY_SECONDS: Final = 0.5
LONGEST_DELAY_SECONDS: Final = 30.0
STEADY_SECONDS: Final = 30.0
"""A child that ran this long starts over with the shortest delay."""
POLL_SECONDS: Final = 0.25
LOG_BYTES: Final = 10 * 2**20
PR_SET_PDEATHSIG: Final = 1
_libc: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Program:
    """What to run."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to the supervisor's own."""
    log: Path | None = None
    """Where its output goes; None leaves it on the terminal."""
    directory: Path | None = None
    pass_fds: tuple[int, ...] = ()
    once: bool = False
    """Not started again after it ended."""


def dying_with_parent(number: int) -> Callable[[], None]:
    """What a child does first so that on Linux the kernel signals it when this process ends, however it ends."""
    parent = os.getpid()

    def ask_kernel() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, number)
            if os.getppid() != parent:  # it died before the line above
                os._exit(1)

    return ask_kernel


@dataclass(eq=False)
class Child:
    """A program and its present process."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    start_at: float = 0.0

    def start(self) -> None:
        """Start the process in a group of its own."""
        program = self.program
        with _log(program.log) as output:
            self.process = subprocess.Popen(
                program.command,
                env={**os.environ, **program.environment},
                cwd=program.directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                pass_fds=program.pass_fds,
                start_new_session=True,
                # The supervisor has one thread, the condition under which this is safe.
                preexec_fn=dying_with_parent(signal.SIGKILL),
            )
        self.started_at = time.monotonic()

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return self.process.pid if self.process is not None else None

    def signal_group(self, number: int) -> None:
        """Send a signal to the process and what it started in its group."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def log_tail(self, lines: int = 8) -> str:
        """The last lines it wrote."""
        if self.program.log is None or not self.program.log.is_file():
            return ""
        with self.program.log.open("rb") as file:
            file.seek(max(0, self.program.log.stat().st_size - 8192))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])


class Supervisor:
    """Runs programs until a signal, restarting those that end.

    Args:
        programs: What to keep running.
        grace_seconds: How long a stop waits before it kills.
        say: Takes one line for the user.
        on_exit: Called with the name and the process id of a child that ended by itself.
        on_poll: Called a few times a second.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        grace_seconds: float,
        say: Callable[[str], None],
        on_exit: Callable[[str, int], None] = lambda _name, _pid: None,
        on_poll: Callable[[], None] = lambda: None,
    ) -> None:
        self.children = [Child(program) for program in programs]
        self.grace_seconds = grace_seconds
        self.say = say
        self.on_exit = on_exit
        self.on_poll = on_poll
        self._signals = 0

    def add(self, program: Program) -> None:
        """Look after one more program."""
        self.children.append(Child(program))

    def run(self) -> None:
        """Keep the programs running; returns after SIGINT, SIGTERM or SIGHUP with every process gone."""
        with self._handling_signals() as wakeup:
            try:
                while not self._signals:
                    for child in list(self.children):
                        self._keep(child)
                    self.on_poll()
                    _drain(wakeup, POLL_SECONDS)
            finally:
                self._stop(wakeup)

    def _keep(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_at:
                child.start()
            return
        code = child.process.poll()
        if code is None:
            return
        pid = child.process.pid
        child.signal_group(signal.SIGKILL)
        child.process = None
        if child.program.once:
            self.children.remove(child)
            return
        child.failures = 1 if now - child.started_at >= STEADY_SECONDS else child.failures + 1
        delay = min(FIRST_DELAY_SECONDS * 2 ** (child.failures - 1), LONGEST_DELAY_SECONDS)
        child.start_at = now + delay
        self.say(f"{child.program.name} ended ({describe_exit(code)}); starting it again in {delay:g} s.")
        if child.failures > 1 and (tail := child.log_tail()):
            self.say(f"It wrote last, in {child.program.log}:\n{tail}")
        self.on_exit(child.program.name, pid)

    def _stop(self, wakeup: int) -> None:
        signals = self._signals
        children = [child for child in self.children if child.process is not None]
        family = _descendants(children)
        if children:
            self.say("Stopping; runs save where they are. Ctrl-C again does not wait.")
        for child in children:
            child.signal_group(signal.SIGTERM)
        deadline = time.monotonic() + self.grace_seconds
        while any(child.process and child.process.poll() is None for child in children):
            # Asked again: the user does not want to wait.
            if time.monotonic() >= deadline or self._signals > signals:
                break
            _drain(wakeup, POLL_SECONDS)
        family |= _descendants(children)
        for child in children:
            child.signal_group(signal.SIGKILL)
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for child in children:
            if child.process is not None:
                child.process.wait()
                child.process = None
        psutil.wait_procs(family, timeout=5)

    @contextmanager
    def _handling_signals(self) -> Iterator[int]:
        """Counts stop signals; yields a descriptor that becomes readable with each, so that no wait outlasts one."""
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)

        def count(_number: int, _frame: FrameType | None) -> None:
            self._signals += 1

        def ignore(_number: int, _frame: FrameType | None) -> None:
            """Only to be woken."""

        handlers = {signal.SIGINT: count, signal.SIGTERM: count, signal.SIGHUP: count, signal.SIGCHLD: ignore}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        wakeup_before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(wakeup_before)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(reader)
            os.close(writer)


def describe_exit(code: int) -> str:
    """An exit status in words."""
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def _drain(reader: int, timeout_seconds: float) -> None:
    select.select([reader], [], [], timeout_seconds)
    with suppress(BlockingIOError):
        os.read(reader, 4096)


def _descendants(children: Sequence[Child]) -> set[psutil.Process]:
    """Everything below the children: a grandchild in a session of its own is in no group we can signal."""
    found: set[psutil.Process] = set()
    for child in children:
        with suppress(psutil.Error):
            found.update(psutil.Process(child.pid).children(recursive=True))
    return found


@contextmanager
def _log(path: Path | None) -> Iterator[IO[bytes] | None]:
    if path is None:
        yield None
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".old.log"))
    with path.open("ab") as file:
        yield file
