"""The command line `aft`: everything the browser can start, and the product's own processes."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup

from aft.version import VERSION

COMMANDS: Final[Mapping[str, str]] = {
    "up": "backend.cli.up:up",
    "worker": "backend.cli.up:worker",
    "doctor": "backend.cli.doctor:doctor",
    "demo": "backend.cli.demo:demo_command",
    "reproduce": "backend.cli.reproduce:reproduce",
    "datasets": "backend.cli.datasets:app",
    "models": "backend.cli.models:app",
    "experiments": "backend.cli.experiments:app",
    "runs": "backend.cli.runs:app",
    "cots": "backend.cli.cots:app",
    "judge": "backend.cli.judge:app",
    "verify": "backend.cli.verify:verify",
    "bench": "backend.cli.bench:app",
    "login-link": "backend.cli.up:login_link",
    "migrate": "backend.cli.up:migrate",
}
"""Where each command is: a function, or for a noun's commands a Typer application."""


class LateGroup(TyperGroup):
    """Imports a command when it is called: starting the server need not wait for what draws charts."""

    # Click's types stay out: Typer brings a Click of its own, or not, depending on its version.
    def list_commands(self, ctx: Any) -> list[str]:
        """Every name, in the order above."""
        return [*COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command itself."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        found = getattr(import_module(module), attribute)
        command = typer.main.get_group(found) if isinstance(found, typer.Typer) else _single(found)
        command.name = cmd_name
        return command

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a database that cannot be used is said in one line."""
        from sqlalchemy.exc import OperationalError, ProgrammingError

        from backend.cli.output import fail

        try:
            return super().invoke(ctx)
        except (OperationalError, ProgrammingError) as error:
            fail(
                f"The database cannot be used: {str(error.orig).splitlines()[0]}. "
                "`aft up` or `aft migrate` prepares it, `aft doctor` looks at everything."
            )


app = typer.Typer(
    cls=LateGroup,
    help="AFT Workbench: align language models on reasoning and see what really got better.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


@app.callback()
def _options() -> None:
    """AFT Workbench: align language models on reasoning and see what really got better."""


@app.command("version")
def version() -> None:
    """Print the version."""
    typer.echo(VERSION)


def _single(function: Callable[..., Any]) -> Any:
    alone = typer.Typer(add_completion=False)
    alone.command()(function)
    return typer.main.get_command(alone)


if __name__ == "__main__":
    app()
