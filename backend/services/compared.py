"""What a comparison is about, an experiment or chosen runs: reports and bundles are made of either alike."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from aft.config.grid import FIRST_BLOCK
from backend.db.models import Experiment, ExperimentRun, Run, RunParent
from backend.schemas.comparison import Comparison, ComparisonOptions, ComparisonOverview, FlipsRead
from backend.services import (
    blocks,
    bundle_rows,
    chosen_runs,
    chosen_table,
    comparison,
    comparison_overview,
    experiments,
    figures,
    previews,
    question_flips,
)
from backend.services.experiments import Cell
from backend.services.figure_parts import MadeFigure

CHOSEN_RUNS = "Chosen runs"


class Compared(ABC):
    """The parts of which reports and bundles are made."""

    name: str
    cells: Sequence[Cell]
    """Every run behind the comparison, parents first."""
    about_file: str
    """Where a bundle says what it is about."""
    about: Mapping[str, Any]
    """The content of that file: data sets and models, each with its hash, and what the table is made from."""
    settings: tuple[str, str]
    """File name and YAML."""
    figure_names: Sequence[str]
    blocks: Mapping[str, ComparisonOptions]
    """Folder of tables and figures -> the options of its data set and model."""
    facts: Sequence[tuple[str, str]]
    identity: Sequence[tuple[str, str]]
    """Ids and hashes by which the subject is known."""
    data: Sequence[Mapping[str, Any]]
    """Of ``about``'s blocks, those that the table shows."""
    warnings: Sequence[tuple[str, str]]
    across_seeds: bool
    """Whether rows of one run each are compared whatever their seeds."""

    @abstractmethod
    def table(self, options: ComparisonOptions) -> Comparison:
        """The comparison."""

    @abstractmethod
    def figure(self, name: str, options: ComparisonOptions) -> MadeFigure:
        """One of ``figure_names``."""

    @abstractmethod
    def flips(self, method: str, options: ComparisonOptions, *, kind: str, limit: int) -> FlipsRead:
        """Questions that a row fixed or broke."""

    @abstractmethod
    def overview(self, metric: str) -> ComparisonOverview | None:
        """The table over all data sets and models, where there are several."""


class ComparedExperiment(Compared):
    """An experiment.

    Args:
        session: A session that only reads.
        experiment: The experiment; it may be unfinished.
        options: Baseline, seed, published column and block of the comparison.

    Raises:
        Invalid: If the block does not exist.
    """

    about_file = "experiment.json"
    across_seeds = False

    def __init__(self, session: Session, experiment: Experiment, options: ComparisonOptions) -> None:
        self._session, self._experiment, self._options = session, experiment, options
        spec = ExperimentSpec.model_validate(experiment.spec)
        chosen = blocks.choose(spec, options.block)
        self.name = experiment.name
        self.cells = experiments.cells(session, experiment.id)
        self.about = bundle_rows.experiment(session, experiment, spec, options)
        self.settings = ("experiment.yaml", experiments.to_yaml(spec))
        self.figure_names = figures.names(spec)
        self.blocks = {
            "" if block.key == chosen.key else f"{block.key}/": options.model_copy(update={"block": block.key})
            for block in spec.blocks
        }
        self.data = [row for row in self.about["blocks"] if row["key"] == chosen.key]
        self.facts = [
            *_places(self.data),
            ("seeds", ", ".join(map(str, spec.seeds))),
            ("started", f"{experiment.created_at:%Y-%m-%d}"),
        ]
        self.identity = [("experiment", experiment.id), ("specification, sha256", experiment.spec_sha256)]
        self.warnings = [(item.message, item.remedy) for item in previews.warnings_of(session, spec)]

    def table(self, options: ComparisonOptions) -> Comparison:
        """The comparison of its methods."""
        return comparison.compare(self._session, self._experiment, options)

    def figure(self, name: str, options: ComparisonOptions) -> MadeFigure:
        """One of its figures."""
        return figures.of_experiment(self._session, self._experiment, name, options)

    def flips(self, method: str, options: ComparisonOptions, *, kind: str, limit: int) -> FlipsRead:
        """Questions that a method fixed or broke."""
        return question_flips.read(self._session, self._experiment, method, options, kind=kind, limit=limit)

    def overview(self, metric: str) -> ComparisonOverview | None:
        """Every method on every data set and model."""
        if len(self.blocks) == 1:
            return None
        return comparison_overview.read(self._session, self._experiment, self._options, metric)


