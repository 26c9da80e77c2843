"""The computing process of one attempt: runs the task, leaves a word about how it ended.

``main`` is the one entry, whether the nursery forked this process or ``python -m worker.child`` started it.
"""

import json
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

from backend import jobs, storage
from backend.db.session import reset_engines, transaction
from backend.services import runs
from backend.services.runs import Claim, LeaseLost
from worker import failures, preflight, ranks, tasks, tracking
from worker.context import ALONE, Member, RunContext, Stopped
from worker.guard import die_with_parent
from worker.sinks import RunSink, SilentSink, StepFile

logger = logging.getLogger("aft.run")

SUCCEEDED, FAILED, STOPPED, FENCED = 0, 1, 3, 4
LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"
NICENESS = 5
"""The pages stay quick while every core computes."""


def attempt_directory(run_id: str, attempt: int) -> Path:
    """Where an attempt leaves its word and its last step."""
    return storage.path(storage.new_key("runs", run_id, f"attempt-{attempt}"))


def write_to_log(log: str) -> None:
    """Send everything this process prints to the run's log file."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for target in (1, 2):
        os.dup2(descriptor, target)
    os.close(descriptor)


def make_request(claim: Claim, *, device: str, threads: int) -> dict[str, Any]:
    """What ``main`` needs, as JSON; makes the run's directories."""
    attempt_directory(claim.run_id, claim.attempt).mkdir(parents=True, exist_ok=True)
    return {"claim": claim.as_dict(), "device": device, "threads": threads, "log": str(runs.log_path(claim.run_id))}


def read_outcome(claim: Claim) -> dict[str, Any] | None:
    """The word an attempt left, if it did."""
    return ranks.read_word(attempt_directory(claim.run_id, claim.attempt))


def main(request: dict[str, Any]) -> int:
    """Compute one attempt, in as many processes as it asks for; returns the exit code (negative: a signal)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    claim = Claim(**request["claim"])
    processes = ranks.processes_of(claim.config)
    if processes == 1:
        return attempt(request, ALONE)
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr, force=True)
    code = ranks.launch(
        attempt_directory(claim.run_id, claim.attempt),
        processes,
        lambda member: attempt(request, member),
        succeeded=SUCCEEDED,
        stopped=STOPPED,
    )
    if code < 0:
        # The supervisor is to see what happened to the process that computed.
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def attempt(request: dict[str, Any], member: Member) -> int:
    """What one process does for an attempt; returns its exit code."""
    stop = threading.Event()

    def on_terminate(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_terminate)
    # Connections of the process this one was forked from are not ours to use.
    reset_engines()
    jobs.reset()
    prefix = f"[{member.rank + 1}/{member.processes}] " if member.processes > 1 else ""
    logging.basicConfig(level=logging.INFO, format=f"{prefix}{LOG_FORMAT}", stream=sys.stderr, force=True)
    claim = Claim(**request["claim"])
    directory = attempt_directory(claim.run_id, claim.attempt)
    lines = directory.parent / "metrics.jsonl"
    sink = RunSink(claim, lines, StepFile(directory / "step")) if member.rank == 0 else SilentSink()
    started = time.monotonic()
    outcome: dict[str, Any]
    logger.info(
        "attempt %d of '%s' on %s, %d thread(s)", claim.attempt, claim.name, request["device"], request["threads"]
    )
    try:
        compute(claim, request, sink, stop, member)
    except LeaseLost as error:
        logger.warning("stopped without writing anything more: %s", error)
        return FENCED
    except Stopped:
        code = STOPPED
        outcome = {"state": "stopped"}
    except BaseException as error:
        logger.exception("the run failed")
        passing = failures.is_passing(error)
        code = FAILED
        outcome = {"state": "lost" if passing else "failed", "error": failures.describe(error, sink.last_step)}
    else:
        code = SUCCEEDED
        outcome = {"state": "succeeded"}
    logger.info("%s after %.1f s", outcome["state"], time.monotonic() - started)
    _write_outcome(directory / ranks.outcome_name(member.rank), outcome)
    return code


def compute(
    claim: Claim, request: dict[str, Any], sink: RunSink | SilentSink, stop: threading.Event, member: Member = ALONE
) -> None:
    """Run the task; leaves by `Stopped` when it was stopped in order, by `LeaseLost` when it is fenced."""
    if member.rank == 0:
        with transaction() as session:
            runs.begin(session, claim)
    task = tasks.find(claim.kind)
    # The process sees the GPUs of its slot only.
    device = f"cuda:{member.rank}" if request["device"].startswith("cuda") else "cpu"
    context = RunContext(
        claim=claim,
        config=task.CONFIG.model_validate(claim.config),
        directory=storage.directory("runs", claim.run_id),
        device=device,
        threads=max(1, request["threads"] // member.processes),
        should_stop=stop.is_set,
        sink=sink,
        member=member,
    )
    preflight.check(context)
    with tracking.following(claim, sink):
        try:
            task.run(context)
        finally:
            sink.close()


def _write_outcome(place: Path, outcome: dict[str, Any]) -> None:
    hidden = place.with_name(f".{place.name}")
    try:
        hidden.write_text(json.dumps(outcome), encoding="utf-8")
        hidden.replace(place)
    except OSError:
        # The supervisor then goes by the exit code; the reason is in the log.
        logger.exception("the outcome could not be written")


if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]))
    code = main(json.load(sys.stdin))
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(code)
