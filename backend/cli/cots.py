"""``aft cots``: list, import and export candidate COTs from a terminal."""

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from aft.data.candidate_rows import detect_columns
from backend.cli.acting import acting, in_words, looking, plain_errors
from backend.cli.datasets import receive
from backend.cli.following import follow
from backend.cli.output import fail, id_column
from backend.schemas.candidate_filters import ExportRequest
from backend.schemas.candidate_imports import CandidateImportRequest, CandidatePreviewRequest
from backend.services import candidate_exports, candidate_imports, candidates

app = typer.Typer(help="List, import and export candidate COTs.", no_args_is_help=True)
console = Console(markup=False, highlight=False)


@app.command("list")
def list_command(
    kind: Annotated[str | None, typer.Option(help="sample, evaluate or import-cots.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """List candidate sets, newest first."""
    table = Table("Candidate set", "Kind", "Questions", "COTs", "Right", id_column("Id"))
    with looking() as session:
        found = candidates.list_sets(session, kind=kind, after=None, limit=limit)
        for item in found[:limit]:
            totals = item.totals
            row = (totals.n_questions, totals.n_candidates, totals.n_right)
            table.add_row(item.run.name, item.run.kind, *map(str, row), item.run.id)
    console.print(table)


@app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="JSONL, JSON, CSV, TSV or Parquet, each also gzipped.")],
    dataset_version: Annotated[str, typer.Option(help="Data set version of the questions, from `aft datasets list`.")],
    name: Annotated[str | None, typer.Option(help="Name of the candidate set; by default the file's.")] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="WHAT=COLUMN where names do not say it; WHAT is text, question, question_id, id, model, "
            "finish_reason, rating, wrong_step or note."
        ),
    ] = None,
    rater: Annotated[str | None, typer.Option(help="Whose ratings the file holds; by default the file's name.")] = None,
    scale: Annotated[str | None, typer.Option(help="Of the ratings: binary, verify or 1-10.")] = None,
    skip_invalid: Annotated[bool, typer.Option(help="Import the valid rows without asking.")] = False,
    wait: Annotated[bool, typer.Option(help="Wait until a worker has read the file.")] = True,
) -> None:
    """Import COTs, rated or not, as a candidate set; questions are matched by text or id."""
    columns = dict(item.partition("=")[::2] for item in column or [])
    with plain_errors():
        received = receive(file)
        if columns:
            with looking() as session:
                tried = CandidatePreviewRequest(upload_id=received.id, dataset_version_id=dataset_version)
                names = candidate_imports.preview(session, tried).names
            known = detect_columns(names, columns)
            columns = known.model_dump() if known else columns
        body = CandidateImportRequest.model_validate(
            {
                "upload_id": received.id,
                "dataset_version_id": dataset_version,
                "name": name or file.name.split(".")[0],
                "columns": columns or None,
                "rater": rater,
                "scale": scale,
                "on_invalid": "skip" if skip_invalid else "ask",
            }
        )
    with acting() as session:
        started = candidate_imports.start(session, body)
    if not wait:
        console.print(f"Queued as run {started.run_id}.")
        return
    follow(started.run_id, console)
    _decide(started.run_id)


@app.command("accept")
def accept_command(set_id: Annotated[str, typer.Argument(help="Import in state review.")]) -> None:
    """Import the valid rows of a file that had others."""
    with acting() as session:
        candidate_imports.accept(session, set_id)
    console.print(f"Candidate set {set_id} is imported.")


@app.command("discard")
def discard_command(set_id: Annotated[str, typer.Argument(help="Imported set that nothing uses.")]) -> None:
    """Throw an imported candidate set away."""
    with acting() as session:
        candidate_imports.discard(session, set_id)
    candidate_imports.purge()
    console.print("Its COTs are removed.")


def _decide(set_id: str) -> None:
    with looking() as session:
        done = candidate_imports.read(session, set_id)
    console.print(
        f"{done.name}: {done.n_rows:,} COTs of {done.n_questions:,} questions, {done.n_rated:,} rated, {set_id}"
    )
    for reason in done.reasons[:5]:
        column = f"column '{reason['column']}': " if reason["column"] else ""
        console.print(f"  refused {reason['rows']} x {column}{reason['reason']}")
    if done.state != "review":
        return
    if typer.confirm(f"Import the {done.n_rows:,} valid rows?", default=True):
        accept_command(set_id)
    else:
        discard_command(set_id)


@app.command("export")
def export_command(
    set_id: Annotated[str, typer.Argument(help="Candidate set from `aft cots list`.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File or directory; default: here.")] = None,
    form: Annotated[
        str, typer.Option("--format", help="jsonl, csv, parquet, trl-pairs, ranked or llama-factory.")
    ] = "jsonl",
    quality: Annotated[str, typer.Option(help="What preferences go by: verdict or rating.")] = "verdict",
    most_pairs: Annotated[int | None, typer.Option(help="Pairs of one question, at most.")] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--filter", help='NAME=VALUE as in the page\'s address: verdict=wrong, q="the answer" …'),
    ] = None,
) -> None:
    """Write COTs or preferences to a file, with a manifest beside it."""
    values: dict[str, Any] = {"format": form, "quality": quality, "most_pairs": most_pairs}
    for item in only or []:
        name, found, value = item.partition("=")
        if not found:
            fail(f"--filter {item} is not NAME=VALUE, such as verdict=wrong.")
        values[name] = value
    try:
        request = ExportRequest.model_validate(values)
    except ValidationError as error:
        fail(in_words(error))
    with looking() as session:
        export = candidate_exports.prepare(session, set_id, request)
    place = output or Path()
    if place.is_dir():
        place /= export.file_name
    draft = place.with_name(f"{place.name}.part")
    with plain_errors():
        try:
            with draft.open("wb") as stream:
                for piece in export.pieces():
                    stream.write(piece)
        except OSError as error:
            fail(f"{place} cannot be written: {error.strerror}.")
        draft.replace(place)
        for name, text in export.others().items():
            beside = place.with_name(f"{place.name}.{name}" if name == "manifest.json" else name)
            beside.write_text(text + "\n", encoding="utf-8")
    console.print(f"{export.counted[0]:,} rows in {place}, sha256 {export.outlet.sha256()}")
