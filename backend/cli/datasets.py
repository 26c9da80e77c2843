"""``aft datasets``: what the Data sets pages do, from a terminal."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from aft.data.splits import SplitSpec
from backend import storage
from backend.cli.acting import acting, looking, plain_errors
from backend.cli.following import follow
from backend.cli.output import fail, id_column
from backend.db.session import transaction
from backend.schemas.datasets import ImportRequest, ImportStarted, MixRequest, UploadRead, VersionRead
from backend.services import dataset_reads, datasets, imports, mixing, splits, uploads

app = typer.Typer(help="Import, list and split data sets.", no_args_is_help=True)
console = Console(markup=False, highlight=False)
_BLOCK: Final = 1 << 20


@app.command("import")
def import_command(
    files: Annotated[list[Path], typer.Argument(help="JSONL, JSON, CSV, TSV or Parquet, each also gzipped.")],
    name: Annotated[str | None, typer.Option(help="Name of the data set; by default the first file's.")] = None,
    task: Annotated[str | None, typer.Option(help="gsm8k, aqua, ecqa, mmlu, math, arithmetic or mixed.")] = None,
    part: Annotated[
        list[str] | None, typer.Option(help="FILE=PART where a name does not say it: train, validation or test.")
    ] = None,
    skip_invalid: Annotated[bool, typer.Option(help="Import the valid rows without asking.")] = False,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="WHAT=COLUMN for files whose form is not known; WHAT is question, reference, answer, choices "
            "(one column, or several with commas), id, task or part."
        ),
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="Id of a data set to add a version to.")] = None,
    description: Annotated[str, typer.Option()] = "",
    wait: Annotated[bool, typer.Option(help="Wait until a worker has read the files.")] = True,
) -> None:
    """Import files as a new data set, or as a new version of one."""
    parts = dict(item.rpartition("=")[::2] for item in part or [])
    unknown = set(parts) - {str(file) for file in files} - {file.name for file in files}
    if unknown:
        fail(f"--part names {', '.join(sorted(unknown))}, which is not one of the files. Write FILE=PART.")
    mapping = _mapping(column or [])
    with plain_errors():
        received = [receive(file) for file in files]
        chosen = task or next((item.detection.task for item in received if item.detection.task), None)
        if chosen is None:
            fail(f"The task of {files[0]} is not known: {received[0].detection.why} Give --task.")
        requests = [
            {"upload_id": item.id, "part": parts.get(str(file)) or parts.get(file.name), "mapping": mapping}
            for item, file in zip(received, files, strict=True)
        ]
        body = ImportRequest.model_validate(
            {
                "dataset_name": None if dataset else name or files[0].name.split(".")[0],
                "dataset_id": dataset,
                "description": description,
                "task": chosen,
                "on_invalid": "skip" if skip_invalid else "ask",
                "files": requests,
            }
        )
    with acting() as session:
        started = imports.start(session, body)
    _wait_for(started, wait=wait)


@app.command("mix")
def mix_command(
    versions: Annotated[
        list[str],
        typer.Argument(help="VERSION or VERSION=SPLIT, two or more; of a split its questions with its parts."),
    ],
    name: Annotated[str, typer.Option(help="Name of the mixed data set.")],
    description: Annotated[str, typer.Option()] = "",
    wait: Annotated[bool, typer.Option(help="Wait until a worker has made it.")] = True,
) -> None:
    """Make one data set of several, in which each question keeps its own task."""
    sources = [item.partition("=")[::2] for item in versions]
    with plain_errors():
        body = MixRequest.model_validate(
            {
                "dataset_name": name,
                "description": description,
                "sources": [{"version_id": version, "split_id": split or None} for version, split in sources],
            }
        )
    with acting() as session:
        started = mixing.start(session, body)
    _wait_for(started, wait=wait)


def _wait_for(started: ImportStarted, *, wait: bool) -> None:
    if not wait:
        console.print(f"Queued as run {started.run_id}; it fills version {started.version_id}.")
        return
    follow(started.run_id, console)
    _decide(started.version_id)


@app.command("accept")
def accept_command(version_id: Annotated[str, typer.Argument(help="Version in state review.")]) -> None:
    """Import the valid rows of an import that found others."""
    with acting() as session:
        imports.accept(session, version_id)
    console.print(f"Version {version_id} is imported.")


@app.command("discard")
def discard_command(version_id: Annotated[str, typer.Argument(help="Version in state review.")]) -> None:
    """Throw away an import that waits for a decision."""
    with acting() as session:
        imports.discard(session, version_id)
    imports.purge()
    console.print("Nothing was imported.")


@app.command("list")
def list_command() -> None:
    """List data sets, newest first."""
    table = Table("Data set", "Task", "Rows", "Parts", "Version", id_column("Version id"))
    with looking() as session:
        rows = dataset_reads.summaries(session, datasets.page(session, None, 1000))
    for row in rows:
        parts = " / ".join(f"{part} {count}" for part, count in row.parts.items())
        newest = row.newest
        state = f"{newest.number}" if newest else ", ".join(item.state for item in row.pending)
        table.add_row(
            row.name, row.task, str(newest.n_rows) if newest else "", parts, state, newest.id if newest else ""
        )
    console.print(table)


@app.command("show")
def show_command(version_id: Annotated[str, typer.Argument(help="Version id from `aft datasets list`.")]) -> None:
    """Show a version: counts, duplicates, overlap, splits and sources."""
    _print(_version(version_id))


@app.command("split")
def split_command(
    version_id: Annotated[str, typer.Argument(help="Version id from `aft datasets list`.")],
    preset: Annotated[str | None, typer.Option(help="The paper's numbers, such as gsm8k.")] = None,
    train: Annotated[int | None, typer.Option()] = None,
    validation: Annotated[int | None, typer.Option()] = None,
    test: Annotated[int | None, typer.Option()] = None,
    seed: Annotated[int, typer.Option()] = 0,
    allow_fewer: Annotated[bool, typer.Option(help="Take what there is when a part has fewer questions.")] = False,
    name: Annotated[str | None, typer.Option()] = None,
) -> None:
    """Draw train, validation and test questions; the same seed draws the same ones."""
    with acting() as session:
        spec = SplitSpec(
            preset=preset, train=train, validation=validation, test=test, seed=seed, allow_fewer=allow_fewer
        )
        split = splits.create(session, datasets.get_version(session, version_id), spec, name)
    console.print(f"Split '{split.name}' ({split.id}): {split.counts}")


def _mapping(columns: list[str]) -> dict[str, object] | None:
    """``WHAT=COLUMN`` options as a column mapping, None where the files say it themselves."""
    mapping: dict[str, object] = {}
    for item in columns:
        what, found, column = item.partition("=")
        if not found:
            fail(f"--column {item} is not WHAT=COLUMN, such as question=prompt.")
        several = what == "choices" and "," in column
        mapping[what] = column.split(",") if several else column
    return mapping or None


def receive(file: Path) -> UploadRead:
    """Take a file of this machine as an upload."""
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            receiver = uploads.Receiver(file.name, size)
            try:
                while block := stream.read(_BLOCK):
                    receiver.write(block)
                sha256 = receiver.finish()
                detection = uploads.look(storage.path(receiver.key), receiver.filename)
                with transaction() as session:
                    return uploads.read(uploads.keep(session, receiver, sha256, detection))
            except BaseException:
                receiver.abort()
                raise
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}.")


def _decide(version_id: str) -> None:
    version = _version(version_id)
    _print(version)
    if version.state != "review":
        return
    if typer.confirm(f"Import the {version.n_rows} valid rows?", default=True):
        accept_command(version_id)
    else:
        discard_command(version_id)


def _version(version_id: str) -> VersionRead:
    with looking() as session:
        return dataset_reads.version(session, datasets.get_version(session, version_id))


def _print(version: VersionRead) -> None:
    console.print(
        f"{version.dataset_name}, version {version.number} ({version.state}), {version.n_rows} rows, {version.id}"
    )
    if version.sha256:
        console.print(f"sha256 {version.sha256}")
    report = version.report
    if report is None:
        return
    console.print("Parts: " + ", ".join(f"{part} {count}" for part, count in report.parts.items()))
    if report.duplicates.rows:
        console.print(f"Duplicates: {report.duplicates.rows} rows repeat an earlier question.")
    for item in report.overlap:
        console.print(f"Overlap: {item.rows} {item.parts[1]} questions also stand in {item.parts[0]}.")
    if version.n_rejected:
        console.print(f"Refused: {version.n_rejected} rows.")
        for reason in report.reject_reasons[:5]:
            column = f"column '{reason.column}': " if reason.column else ""
            console.print(f"  {reason.rows} x {column}{reason.reason}")
    for split in version.splits:
        counts = ", ".join(f"{part} {count}" for part, count in split.counts.items())
        console.print(f"Split '{split.name}': {counts} ({split.id})")
    for source in report.sources:
        console.print(f"From {source.filename}: {source.rows} rows, sha256 {source.sha256}")
