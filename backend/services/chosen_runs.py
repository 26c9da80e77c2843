"""The comparison of runs that somebody chose: rows of one method and one setting, seeds of equal ones together."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.config.method import MethodConfig
from aft.config.training import TrainConfig
from aft.paper import method_key
from backend.db.models import BaseModelEntry, Dataset, DatasetVersion, Run, RunParent
from backend.errors import Invalid
from backend.schemas.comparison import Comparison, ComparisonOptions
from backend.services import chosen_table, comparison, outcomes, runs
from backend.services.chosen_table import Chosen
from backend.services.comparison_table import Arm, Measured

MOST_RUNS: Final = 100
_LABEL_LENGTH: Final = 80
_NO_SETTING: Final = frozenset({"seed", "method"})
"""Parts of a configuration that make no other setting: repetitions differ in one, rows are named by the other."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """An evaluation with the training behind it."""

    run: Run
    train: Run | None

    @property
    def label(self) -> str:
        return self.run.method or (self.train.method if self.train is not None else None) or self.run.name

    @property
    def seed(self) -> int:
        return self.run.seed or 0

    @property
    def method(self) -> MethodConfig | None:
        return TrainConfig.model_validate(self.train.config).method if self.train is not None else None

    @property
    def place(self) -> dict[str, Any]:
        """Data set version and model."""
        return {name: self.run.inputs.get(name) for name in ("dataset_version_id", "split_id", "base_model_id")}

    @property
    def settings(self) -> dict[str, Any]:
        """Everything but seed and method that repetitions have in common."""
        train = dict(self.train.config) if self.train is not None else {}
        return {name: value for name, value in train.items() if name not in _NO_SETTING} | {
            f"evaluation {name}": value for name, value in self.run.config.items() if name not in _NO_SETTING
        }


@dataclass(frozen=True, slots=True)
class Gathered:
    """Chosen runs as rows."""

    chosen: Chosen
    measured: Measured
    rows: dict[str, list[Evaluated]]
    """Row -> the evaluations it counts, one a seed."""


def compare(session: Session, run_ids: Sequence[str], options: ComparisonOptions) -> Comparison:
    """Chosen trainings or evaluations against a baseline, the first VFT or else the first of them.

    Runs of one method, on the same data, from the same model, with the same settings are a row, mean ± std over
    their seeds. A training stands for its newest evaluation on its own data.

    Args:
        session: The transaction.
        run_ids: Their ids, in the order of the rows.
        options: Baseline, test and seed.

    Raises:
        NotFound: If a run does not exist.
        Invalid: If a run is of another kind or has no evaluation, or the baseline or seed does not exist.
    """
    found = gather(session, run_ids)
    return chosen_table.build(found.chosen, found.measured, partial(outcomes.by_question, session), options)


def gather(session: Session, run_ids: Sequence[str]) -> Gathered:
    """Chosen runs as rows with what their evaluations measured.

    Raises:
        NotFound: If a run does not exist.
        Invalid: If there are too few or too many, or one is of another kind or has no evaluation.
    """
    wanted = list(dict.fromkeys(run_ids))
    if not 1 <= len(wanted) <= MOST_RUNS:
        raise Invalid(
            f"{len(wanted)} runs are chosen.", remedy=f"Choose between 2 and {MOST_RUNS}, or one to look at.",
            field="run",
        )  # fmt: skip
    found: dict[str, Evaluated] = {}
    for run_id in wanted:
        one = _evaluated(session, runs.get(session, run_id))
        found.setdefault(one.run.id, one)
    groups: dict[str, list[Evaluated]] = {}
    for one in found.values():
        groups.setdefault(_group(one), []).append(one)
    labels = _labels(session, [members[0] for members in groups.values()])
    arms, measured = [], Measured({}, [], {}, {})
    places: dict[str, list[tuple[str, str]]] = {}
    rows: dict[str, list[Evaluated]] = {}
    for label, members in zip(labels, groups.values(), strict=True):
        arms.append(_arm(label, members[0]))
        measured.run_ids[label] = {}
        rows[label] = [one for one in members if _place(one, label, measured, places)]
    values, details = comparison.results_at(session, places)
    measured.values.update(values)
    measured.details.extend(details)
    seeds = sorted({one.seed for one in found.values()})
    return Gathered(Chosen(arms, seeds, _notes(list(found.values()))), measured, rows)


def shown(session: Session, run_ids: Sequence[str], options: ComparisonOptions) -> Comparison:
    """The same without the rows that figures leave out, and without reading what only tests need."""
    table = compare(session, run_ids, options.model_copy(update={"test": "paired-t"}))
    table.rows = [row for row in table.rows if row.method not in options.hidden]
    return table


def _evaluated(session: Session, run: Run) -> Evaluated:
    if run.kind == "evaluate":
        train = runs.parents_of(session, run.id).get("checkpoint")
        return Evaluated(run, train if train is not None and train.kind == "train" else None)
    if run.kind != "train":
        raise Invalid(
            f"Run '{run.name}' is of kind {run.kind}, which has no numbers to compare.",
            remedy="Choose trainings or evaluations.",
            field="run",
        )
    query = (
        select(Run)
        .join(RunParent, RunParent.run_id == Run.id)
        .where(RunParent.parent_id == run.id, RunParent.role == "checkpoint", Run.kind == "evaluate")
        .order_by((Run.state == "succeeded").desc(), Run.id.desc())
    )
    of_data = [
        one
        for one in session.scalars(query)
        if one.inputs.get("dataset_version_id") == run.inputs.get("dataset_version_id")
    ]
    if not of_data:
        raise Invalid(
            f"Training '{run.name}' has no evaluation on its data.",
            remedy="Choose a run that an experiment or `aft models evaluate` has evaluated.",
            field="run",
        )
    return Evaluated(of_data[0], run)


def _group(one: Evaluated) -> str:
    """The same for runs that repeat each other under other seeds."""
    method = one.method.model_dump(mode="json") if one.method is not None else one.run.inputs.get("checkpoint_run_id")
    body = [one.label, one.place, one.settings, method]
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()


def _arm(label: str, one: Evaluated) -> Arm:
    method = one.method
    if method is None:
        return Arm(label, "", "none", None)
    feedback = str(one.train.config.get("feedback", "binary")) if one.train is not None else "binary"
    return Arm(
        label, method.name, method.constraint, method_key(method, "ranking" if feedback == "ranking" else "binary")
    )


def _place(one: Evaluated, label: str, measured: Measured, places: dict[str, list[tuple[str, str]]]) -> bool:
    """Whether the row counts the run: one a seed."""
    seed = str(one.seed)
    if seed in measured.run_ids[label]:
        earlier = measured.run_ids[label][seed]["evaluate"]
        measured.missing.setdefault(label, []).append(f"seed {seed}: a second run is left out, {earlier} is counted")
        return False
    measured.run_ids[label][seed] = {"evaluate": one.run.id} | ({"train": one.train.id} if one.train else {})
    if one.run.state == "succeeded":
        places[one.run.id] = [(label, seed)]
    else:
        measured.missing.setdefault(label, []).append(f"seed {seed}: {one.run.state}")
    return True


def _labels(session: Session, firsts: Sequence[Evaluated]) -> list[str]:
    """A row's name: its method, and where several rows have it, what tells them apart."""
    names = [_described(session, one) for one in firsts]
    telling = {one.label: _telling([names[at] for at, other in enumerate(firsts) if other.label == one.label])
               for one in firsts}  # fmt: skip
    labels: list[str] = []
    for place, one in enumerate(firsts):
        parts = [value for key in telling[one.label] if (value := names[place].get(key)) is not None]
        label = " · ".join([one.label, *parts])[:_LABEL_LENGTH]
        repeated = sum(earlier == label for earlier in labels)
        number = 2
        while repeated and f"{label[: _LABEL_LENGTH - 5]} ({number})" in labels:
            number += 1
        labels.append(f"{label[: _LABEL_LENGTH - 5]} ({number})" if repeated else label)
    return labels


