"""``aft experiments``: what the Experiments pages do, from a terminal."""

import hashlib
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from aft.config.experiment import ExperimentSpec
from aft.config.grid import BUILTIN
from aft.paper.preset import mini_spec, paper_spec
from aft.paper.presets import NAMES
from backend import jobs
from backend.cli import comparison_files, experiment_changes
from backend.cli.acting import plain_errors, words
from backend.cli.output import fail, id_column, percent
from backend.db.session import reading, transaction
from backend.errors import AppError
from backend.schemas.comparison import Comparison, ComparisonOptions
from backend.services import blocks, comparison, experiments, presets, previews, sampling_endpoints, usage

app = typer.Typer(help="Plan, start, follow and compare experiments.", no_args_is_help=True)
console = Console()
app.command("table")(comparison_files.experiment_table)
app.command("report")(comparison_files.experiment_report)
app.command("bundle")(comparison_files.experiment_bundle)
app.command("pause")(experiment_changes.pause)
app.command("resume")(experiment_changes.resume)
app.command("prioritise")(experiment_changes.prioritise)
app.command("extend")(experiment_changes.extend)
app.command("delete")(experiment_changes.delete)
app.command("restore")(experiment_changes.restore)


def load_spec(file: Path) -> ExperimentSpec:
    """Read a specification from YAML; errors name the field."""
    try:
        body: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
        return ExperimentSpec.model_validate(body)
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}.")
    except yaml.YAMLError as error:
        fail(f"{file} is not YAML: {error}")
    except ValidationError as error:
        fail("\n".join([f"{file} is not an experiment:", *(f"  {line}" for line in words(error))]))


@app.command("plan")
def plan_command(file: Annotated[Path, typer.Argument(help="An experiment as YAML.")]) -> None:
    """Show the runs, what is reused, the estimates and the warnings; nothing starts."""
    spec = load_spec(file)
    try:
        with reading() as session:
            preview = previews.preview(session, spec)
    except AppError as error:
        fail(f"{error.detail} {error.remedy}")
    table = Table("Cell", "Kind", "After", "Estimate")
    for item in preview.planned.runs:
        seconds = preview.seconds.get(item.cell)
        after = ", ".join(sorted(set(item.parents.values())))
        table.add_row(item.cell, item.kind, after, "reused" if seconds is None else f"{seconds:.0f} s")
    console.print(table)
    for finding in preview.warnings:
        console.print(f"[bold]{finding.level}[/bold] {finding.message} {finding.remedy}")
    console.print(f"About {preview.wall_seconds / 60:.1f} min, {preview.disk_bytes / 1e6:.0f} MB of disk.")


@app.command("start")
def start_command(
    file: Annotated[Path, typer.Argument(help="An experiment as YAML.")],
    repeat: Annotated[bool, typer.Option(help="Compute everything again instead of reusing finished runs.")] = False,
) -> None:
    """Start an experiment; starting the same file twice starts once."""
    spec = load_spec(file)
    request = hashlib.sha256(spec.model_dump_json().encode()).hexdigest()[:40]
    try:
        sampling_endpoints.require_engine(spec)
        with transaction() as session:
            previews.require_startable(session, spec)
            experiment = experiments.start(session, spec, request_id=None if repeat else request, repeat=repeat)
            doorbells = jobs.pending(session)
    except AppError as error:
        fail(f"{error.detail} {error.remedy}")
    for run_id, attempt in doorbells:
        jobs.ring(run_id, attempt)
    console.print(experiment.id)


@app.command("preset")
def preset_command(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(NAMES)}.")],
    mini: Annotated[bool, typer.Option(help="In miniature, on the built-in model and task.")] = False,
    dataset_version_id: Annotated[str, typer.Option(help="The data set version, for the paper's form.")] = BUILTIN,
    base_model_id: Annotated[str, typer.Option(help="The base model, for the paper's form.")] = BUILTIN,
) -> None:
    """Print a table or figure of the paper as an experiment's YAML, for `aft experiments start`."""
    with plain_errors():
        preset = presets.get(name)
    spec = (
        mini_spec(preset)
        if mini
        else paper_spec(preset, dataset_version_id=dataset_version_id, base_model_id=base_model_id)
    )
    typer.echo(experiments.to_yaml(spec), nl=False)


