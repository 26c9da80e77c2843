"""`aft doctor`: is everything there that the product needs, and what to do where it is not."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Annotated, Literal

import typer
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from backend.db.migrate import alembic_config
from backend.db.session import get_engine, reading
from backend.services import workers
from backend.settings import Settings, get_settings

OLDEST_PYTHON = (3, 11)
OLDEST_NODE = (20, 19)
LOW_DISK_GIB = 5.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC_BROWSERS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
FRONTEND = Path(__file__).resolve().parents[2] / "frontend" / "dist" / "index.html"
MARKS = {"ok": "[green]ok  [/]", "warn": "[yellow]warn[/]", "fail": "[red]fail[/]"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found."""

    name: str
    state: Literal["ok", "warn", "fail"]
    """warn: the product works, but for what the detail says."""
    detail: str
    remedy: str = ""


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False) -> None:
    """Look at everything the product needs and say how to mend what is missing."""
    settings = get_settings()
    findings = [look(settings) for look in LOOKS]
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        console = Console(highlight=False, soft_wrap=True)
        for finding in findings:
            console.print(f"{MARKS[finding.state]} {finding.name}: {finding.detail}")
            if finding.remedy:
                console.print(f"     {finding.remedy}")
    if any(finding.state == "fail" for finding in findings):
        raise typer.Exit(1)


