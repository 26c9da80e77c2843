"""Whether two mathematical expressions are the same, decided by Math-Verify in a process of its own.

Math-Verify hands what models write to a computer algebra system, where an answer such as ``9^{9^{9^9}}`` computes
without end, and it guards itself with signals, which work in no thread but the first. So one helper process a
Python process does it, with limits of computing time and memory that the system enforces; the web server's
threads and a trainer's may ask it alike. A limit of computing time, unlike one of the clock, gives the same labels
on a busy machine.
"""

import atexit
import functools
import json
import os
import subprocess
import sys
import threading
from typing import Final

from aft.answers.expressions import LONGEST_EXPRESSION, words_of
from aft.answers.numbers import parse_number

_CACHED: Final = 65_536


@functools.lru_cache(maxsize=_CACHED)
def same_expression(answer: str, gold: str) -> bool:
    """Tell whether an answer equals the gold answer.

    Two plain numbers are compared exactly and words as words; everything else by Math-Verify, numerically and
    symbolically. An answer that cannot be read, or not be compared within the limits of computing time and memory,
    is not the same.

    Args:
        answer: The answer, as `aft.answers.expressions.expression_text` writes it.
        gold: The gold answer, written likewise.

    Raises:
        RuntimeError: If the helper process cannot start.
    """
    if answer == gold:
        return True
    number, right = parse_number(answer), parse_number(gold)
    if number is not None and right is not None:
        return number == right
    said, wanted = words_of(answer), words_of(gold)
    if said is not None or wanted is not None:
        return said == wanted
    if max(len(answer), len(gold)) > LONGEST_EXPRESSION:
        return False
    return _helper.same(answer, gold)


class _Helper:
    """The helper process: started when first asked, and again after it ran into a limit."""

    def __init__(self, seconds: int = 3) -> None:
        self._seconds = seconds
        """Computing time for one comparison; real answers take a tenth of one."""
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def same(self, answer: str, gold: str) -> bool:
        with self._lock:
            process = self._process or self._start()
            request = json.dumps({"answer": answer, "gold": gold}).encode() + b"\n"
            try:
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(request)
                reply = process.stdout.readline()
            except OSError:
                reply = b""
            if not reply:
                self.stop()  # it ran into a limit and is gone
            return reply == b"true\n"

    def _start(self) -> subprocess.Popen[bytes]:
        paths = [path or os.getcwd() for path in sys.path]
        self._process = process = subprocess.Popen(
            [sys.executable, "-m", "aft.answers.equality_process", str(self._seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            self.stop()
            raise RuntimeError(
                "Mathematical answers cannot be graded: the process that runs Math-Verify does not start. "
                f"Try `{sys.executable} -m aft.answers.equality_process 3` and install math-verify if it is missing."
            )
        return process

    def stop(self) -> None:
        """End the process; the next question starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def forget(self) -> None:
        """In a forked child: leave the parent's process to the parent, and close its pipes here."""
        process, self._process = self._process, None
        self._lock = threading.Lock()
        if process is not None:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
            process.returncode = 0  # it is no child of this process: nothing to wait for


_helper = _Helper()
atexit.register(_helper.stop)
os.register_at_fork(after_in_child=_helper.forget)
