"""Trackers of one attempt: a tracker that is missing or fails is left out, and the run goes on."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import select

from aft.config.trackers import TrackerName
from aft.training.trackers import TrackedRun, Tracker, finite, is_installed, open_tracker
from backend.db.models import Experiment, ExperimentRun, Result
from backend.db.session import reading, transaction
from backend.services import events
from backend.services.runs import Claim, LeaseLost
from backend.settings import get_settings
from worker.context import Stopped
from worker.sinks import RunSink, SilentSink

logger = logging.getLogger("aft.run")
TRACKED_KINDS = frozenset({"train", "pretrain", "evaluate"})

Complain = Callable[[str, str], None]
"""Told the tracker's name and what is wrong with it."""


class Trackers:
    """A metric sink that fans out to every tracker asked for.

    Args:
        names: Trackers, in the order of the settings.
        run: The run.
        root: Each tracker's files lie below ``root/<name>``.
        complain: Told once about each tracker that cannot be used or fails.
    """

    def __init__(self, names: Sequence[TrackerName], run: TrackedRun, root: Path, complain: Complain) -> None:
        self._complain = complain
        self._open: dict[str, Tracker] = {}
        for name in names:
            if not is_installed(name):
                complain(name, f"the package '{name}' is not installed where the run computes")
                continue
            try:
                self._open[name] = open_tracker(name, run, root / name)
            except Exception as error:
                complain(name, _words(error))

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Pass the finite values on."""
        if kept := finite(values):
            self._each(lambda tracker: tracker.write(step, kept))

    def close(self, outcome: str) -> None:
        """End the run in every tracker.

        Args:
            outcome: succeeded, failed or stopped.
        """
        self._each(lambda tracker: tracker.close(outcome))
        self._open.clear()

    def _each(self, act: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._open.items()):
            try:
                act(tracker)
            except Exception as error:
                # Whatever a tracker does wrong, the run is not about the tracker.
                del self._open[name]
                self._complain(name, _words(error))


@contextmanager
def following(claim: Claim, sink: RunSink | SilentSink) -> Iterator[None]:
    """Send what the sink gets to the run's trackers too, and end the run there as it ends here."""
    if isinstance(sink, SilentSink):
        # Of several processes the first alone tells the trackers.
        yield
        return
    trackers = open_for(claim)
    sink.also.append(trackers)
    outcome = "failed"
    try:
        yield
        outcome = "succeeded"
        if claim.kind == "evaluate":
            trackers.write(0, results_of(claim))
    except (Stopped, LeaseLost):
        outcome = "stopped"
        raise
    finally:
        sink.also.remove(trackers)
        trackers.close(outcome)


def open_for(claim: Claim) -> Trackers:
    """The trackers that the settings and the run's experiments ask for."""
    group, names = _wanted(claim)

    def complain(name: str, problem: str) -> None:
        logger.warning("%s does not get this run's numbers: %s", name, problem)
        with transaction() as session:
            data = {"tracker": name, "problem": problem}
            events.publish(session, "run", "tracker failed", run_id=claim.run_id, data=data)

    run = TrackedRun(claim.run_id, claim.name, group, claim.config)
    if names:
        logger.info("logging to %s below %s", ", ".join(names), get_settings().root / "trackers")
    return Trackers(names, run, get_settings().root / "trackers", complain)


def results_of(claim: Claim) -> dict[str, float]:
    """The numbers of an evaluation, for trackers: ``eval/task_accuracy`` and so on."""
    with reading() as session:
        query = select(Result.metric, Result.value).where(Result.run_id == claim.run_id)
        return {f"eval/{metric}": value for metric, value in session.execute(query) if value is not None}


def _wanted(claim: Claim) -> tuple[str, list[TrackerName]]:
    if claim.kind not in TRACKED_KINDS:
        return claim.kind, []
    with reading() as session:
        query = (
            select(Experiment.name, Experiment.spec)
            .join(ExperimentRun, ExperimentRun.experiment_id == Experiment.id)
            .where(ExperimentRun.run_id == claim.run_id, Experiment.deleted_at.is_(None))
            .order_by(Experiment.id)
        )
        found = session.execute(query).all()
    names = [*get_settings().tracker_names, *(name for row in found for name in row.spec.get("trackers", ()))]
    return (found[0].name if found else claim.kind), list(dict.fromkeys(names))


def _words(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:300]}" if text else type(error).__name__
