"""``aft judge``: endpoints of LLM judges, trying one, and rating a file of candidates."""

import os
import sys
from typing import Annotated

import typer
from pydantic import SecretStr, ValidationError
from rich.console import Console
from rich.table import Table

from backend import jobs
from backend.cli.output import fail
from backend.db.session import reading, transaction
from backend.errors import AppError
from backend.schemas.judges import JudgeRunCreate, JudgeTest, JudgeWrite
from backend.services import judge_runs, judge_settings, judges

app = typer.Typer(help="LLM judges: set up an endpoint, try it, rate candidates.", no_args_is_help=True)
console = Console(markup=False, highlight=False)

Name = Annotated[str, typer.Argument(help="The endpoint's name in the settings.")]


@app.command("list")
def list_command() -> None:
    """List endpoints; keys are never shown."""
    table = Table("Name", "Base URL", "Model", "Key", "Requests", "Spent", "Budget")
    with reading() as session:
        for name in judge_settings.names():
            item = judges.read(session, name)
            spent = "–" if item.used.usd is None else f"${item.used.usd:.4f}"
            budget = f"${item.budget_usd:g}" if item.budget_usd else str(item.budget_requests or "none")
            key = "yes" if item.has_key else "no"
            table.add_row(name, item.base_url, item.model, key, str(item.used.requests), spent, budget)
    console.print(table)


@app.command("set")
def set_command(
    name: Name,
    base_url: Annotated[str, typer.Option(help="Address up to /v1.")],
    model: Annotated[str, typer.Option(help="The model as the endpoint knows it.")],
    key_variable: Annotated[str | None, typer.Option(help="Environment variable that holds the key.")] = None,
    key_stdin: Annotated[bool, typer.Option("--key-stdin", help="Read the key from standard input.")] = False,
    concurrency: int = 8,
    requests_per_minute: float | None = None,
    usd_per_million_input: float | None = None,
    usd_per_million_output: float | None = None,
    budget_usd: float | None = None,
    budget_requests: int | None = None,
) -> None:
    """Store an endpoint. A key on the command line would be seen by others, so it comes from elsewhere."""
    key = None
    if key_stdin:
        key = SecretStr(sys.stdin.readline().strip())
    elif key_variable is not None:
        if key_variable not in os.environ:
            fail(f"The environment variable {key_variable} is not set.")
        key = SecretStr(os.environ[key_variable])
    try:
        body = JudgeWrite(
            base_url=base_url,
            model=model,
            api_key=key,
            concurrency=concurrency,
            requests_per_minute=requests_per_minute,
            usd_per_million_input=usd_per_million_input,
            usd_per_million_output=usd_per_million_output,
            budget_usd=budget_usd,
            budget_requests=budget_requests,
        )
        with reading() as session:
            stored = judges.write(session, name, body)
    except ValidationError as error:
        fail("; ".join(str(item["msg"]).removeprefix("Value error, ") for item in error.errors()))
    except AppError as error:
        fail(f"{error.detail} {error.remedy}".strip())
    console.print(
        f"Stored '{name}': {stored.model} at {stored.base_url}, {'with' if stored.has_key else 'without'} a key."
    )


@app.command("remove")
def remove_command(name: Name) -> None:
    """Forget an endpoint with its key."""
    try:
        judge_settings.remove(name)
    except AppError as error:
        fail(f"{error.detail} {error.remedy}".strip())
    console.print(f"Removed '{name}'.")


@app.command("try")
def try_command(
    name: Name,
    run: Annotated[str | None, typer.Option(help="A sampling run to take candidates from.")] = None,
    n: Annotated[int, typer.Option(min=1, max=10)] = 10,
) -> None:
    """Ask about ten candidates and print the raw replies; nothing is stored."""
    try:
        found = judges.test(name, JudgeTest(candidates_run_id=run, n=n))
    except AppError as error:
        fail(f"{error.detail} {error.remedy}".strip())
    for item in found.items:
        console.rule()
        console.print(f"{item.question}\n→ {item.candidate}")
        for reply in item.replies:
            console.print(reply.raw.strip() or "(empty)", style="dim")
            if reply.problem:
                console.print(f"Cannot be read: {reply.problem}.", style="red")
        expected = "" if item.expected is None else f", the oracle says {item.expected:g}"
        console.print(f"Rating: {'–' if item.rating is None else f'{item.rating:g}'}{expected}")
    if found.problem:
        fail(found.problem)


@app.command("rate")
def rate_command(
    name: Name,
    run: Annotated[str, typer.Argument(help="The sampling run whose candidates are rated.")],
    samples: Annotated[int, typer.Option(min=1, max=20)] = 3,
) -> None:
    """Queue the rating of a sampling run's candidates."""
    try:
        with transaction() as session:
            started = judge_runs.start(session, name, JudgeRunCreate(candidates_run_id=run, samples=samples))
            doorbells = jobs.pending(session)
    except AppError as error:
        fail(f"{error.detail} {error.remedy}".strip())
    for doorbell in doorbells:
        jobs.ring(*doorbell)
    console.print(f"Run {started.run_id}" + (" exists already." if started.reused else " is queued."))
