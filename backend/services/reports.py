"""The report of a comparison: gathered here, written by ``report_page``."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.version import VERSION
from backend.db.models import Candidate, Example, Experiment, utcnow
from backend.schemas.comparison import Comparison, ComparisonOptions, FlippedQuestion, FlipsRead, MethodRow
from backend.services import bundle_rows, comparison, figures
from backend.services.bundle_environment import environment
from backend.services.compared import Compared, ComparedExperiment, ComparedRuns
from backend.services.report_page import Answered, Flipped, Report, ReportFigure, render

METRIC: Final = "task_accuracy"
"""Of the table over all data sets and models."""
SHOWN_METHODS: Final = 12
"""Methods whose questions are shown."""
SHOWN_QUESTIONS: Final = 2
"""Questions fixed, and as many broken, of each."""
SHOWN_TEXT: Final = 4000
"""Characters of a response; broken samples can be megabytes long."""


def of_experiment(
    session: Session, experiment: Experiment, options: ComparisonOptions = comparison.DEFAULTS
) -> Iterator[str]:
    """The page in pieces; everything is read before the first.

    Raises:
        Invalid: If the options name a baseline, seed or column that does not exist.
    """
    return render(gather(session, ComparedExperiment(session, experiment, options), options))


def of_runs(session: Session, run_ids: Sequence[str], options: ComparisonOptions) -> Iterator[str]:
    """The same of trainings or evaluations that somebody chose.

    Raises:
        NotFound: If a run does not exist.
        Invalid: If a run has no numbers to compare, or the options name something that does not exist.
    """
    return render(gather(session, ComparedRuns(session, run_ids, options), options))


def gather(session: Session, subject: Compared, options: ComparisonOptions) -> Report:
    """What the page says."""
    table = subject.table(options)
    made = {name: subject.figure(name, options) for name in subject.figure_names}
    return Report(
        name=subject.name,
        facts=[*subject.facts, ("written", f"{utcnow():%Y-%m-%d %H:%M} UTC by AFT Workbench {VERSION}")],
        hashes=[*subject.identity, *(pair for row in subject.data for pair in _hashes(row, len(subject.data) > 1))],
        table=table,
        overview=subject.overview(METRIC),
        figures=[ReportFigure(name=name, **figures.as_json(item)) for name, item in made.items() if _draws(item)],
        flips=_flips(session, subject, table, options),
        warnings=subject.warnings,
        yaml=subject.settings[1],
        runs=[_run(row) for row in bundle_rows.runs(session, subject.cells)],
        environment=_environment(),
    )


def _hashes(row: Mapping[str, Any], several: bool) -> list[tuple[str, str]]:
    dataset, model = row["dataset"], row["base_model"] or {"name": "deleted model", "source": ""}
    of = f" {dataset['name']} v{dataset['version']}" if several else ""
    return [
        (f"data set{of}, sha256", dataset["sha256"] or "–"),
        (f"split{of and ' of'}{of}, sha256", (row["split"] or {}).get("sha256") or "–"),
        ("base model", f"{model['name']} ({model['source']}{_location(model)})"),
    ]


def _draws(made: figures.MadeFigure) -> bool:
    """A figure about settings that the experiment does not vary has nothing to show."""
    return bool(made.rows) and bool(made.figure.data)


def _flips(session: Session, subject: Compared, table: Comparison, options: ComparisonOptions) -> list[Flipped]:
    base = next((row for row in table.rows if row.is_baseline), None)
    if base is None or not base.statistics["task_accuracy"].n:
        return []
    found = []
    theirs = _evaluated(base)
    for row in table.rows[:SHOWN_METHODS]:
        mine = _evaluated(row)
        common = [seed for seed in theirs if seed in mine]
        # One run each, whatever their seeds, have questions in common too.
        if row is base or not (common or (subject.across_seeds and len(mine) == len(theirs) == 1)):
            continue
        wanted = options.model_copy(update={"seed": int(common[0]) if common else None})
        fixed, broken = (
            subject.flips(row.method, wanted, kind=kind, limit=SHOWN_QUESTIONS) for kind in ("fixed", "broken")
        )
        found.append(
            Flipped(
                row.method,
                fixed.seed,
                fixed.fixed,
                fixed.broken,
                fixed.p_value,
                _answered(session, fixed, fixed.items),
                _answered(session, broken, broken.items),
            )
        )
    return found


def _evaluated(row: MethodRow) -> list[str]:
    return [seed for seed, value in row.statistics["task_accuracy"].values.items() if value is not None]


def _answered(session: Session, flips: FlipsRead, items: Sequence[FlippedQuestion]) -> list[Answered]:
    ids = [item.example_id for item in items]
    questions = {row.id: row.question for row in session.scalars(select(Example).where(Example.id.in_(ids)))}
    runs = (flips.baseline_run_id, flips.method_run_id)
    query = select(Candidate.run_id, Candidate.example_id, Candidate.text).where(
        Candidate.run_id.in_(runs), Candidate.example_id.in_(ids)
    )
    texts = {(run_id, example_id): text for run_id, example_id, text in session.execute(query)}

    def text(run_id: str, example_id: int) -> str:
        return _short(texts.get((run_id, example_id), ""))

    return [
        Answered(_short(questions[item.example_id]), item.gold, *(text(run, item.example_id) for run in runs))
        for item in items
    ]


def _run(row: dict[str, Any]) -> list[str]:
    attempts = row["attempts"]
    devices = list(dict.fromkeys(item["device"] for item in attempts if item["device"]))
    seconds = "–"
    if row["started_at"] and row["finished_at"]:
        spent = datetime.fromisoformat(row["finished_at"]) - datetime.fromisoformat(row["started_at"])
        seconds = str(timedelta(seconds=round(spent.total_seconds())))
    state = row["state"] if row["error"] is None else f"{row['state']}: {row['error']}"
    weights = row["weights_sha256"] or "–"
    return [row["cell"], state, str(len(attempts)), ", ".join(devices) or "–", seconds, weights[:16]]


def _environment() -> list[tuple[str, str]]:
    found = environment()
    packages: dict[str, str] = found.pop("packages")
    return [*((name.replace("_", " "), str(value)) for name, value in found.items()), *packages.items()]


def _location(model: dict[str, Any]) -> str:
    return f", {model['location']}" if model.get("location") else ""


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_TEXT else f"{text[:SHOWN_TEXT]}…"
