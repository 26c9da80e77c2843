"""`aft up` as a user types it: the real server and a real worker under the supervisor."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from backend.db.session import make_engine
from tests.integration.product import PATIENCE_SECONDS, Product, get, running, start
from tests.waiting import free_port


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    """A started product, stopped at the end."""
    with running(tmp_path / "data") as product:
        yield product


def test_product_starts_survives_and_stops(product: Product) -> None:
    link = product.said(r"http://\S+/login\?token=\S+")
    address = link.partition("/login")[0]

    # The link signs one browser in, once.
    status, headers = get(link)
    assert (status, headers["Location"]) == (303, "/")
    assert get(link)[1]["Location"] == "/expired"
    cookie = headers["Set-Cookie"].partition(";")[0]
    assert get(f"{address}/api/v1/runs")[0] == 401

    # A second server on the same data directory is refused and names the first.
    second = start(product.data)
    assert second.exit_status() == 1
    second.said(rf"already served by process {product.process.pid} at {re.escape(address)}")

    # A killed server comes back; requests in between wait, because the socket is the supervisor's.
    product.child("uvicorn").kill()
    product.said(r"server ended \(killed by SIGKILL\); starting it again")
    assert get(f"{address}/health")[0] == 200
    assert get(f"{address}/api/v1/runs", {"Cookie": cookie})[0] == 200

    worker = product.child("celery")
    worker.kill()
    product.said(r"worker-1 ended \(killed by SIGKILL\); starting it again")

    family = psutil.Process(product.process.pid).children(recursive=True)
    product.process.send_signal(signal.SIGINT)
    product.said("Stopped")
    assert product.exit_status() == 0
    _, alive = psutil.wait_procs(family, timeout=PATIENCE_SECONDS)
    assert not alive


def test_a_killed_command_leaves_no_server_of_its_own(tmp_path: Path) -> None:
    code = "import time; from backend.cli.serving import served\n"
    code += "with served(): print('ready', flush=True); time.sleep(600)"
    environment = {**os.environ, "AFT_DATA_DIR": str(tmp_path), "AFT_PORT": str(free_port())}
    command = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)
    assert command.stdout is not None
    with command.stdout as said:
        assert any(line == "ready\n" for line in said)
        family = psutil.Process(command.pid).children(recursive=True)
        assert family
        command.kill()
        command.wait()
        _, alive = psutil.wait_procs(family, timeout=PATIENCE_SECONDS)
    assert not alive


def test_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/workbench.sqlite3")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('9999')")
    engine.dispose()
    product = start(tmp_path)
    assert product.exit_status() == 1
    product.said("does not fit this version.*--data-dir")


def test_web_process_never_loads_torch() -> None:
    code = (
        "import sys, backend.app as b; b.create_app().openapi(); print('torch' in sys.modules, 'celery' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
