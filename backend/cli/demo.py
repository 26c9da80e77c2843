"""``aft demo``: run the built-in comparison and follow it."""

from typing import Annotated

import typer
from rich.console import Console

from backend import jobs
from backend.cli.experiments import show_command
from backend.cli.locking import noted_address
from backend.cli.serving import follow_experiment, served
from backend.db.session import transaction
from backend.services import demo
from backend.settings import get_settings

console = Console()


def demo_command(
    short: Annotated[bool, typer.Option(help="Only prove the path, in about a minute.")] = False,
    follow: Annotated[bool, typer.Option(help="Show progress until it ends, then the table.")] = True,
) -> None:
    """Run a real comparison on the built-in model and task, in about 10 minutes on 2 cores.

    Uses the server that runs on this data directory, or starts one for as long as the demo takes.
    """
    with served():
        with transaction() as session:
            experiment, already = demo.start(session, short=short)
            doorbells = jobs.pending(session)
        for run_id, attempt in doorbells:
            jobs.ring(run_id, attempt)
        address = noted_address(get_settings().root) or ""
        console.print(f"Experiment {experiment.id} {'is there already' if already else 'started'}.")
        console.print(f"Charts: {address}/compare/{experiment.id} (sign in with the link of `aft login-link`)")
        if follow:
            follow_experiment(experiment.id, "Demo")
            show_command(experiment.id)
