"""`aft up` and `aft worker`: the product's processes under one supervisor."""

import os
import socket
import sys
import time
import webbrowser
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from alembic.util import CommandError
from rich.console import Console
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from backend.cli.addresses import address_of, answers, listen
from backend.cli.locking import AlreadyServed, noted_address, server_lock
from backend.cli.output import fail
from backend.cli.supervisor import Program, Supervisor
from backend.db.migrate import upgrade
from backend.db.session import reset_engines, transaction
from backend.security import check_bind
from backend.services import access, workers
from backend.settings import Settings, get_settings

REPOSITORY = Path(__file__).resolve().parents[2]
STOP_MARGIN_SECONDS = 10.0
"""A worker's own grace for its run, and this much on top to write down how it ended."""
SSE_GRACE_SECONDS = 2
"""Open live streams never end by themselves."""
WORKERS_WAIT_SECONDS = 10.0
VITE_PORT = 5173
DEMO_COMMAND = [sys.executable, "-m", "backend.cli.main", "demo"]

console = Console(stderr=True, highlight=False, soft_wrap=True)


def up(
    host: Annotated[str | None, typer.Option(help="Address to bind; AFT_HOST.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port, 0 for a free one; AFT_PORT.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where everything is kept; AFT_DATA_DIR.")] = None,
    slots: Annotated[int | None, typer.Option(min=1, help="Runs computed side by side; AFT_SLOTS.")] = None,
    workers_too: Annotated[bool, typer.Option("--workers/--no-workers", help="Compute runs here as well.")] = True,
    migrate: Annotated[bool, typer.Option(help="Bring the database to the newest schema first.")] = True,
    browser: Annotated[bool, typer.Option(help="Open the page where there is a browser.")] = True,
    verbose: Annotated[bool, typer.Option(help="Show the processes' output here, not in log files.")] = False,
    dev: Annotated[bool, typer.Option(help="Reload on changes, with the frontend's development server.")] = False,
    demo: Annotated[bool, typer.Option(help="Run the built-in comparison and follow it here.")] = False,
) -> None:
    """Start the workbench: database migrations, server, workers. Ctrl-C ends all of it."""
    settings = apply_options(host=host, port=port, data_dir=data_dir, slots=slots)
    if reason := check_bind(settings):
        fail(reason)
    root = prepare_root(settings)
    with ExitStack() as stack:
        try:
            note_address = stack.enter_context(server_lock(root))
        except AlreadyServed as error:
            if demo:  # the server that is there does the work
                os.execv(sys.executable, DEMO_COMMAND)
            fail(str(error))
        except OSError as error:
            fail(f"The data directory {root} cannot be locked ({error.strerror}). Choose one on a local disk.")
        listener = stack.enter_context(listen(settings.host, settings.port))
        address = address_of(settings.host, listener.getsockname()[1])
        note_address(address)
        if migrate:
            migrate_database(settings)
        page = f"http://127.0.0.1:{VITE_PORT}" if dev else address
        link = f"{page}/login?token={_login_token()}" if settings.require_login else page
        programs = [_api_program(root, listener.fileno(), verbose=verbose, reload=dev)]
        later = worker_programs(settings, verbose=verbose) if workers_too else []
        if dev:
            programs.append(_vite_program(root, settings, listener.getsockname()[1], verbose=verbose))
        console.print("Starting ...")
        grace = settings.cancel_grace_seconds + STOP_MARGIN_SECONDS
        supervisor = Supervisor(programs, grace_seconds=grace, say=console.print)
        announcement = Announcement(address, link, open_browser=browser, data=root)

        def welcome() -> None:
            made_now = announcement.made_now()
            # The server has the processors to itself until it answers; workers load torch for seconds.
            if made_now or announcement.waited_seconds() > WORKERS_WAIT_SECONDS:
                while later:
                    supervisor.add(later.pop(0))
            if made_now and demo:
                supervisor.add(Program(name="demo", command=DEMO_COMMAND, directory=REPOSITORY, once=True))

        supervisor.on_poll = welcome
        supervisor.run()
        console.print("Stopped.")


def worker(
    slots: Annotated[int | None, typer.Option(min=1, help="Runs computed side by side; AFT_SLOTS.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where everything is kept; AFT_DATA_DIR.")] = None,
    verbose: Annotated[bool, typer.Option(help="Show the processes' output here, not in log files.")] = False,
) -> None:
    """Compute runs on this machine for a server started elsewhere."""
    settings = apply_options(data_dir=data_dir, slots=slots)
    prepare_root(settings)
    programs = worker_programs(settings, verbose=verbose)
    console.print(f"{len(programs)} worker slot{'s' * (len(programs) > 1)} on {socket.gethostname()}. Ctrl-C stops.")
    grace = settings.cancel_grace_seconds + STOP_MARGIN_SECONDS
    Supervisor(programs, grace_seconds=grace, say=console.print).run()


