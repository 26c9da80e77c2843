"""The registry of base models."""

import re
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import Text, cast, select
from sqlalchemy.orm import Session

from aft.config.grid import base_models as models_named
from aft.config.tiny import MadeModelConfig, MakingConfig, TinyModelConfig
from aft.config.training import BuiltinModelConfig
from aft.model_files import inspect_model_directory
from backend.db.models import BaseModelEntry, Experiment, ExperimentRun, Run
from backend.errors import Conflict, Invalid, NotFound
from backend.schemas.datasets import UsedBy
from backend.schemas.models import ModelCreate, ModelFacts, ModelInspection, ModelMaking, TinyModelCreate
from backend.services import checkpoints, datasets, events, runs, splits
from backend.services.planning import making_run as planned_making
from backend.services.run_states import OPEN
from backend.settings import get_settings

MADE = frozenset({"builtin", "tiny"})
"""Sources whose models a run makes here."""
_HUB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?")
_NEW_MODELS = "at most 96 letters, digits, '-', '_' and '.' on each side of one '/'"


def get(session: Session, model_id: str) -> BaseModelEntry:
    """The model.

    Raises:
        NotFound: If there is none.
    """
    model = session.get(BaseModelEntry, model_id)
    if model is None:
        raise NotFound(f"There is no base model {model_id[:40]!r}.", remedy="Choose one on the page of models.")
    return model


def builtin_entry(session: Session) -> BaseModelEntry:
    """The built-in model.

    Raises:
        NotFound: If it is not registered, which the server does when it starts.
    """
    model = session.scalar(
        select(BaseModelEntry).where(BaseModelEntry.source == "builtin").order_by(BaseModelEntry.id).limit(1)
    )
    if model is None:
        raise NotFound("The built-in model is not registered.", remedy="Start the server once with `aft up`.")
    return model


def find_made(session: Session, config: BuiltinModelConfig) -> BaseModelEntry | None:
    """The built-in model that is made from a configuration; None if none is registered."""
    made = select(BaseModelEntry).where(BaseModelEntry.source == "builtin").order_by(BaseModelEntry.id)
    return next((model for model in session.scalars(made) if made_config(model) == config), None)


def page(session: Session, after: str | None, limit: int) -> list[BaseModelEntry]:
    """Models, newest first."""
    query = select(BaseModelEntry).order_by(BaseModelEntry.id.desc()).limit(limit)
    return list(session.scalars(query if after is None else query.where(BaseModelEntry.id < after)))


def create(session: Session, body: ModelCreate) -> BaseModelEntry:
    """Register a model after a look at its files.

    Raises:
        Conflict: If the name is taken.
        Invalid: If the directory or the id cannot be used.
    """
    name = _new_name(session, body.name)
    location, facts = look(body.source, body.location)
    same = select(BaseModelEntry).where(BaseModelEntry.source == body.source, BaseModelEntry.location == location)
    known = session.scalar(same)
    if known is not None:
        raise Conflict(f"'{location}' is registered as '{known.name}'.", remedy="Use that model.", field="location")
    model = BaseModelEntry(
        name=name, source=body.source, location=location, facts=facts.model_dump(mode="json") if facts else None
    )
    session.add(model)
    session.flush()
    events.publish(session, "model", "added", subject_id=model.id)
    return model


def look(source: str, location: str) -> tuple[str, ModelFacts | None]:
    """Check a location; a hub id is only checked as text, its files are read by the machine that fetches them.

    Raises:
        Invalid: If it cannot be used, saying why.
    """
    location = location.strip()
    if source == "hub":
        if not _HUB_ID.fullmatch(location) or ".." in location or "--" in location or location.endswith(".git"):
            raise Invalid(
                f"{location[:120]!r} is not a hub id: {_NEW_MODELS}.",
                remedy="Copy it from the model's page, such as Qwen/Qwen3-0.6B.",
                field="location",
            )
        return location, None
    place = _allowed(location)
    try:
        summary = inspect_model_directory(place)
    except ValueError as error:
        raise Invalid(str(error), field="location") from error
    except OSError as error:
        message = f"'{place}' cannot be read: {error.strerror}."
        raise Invalid(message, remedy="Check the directory's permissions.", field="location") from error
    return str(place), ModelFacts.model_validate(asdict(summary) | {"weight_files": list(summary.weight_files)})


def inspect(session: Session, model: BaseModelEntry) -> ModelInspection:
    """Look at a registered model's files again; nothing is stored."""
    if made_config(model) is not None:
        run = making_run(session, model)
        place = checkpoints.final_directory(session, run.id) if run is not None else None
        if place is None:
            return ModelInspection(location="", facts=None, problem="The model has not been made yet. Make it first.")
        try:
            summary = inspect_model_directory(place)
        except ValueError as error:
            return ModelInspection(location="", facts=None, problem=str(error))
        facts = ModelFacts.model_validate(asdict(summary) | {"weight_files": list(summary.weight_files)})
        return ModelInspection(location="", facts=facts, problem=None)
    try:
        location, found = look(model.source, model.location)
    except Invalid as error:
        return ModelInspection(location=model.location, facts=None, problem=f"{error.detail} {error.remedy}".strip())
    return ModelInspection(location=location, facts=found, problem=None)


