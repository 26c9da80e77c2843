"""An experiment's report: gathered here, written by ``report_page``."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from aft.version import VERSION
from backend.db.models import Candidate, Example, Experiment, utcnow
from backend.schemas.comparison import Comparison, ComparisonOptions, FlippedQuestion, FlipsRead
from backend.services import (
    blocks,
    bundle_rows,
    comparison,
    comparison_overview,
    experiments,
    figures,
    previews,
    question_flips,
)
from backend.services.bundle_environment import environment
from backend.services.report_page import Answered, Flipped, Report, ReportFigure, render

METRIC: Final = "task_accuracy"
"""Of the table over all data sets and models."""
SHOWN_METHODS: Final = 12
"""Methods whose questions are shown."""
SHOWN_QUESTIONS: Final = 2
"""Questions fixed, and as many broken, of each."""
SHOWN_TEXT: Final = 4000
"""Characters of a response; broken samples can be megabytes long."""


def stream(session: Session, experiment: Experiment, options: ComparisonOptions = comparison.DEFAULTS) -> Iterator[str]:
    """The page in pieces; everything is read before the first.

    Raises:
        Invalid: If the options name a baseline, seed or column that does not exist.
    """
    return render(gather(session, experiment, options))


def gather(session: Session, experiment: Experiment, options: ComparisonOptions) -> Report:
    """What the page says."""
    spec = ExperimentSpec.model_validate(experiment.spec)
    table = comparison.compare(session, experiment, options)
    cells = experiments.cells(session, experiment.id)
    about = bundle_rows.experiment(session, experiment, spec, options)
    chosen = blocks.choose(spec, options.block)
    block = next(row for row in about["blocks"] if row["key"] == chosen.key)
    dataset, model = block["dataset"], block["base_model"] or {"name": "deleted model", "source": ""}
    several = len(about["blocks"]) > 1
    made = {name: figures.of_experiment(session, experiment, name, options) for name in figures.names(spec)}
    return Report(
        name=experiment.name,
        facts=[
            ("data set", f"{dataset['name']} v{dataset['version']}"),
            ("base model", model["name"]),
            ("seeds", ", ".join(map(str, spec.seeds))),
            ("started", f"{experiment.created_at:%Y-%m-%d}"),
            ("written", f"{utcnow():%Y-%m-%d %H:%M} UTC by AFT Workbench {VERSION}"),
        ],
        hashes=[
            ("experiment", experiment.id),
            ("specification, sha256", experiment.spec_sha256),
            ("data set, sha256", dataset["sha256"] or "–"),
            ("split, sha256", (block["split"] or {}).get("sha256") or "–"),
            ("base model", f"{model['name']} ({model['source']}{_location(model)})"),
        ],
        table=table,
        overview=comparison_overview.read(session, experiment, options, METRIC) if several else None,
        figures=[ReportFigure(name=name, **figures.as_json(item)) for name, item in made.items() if _draws(item)],
        flips=_flips(session, experiment, table, options),
        warnings=[(item.message, item.remedy) for item in previews.warnings_of(session, spec)],
        yaml=experiments.to_yaml(spec),
        runs=[_run(row) for row in bundle_rows.runs(session, cells)],
        environment=_environment(),
    )


def _draws(made: figures.MadeFigure) -> bool:
    """A figure about settings that the experiment does not vary has nothing to show."""
    return bool(made.rows) and bool(made.figure.data)


def _flips(session: Session, experiment: Experiment, table: Comparison, options: ComparisonOptions) -> list[Flipped]:
    base = next((row for row in table.rows if row.is_baseline), None)
    if base is None or not base.statistics["task_accuracy"].n:
        return []
    found = []
    for row in table.rows[:SHOWN_METHODS]:
        measured = row.statistics["task_accuracy"].values
        common = [seed for seed, value in base.statistics["task_accuracy"].values.items() if value is not None]
        common = [seed for seed in common if measured.get(seed) is not None]
        if row is base or not common:
            continue
        wanted = options.model_copy(update={"seed": int(common[0])})
        fixed, broken = (
            question_flips.read(session, experiment, row.method, wanted, kind=kind, limit=SHOWN_QUESTIONS)
            for kind in ("fixed", "broken")
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
