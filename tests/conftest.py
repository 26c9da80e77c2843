"""Databases and brokers for tests: real engines, real migrations, a directory of their own."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from backend import jobs
from backend.db.migrate import upgrade
from backend.db.session import get_engine, reset_engines, transaction
from tests.waiting import free_port, wait_until

os.environ.pop("COLUMNS", None)
"""A terminal's width, where the tests were started in one: Rich's consoles keep what they find when they are made."""

POSTGRES_PROGRAMS = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]


def use_environment(monkeypatch: pytest.MonkeyPatch, directory: Path, **variables: str) -> None:
    """Point this process, and the ones it starts, at a data directory and servers."""
    for name in [name for name in os.environ if name.startswith("AFT_") and not name.startswith("AFT_TEST")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AFT_DATA_DIR", str(directory))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    reset_engines()
    jobs.reset()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with every migration, to be copied."""
    place = tmp_path_factory.mktemp("schema") / "empty.sqlite3"
    upgrade(f"sqlite:///{place}")
    with create_engine(f"sqlite:///{place}").connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    return place


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A private PostgreSQL server; its address without a database."""
    if not POSTGRES_PROGRAMS:
        pytest.skip("PostgreSQL's programs are not installed")
    base = Path(tmp_path_factory.mktemp("postgres"))
    base.chmod(0o777)
    # pytest's directories are closed to others, and PostgreSQL refuses to run as root.
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    data = Path("/tmp") / f"aft-test-postgres-{os.getpid()}" if as_user else base / "data"
    shutil.rmtree(data, ignore_errors=True)
    programs = POSTGRES_PROGRAMS[0]
    initdb = [str(programs / "initdb"), "-D", str(data), "-U", "aft", "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run([*as_user, *initdb], check=True, capture_output=True, cwd="/")
    port = free_port()
    settings = ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={data}"]
    server = subprocess.Popen(
        [*as_user, str(programs / "postgres"), "-D", str(data), "-p", str(port), *settings],
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"postgresql+psycopg://aft@127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(f"{url}/postgres"), "PostgreSQL answers")
        yield url
    finally:
        stop = [str(programs / "pg_ctl"), "-D", str(data), "stop", "-m", "immediate"]
        subprocess.run([*as_user, *stop], check=False, capture_output=True, cwd="/")
        server.wait(timeout=20)
        shutil.rmtree(data, ignore_errors=True)


def _answers(url: str) -> bool:
    engine = create_engine(url)
    try:
        with engine.connect():
            return True
    except OperationalError:
        return False
    finally:
        engine.dispose()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A private Redis server."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    port = free_port()
    directory = tmp_path_factory.mktemp("redis")
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(directory)]
    server = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_until(answers, "Redis answers")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(timeout=20)


@pytest.fixture
def data_directory(migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data directory with a migrated SQLite database, which the settings point at."""
    directory = tmp_path / "data"
    directory.mkdir()
    shutil.copyfile(migrated_sqlite, directory / "workbench.sqlite3")
    use_environment(monkeypatch, directory)
    yield directory
    _forget()


@pytest.fixture
def postgres_database(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[str]:
    """A fresh migrated PostgreSQL database, which the settings point at."""
    name = f"test_{abs(hash(request.node.nodeid)):x}"
    admin = create_engine(f"{postgres_url}/postgres", isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    url = f"{postgres_url}/{name}"
    use_environment(monkeypatch, tmp_path / "data", AFT_DATABASE_URL=url)
    upgrade()
    yield url
    _forget()
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
    admin.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> str:
    """Runs a test on SQLite and on PostgreSQL, each migrated and empty; gives the name."""
    request.getfixturevalue("data_directory" if request.param == "sqlite" else "postgres_database")
    return str(request.param)


@pytest.fixture
def session(data_directory: Path) -> Iterator[Session]:
    """A session on an empty migrated SQLite database, rolled back at the end."""
    with Session(get_engine(), expire_on_commit=False) as opened:
        yield opened
        opened.rollback()


@pytest.fixture
def on_both(database: str) -> Iterator[Session]:
    """A committing session, on SQLite and on PostgreSQL."""
    with transaction() as opened:
        yield opened


def _forget() -> None:
    get_engine().dispose()
    reset_engines()
    jobs.reset()
