"""``aft demo``: run the built-in comparison and follow it."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from backend import jobs
from backend.cli.experiments import show_command
from backend.cli.locking import noted_address
from backend.cli.output import fail
from backend.db.session import reading, transaction
from backend.services import demo, experiments, workers
from backend.settings import get_settings

console = Console()
LOOK_SECONDS = 1.0
START_SECONDS = 120.0
PATIENCE_SECONDS = 60.0


def demo_command(
    short: Annotated[bool, typer.Option(help="Only prove the path, in about a minute.")] = False,
    follow: Annotated[bool, typer.Option(help="Show progress until it ends, then the table.")] = True,
) -> None:
    """Run a real comparison on the built-in model and task, in about 10 minutes on 2 cores.

    Uses the server that runs on this data directory, or starts one for as long as the demo takes.
    """
    with _server():
        with transaction() as session:
            experiment, already = demo.start(session, short=short)
            doorbells = jobs.pending(session)
        for run_id, attempt in doorbells:
            jobs.ring(run_id, attempt)
        address = noted_address(get_settings().root) or ""
        console.print(f"Experiment {experiment.id} {'is there already' if already else 'started'}.")
        console.print(f"Charts: {address}/compare/{experiment.id} (sign in with the link of `aft login-link`)")
        if follow:
            _follow(experiment.id)
            show_command(experiment.id)


@contextmanager
def _server() -> Iterator[None]:
    root = get_settings().root
    if noted_address(root) is not None:
        yield
        return
    console.print("No server runs on this data directory; starting one for the demo.")
    process = subprocess.Popen([sys.executable, "-m", "backend.cli.main", "up", "--no-browser"])
    try:
        deadline = time.monotonic() + START_SECONDS
        while noted_address(root) is None:
            if process.poll() is not None:
                fail(f"The server ended with status {process.returncode}; its messages are above.")
            if time.monotonic() > deadline:
                fail(f"The server was not ready after {START_SECONDS:.0f} s. `aft doctor` says what is wrong.")
            time.sleep(LOOK_SECONDS)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def _follow(experiment_id: str) -> None:
    idle_since = time.monotonic()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} runs"),
    )
    with reading() as session:
        total = sum(experiments.state_counts(session, [experiment_id])[experiment_id].values())
    with Progress(*columns, TimeElapsedColumn(), console=console) as bar:
        task = bar.add_task("Demo", total=total)
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
