"""What a task is given: the run, its inputs, where to write and whom to tell."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend import storage
from backend.db.session import reading
from backend.services import checkpoints
from backend.services.runs import Claim
from worker.failures import RunFailure

if TYPE_CHECKING:
    from worker.sinks import RunSink, SilentSink


class Stopped(Exception):
    """The task was asked to stop and has saved what it needs to go on later."""


@dataclass(frozen=True, slots=True)
class Member:
    """One of the processes that compute a run."""

    rank: int = 0
    """The first alone writes to the database."""
    processes: int = 1
    meeting: Path | None = None
    """A file through which they find each other."""


ALONE = Member()


@dataclass(frozen=True, slots=True)
class RunContext:
    """One attempt of a run, as its task sees it."""

    claim: Claim
    config: Any
    """The kind's configuration class."""
    directory: Path
    """Files of the run; all attempts share it."""
    device: str
    """cpu, or cuda:0: the process sees its own GPU only."""
    threads: int
    should_stop: Callable[[], bool]
    sink: "RunSink | SilentSink"
    member: Member = ALONE

    @property
    def run_id(self) -> str:
        """Id of the run."""
        return self.claim.run_id

    def stop_if_asked(self) -> None:
        """Leave the task when it should stop.

        Raises:
            Stopped: If so.
        """
        if self.should_stop():
            raise Stopped

    def input(self, name: str) -> Any:
        """An input that the run cannot do without.

        Raises:
            RunFailure: If it is missing.
        """
        value = self.claim.inputs.get(name)
        if value is None:
            raise RunFailure(
                f"The run has no {name}",
                f"A run of kind '{self.claim.kind}' reads its {name}, and this one has none.",
                "Start it from an experiment, which fills in every input.",
            )
        return value

    def parent(self, role: str) -> str:
        """Id of the input run with this role.

        Raises:
            RunFailure: If there is none.
        """
        run_id = self.claim.parents.get(role)
        if run_id is None:
            raise RunFailure(
                f"The run has no input run '{role}'",
                f"A run of kind '{self.claim.kind}' with these settings needs one.",
                "Start it from an experiment, which plans every input run.",
            )
        return run_id

    def model_directory(self, role: str) -> Path:
        """The final model of the input run with this role.

        Raises:
            RunFailure: If it has been deleted.
        """
        run_id = self.parent(role)
        with reading() as session:
            place = checkpoints.final_directory(session, run_id)
        if place is None:
            raise RunFailure(
                f"The model of input run '{role}' is gone",
                f"Run {run_id} has no final checkpoint on the disk.",
                "Retry that run, then this one.",
            )
        return place

    def storage_key(self, *names: str) -> str:
        """Key of a file in the run's directory."""
        return storage.new_key("runs", self.run_id, *names)
