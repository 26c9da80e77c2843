"""Watch a run from a terminal until it ends."""

import time
from typing import Final

from rich.console import Console
from rich.progress import Progress

from backend.cli.output import fail
from backend.db.models import Run
from backend.db.session import reading
from backend.services import run_views, runs, workers

POLL_SECONDS: Final = 0.2


def follow(run_id: str, console: Console) -> None:
    """Show progress until the run has succeeded; ends the command with the cause when it has not."""
    with Progress(console=console) as bars:
        bar = bars.add_task("Waiting for a worker", total=None)
        told = False
        while True:
            with reading() as session:
                run = runs.get(session, run_id)
                alone = run.state == "queued" and not workers.live(session)
            progress = run_views.progress(run)
            bars.update(bar, total=progress.total, completed=progress.done, description=progress.phase or run.state)
            if run.state in runs.FINISHED:
                break
            if alone and not told:
                told = True
                console.print("No worker is running: start one with `aft up` or `aft worker`; this waits for it.")
            time.sleep(POLL_SECONDS)
    if run.state != "succeeded":
        fail(_cause(run))


def _cause(run: Run) -> str:
    error = run.error or {}
    parts = (error.get("detail") or error.get("title") or f"'{run.name}' was {run.state}.", error.get("remedy"))
    return " ".join(str(item) for item in parts if item)
