"""The command: fill, start, measure, report."""

import json
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from aft.version import VERSION
from backend.bench import filling, measuring, painting, reacting, servers
from backend.bench.measuring import Measured, Web
from backend.cli.output import fail
from backend.db.migrate import upgrade
from backend.db.session import get_engine, reset_engines

DATABASES: Final = ("sqlite", "postgresql")
console = Console(stderr=True, highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Parts:
    """What is measured."""

    reactions: bool
    pages: bool
    exports: bool
    imports: bool
    browser: bool


def app(
    scale: Annotated[float, typer.Option(min=0.0001, max=10, help="1: a million COTs, 10,000 runs.")] = 1.0,
    database: Annotated[str, typer.Option(help="sqlite, postgresql or both.")] = "both",
    rounds: Annotated[int, typer.Option(min=1, help="How often each request is made.")] = 10,
    folder: Annotated[Path | None, typer.Option(help="Where to build it; by default a temporary place.")] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave what was made in the folder; of the same scale it is used again.")
    ] = False,
    with_pages: Annotated[bool, typer.Option("--pages/--no-pages", help="Lists, search, review, curves.")] = True,
    with_exports: Annotated[bool, typer.Option("--exports/--no-exports", help="The whole set as files.")] = True,
    with_import: Annotated[bool, typer.Option("--import/--no-import", help="Import a file, too.")] = True,
    with_browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="First paint and long tasks, where Chromium is installed.")
    ] = True,
    with_reactions: Annotated[
        bool, typer.Option("--reactions/--no-reactions", help="Start pressed, kill -9, a metric on open tabs.")
    ] = True,
    out: Annotated[Path | None, typer.Option(help="Write the report as JSON here as well.")] = None,
) -> None:
    """Measure lists, search, review, files, starts and kills on generated data, through HTTP, beside their targets."""
    if database not in (*DATABASES, "both"):
        fail(f"--database {database} is not sqlite, postgresql or both.")
    if keep and folder is None:
        fail("--keep needs --folder: where to keep it.")
    parts = Parts(with_reactions, with_pages, with_exports, with_import, with_browser)
    report: dict[str, Any] = {"version": VERSION, "scale": scale, "machine": _machine(), "databases": {}}
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    place = folder if folder is not None and keep else Path(tempfile.mkdtemp(prefix="aft-bench-", dir=folder))
    place.chmod(0o755)
    try:
        for name in DATABASES if database == "both" else (database,):
            try:
                report["databases"][name] = _measure(name, place / name, scale, rounds, parts)
            except FileNotFoundError as error:
                console.print(f"{name} is left out: {error}.")
    finally:
        if not keep:
            shutil.rmtree(place, ignore_errors=True)
    text = json.dumps(report, indent=2)
    if out is not None:
        out.write_text(f"{text}\n", encoding="utf-8")
    typer.echo(text)


def _measure(name: str, folder: Path, scale: float, rounds: int, parts: Parts) -> dict[str, Any]:
    def tell(what: str) -> None:
        console.print(f"{name}: {what}")

    note = folder / "filled.json"
    filled = filling.Filled.read(note) if note.exists() else None
    if filled is None or filled.scale != scale:
        filled = None
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(exist_ok=True)
    with ExitStack() as stack:
        environment = {"AFT_DATA_DIR": str(folder / "data"), "AFT_REQUIRE_LOGIN": "0", "AFT_DATABASE_URL": ""}
        if name == "postgresql":
            environment["AFT_DATABASE_URL"] = stack.enter_context(servers.postgresql(folder / "server"))
        stack.enter_context(_environment(environment))
        upgrade()
        began = time.monotonic()
        if filled is None:
            filled = filling.fill(scale, tell)
            # What the engines do by themselves in time: statistics for the planner.
            with get_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM ANALYZE" if name == "postgresql" else "PRAGMA optimize")
            filled.write(note)
        fill_seconds = round(time.monotonic() - began, 1)
        running = stack.enter_context(servers.product(environment))
        started = round(running.start_seconds, 2)
        measured = [Measured("start, until it is ready", "s", started, started, 3, 1)]
        for one in _all(running, filled, scale, rounds, folder, parts, tell):
            tell(f"{one.name}: p50 {one.p50:g}, p95 {one.p95:g} {one.unit}, at most {one.target:g}. {one.note}")
            measured.append(one)
        _show(name, measured)
        lines = [one.as_json() for one in measured]
        return {"candidates": filled.n_candidates, "fill_seconds": fill_seconds, "measured": lines}


def _all(
    running: servers.Product,
    filled: filling.Filled,
    scale: float,
    rounds: int,
    folder: Path,
    parts: Parts,
    tell: filling.Told,
) -> Iterator[Measured]:
    with closing(Web(running.address)) as web:
        if parts.reactions:  # first: the worker has just begun
            yield from reacting.reactions(web, running, rounds)
        if parts.pages:
            yield from measuring.pages(web, filled, rounds)
        if parts.exports:
            yield from measuring.exports(web, filled)
        if parts.imports:
            rows = max(100, round(1_000_000 * scale))
            yield from measuring.importing(web, running, filled, rows, folder, tell)
    if parts.browser:
        yield from painting.painting(running.address, filled, rounds, tell)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    reset_engines()
    try:
        yield
    finally:
        reset_engines()
        os.environ.update({name: value for name, value in before.items() if value is not None})
        for name in (name for name, value in before.items() if value is None):
            del os.environ[name]
        reset_engines()


def _machine() -> dict[str, Any]:
    return {
        "platform": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_average_before": [round(one, 1) for one in os.getloadavg()],
    }


def _show(name: str, measured: list[Measured]) -> None:
    table = Table("what", "p50", "p95", "target", "n", "", title=name)
    for one in measured:
        verdict = "met" if one.is_met else "missed"
        table.add_row(one.name, f"{one.p50:g}", f"{one.p95:g} {one.unit}", f"{one.target:g}", str(one.n), verdict)
    console.print(table)
