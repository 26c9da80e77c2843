"""Commands that need runs to be computed: a server for as long as they take, and their progress."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from backend.cli.addresses import answers
from backend.cli.locking import noted_address
from backend.cli.output import fail
from backend.cli.supervisor import dying_with_parent
from backend.db.session import reading
from backend.services import experiments, workers
from backend.settings import get_settings

console = Console()
LOOK_SECONDS = 1.0
START_SECONDS = 120.0
PATIENCE_SECONDS = 60.0


@contextmanager
def served() -> Iterator[None]:
    """The server that runs on the data directory, or one for as long as this lasts."""
    root = get_settings().root
    if noted_address(root) is not None:
        yield
        return
    console.print("No server runs on this data directory; starting one for as long as this takes.")
    process = subprocess.Popen(
        [sys.executable, "-m", "backend.cli.main", "up", "--no-browser"],
        # A killed command leaves no server behind; SIGINT lets its runs save where they are.
        preexec_fn=dying_with_parent(signal.SIGINT),
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _is_ready(noted_address(root)):
            if process.poll() is not None:
                fail(f"The server ended with status {process.returncode}; its messages are above.")
            if time.monotonic() > deadline:
                fail(f"The server was not ready after {START_SECONDS:.0f} s. `aft doctor` says what is wrong.")
            time.sleep(LOOK_SECONDS)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def _is_ready(address: str | None) -> bool:
    """Whether the server answers; its address is noted before it has made what every installation has."""
    return address is not None and answers(f"{address}/ready")


def follow_experiment(experiment_id: str, name: str) -> None:
    """Show an experiment's progress until nothing of it is under way."""
    idle_since = time.monotonic()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} runs"),
    )
    with reading() as session:
        total = sum(experiments.state_counts(session, [experiment_id])[experiment_id].values())
    with Progress(*columns, TimeElapsedColumn(), console=console) as bar:
        task = bar.add_task(name, total=total)
        while True:
            with reading() as session:
                counts = experiments.state_counts(session, [experiment_id])[experiment_id]
                alive = bool(workers.live(session))
            bar.update(task, completed=counts.get("succeeded", 0), total=sum(counts.values()))
            if experiments.state_of(counts) != "running":
                return
            if alive:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since > PATIENCE_SECONDS:
                fail("No worker is running, so nothing goes on. Start one with `aft worker`, then call this again.")
            time.sleep(LOOK_SECONDS)
