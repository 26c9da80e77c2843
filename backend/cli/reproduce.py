"""``aft reproduce``: the paper's tables and figures through the product's own path, and a report of what came out."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from aft.paper.presets import NAMES
from aft.paper.scales import REPRODUCED, SCALES, Scale
from backend.cli.acting import acting, looking
from backend.cli.output import fail
from backend.cli.serving import follow_experiment, served
from backend.services import reproduction, reproduction_report
from backend.services.reproduction import Item

console = Console()
DEFAULT_REPORT = Path("docs/reproduction.md")


def reproduce(
    scale: Annotated[str, typer.Option(help=f"How large: {', '.join(SCALES)}.")] = "mini",
    seeds: Annotated[str, typer.Option(help="Seeds reported, with commas; seed 0 is for tuning.")] = "1,2,3",
    only: Annotated[str, typer.Option(help=f"Presets, with commas, among {', '.join(NAMES)}.")] = "",
    report: Annotated[Path, typer.Option(help="Where the report is written, after every preset.")] = DEFAULT_REPORT,
    resume: Annotated[bool, typer.Option(help="Queue failed and cancelled runs again.")] = False,
    report_only: Annotated[bool, typer.Option(help="Start nothing; write the report from what there is.")] = False,
) -> None:
    """Run the paper's tables and figures on the built-in task, and write what came out.

    Calling it again goes on where it stopped: finished runs are taken over. Uses the server that runs on this data
    directory, or starts one.
    """
    if scale not in SCALES:
        fail(f"There is no scale '{scale}'. Choose one of {', '.join(SCALES)}.")
    chosen, numbers = SCALES[scale], _seeds(seeds)
    names = tuple(name.strip() for name in only.split(",") if name.strip()) or REPRODUCED
    if report_only:
        _write(_items(chosen, numbers, names), chosen, numbers, report)
        return
    with served():
        with looking() as session:
            reproduction.require_device(session, chosen)
        found = _items(chosen, numbers, names)
        for item in found:
            with acting() as session:
                experiment_id = reproduction.start(session, item, retry=resume).id
            console.print(f"{item.preset.title}: experiment {experiment_id}")
            follow_experiment(experiment_id, item.preset.name)
            _write(found, chosen, numbers, report)


def _items(scale: Scale, seeds: tuple[int, ...], names: tuple[str, ...]) -> list[Item]:
    with acting() as session:
        return reproduction.items(session, scale, seeds, names)


def _write(items: list[Item], scale: Scale, seeds: tuple[int, ...], path: Path) -> None:
    with looking() as session:
        text = reproduction_report.write(session, items, scale, seeds)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{path} cannot be written ({error.strerror}). Choose another --report.")
    console.print(f"Report: {path}")


def _seeds(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        fail(f"Seeds are whole numbers with commas between them, not '{text}'. Give for example 1,2,3.")
