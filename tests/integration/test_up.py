"""The supervisor and the commands built on it, as real processes."""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend.cli.locking import AlreadyServed, noted_address, server_lock
from backend.cli.main import COMMANDS, app
from backend.cli.supervisor import describe_exit
from backend.db.session import reset_engines

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60.0
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")


@dataclass
class Supervised:
    """A supervisor process and what it and its children say."""

    process: subprocess.Popen[bytes]
    pipe: int
    _buffer: bytes = field(default=b"")

    def line(self) -> str | None:
        """The next line, or None at the end: when no process holds the pipe any more."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while b"\n" not in self._buffer:
            readable, _, _ = select.select([self.pipe], [], [], max(0.0, deadline - time.monotonic()))
            assert readable, f"nothing was said within {PATIENCE_SECONDS:g} s"
            if not (more := os.read(self.pipe, 65536)):
                return None
            self._buffer += more
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode()

    def pid_of(self, name: str) -> int:
        """Wait until the named process says that it has started."""
        while (line := self.line()) is not None:
            word, _, rest = line.partition(" ")
            if word == name:
                return int(rest)
        pytest.fail(f"{name} did not start")

    def rest(self) -> list[str]:
        """Everything said until the last process is gone."""
        return list(iter(self.line, None))


@contextmanager
def supervised(*names: str, grace_seconds: float = 30.0) -> Iterator[Supervised]:
    """Run a supervisor with these children."""
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "tests.integration.supervised", str(writer), str(grace_seconds), *names]
    process = subprocess.Popen(command, cwd=REPOSITORY, pass_fds=[writer])
    os.close(writer)
    try:
        yield Supervised(process, reader)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)
        os.close(reader)


def test_killed_child_is_started_again() -> None:
    with supervised("steady") as run:
        first = run.pid_of("steady")
        os.kill(first, signal.SIGKILL)
        assert run.line() == "said steady ended (killed by SIGKILL); starting it again in 0.5 s."
        assert run.pid_of("steady") != first


def test_delay_grows_with_every_crash() -> None:
    with supervised("crashing") as run:
        said: list[str] = []
        while len(said) < 3:
            line = run.line()
            assert line is not None
            if line.startswith("said crashing ended"):
                said.append(line.removeprefix("said crashing ended (exit status 3); starting it again in "))
    assert said == ["0.5 s.", "1 s.", "2 s."]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stop_leaves_no_process_behind(number: signal.Signals) -> None:
    with supervised("steady", "parent") as run:
        run.pid_of("grandchild")  # in a session of its own, out of reach of the child's group
        run.process.send_signal(number)
        run.rest()
        assert run.process.wait(PATIENCE_SECONDS) == 0


def test_child_that_does_not_end_is_killed() -> None:
    with supervised("stubborn", grace_seconds=0.2) as run:
        run.pid_of("deaf")
        run.process.send_signal(signal.SIGTERM)
        run.rest()
        assert run.process.wait(PATIENCE_SECONDS) == 0


def test_second_signal_does_not_wait_for_the_grace() -> None:
    with supervised("stubborn", grace_seconds=10 * PATIENCE_SECONDS) as run:
        run.pid_of("deaf")
        run.process.send_signal(signal.SIGINT)
        assert run.line() == "said Stopping; runs save where they are. Ctrl-C again does not wait."
        run.process.send_signal(signal.SIGINT)
        run.rest()
        assert run.process.wait(PATIENCE_SECONDS) == 0


@linux_only
def test_children_die_with_a_killed_supervisor() -> None:
    with supervised("steady", "stubborn") as run:
        run.pid_of("deaf")
        run.process.kill()
        run.rest()


def test_exit_is_described_in_words() -> None:
    assert describe_exit(3) == "exit status 3"
    assert describe_exit(-signal.SIGKILL) == "killed by SIGKILL"


def test_second_server_on_a_data_directory_is_refused(tmp_path: Path) -> None:
    with server_lock(tmp_path) as note_address:
        note_address("http://127.0.0.1:8765")
        assert noted_address(tmp_path) == "http://127.0.0.1:8765"
        with (
            pytest.raises(AlreadyServed, match=rf"process {os.getpid()} at http://127\.0\.0\.1:8765.*--data-dir"),
            server_lock(tmp_path),
        ):
            pytest.fail("two servers on one data directory")


def test_data_directory_is_free_after_its_server_ended(tmp_path: Path) -> None:
    with server_lock(tmp_path) as note_address:
        note_address("http://127.0.0.1:8765")
    assert noted_address(tmp_path) is None
    with server_lock(tmp_path):
        pass


def test_what_a_killed_server_noted_is_no_address(tmp_path: Path) -> None:
    (tmp_path / "server.lock").write_text('{"pid": 1, "address": "http://127.0.0.1:8765"}', encoding="utf-8")
    assert noted_address(tmp_path) is None


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Options of a command become environment variables; take them back."""
    for name in ("AFT_HOST", "AFT_PORT", "AFT_DATA_DIR", "AFT_SLOTS", "AFT_BEHIND_PROXY_AUTH"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    yield
    monkeypatch.undo()
    reset_engines()


@pytest.mark.usefixtures("clean_environment")
def test_busy_port_is_named_with_a_free_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = CliRunner().invoke(app, ["up", "--port", str(port), "--data-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert f"Port {port} is in use by another program. Start with --port " in result.output


@pytest.mark.usefixtures("clean_environment")
def test_bind_that_others_can_reach_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["up", "--host", "0.0.0.0", "--data-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "nothing authenticates" in result.output


@pytest.mark.usefixtures("clean_environment")
def test_file_in_place_of_the_data_directory_is_named(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("in the way")
    result = CliRunner().invoke(app, ["up", "--data-dir", str(place)])
    assert result.exit_code == 1
    assert f"The data directory {place} cannot be made" in result.output.replace("\n", "")


def test_every_command_can_be_listed() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    assert all(name in result.output for name in COMMANDS)
