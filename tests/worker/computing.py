"""Runs a task in the test's own process, as the computing process would."""

import threading
from typing import Any

from backend.db.session import transaction
from backend.services import runs
from backend.services.runs import Claim, Outcome
from worker import child
from worker.sinks import RunSink, StepFile


class StopAfter(threading.Event):
    """Asks to stop once it has been looked at ``looks`` times."""

    def __init__(self, looks: int | None) -> None:
        super().__init__()
        self._left = looks

    def is_set(self) -> bool:
        """Whether to stop."""
        if self._left is None:
            return False
        self._left -= 1
        return self._left < 0


def claim_it(run_id: str) -> Claim:
    """Claim a queued run."""
    with transaction() as session:
        claim = runs.claim(session, run_id, runs.get(session, run_id).attempt, "host:0:1:test", "cpu")
    assert claim is not None
    return claim


def compute(run_id: str, *, looks: int | None = None) -> None:
    """Compute a queued run to its end; with ``looks`` it is stopped and queued again."""
    from worker.context import Stopped

    claim = claim_it(run_id)
    request = child.make_request(claim, device="cpu", threads=1)
    directory = child.attempt_directory(claim.run_id, claim.attempt)
    sink = RunSink(claim, directory.parent / "metrics.jsonl", StepFile(directory / "step"))
    try:
        child.compute(claim, request, sink, StopAfter(looks))
    except Stopped:
        assert looks is not None, "it stopped by itself"
        with transaction() as session:
            assert runs.requeue(session, claim)
        return
    assert looks is None, f"it ended before it was looked at {looks} times"
    with transaction() as session:
        assert runs.finish(session, claim, Outcome("succeeded"))


def create(**values: Any) -> str:
    """A run in a transaction of its own; ``parents`` are ids."""
    from tests.factories import make_run

    with transaction() as session:
        parents = {role: runs.get(session, run_id) for role, run_id in values.pop("parents", {}).items()}
        return make_run(session, parents=parents, **values).id