def look_at_python(_settings: Settings) -> Finding:
    """The interpreter."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Finding("Python", "fail", version, "Install Python 3.11 or newer and run `make setup`.")
    return Finding("Python", "ok", f"{version}, {sys.executable}")


def look_at_pages(_settings: Settings) -> Finding:
    """The built frontend, or what is needed to build it."""
    version = _output(["node", "--version"]).strip().removeprefix("v")
    if FRONTEND.is_file():
        return Finding("Pages", "ok", f"built; Node {version or 'is not installed, and not needed any more'}")
    remedy = "Install Node 20.19 or newer and run `make setup`."
    if not version:
        return Finding("Pages", "fail", "not built, and Node is not installed", remedy)
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_NODE:
        return Finding("Pages", "fail", f"not built, and Node {version} is too old", remedy)
    return Finding("Pages", "fail", f"not built; Node {version}", "Run `make setup`.")


def look_at_torch(_settings: Settings) -> Finding:
    """The build of torch and whether it reaches the GPUs the driver reports."""
    gpus = workers.gpu_count()
    try:
        version = metadata.version("torch")
    except metadata.PackageNotFoundError:
        return Finding("torch", "fail", "not installed", "Run `make setup`.")
    # Asked in a process of its own: this one never loads torch.
    code = "import torch; print(torch.version.cuda or 'cpu', torch.cuda.device_count())"
    answer = _output([sys.executable, "-c", code], timeout_seconds=120).split()
    if len(answer) != 2:
        return Finding("torch", "fail", f"{version} cannot be imported", "Delete .venv/ and run `make setup`.")
    build, usable = answer[0], int(answer[1])
    detail = f"{version}, built for {'the CPU' if build == 'cpu' else f'CUDA {build}'}"
    if gpus and not usable:
        remedy = "Install a CUDA build of torch that fits the driver; without it runs are computed on the CPU."
        return Finding("torch", "warn", f"{detail}; the driver reports {gpus} GPU(s), torch sees none", remedy)
    return Finding("torch", "ok", detail)


def look_at_devices(settings: Settings) -> Finding:
    """What runs are computed on."""
    slots = workers.machine_slots(settings)
    names = _output(["nvidia-smi", "-L"]).strip().splitlines() if workers.gpu_count() else []
    gpus = "; ".join(name.split(" (UUID")[0] for name in names) or "no NVIDIA GPU"
    return Finding("Devices", "ok", f"{workers.cpu_count()} cores, {gpus}; {len(slots)} run(s) at the same time")


def look_at_data_dir(settings: Settings) -> Finding:
    """Whether the data directory can be written."""
    root, remedy = settings.root, "Set AFT_DATA_DIR to a directory you own."
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=root, prefix=".doctor-") as file:
            file.write(b"written")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return Finding("Data directory", "fail", f"{root}: {error.strerror}", remedy)
    return Finding("Data directory", "ok", str(root))


def look_at_disk(settings: Settings) -> Finding:
    """Room for checkpoints and uploads."""
    place = next(path for path in (settings.root, *settings.root.parents) if path.exists())
    free = shutil.disk_usage(place).free / 2**30
    if free < LOW_DISK_GIB:
        return Finding("Disk", "warn", f"{free:.1f} GiB free", "Delete old checkpoints, or move AFT_DATA_DIR.")
    return Finding("Disk", "ok", f"{free:.0f} GiB free")


def look_at_database(settings: Settings) -> Finding:
    """Whether it answers and has the newest schema."""
    engine = get_engine()
    address = engine.url.render_as_string(hide_password=True)
    newest = ScriptDirectory.from_config(alembic_config()).get_current_head()
    try:
        with engine.connect() as connection:
            present = MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError as error:
        reason = str(error).strip().splitlines()[0]
        return Finding("Database", "fail", f"{address}: {reason}", "Start it, or correct AFT_DATABASE_URL.")
    if present != newest:
        detail = f"{address} is at revision {present or 'none'}, the newest is {newest}"
        return Finding("Database", "warn", detail, "`aft up` and `aft migrate` bring it there.")
    return Finding("Database", "ok", address)


def look_at_broker(settings: Settings) -> Finding:
    """Whether messages to workers can be sent."""
    # Imported here: no other command of this process needs Celery.
    from backend.jobs import celery_app

    if settings.broker.startswith("filesystem"):
        return Finding("Broker", "ok", "files in the data directory")
    with celery_app().connection_for_write() as connection:
        address = connection.as_uri()  # without the password
        try:
            connection.ensure_connection(max_retries=0, timeout=5)
        except Exception as error:  # each transport has errors of its own
            remedy = "Start it, or correct AFT_BROKER_URL. Runs wait in the database until then."
            return Finding("Broker", "fail", f"{address}: {error}", remedy)
    return Finding("Broker", "ok", address)


def look_at_workers(_settings: Settings) -> Finding:
    """Whether anybody computes."""
    try:
        with reading() as session:
            alive = workers.live(session)
    except SQLAlchemyError:
        return Finding("Workers", "warn", "not known without the database")
    if not alive:
        return Finding("Workers", "warn", "none is running", "`aft up` or `aft worker` starts them.")
    places = ", ".join(f"{slot.hostname} {slot.device}" for slot in alive)
    return Finding("Workers", "ok", f"{len(alive)} running: {places}")


def look_at_browser(_settings: Settings) -> Finding:
    """What draws figures to PNG and SVG."""
    browser = find_browser()
    if browser is None:
        remedy = "Install Chromium (`apt-get install chromium`) or Chrome. Everything else works without."
        return Finding("Figure export", "warn", "no Chromium for PNG and SVG", remedy)
    return Finding("Figure export", "ok", browser)


def find_browser() -> str | None:
    """A Chromium or Chrome that can draw figures without a window."""
    named = os.environ.get("BROWSER_PATH")
    if named and Path(named).is_file():
        return named
    found = (shutil.which(name) for name in BROWSERS)
    return next((path for path in found if path), next((path for path in MAC_BROWSERS if Path(path).is_file()), None))


LOOKS: tuple[Callable[[Settings], Finding], ...] = (
    look_at_python,
    look_at_pages,
    look_at_torch,
    look_at_devices,
    look_at_data_dir,
    look_at_disk,
    look_at_database,
    look_at_broker,
    look_at_workers,
    look_at_browser,
)


def _output(command: list[str], *, timeout_seconds: float = 20) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout_seconds, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
