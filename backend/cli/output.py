"""How the commands speak."""

from typing import NoReturn

import typer
from rich.table import Column


def fail(message: str) -> NoReturn:
    """Say what is wrong on stderr and end with status 1."""
    typer.echo(message, err=True)
    raise typer.Exit(1)


def percent(mean: float | None, std: float | None) -> str:
    """``48.3 ± 0.9``, or a dash for what was not measured."""
    if mean is None:
        return "–"
    return f"{100 * mean:.1f}" + ("" if std is None else f" ± {100 * std:.1f}")


def id_column(header: str) -> Column:
    """A table's column of ids, which are there to be copied: whole, however narrow the terminal."""
    return Column(header, no_wrap=True, min_width=32)
