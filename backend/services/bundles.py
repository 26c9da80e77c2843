"""The reproduction bundle of a comparison: one zip from which every number can be made again.

``aft verify BUNDLE`` needs nothing else: no database, no model, no network. Everything is JSON or JSON Lines; the
manifest at the end names every file with its sha256.
"""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy.orm import Session

from aft.version import VERSION
from backend.db.models import utcnow
from backend.db.session import reading
from backend.schemas.comparison import ComparisonOptions
from backend.services import bundle_rows, comparison, comparison_files, experiments, figures
from backend.services.bundle_environment import environment
from backend.services.compared import Compared, ComparedExperiment, ComparedRuns
from backend.services.zip_stream import ZipStream

FORMAT: Final = "aft-bundle"
FORMAT_VERSION: Final = 1
TESTS: Final = ("paired-t", "welch", "bootstrap", "mcnemar")
WITH_CANDIDATES: Final = frozenset({"sample", "evaluate"})
README: Final = """# {name}

A reproduction bundle of AFT Workbench {version}: everything behind the comparison table of {subject}.

    aft verify THIS-FILE.zip

reads every stored response again, grades it, recomputes every number of every evaluation, of the table under all
four tests and of the figures that show it, and lists each difference. It needs no database, no model and no network.

| file | what |
| --- | --- |
{about}
| environment.json | software of the machine that wrote this bundle; devices are in runs.jsonl |
| runs.jsonl | every run: configuration, seed, inputs, fingerprint, attempts, sha256 of the weights |
| results.jsonl | every number of every evaluation |
| tables/ | the comparison table under each test, as JSON, CSV and LaTeX; of further data sets and models in d1m2/ ... |
| figures/ | every figure as Plotly JSON with its numbers, likewise |
| questions.jsonl | the questions that candidates answer |
| candidates/ | every response with its token ids, answer and verdict, one file a run |
| ranked/ | qualities of a ranking set beside the evaluated model's scores, one file an evaluation |
| scores/ | scores of the assessment candidates under the evaluated model, nats a token, one file an evaluation |
| likelihoods/ | log-likelihood of each letter, where measured |
| ratings/ | ratings by a judge, one file a run |
| metrics/ | training curves, one file a run |
| manifest.json | sha256 and size of every file above |

The hashes show that the bundle is whole, not who made it.
"""
_ABOUT: Final = {
    "experiment.json": (
        "| experiment.yaml | the experiment, as `aft experiments start` takes it |\n"
        "| experiment.json | the same with ids, and the data set, split and base model with their sha256 |"
    ),
    "chosen.json": (
        "| settings.yaml | of every row: its seeds, and how it was trained and evaluated |\n"
        "| chosen.json | the rows, and their data sets, splits and base models with their sha256 |"
    ),
}


def of_experiment(experiment_id: str, options: ComparisonOptions = comparison.DEFAULTS) -> Iterator[bytes]:
    """An experiment's bundle in blocks, read in one snapshot of the database.

    Args:
        experiment_id: The experiment; it may be unfinished, and then says which cells are missing.
        options: Baseline, seed and published column of the tables; the test is every one.

    Raises:
        NotFound: If there is no such experiment.
        Invalid: If the options name something that does not exist.
    """
    with _snapshot() as session:
        subject = ComparedExperiment(session, experiments.get(session, experiment_id), options)
        yield from _stream(session, subject, {"experiment_id": experiment_id})


def of_runs(run_ids: Sequence[str], options: ComparisonOptions = comparison.DEFAULTS) -> Iterator[bytes]:
    """The same of trainings or evaluations that somebody chose.

    Raises:
        NotFound: If a run does not exist.
        Invalid: If a run has no numbers to compare, or the options name something that does not exist.
    """
    with _snapshot() as session:
        yield from _stream(session, ComparedRuns(session, run_ids, options), {"run_ids": list(run_ids)})


