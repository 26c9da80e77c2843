"""``aft models``: the registry of base models, from a terminal."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from backend import jobs
from backend.cli.output import fail
from backend.db.session import reading, transaction
from backend.errors import AppError
from backend.schemas.models import ModelCreate, ModelFacts
from backend.services import base_models, builtin, model_reads

app = typer.Typer(help="List, add and inspect base models; make the built-in one.", no_args_is_help=True)
console = Console(markup=False, highlight=False)


@app.command("list")
def list_command() -> None:
    """List base models, newest first."""
    table = Table("Model", "Source", "Parameters", "Window", "Ready", "Location", "Id")
    with reading() as session:
        rows = [model_reads.summary(session, row) for row in base_models.page(session, None, 1000)]
    for row in rows:
        facts = row.facts
        size = f"{facts.parameters / 1e6:,.2f} M" if facts else "–"
        window = str(facts.window) if facts and facts.window else "–"
        table.add_row(row.name, row.source, size, window, "yes" if row.available else "no", row.location, row.id)
    console.print(table)


@app.command("add")
def add_command(
    location: Annotated[str, typer.Argument(help="Directory below an allowed root, or a hub id.")],
    name: Annotated[str, typer.Option(help="What to call it.")],
    hub: Annotated[bool, typer.Option("--hub", help="The location is a hub id.")] = False,
) -> None:
    """Register a base model; its files are checked and not copied."""
    try:
        body = ModelCreate(name=name, source="hub" if hub else "local", location=location)
        with transaction() as session:
            model = base_models.create(session, body)
    except AppError as error:
        fail(f"{error.detail} {error.remedy}".strip())
    console.print(f"Registered '{model.name}' as {model.id}.")


@app.command("inspect")
def inspect_command(
    location: Annotated[str, typer.Argument(help="A directory, or the id of a registered model.")],
) -> None:
    """Look at a model's files without loading it."""
    facts: ModelFacts | None
    try:
        if len(location) == 32 and "/" not in location:
            with reading() as session:
                found = base_models.inspect(session, base_models.get(session, location))
            if found.problem:
                fail(found.problem)
            facts = found.facts
        else:
            _, facts = base_models.look("local", location)
    except AppError as error:
        fail(f"{error.detail} {error.remedy}".strip())
    if facts is None:
        console.print("A hub model is inspected on the machine that fetches it.")
        return
    for key, value in facts.model_dump().items():
        console.print(f"{key}: {value}")


@app.command("make-builtin")
def make_builtin_command() -> None:
    """Queue the run that makes the built-in model; it is made once."""
    with transaction() as session:
        builtin.ensure(session)
        making = base_models.make_builtin(session)
        doorbells = jobs.pending(session)
    for doorbell in doorbells:
        jobs.ring(*doorbell)
    console.print(f"Run {making.run_id}" + (" exists already." if making.already_there else " is queued."))