def delete(session: Session, model_id: str) -> None:
    """Remove a model from the registry; files in directories of one's own stay.

    Raises:
        NotFound: If there is none.
        Conflict: If it is built in or used.
    """
    model = get(session, model_id)
    if model.source == "builtin":
        raise Conflict(f"'{model.name}' is built in.", remedy="Its checkpoint can be deleted; it is made again on use.")
    users = used_by(session, model_id)
    if users:
        raise Conflict(f"'{model.name}' is used by {datasets.named(users)}.", remedy="Delete those first.")
    session.delete(model)
    events.publish(session, "model", "deleted", subject_id=model_id)


def used_by(session: Session, model_id: str) -> list[UsedBy]:
    """Experiments, and runs outside of experiments, that use the model."""
    experiments = session.execute(
        select(Experiment.id, Experiment.name, Experiment.spec)
        # Ids are unique: a text that holds one names it.
        .where(cast(Experiment.spec, Text).contains(model_id))
        .order_by(Experiment.id.desc())
    )
    found = [
        UsedBy(kind="experiment", id=key, name=name)
        for key, name, spec in experiments
        if model_id in models_named(spec)
    ]
    in_experiment = select(ExperimentRun.run_id).where(ExperimentRun.run_id == Run.id).exists()
    alone = session.execute(
        select(Run.id, Run.name)
        .where(Run.inputs["base_model_id"].as_string() == model_id, Run.kind != "pretrain", ~in_experiment)
        .order_by(Run.id.desc())
        .limit(1000)
    )
    return found + [UsedBy(kind="run", id=key, name=name) for key, name in alone]


def making_run(session: Session, model: BaseModelEntry) -> Run | None:
    """The run that made or makes a model of our own: a finished one with its files, else the newest."""
    query = (
        select(Run)
        .where(Run.kind == "pretrain", Run.inputs["base_model_id"].as_string() == model.id)
        .order_by(Run.id.desc())
        .limit(20)
    )
    found = list(session.scalars(query))
    made = (run for run in found if run.state == "succeeded" and checkpoints.final_directory(session, run.id))
    active = (run for run in found if run.state in OPEN)
    return next(made, None) or next(active, None) or next(iter(found), None)


def made_config(model: BaseModelEntry) -> MadeModelConfig | None:
    """How the model is made here, None for one that is found elsewhere."""
    return MakingConfig.model_validate(model.config or {}).root if model.source in MADE else None


def make(session: Session, model: BaseModelEntry) -> ModelMaking:
    """Queue the run that makes a model, or find the one that does or did.

    Raises:
        Conflict: If the model is found elsewhere and not made here.
    """
    config = made_config(model)
    if config is None:
        raise Conflict(f"'{model.name}' is not made here.", remedy="Its files are read where they are.")
    planned = planned_making(model.id, config)
    run, existed = runs.create(
        session,
        kind=planned.kind,
        name=planned.name,
        config=planned.config.model_dump(mode="json"),
        inputs=planned.inputs,
        seed=planned.seed,
    )
    return ModelMaking(run_id=run.id, model_id=model.id, already_there=existed)


def make_tiny(session: Session, body: TinyModelCreate) -> ModelMaking:
    """Register a tiny model for a data set and queue the run that makes it.

    Raises:
        Conflict: If the name is taken, or the version is not ready.
        Invalid: If there is no split, or it has no training questions.
        NotFound: If there is no such version or split.
    """
    name = _new_name(session, body.name)
    version = datasets.get_version(session, body.dataset_version_id)
    if version.state != "ready":
        raise Conflict(
            f"The data set version is in state '{version.state}'.",
            remedy="Finish its import first.",
            field="dataset_version_id",
        )
    split = splits.of_version_or_newest(session, version.id, body.split_id)
    if not split.counts.get("train"):
        raise Invalid(
            f"Split '{split.name}' has no train questions to make a tokenizer from.",
            remedy="Choose or make a split with a train part.",
            field="split_id",
        )
    config = TinyModelConfig(**body.sizes.model_dump(), dataset_version_id=version.id, split_id=split.id)
    model = BaseModelEntry(name=name, source="tiny", config=config.model_dump(mode="json"))
    session.add(model)
    session.flush()
    events.publish(session, "model", "added", subject_id=model.id)
    return make(session, model)


def _new_name(session: Session, wanted: str) -> str:
    name = wanted.strip()
    if not name:
        raise Invalid("The name is empty.", remedy="Give the model a name.", field="name")
    if session.scalar(select(BaseModelEntry.id).where(BaseModelEntry.name == name)):
        raise Conflict(f"There is a model named '{name}' already.", remedy="Choose another name.", field="name")
    return name


def _allowed(location: str) -> Path:
    roots = [root.resolve() for root in get_settings().local_model_roots]
    if "\0" in location:
        raise Invalid("The directory's name holds a NUL character.", remedy="Remove it.", field="location")
    place = Path(location).expanduser()
    place = (roots[0] / place if not place.is_absolute() else place).resolve()
    if not any(place.is_relative_to(root) for root in roots):
        raise Invalid(
            f"'{place}' is not below a directory that models may be read from ({', '.join(map(str, roots))}).",
            remedy="Move or copy the model there, or add its directory to AFT_MODEL_ROOTS.",
            field="location",
        )
    return place
