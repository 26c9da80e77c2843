"""The helper process of `aft.answers.equality`: reads pairs as JSON lines, answers ``true`` or ``false``."""

import json
import logging
import math
import os
import resource
import signal
import sys
from types import FrameType
from typing import Any, Final, NoReturn

_GRACE_SECONDS: Final = 1
_MOST_BYTES: Final = 2 << 30


class _TooLongError(BaseException):
    """No exception that a library would catch."""


def _too_long(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _TooLongError


def _limit_computing(limit: int) -> None:
    """Let Python be interrupted after so many seconds, and the system end the process where that does not help.

    A single operation on integers of billions of digits returns to no signal handler.
    """
    signal.setitimer(signal.ITIMER_PROF, limit)
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = math.ceil(used.ru_utime + used.ru_stime) + limit + _GRACE_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _same(math_verify: Any, answer: str, gold: str) -> bool:
    def parsed(expression: str) -> Any:
        return math_verify.parse(
            f"\\boxed{{{expression}}}",
            [math_verify.LatexExtractionConfig(boxed_match_priority=0), math_verify.ExprExtractionConfig()],
            fallback_mode="no_fallback",
            parsing_timeout=None,
        )

    return bool(math_verify.verify(parsed(gold), parsed(answer), timeout_seconds=None))


def main(limit: int) -> None:
    """Answer until the standard input ends, which it does with the process that asks.

    Args:
        limit: Seconds of computing time for one comparison.
    """
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a library prints is no answer
    import math_verify

    logging.disable(logging.CRITICAL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))
    signal.signal(signal.SIGPROF, _too_long)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers.write(b"ready\n")
    for line in sys.stdin.buffer:
        pair = json.loads(line)
        try:
            _limit_computing(limit)
            same = _same(math_verify, pair["answer"], pair["gold"])
        except (_TooLongError, Exception):
            same = False
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        answers.write(b"true\n" if same else b"false\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
