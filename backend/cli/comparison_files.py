"""What ``aft experiments`` and ``aft runs`` write of a comparison: its table, its report, its reproduction bundle."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

import typer

from backend.cli.acting import looking, plain_errors
from backend.cli.output import fail
from backend.schemas.comparison import Comparison, ComparisonOptions, TestName
from backend.services import bundles, chosen_runs, compared, comparison, comparison_files, experiments, reports

TABLE_FORMS: Final = (".csv", ".tex")


def _new(file: Path) -> Path:
    # Before the comparison is read, which takes a while.
    if file.exists():
        fail(f"{file} exists already. Name a file that does not exist yet.")
    return file


def _new_table(file: Path) -> Path:
    if file.suffix not in TABLE_FORMS:
        fail(f"'{file.name}' names no form of a table. End it in {' or '.join(TABLE_FORMS)}.")
    return _new(file)


Id = Annotated[str, typer.Argument(help="Id from `aft experiments list`.")]
Runs = Annotated[
    list[str], typer.Option("--run", help="Id of a training or evaluation from `aft runs list`; once for each.")
]
Zip = Annotated[Path, typer.Argument(help="The zip to write; must not exist yet.", callback=_new)]
Page = Annotated[Path, typer.Argument(help="The HTML page to write; must not exist yet.", callback=_new)]
TableFile = Annotated[
    Path, typer.Argument(help="The table to write, .csv or .tex; must not exist yet.", callback=_new_table)
]
Baseline = Annotated[str | None, typer.Option(help="Label of the method to compare with; by default VFT.")]
Row = Annotated[str | None, typer.Option(help="Label of the row to compare with; by default VFT, or the first.")]
Block = Annotated[str | None, typer.Option(help="Which data set and model, e.g. d1m2; by default the first of each.")]
Published = Annotated[str | None, typer.Option(help="Key of a published column to show beside.")]
Test = Annotated[TestName, typer.Option(help="How differences are tested.")]
Seed = Annotated[int | None, typer.Option(help="The seed whose runs McNemar's test compares; by default the first.")]


def experiment_bundle(
    experiment_id: Id, file: Zip, baseline: Baseline = None, published: Published = None, block: Block = None
) -> None:
    """Write everything behind the comparison as one zip; `aft verify` recomputes every number of it."""
    with plain_errors():
        options = ComparisonOptions(baseline=baseline, published=published, block=block)
    _write_bundle(file, bundles.of_experiment(experiment_id, options))


def experiment_report(
    experiment_id: Id,
    file: Page,
    baseline: Baseline = None,
    published: Published = None,
    block: Block = None,
    test: Test = "paired-t",
    seed: Seed = None,
) -> None:
    """Write table, words, figures, settings and hashes as one page that opens without a network."""
    with looking() as session:
        options = ComparisonOptions(baseline=baseline, published=published, block=block, test=test, seed=seed)
        pieces = reports.of_experiment(session, experiments.get(session, experiment_id), options)
    _write_text(file, pieces)


def experiment_table(
    experiment_id: Id,
    file: TableFile,
    baseline: Baseline = None,
    published: Published = None,
    block: Block = None,
    test: Test = "paired-t",
    seed: Seed = None,
) -> None:
    """Write the comparison table as CSV or LaTeX (booktabs), by the file's ending."""
    with looking() as session:
        options = ComparisonOptions(baseline=baseline, published=published, block=block, test=test, seed=seed)
        experiment = experiments.get(session, experiment_id)
        name, table = experiment.name, comparison.compare(session, experiment, options)
    _write_text(file, [_as_table(file, table, name)])


def runs_bundle(file: Zip, run: Runs, baseline: Row = None, seed: Seed = None) -> None:
    """Write everything behind the comparison of chosen runs as one zip; `aft verify` recomputes every number of it."""
    with plain_errors():
        options = ComparisonOptions(baseline=baseline, seed=seed)
    _write_bundle(file, bundles.of_runs(run, options))


def runs_report(file: Page, run: Runs, baseline: Row = None, test: Test = "paired-t", seed: Seed = None) -> None:
    """Write chosen runs' table, words, figures, settings and hashes as one page that opens without a network."""
    with looking() as session:
        pieces = reports.of_runs(session, run, ComparisonOptions(baseline=baseline, test=test, seed=seed))
    _write_text(file, pieces)


def runs_table(file: TableFile, run: Runs, baseline: Row = None, test: Test = "paired-t", seed: Seed = None) -> None:
    """Write the comparison table of chosen runs as CSV or LaTeX (booktabs), by the file's ending."""
    with looking() as session:
        table = chosen_runs.compare(session, run, ComparisonOptions(baseline=baseline, test=test, seed=seed))
    _write_text(file, [_as_table(file, table, compared.CHOSEN_RUNS)])


def _as_table(file: Path, table: Comparison, caption: str) -> str:
    return comparison_files.as_csv(table) if file.suffix == ".csv" else comparison_files.as_latex(table, caption)


def _write_bundle(file: Path, blocks: Iterable[bytes]) -> None:
    _write(file, blocks)
    typer.echo(f"Wrote {file} ({_size(file)}). Check it with `aft verify {file}`.")


def _write_text(file: Path, pieces: Iterable[str]) -> None:
    _write(file, (piece.encode() for piece in pieces))
    typer.echo(f"Wrote {file} ({_size(file)}).")


def _size(file: Path) -> str:
    size = file.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


def _write(file: Path, blocks: Iterable[bytes]) -> None:
    """All of it or nothing."""
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