def _stream(session: Session, subject: Compared, named: dict[str, Any]) -> Iterator[bytes]:
    archive = ZipStream()
    for name, blocks in _files(session, subject):
        yield from archive.add(name, blocks)
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "written_by": f"AFT Workbench {VERSION}",
        "written_at": utcnow().isoformat(),
        **named,
        "files": {name: {"sha256": item.sha256, "size_bytes": item.size_bytes} for name, item in archive.files.items()},
    }
    yield from archive.add("manifest.json", [_json(manifest)])
    yield archive.close()


def _files(session: Session, subject: Compared) -> Iterator[tuple[str, Iterable[bytes]]]:
    yield "README.md", [_readme(subject).encode()]
    yield subject.settings[0], [subject.settings[1].encode()]
    yield subject.about_file, [_json(subject.about)]
    yield "environment.json", [_json(environment())]
    yield "runs.jsonl", _lines(bundle_rows.runs(session, subject.cells))
    yield "results.jsonl", _lines(bundle_rows.results(session, subject.cells))
    for folder, options in subject.blocks.items():
        yield from _tables(subject, options, folder)
        for name in subject.figure_names:
            yield f"figures/{folder}{name}.json", [_json(figures.as_json(subject.figure(name, options)))]
    # Two labels of equal content share their runs.
    runs = {cell.run.id: cell.run for cell in subject.cells}.values()
    with_candidates = [run for run in runs if run.kind in WITH_CANDIDATES]
    yield "questions.jsonl", _lines(bundle_rows.questions(session, [run.id for run in with_candidates]))
    for run in with_candidates:
        yield f"candidates/{run.id}.jsonl", _lines(bundle_rows.candidates(session, run.id))
    for run in with_candidates:
        if run.kind == "evaluate":
            yield f"scores/{run.id}.jsonl", _lines(bundle_rows.scores(session, run.id))
            if "agreement_set_id" in run.inputs:
                yield f"ranked/{run.id}.jsonl", _lines(bundle_rows.ranked(session, run))
            if run.config.get("choice_likelihood"):
                yield f"likelihoods/{run.id}.jsonl", _lines(bundle_rows.likelihoods(run.id))
    for run in runs:
        if run.kind == "rate":
            yield f"ratings/{run.id}.jsonl", _lines(bundle_rows.ratings(session, run.id))
        elif run.kind in {"train", "pretrain"}:
            yield f"metrics/{run.id}.jsonl", _lines(bundle_rows.metrics(session, run.id))


def _readme(subject: Compared) -> str:
    name = " ".join(subject.name.split())
    what = "one experiment" if isinstance(subject, ComparedExperiment) else "runs that somebody chose"
    return README.format(name=name, version=VERSION, subject=what, about=_ABOUT[subject.about_file])


def _tables(subject: Compared, options: ComparisonOptions, folder: str) -> Iterator[tuple[str, Iterable[bytes]]]:
    for test in TESTS:
        wanted = options.model_copy(update={"test": test})
        table = subject.table(wanted)
        body = {"options": wanted.model_dump(mode="json"), "table": table.model_dump(mode="json")}
        yield f"tables/{folder}{test}.json", [_json(body)]
        yield f"tables/{folder}{test}.csv", [comparison_files.as_csv(table).encode()]
        yield f"tables/{folder}{test}.tex", [comparison_files.as_latex(table, subject.name).encode()]


@contextmanager
def _snapshot() -> Iterator[Session]:
    """A session that sees one state of the database, however long the download takes."""
    with reading() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield session


def _json(body: Any) -> bytes:
    return (_dumps(body, indent=1, sort_keys=True) + "\n").encode()


def _lines(rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    for row in rows:
        yield (_dumps(row, separators=(",", ":")) + "\n").encode()


def _dumps(body: Any, **form: Any) -> str:
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, **form)
    except ValueError:
        return json.dumps(_without_infinities(body), ensure_ascii=False, allow_nan=False, **form)


def _without_infinities(value: Any) -> Any:
    """JSON has neither infinity nor NaN: they become null, a gap."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _without_infinities(item) for key, item in value.items()}
    return [_without_infinities(item) for item in value] if isinstance(value, list | tuple) else value
