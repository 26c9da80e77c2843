"""The command line in this process, for tests of commands."""

import re
from importlib import import_module

from typer.testing import CliRunner

from backend.cli.main import COMMANDS, app

_ID = re.compile(r"\b[0-9a-f]{32}\b")

# Commands are imported when they are called, and their consoles keep the width that is in the environment then: the
# first test's width would be every later one's.
for _place in COMMANDS.values():
    import_module(_place.partition(":")[0])


def aft(*arguments: str, status: int = 0, typed: str | None = None, columns: int = 400) -> str:
    """What ``aft`` prints with these arguments, lines joined where a terminal breaks them."""
    result = CliRunner().invoke(app, list(arguments), input=typed, env={"COLUMNS": str(columns)})
    assert result.exit_code == status, f"{result.output}\n{result.exception!r}"
    assert status == 0 or result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.output


def ids(text: str) -> list[str]:
    """Ids in a text, in order."""
    return _ID.findall(text)
