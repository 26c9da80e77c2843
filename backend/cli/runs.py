"""``aft runs``: look at runs, stop them, try them again, write what chosen ones show."""

from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from backend import jobs
from backend.cli import comparison_files
from backend.cli.output import fail, id_column
from backend.db.models import Run
from backend.db.session import reading, transaction
from backend.errors import AppError
from backend.services import measurements, run_views, runs

app = typer.Typer(help="List, inspect, compare, cancel and retry runs.", no_args_is_help=True)
console = Console()
app.command("table")(comparison_files.runs_table)
app.command("report")(comparison_files.runs_report)
app.command("bundle")(comparison_files.runs_bundle)


@app.command("list")
def list_command(
    state: Annotated[list[str] | None, typer.Option(help="Only these states.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """List runs, newest first."""
    table = Table(id_column("Id"), "Kind", "Name", "State", "Progress")
    with reading() as session:
        found = run_views.list_page(session, run_views.RunFilter(states=tuple(state or ())), after=None, limit=limit)
    for run in found[:limit]:
        total = f"{run.progress_done}/{run.progress_total}" if run.progress_total else ""
        table.add_row(run.id, run.kind, run.name, run.state, total)
    console.print(table)


@app.command("log")
def log_command(run_id: str, search: Annotated[str | None, typer.Option(help="Only lines with this.")] = None) -> None:
    """Print the end of a run's log."""
    with reading() as session:
        _known(session, run_id)
    typer.echo(run_views.read_log(run_id, start=-65_536, search=search).text)


@app.command("cancel")
def cancel_command(run_ids: list[str]) -> None:
    """Stop runs; those computing write a checkpoint first."""
    _each(run_ids, runs.request_cancel)


@app.command("retry")
def retry_command(run_ids: list[str]) -> None:
    """Queue failed or cancelled runs again."""
    _each(run_ids, runs.retry)


@app.command("recompute")
def recompute_command(run_id: str) -> None:
    """Make an evaluation's numbers anew from its stored responses and scores; fails if one differs."""
    table = Table("Metric", "Stored", "Recomputed", "n", "95 % interval")
    try:
        with reading() as session:
            found = measurements.recompute(session, runs.get(session, run_id))
    except AppError as error:
        fail(f"{error.detail} {error.remedy}".strip())
    for item in found:
        low, high = item.details.get("low"), item.details.get("high")
        interval = "–" if low is None or high is None else f"{low:.4f} to {high:.4f}"
        values = ("–" if value is None else f"{value:.6g}" for value in (item.stored, item.recomputed))
        table.add_row(item.metric, *values, str(item.n), interval)
    console.print(table)
    different = [item.metric for item in found if not item.is_equal]
    if different:
        fail(f"Not equal to the stored numbers: {', '.join(different)}.")


def _each(run_ids: list[str], act: Callable[[Session, str], Run]) -> None:
    try:
        with transaction() as session:
            for run_id in run_ids:
                run = act(session, run_id)
                console.print(f"{run.id} {run.state}")
            doorbells = jobs.pending(session)
    except AppError as error:
        fail(f"{error.detail} {error.remedy}")
    for run_id, attempt in doorbells:
        jobs.ring(run_id, attempt)


def _known(session: Session, run_id: str) -> Run:
    try:
        return runs.get(session, run_id)
    except AppError as error:
        fail(f"{error.detail} {error.remedy}")