class ComparedRuns(Compared):
    """Trainings or evaluations that somebody chose, whatever experiments they belong to.

    Args:
        session: A session that only reads.
        run_ids: Their ids, in the order of the rows.
        options: Baseline and seed of the comparison.

    Raises:
        NotFound: If a run does not exist.
        Invalid: If a run has no numbers to compare.
    """

    about_file = "chosen.json"
    across_seeds = True
    name = CHOSEN_RUNS
    figure_names = (*figures.AXES, *figures.TABLE_FIGURES)
    warnings: Sequence[tuple[str, str]] = ()

    def __init__(self, session: Session, run_ids: Sequence[str], options: ComparisonOptions) -> None:
        self._session, self._run_ids = session, run_ids
        found = chosen_runs.gather(session, run_ids)
        options = options.model_copy(update={"block": None})
        members = [one for row in found.rows.values() for one in row]
        self.cells = _cells(session, found.rows)
        places = list({tuple(one.place.values()): one.place for one in members}.values())
        self.data = [
            {"key": f"d{number}", **bundle_rows.data_and_model(session, **place)}
            for number, place in enumerate(places, 1)
        ]
        self.about = {
            "name": self.name,
            "chosen": chosen_table.as_json(found.chosen),
            "options": options.model_dump(mode="json"),
            **{part: self.data[0][part] for part in ("dataset", "split", "base_model")},
            "blocks": self.data,
        }
        self.settings = ("settings.yaml", experiments.as_yaml({label: _row(row) for label, row in found.rows.items()}))
        self.blocks = {"": options}
        self.facts = [
            ("runs", str(len(members))),
            *_places(self.data),
            ("seeds", ", ".join(map(str, found.chosen.seeds))),
        ]
        self.identity = []

    def table(self, options: ComparisonOptions) -> Comparison:
        """The comparison of the runs."""
        return chosen_runs.compare(self._session, self._run_ids, options)

    def figure(self, name: str, options: ComparisonOptions) -> MadeFigure:
        """One of the figures that need the comparison's rows only."""
        return figures.of_table(self._session, chosen_runs.shown(self._session, self._run_ids, options), name)

    def flips(self, method: str, options: ComparisonOptions, *, kind: str, limit: int) -> FlipsRead:
        """Questions that a row fixed or broke."""
        table = self.table(options.model_copy(update={"test": "paired-t"}))
        return question_flips.of_table(
            self._session, table, method, options.seed, kind=kind, limit=limit, across_seeds=True
        )

    def overview(self, metric: str) -> None:
        """Nothing: rows of other data are rows of the table."""


def _places(data: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    datasets = dict.fromkeys(f"{row['dataset']['name']} v{row['dataset']['version']}" for row in data)
    models = dict.fromkeys((row["base_model"] or {"name": "deleted model"})["name"] for row in data)
    return [("data set", ", ".join(datasets)), ("base model", ", ".join(models))]


def _row(members: Sequence[chosen_runs.Evaluated]) -> dict[str, Any]:
    """What the runs of a row have in common, and their seeds."""
    first = members[0]
    return {
        "seeds": [one.seed for one in members],
        **({"training": first.train.config} if first.train is not None else {}),
        "evaluation": first.run.config,
    }


def _cells(session: Session, rows: Mapping[str, Sequence[chosen_runs.Evaluated]]) -> list[Cell]:
    """The evaluations, their trainings and every run that those are made of, at places of their own."""
    placed: dict[str, tuple[Run, str, str | None, int | None]] = {}
    for label, members in rows.items():
        for one in members:
            for run in filter(None, (one.train, one.run)):
                placed.setdefault(run.id, (run, f"seed {one.seed}/{label}/{run.kind}", label, one.seed))
    unread = list(placed)
    while unread:
        query = select(Run).join(RunParent, RunParent.parent_id == Run.id).where(RunParent.run_id.in_(unread))
        unread = []
        for run in session.scalars(query.distinct()):
            if run.id not in placed:
                placed[run.id] = (run, f"{run.name} ({run.id[:8]})", None, run.seed)
                unread.append(run.id)
    return [
        Cell(
            # Never stored: such a place belongs to no experiment.
            ExperimentRun(
                experiment_id="", cell=cell, run_id=run.id, stage=run.kind, method=label, seed=seed,
                block=FIRST_BLOCK, position=position,
            ),
            run,
            [],
        )
        for position, (run, cell, label, seed) in enumerate(placed[run_id] for run_id in sorted(placed))
    ]  # fmt: skip
