"""``aft bench``: measure the trainer, the scorer and the sampler, each in a process of its own.

A benchmark's process starts with fixed allocator settings and thread counts, and loads torch, which this process never
does. Each subcommand is a function of a module named in ``COMMANDS``.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from aft.config.bench import BenchConfig, BenchModelName
from backend.cli.output import fail

COMMANDS: Final[Mapping[str, str]] = {
    "train": "backend.cli.bench:train",
    "score": "backend.cli.bench:score",
    "sample": "backend.cli.bench:sample",
    "memory": "backend.cli.bench:memory",
    "app": "backend.bench.app:app",
}
"""Where each benchmark's command is."""


class BenchGroup(TyperGroup):
    """Imports a benchmark when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Every name, in the order above."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command itself."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        alone = typer.Typer(add_completion=False)
        alone.command()(getattr(import_module(module), attribute))
        command = typer.main.get_command(alone)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=BenchGroup,
    help="Benchmarks: alternatives take turns in one run, and the medians of their times are compared.",
    no_args_is_help=True,
)


@app.callback()
def _options() -> None:
    """Benchmarks: alternatives take turns in one run, and the medians of their times are compared."""


Model = Annotated[BenchModelName, typer.Option(help="Random Llama: the built-in sizes, or about so many parameters.")]
Device = Annotated[str, typer.Option(help="cpu, cuda or cuda:<index>.")]
DType = Annotated[str, typer.Option(help="float32 or bfloat16.")]
Trl = Annotated[bool, typer.Option("--trl", help="Pairs a second against TRL's DPOTrainer; needs the extra `bench`.")]
Threads = Annotated[int, typer.Option(help="Threads on the CPU.")]
Rounds = Annotated[int, typer.Option(help="Measurements of each alternative.")]
Questions = Annotated[int, typer.Option(help="Questions of a step or of the whole measurement.")]
K = Annotated[int, typer.Option("--k", help="Candidates of each question.")]
Overlap = Annotated[float, typer.Option(help="Share of a candidate's tokens that begin as another one does.")]
Seed = Annotated[int, typer.Option(help="Decides weights and lengths.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]


def train(
    model: Model = "5m",
    device: Device = "cpu",
    dtype: DType = "float32",
    threads: Threads = 1,
    rounds: Rounds = 5,
    questions: Questions = 8,
    k: K = 6,
    overlap: Overlap = 0.0,
    trl: Annotated[
        bool, typer.Option("--trl", help="Pairs a second against TRL's DPOTrainer; needs the extra `bench`.")
    ] = False,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """One optimizer step: padded against prefix-shared, joint against two passes, detached with and without skip."""
    _measure(as_json, name="train", model=model, device=device, dtype=dtype, threads=threads, rounds=rounds,
             questions=questions, k=k, overlap=overlap, trl=trl, seed=seed)  # fmt: skip


def score(
    model: Model = "5m",
    device: Device = "cpu",
    dtype: DType = "float32",
    threads: Threads = 1,
    rounds: Rounds = 5,
    questions: Questions = 8,
    k: K = 6,
    overlap: Overlap = 0.0,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Scores of candidates: padded rows, separate rows, and one copy of each question for all its candidates."""
    _measure(as_json, name="score", model=model, device=device, dtype=dtype, threads=threads, rounds=rounds,
             questions=questions, k=k, overlap=overlap, seed=seed)  # fmt: skip


def sample(
    model: Model = "builtin",
    device: Device = "cpu",
    dtype: DType = "float32",
    threads: Threads = 1,
    rounds: Rounds = 5,
    questions: Questions = 8,
    k: K = 6,
    max_new_tokens: Annotated[int, typer.Option(help="Most tokens of a sample.")] = 96,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """COTs from the built-in engine against transformers' model.generate, in batches of the same size."""
    _measure(as_json, name="sample", model=model, device=device, dtype=dtype, threads=threads, rounds=rounds,
             questions=questions, k=k, max_new_tokens=max_new_tokens, seed=seed)  # fmt: skip


def memory(
    model: Model = "5m",
    device: Device = "cpu",
    dtype: DType = "float32",
    threads: Threads = 1,
    questions: Questions = 8,
    k: K = 64,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Peak memory of a training step's activations with k candidates a question against 2."""
    _measure(as_json, name="memory", model=model, device=device, dtype=dtype, threads=threads,
             questions=questions, k=k, seed=seed)  # fmt: skip


def _measure(as_json: bool, **settings: Any) -> None:
    try:
        config = BenchConfig.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        fail(f"--{str(first['loc'][0]).replace('_', '-')} {first['input']}: {first['msg']}.")
    command = [sys.executable, "-m", "aft.bench", config.model_dump_json()]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise typer.Exit(done.returncode)
    if as_json:
        typer.echo(done.stdout, nl=False)
    else:
        show(json.loads(done.stdout))


def show(report: Mapping[str, Any]) -> None:
    """Print a report as tables."""
    console = Console(highlight=False)
    machine = report["machine"]
    where = machine.get("gpu", machine["processor"])
    console.print(f"{where} · torch {machine['torch']} · {report['config']['dtype']} · {report['clock']}")
    if report["alternatives"]:
        console.print(_table(report))
    for each in report["ratios"]:
        spread = f" ({each['lowest']:.2f} to {each['highest']:.2f})" if "lowest" in each else ""
        console.print(f"{each['name']} / {each['against']}: {each['median']:.2f}x{spread}, {each['what']}")
    for name, value in report["bound"].items():
        console.print(f"{name}: {value:,.4g}" if isinstance(value, int | float) else f"{name}: {value}")
    for note in report["notes"]:
        console.print(note)


def _table(report: Mapping[str, Any]) -> Table:
    if report["config"]["name"] == "memory":
        table = Table("Alternative", "highest")
        for name, found in report["alternatives"].items():
            table.add_row(name, f"{found['peak_bytes'] / 2**20:,.1f} MiB")
        return table
    table = Table("Alternative", f"{report['unit']}/s", "median", "lowest to highest")
    for name, found in report["alternatives"].items():
        seconds = found["seconds"]
        spread = f"{seconds['lowest']:.3f} to {seconds['highest']:.3f} s"
        table.add_row(name, f"{found['rate']:,.0f}", f"{seconds['median']:.3f} s", spread)
    return table