def migrate() -> None:
    """Bring the database to the newest schema."""
    settings = get_settings()
    prepare_root(settings)
    migrate_database(settings)
    console.print("The database is at the newest schema.")


def login_link() -> None:
    """Print a new one-time link for a browser."""
    settings = get_settings()
    try:
        token = _login_token()
    except SQLAlchemyError as error:
        fail(f"The database cannot be used ({_first_line(error)}). `aft migrate` prepares it.")
    address = noted_address(settings.root) or address_of(settings.host, settings.port)
    typer.echo(f"{address}/login?token={token}")


class Announcement:
    """Tells the user where the product is, once it answers."""

    def __init__(self, address: str, link: str, *, open_browser: bool, data: Path) -> None:
        self.address = address
        self.link = link
        self.open_browser = open_browser
        self.data = data
        self._begun = time.monotonic()
        self._said = False

    def waited_seconds(self) -> float:
        """How long ago the programs were started."""
        return time.monotonic() - self._begun

    def made_now(self) -> bool:
        """Ask the server once, briefly: the supervisor has children to look after. True when this call announced it."""
        if self._said or not answers(f"{self.address}/health"):
            return False
        self._said = True
        console.print(
            f"AFT Workbench is ready after {self.waited_seconds():.1f} s. Data: {self.data}. Ctrl-C stops it."
        )
        console.print("Open this link; it signs one browser in, and `aft login-link` makes another:")
        console.print(f"  {self.link}")
        if self.open_browser and has_display():
            webbrowser.open(self.link)
        return True


def apply_options(
    *, host: str | None = None, port: int | None = None, data_dir: Path | None = None, slots: int | None = None
) -> Settings:
    """Make options the settings of this process and of its children."""
    options = {"AFT_HOST": host, "AFT_PORT": port, "AFT_DATA_DIR": data_dir, "AFT_SLOTS": slots}
    os.environ.update({name: str(value) for name, value in options.items() if value is not None})
    reset_engines()
    return get_settings()


def prepare_root(settings: Settings) -> Path:
    """Make the data directory, or say why it cannot be used."""
    root = settings.root
    try:
        root.mkdir(parents=True, exist_ok=True)
        writable = os.access(root, os.W_OK | os.X_OK)
    except OSError as error:
        fail(f"The data directory {root} cannot be made ({error.strerror}). Choose another one with --data-dir.")
    if not writable:
        fail(f"The data directory {root} cannot be written to. Choose another one with --data-dir.")
    return root


def migrate_database(settings: Settings) -> None:
    """Apply missing migrations, or say what is in the way."""
    try:
        upgrade()
    except CommandError as error:
        fail(
            f"The database {_public(settings.database)} does not fit this version ({error}). It was probably written "
            "by a newer one: install that, or start on another directory with --data-dir."
        )
    except SQLAlchemyError as error:
        fail(
            f"The database {_public(settings.database)} cannot be used ({_first_line(error)}). "
            "Check AFT_DATABASE_URL and that the server runs; `aft doctor` looks at everything."
        )


def worker_programs(settings: Settings, *, verbose: bool) -> list[Program]:
    """One Celery process per slot; it supervises the run, a child of its own computes."""
    programs = []
    for slot in workers.machine_slots(settings):
        name = f"worker-{slot.index + 1}"
        options = ["-P", "solo", "-n", f"{name}-{os.getpid()}@%h", "--without-gossip", "--without-mingle"]
        programs.append(
            Program(
                name=name,
                command=[sys.executable, "-m", "celery", "-A", "worker.app", "worker", *options, "-l", "INFO"],
                environment={"AFT_SLOT": str(slot.index), "AFT_SLOTS": str(slot.count)},
                log=None if verbose else settings.root / "logs" / f"{name}.log",
                directory=REPOSITORY,
            )
        )
    return programs


def has_display() -> bool:
    """Whether a browser window could be opened here."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _api_program(root: Path, descriptor: int, *, verbose: bool, reload: bool) -> Program:
    options = ["--factory", "--fd", str(descriptor), "--no-access-log", "--log-level", "info"]
    options += ["--timeout-graceful-shutdown", str(SSE_GRACE_SECONDS)]
    if reload:
        options += ["--reload", "--reload-dir", "backend", "--reload-dir", "aft"]
    return Program(
        name="server",
        command=[sys.executable, "-m", "uvicorn", "backend.app:create_app", *options],
        log=None if verbose else root / "logs" / "server.log",
        directory=REPOSITORY,
        pass_fds=(descriptor,),
    )


def _vite_program(root: Path, settings: Settings, port: int, *, verbose: bool) -> Program:
    return Program(
        name="vite",
        command=["npm", "run", "dev"],
        environment={"AFT_DEV_SERVER": address_of(settings.host, port)},
        log=None if verbose else root / "logs" / "vite.log",
        directory=REPOSITORY / "frontend",
    )


def _login_token() -> str:
    with transaction() as session:
        return access.create_link(session)


def _public(url: str) -> str:
    """A database address without its password."""
    return make_url(url).render_as_string(hide_password=True)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
