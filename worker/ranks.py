"""A training by several processes: this one forks them, watches them, and ends with them.

They stay in this process's group, so whoever kills the group kills them all, and the kernel kills each of them when
this one dies. It computes nothing itself.
"""

import json
import logging
import math
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from worker.context import Member
from worker.guard import die_with_parent

logger = logging.getLogger("aft.run")

WAIT_SECONDS = 0.1
STOP_GRACE_SECONDS = 10.0
"""A process that stopped before the training began leaves the others waiting for it; they get so long."""
FAILURE_GRACE_SECONDS = 1.0
"""How long the others may take to notice that one is gone, before they are killed."""


def processes_of(config: dict[str, Any]) -> int:
    """How many processes a run's configuration asks for."""
    return int((config.get("parallel") or {}).get("processes", 1))


def launch(directory: Path, processes: int, compute: Callable[[Member], int], *, succeeded: int, stopped: int) -> int:
    """Compute in forked processes until all have succeeded or stopped, or one has not.

    Args:
        directory: The attempt's; each process leaves its word there as ``outcome_name`` says.
        processes: How many.
        compute: Called in each process; returns its exit code.
        succeeded: The exit code of a process that is done.
        stopped: The exit code of a process that was asked to stop.

    Returns:
        The exit code of the process that was killed or failed first, else that of all. Its word is the attempt's.
    """
    # Each process answers the signal itself; this one waits for what they make of it.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    meeting = directory / "meeting"
    meeting.unlink(missing_ok=True)
    running: dict[int, int] = {}
    parent = os.getpid()
    for rank in range(processes):
        pid = os.fork()
        if pid == 0:
            _become_member(parent, Member(rank, processes, meeting), compute)
        running[pid] = rank
    codes: dict[int, int] = {}
    kill_at = float("inf")
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid:
            rank = running.pop(pid)
            codes[rank] = code = os.waitstatus_to_exitcode(status)
            if code != succeeded:
                grace = STOP_GRACE_SECONDS if code == stopped else FAILURE_GRACE_SECONDS
                kill_at = min(kill_at, time.monotonic() + grace)
        elif time.monotonic() > kill_at:
            logger.info("%d of %d processes did not end by themselves", len(running), processes)
            _kill(running)
            break
        else:
            time.sleep(WAIT_SECONDS)
    bad = [rank for rank, code in codes.items() if code not in {succeeded, stopped}]
    if stopped in codes.values():
        return stopped
    if not bad:
        return succeeded
    culprit = min(bad, key=lambda rank: (codes[rank] > 0, _when(directory / outcome_name(rank))))
    logger.info("process %d of %d ended with code %d, and so did the run", culprit + 1, processes, codes[culprit])
    if culprit > 0:
        # What the first process said is how it noticed the other's end.
        (directory / outcome_name(0)).unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            (directory / outcome_name(culprit)).replace(directory / outcome_name(0))
    return codes[culprit]


def outcome_name(rank: int) -> str:
    """File in which a process says how it ended."""
    return "outcome.json" if rank == 0 else f"outcome-{rank}.json"


def read_word(directory: Path) -> dict[str, Any] | None:
    """The word an attempt left, if it did."""
    try:
        outcome: dict[str, Any] = json.loads((directory / outcome_name(0)).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return outcome


def _become_member(parent: int, member: Member, compute: Callable[[Member], int]) -> None:
    code = 1
    try:
        die_with_parent(parent)
        os.environ.update(RANK=str(member.rank), LOCAL_RANK=str(member.rank), WORLD_SIZE=str(member.processes))
        code = compute(member)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _when(word: Path) -> float:
    """When a process said how it ended; the others follow the first one."""
    try:
        return word.stat().st_mtime_ns
    except OSError:
        return math.inf


def _kill(running: dict[int, int]) -> None:
    for pid in running:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for pid in running:
        os.waitpid(pid, 0)