@app.command("list")
def list_command() -> None:
    """List experiments, newest first."""
    table = Table(id_column("Id"), "Name", "State", "Runs done")
    with reading() as session:
        found = experiments.list_page(session, after=None, limit=100)
        counts = experiments.state_counts(session, [item.id for item in found])
    for item in found:
        mine = counts[item.id]
        done = f"{mine.get('succeeded', 0)}/{sum(mine.values())}"
        table.add_row(item.id, item.name, experiments.state_of(mine, paused=item.paused_at is not None), done)
    console.print(table)


@app.command("show")
def show_command(experiment_id: str) -> None:
    """Show an experiment's runs and its comparison table."""
    try:
        with reading() as session:
            experiment = experiments.get(session, experiment_id)
            cells = experiments.cells(session, experiment_id)
            spec = ExperimentSpec.model_validate(experiment.spec)
            titles = blocks.titles(session, spec)
            tables = {
                titles[block.key]: comparison.compare(session, experiment, ComparisonOptions(block=block.key))
                for block in spec.blocks
            }
            used = usage.of_runs(session, [cell.run.id for cell in cells])
            seconds, disk = previews.estimates_of(session, experiment)
    except AppError as error:
        fail(f"{error.detail} {error.remedy}")
    table = Table("Cell", "State", id_column("Run"))
    for cell in cells:
        table.add_row(cell.place.cell, cell.run.state, cell.run.id)
    console.print(table)
    minutes = sum(item.seconds for item in used.values()) / 60
    console.print(
        f"{minutes:.1f} of about {sum(seconds.values()) / 60:.1f} min computed, "
        f"{sum(item.bytes for item in used.values()) / 1e6:.0f} of about {disk / 1e6:.0f} MB on disk."
    )
    for title, found in tables.items():
        _print_comparison(title, found)


def _print_comparison(title: str, found: Comparison) -> None:
    results = Table(
        "Method", "Task accuracy", "Assessment accuracy", "Perplexity", f"Difference to {found.baseline}", "p (Holm)",
        "In words", title=title,
    )  # fmt: skip
    for row in found.rows:
        task, assessed, perplexity = (
            row.statistics[name] for name in ("task_accuracy", "assessment_accuracy", "perplexity")
        )
        results.add_row(
            row.method,
            percent(task.mean, task.std),
            percent(assessed.mean, assessed.std),
            "–" if perplexity.mean is None else f"{perplexity.mean:.2f}",
            "–" if task.difference is None else f"{100 * task.difference:+.1f}",
            "–" if task.p_holm is None else f"{task.p_holm:.3f}",
            "; ".join(filter(None, [task.verdict, *row.missing])),
        )
    console.print(results)
    for note in found.notes:
        console.print(note)


@app.command("cancel")
def cancel_command(experiment_id: str) -> None:
    """Stop an experiment's runs."""
    _act(experiment_id, cancel=True)


@app.command("retry")
def retry_command(experiment_id: str) -> None:
    """Queue an experiment's failed and cancelled runs again."""
    _act(experiment_id, cancel=False)


def _act(experiment_id: str, *, cancel: bool) -> None:
    try:
        with transaction() as session:
            experiment = experiments.get(session, experiment_id)
            if cancel:
                experiments.cancel(session, experiment)
            else:
                experiments.retry(session, experiment)
            doorbells = jobs.pending(session)
    except AppError as error:
        fail(f"{error.detail} {error.remedy}")
    for run_id, attempt in doorbells:
        jobs.ring(run_id, attempt)
