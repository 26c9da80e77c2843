"""``aft verify``: every number of a reproduction bundle made again, without a database."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from backend.cli.output import fail
from backend.errors import AppError
from backend.services import bundle_verify
from backend.services.bundle_archive import Bundle

_SHOWN = 50
console = Console(markup=False, highlight=False)


def verify(
    bundle: Annotated[Path, typer.Argument(help="A bundle, from the Compare page or `aft experiments bundle`.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Grade every stored response again, recompute every number, and list what differs; fails if anything does."""
    try:
        with Bundle(bundle) as opened:
            found = bundle_verify.verify(opened)
            files, written = len(opened.names), opened.manifest
    except AppError as error:
        fail(f"{error.detail} {error.remedy}".strip())
    if as_json:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False, indent=1))
    else:
        console.print(f"{found.experiment}: {written.get('written_by')}, {written.get('written_at')}")
        console.print(f"{files} files are whole.")
        for part, n in found.checked.items():
            console.print(_compared(part, n))
        for note in found.notes:
            console.print(note)
    if found.differences:
        if not as_json:
            table = Table("Where", "In the bundle", "Recomputed")
            for item in found.differences[:_SHOWN]:
                table.add_row(item.where, _short(item.stored), _short(item.recomputed))
            console.print(table)
        fail(f"{len(found.differences)} values differ.")
    if not as_json:
        console.print("Every value comes out as stored.")


def _compared(part: str, n: int) -> str:
    what = "answers and verdicts of responses" if part == "responses" else f"numbers of {part}"
    return f"{n:,} {what} compared."


def _short(value: Any) -> str:
    text = repr(value) if isinstance(value, float) else str(value)
    return text if len(text) <= 80 else text[:79] + "…"
