"""``aft models``: the registry of base models, from a terminal."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.config.tiny import TinySizes
from backend.cli import model_evaluation
from backend.cli.acting import acting, looking
from backend.cli.following import follow
from backend.cli.output import fail, id_column
from backend.db.models import BaseModelEntry
from backend.schemas.models import ModelCreate, ModelFacts, ModelRead, TinyModelCreate
from backend.services import base_models, builtin, model_exports, model_reads

app = typer.Typer(help="List, add and inspect base models; make a built-in one, or a tiny one.", no_args_is_help=True)
console = Console(markup=False, highlight=False)
app.command("evaluate")(model_evaluation.evaluate)
_SIZES: Final = TinySizes()
Wait = Annotated[bool, typer.Option(help="Wait until a worker has made it.")]


@app.command("list")
def list_command() -> None:
    """List base models, newest first."""
    table = Table("Model", "Source", "Parameters", "Window", "Ready", "Location", id_column("Id"))
    with looking() as session:
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
    with acting() as session:
        model = base_models.create(session, ModelCreate(name=name, source="hub" if hub else "local", location=location))
    console.print(f"Registered '{model.name}' as {model.id}.")


@app.command("export")
def export_command(
    checkpoint: Annotated[str, typer.Argument(help="Id of a final checkpoint, from `aft models show`.")],
    directory: Annotated[Path, typer.Argument(help="Where to write it; must not exist yet.")],
    merged: Annotated[bool, typer.Option("--merged", help="Merge an adapter into its base model.")] = False,
) -> None:
    """Write a trained model as a Hugging Face directory with a model card."""
    with looking() as session:
        export = model_exports.prepare(session, checkpoint, merged=merged)
        model_exports.write_directory(export, directory)
    console.print(f"Wrote {len(export.files) + 1} files to {directory}. Fill in the licence in its README.md.")


@app.command("show")
def show_command(model: Annotated[str, typer.Argument(help="Id or name from `aft models list`.")]) -> None:
    """Show a registered model: what its files say, what was made from it, what uses it."""
    with looking() as session:
        entry = _find(session, model)
        found = model_reads.whole(session, entry)
        problem = base_models.inspect(session, entry).problem
    console.print(f"{found.name} ({found.source}), {found.id}")
    if found.location:
        console.print(f"location: {found.location}")
    if found.making is not None:
        console.print(f"made by run {found.making.run_id} ({found.making.state})")
    if problem:
        console.print(problem)
    _print_facts(found)
    for line in found.checkpoints:
        made = f"{line.run_name}, step {line.step}, {line.size_bytes / 1e6:.1f} MB, checkpoint {line.id}"
        console.print(f"made from it: {made}")
    for user in found.used_by:
        console.print(f"used by {user.kind} '{user.name}' ({user.id})")


@app.command("inspect")
def inspect_command(
    location: Annotated[str, typer.Argument(help="A directory, or the id of a registered model.")],
) -> None:
    """Look at a model's files without loading or registering it."""
    facts: ModelFacts | None
    with looking() as session:
        if len(location) == 32 and "/" not in location:
            found = base_models.inspect(session, base_models.get(session, location))
            if found.problem:
                fail(found.problem)
            facts = found.facts
        else:
            _, facts = base_models.look("local", location)
    if facts is None:
        console.print("A hub model is inspected on the machine that fetches it.")
        return
    for key, value in facts.model_dump().items():
        console.print(f"{key}: {value}")


@app.command("make")
def make_command(
    model: Annotated[str, typer.Argument(help="Name or id; by default the built-in model.")] = "", wait: Wait = False
) -> None:
    """Queue the run that makes a built-in or tiny model; it is made once."""
    with acting() as session:
        builtin.ensure(session)
        making = base_models.make(session, _find(session, model) if model else base_models.builtin_entry(session))
    console.print(f"Run {making.run_id}" + (" exists already." if making.already_there else " is queued."))
    if wait:
        follow(making.run_id, console)


@app.command("make-tiny")
def make_tiny_command(
    version_id: Annotated[str, typer.Argument(help="Data set version, from `aft datasets list`.")],
    name: Annotated[str, typer.Option(help="What to call it.")],
    split: Annotated[str | None, typer.Option(help="Split id; by default the version's newest.")] = None,
    hidden_size: Annotated[int, typer.Option()] = _SIZES.hidden_size,
    layers: Annotated[int, typer.Option()] = _SIZES.layers,
    heads: Annotated[int, typer.Option()] = _SIZES.heads,
    mlp_size: Annotated[int, typer.Option()] = _SIZES.mlp_size,
    vocab_size: Annotated[int, typer.Option(help="Most tokens of the tokenizer.")] = _SIZES.vocab_size,
    window: Annotated[int, typer.Option(help="Longest question plus response, in tokens.")] = _SIZES.window,
    seed: Annotated[int, typer.Option(help="Decides the random weights.")] = _SIZES.seed,
    wait: Wait = True,
) -> None:
    """Make a tiny Llama with random weights and a tokenizer trained on the data set's training questions.

    It has learned nothing yet: use it to try data and settings, and expect an accuracy near zero.
    """
    with acting() as session:
        sizes = TinySizes(
            hidden_size=hidden_size, layers=layers, heads=heads, mlp_size=mlp_size, vocab_size=vocab_size,
            window=window, seed=seed,
        )  # fmt: skip
        body = TinyModelCreate(name=name, dataset_version_id=version_id, split_id=split, sizes=sizes)
        making = base_models.make_tiny(session, body)
    console.print(f"Model {making.model_id}, made by run {making.run_id}.")
    if wait:
        follow(making.run_id, console)


def _find(session: Session, model: str) -> BaseModelEntry:
    named = session.scalar(select(BaseModelEntry).where(BaseModelEntry.name == model))
    return named if named is not None else base_models.get(session, model)


def _print_facts(model: ModelRead) -> None:
    if model.facts is not None:
        for key, value in model.facts.model_dump().items():
            console.print(f"{key}: {value}")