def _telling(names: Sequence[Mapping[str, str | None]]) -> list[str]:
    """The first few settings that tell rows apart: each tells two apart that those before it do not."""
    chosen: list[str] = []
    told = 1
    keys = dict.fromkeys(key for name in names for key in name)
    # How a model was made says more about its row than how it was evaluated.
    for key in sorted(keys, key=lambda key: key.startswith("evaluation ")):
        apart = len({tuple(name.get(one) for one in (*chosen, key)) for name in names})
        if apart > told:
            chosen.append(key)
            told = apart
    return chosen


def _described(session: Session, one: Evaluated) -> dict[str, str | None]:
    version = session.get(DatasetVersion, str(one.place["dataset_version_id"]))
    dataset = session.get(Dataset, version.dataset_id) if version is not None else None
    model = session.get(BaseModelEntry, str(one.place["base_model_id"]))
    method = one.method.model_dump(mode="json") if one.method is not None else {}
    settings = {**_flat(method), **_flat(one.settings)}
    return {
        "data": f"{dataset.name} v{version.number}" if dataset is not None and version is not None else None,
        "model": model.name if model is not None else None,
        **{name: f"{name.split('.')[-1].replace('_', ' ')} {value}" for name, value in settings.items()},
    }


def _flat(body: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in body.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        elif value is not None:
            # What one row has and another has not is named in the one.
            flat[f"{prefix}{name}"] = value
    return flat


def _notes(found: Sequence[Evaluated]) -> list[str]:
    notes = []
    questions = {(str(one.place["dataset_version_id"]), str(one.place["split_id"])) for one in found}
    if len(questions) > 1:
        notes.append(
            f"These runs answer the test questions of {len(questions)} data sets or splits: a difference may be "
            "theirs, and tests over questions see common ones only."
        )
    if len({one.place["base_model_id"] for one in found}) > 1:
        notes.append("These runs start from several base models: a difference may be theirs.")
    return notes
