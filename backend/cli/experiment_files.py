"""What ``aft experiments`` writes to files: the reproduction bundle and the report."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from backend.cli.acting import looking, plain_errors
from backend.cli.output import fail
from backend.schemas.comparison import ComparisonOptions, TestName
from backend.services import bundles, experiments, reports

Id = Annotated[str, typer.Argument(help="Id from `aft experiments list`.")]
Baseline = Annotated[str | None, typer.Option(help="Label of the method to compare with; by default VFT.")]
Block = Annotated[str | None, typer.Option(help="Which data set and model, e.g. d1m2; by default the first of each.")]
Published = Annotated[str | None, typer.Option(help="Key of a published column to show beside.")]


def bundle(
    experiment_id: Id,
    file: Annotated[Path, typer.Argument(help="The zip to write; must not exist yet.")],
    baseline: Baseline = None,
    published: Published = None,
    block: Block = None,
) -> None:
    """Write everything behind the comparison as one zip; `aft verify` recomputes every number of it."""
    options = ComparisonOptions(baseline=baseline, published=published, block=block)
    _write(file, bundles.of_experiment(experiment_id, options))
    typer.echo(f"Wrote {file} ({file.stat().st_size / 1e6:.1f} MB). Check it with `aft verify {file}`.")


def report(
    experiment_id: Id,
    file: Annotated[Path, typer.Argument(help="The HTML page to write; must not exist yet.")],
    baseline: Baseline = None,
    published: Published = None,
    block: Block = None,
    test: Annotated[TestName, typer.Option(help="How differences are tested.")] = "paired-t",
) -> None:
    """Write table, words, figures, settings and hashes as one page that opens without a network."""
    options = ComparisonOptions(baseline=baseline, published=published, block=block, test=test)
    with looking() as session:
        pieces = reports.of_experiment(session, experiments.get(session, experiment_id), options)
    _write(file, (piece.encode() for piece in pieces))
    typer.echo(f"Wrote {file} ({file.stat().st_size / 1e6:.1f} MB).")


def _write(file: Path, blocks: Iterable[bytes]) -> None:
    """All of it or nothing, and never over another file."""
    if file.exists():
        fail(f"{file} exists already. Name a file that does not exist yet.")
    partial = file.with_name(f".{file.name}.partial")
    with plain_errors():
        try:
            with partial.open("wb") as stream:
                stream.writelines(blocks)
            partial.rename(file)
        except OSError as error:
            fail(f"{file} cannot be written: {error.strerror}.")
        finally:
            partial.unlink(missing_ok=True)
