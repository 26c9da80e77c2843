"""The command line in this process, for tests of commands."""

import re

from typer.testing import CliRunner

from backend.cli.main import app

_ID = re.compile(r"\b[0-9a-f]{32}\b")


def aft(*arguments: str, status: int = 0, typed: str | None = None, columns: int = 400) -> str:
    """What ``aft`` prints with these arguments, lines joined where a terminal breaks them."""
    result = CliRunner().invoke(app, list(arguments), input=typed, env={"COLUMNS": str(columns)})
    assert result.exit_code == status, f"{result.output}\n{result.exception!r}"
    assert status == 0 or result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.output


def ids(text: str) -> list[str]:
    """Ids in a text, in order."""
    return _ID.findall(text)
