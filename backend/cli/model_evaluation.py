"""``aft models evaluate``: an exported model under lm-evaluation-harness, where that is installed."""

import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from backend.cli.output import fail

console = Console(markup=False, highlight=False)
_QUESTIONS: Final = "sample_len"
"""Beside its metrics the harness says so how many questions it asked."""


def evaluate(
    export: Annotated[Path, typer.Argument(help="A directory from `aft models export`.")],
    tasks: Annotated[str, typer.Option(help="Tasks of lm-evaluation-harness, separated by commas.")] = "gsm8k",
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first questions of each task.")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:0.")] = "cpu",
    batch_size: Annotated[str, typer.Option(help="A number, or auto.")] = "auto",
    include_path: Annotated[
        Path | None,
        typer.Option(help="A directory with tasks of your own, the harness's YAML; also over local files."),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Where the harness writes its results; kept.")] = None,
) -> None:
    """Measure an exported model with lm-evaluation-harness, so that others' numbers stand beside ours.

    The harness fetches its data sets itself, which needs a network or its cache. Its prompts are not this product's:
    compare its numbers with each other.
    """
    _require_export(export)
    if include_path is not None and not include_path.is_dir():
        fail(f"{include_path} is no directory. Name the one that holds the tasks' YAML files.")
    if find_spec("lm_eval") is None:
        fail(
            "lm-evaluation-harness is not installed in this environment. Install it with `pip install 'lm-eval[hf]'`; "
            f"any other tool that reads Hugging Face directories can be given {export} as it is."
        )
    with tempfile.TemporaryDirectory() as scratch:
        place = output or Path(scratch)
        command = [
            sys.executable, "-m", "lm_eval", "--model", "hf",
            "--model_args", f"pretrained={export},trust_remote_code=False", "--tasks", tasks,
            "--device", device, "--batch_size", batch_size, "--output_path", str(place),
        ]  # fmt: skip
        if limit is not None:
            command += ["--limit", str(limit)]
        if include_path is not None:
            command += ["--include_path", str(include_path)]
        done = subprocess.run(command, env={**os.environ, "TOKENIZERS_PARALLELISM": "false"}, check=False)
        if done.returncode != 0:
            fail(
                f"lm-evaluation-harness ended with status {done.returncode}; its own words are above. Data sets that "
                "it has not fetched yet need a network; --include-path adds tasks over local files."
            )
        _print_results(place)
    if output is not None:
        console.print(f"The harness's own files are in {output}.")


def _require_export(export: Path) -> None:
    if "," in str(export):
        fail(f"{export} has a comma in its name, which the harness takes for a separator. Rename the directory.")
    if (export / "adapter_config.json").is_file():
        fail(f"{export} is an adapter alone. Export it as a whole model with `aft models export --merged`.")
    if not (export / "config.json").is_file():
        fail(f"{export} is no exported model: it has no config.json. Make one with `aft models export`.")
    if not any(export.glob("*.safetensors")):
        fail(f"{export} has no safetensors weights. Export the model again; other formats are not loaded.")


def _print_results(place: Path) -> None:
    found = sorted(place.rglob("results*.json"), key=lambda file: file.stat().st_mtime)
    if not found:
        fail("lm-evaluation-harness wrote no results file.")
    results: dict[str, dict[str, Any]] = json.loads(found[-1].read_text(encoding="utf-8")).get("results", {})
    table = Table("Task", "Metric", "Value", "Standard error", "n")
    for task, metrics in results.items():
        for name, value in metrics.items():
            if isinstance(value, int | float) and "_stderr" not in name and name != _QUESTIONS:
                metric, _, form = name.partition(",")
                error = metrics.get(f"{metric}_stderr,{form}" if form else f"{metric}_stderr")
                shown = f"{error:.4f}" if isinstance(error, int | float) else "–"
                table.add_row(task, name, f"{value:.4f}", shown, str(metrics.get(_QUESTIONS, "–")))
    console.print(table)
