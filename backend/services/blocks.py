"""An experiment's data sets and models: resolved, named, and chosen among."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from aft.config.grid import BUILTIN, FIRST_BLOCK, Block, DataChoice
from aft.paper.bases import OTHER_BASES
from backend.db.models import BaseModelEntry, Dataset, DatasetVersion
from backend.errors import Invalid, NotFound
from backend.schemas.comparison import BlockRead
from backend.services import base_models, datasets, splits


def resolve(session: Session, spec: ExperimentSpec) -> dict[str, Any]:
    """The specification's data sets and models with ids in place of ``builtin:...`` and missing splits.

    Raises:
        NotFound: If a version, split or model does not exist.
        Invalid: If a version is not imported or has no split, or one is named twice.
    """
    first = _data(
        session, DataChoice(dataset_version_id=spec.dataset_version_id, split_id=spec.split_id), "dataset_version_id"
    )
    more = tuple(_data(session, item, "more_datasets") for item in spec.more_datasets)
    tested = tuple(_data(session, item, "also_test_on") for item in spec.also_test_on)
    model = _model(session, spec.base_model_id)
    models = tuple(_model(session, item) for item in spec.more_models)
    _require_distinct([(item.dataset_version_id, item.split_id) for item in (first, *more)], "more_datasets")
    _require_distinct([(item.dataset_version_id, item.split_id) for item in tested], "also_test_on")
    _require_distinct([model, *models], "more_models")
    return {
        "dataset_version_id": first.dataset_version_id,
        "split_id": first.split_id,
        "base_model_id": model,
        "more_datasets": more,
        "more_models": models,
        "also_test_on": tested,
    }


def read(session: Session, spec: ExperimentSpec) -> list[BlockRead]:
    """Every block with its data set and model by name."""
    blocks = spec.blocks
    versions = {version_id: _dataset_name(session, version_id) for version_id in _versions(blocks)}
    models = {block.base_model_id: _model_name(session, block.base_model_id) for block in blocks}
    trained_on = {block.key: block.dataset_version_id for block in blocks if block.trained is None}
    n_data = (1 + len(spec.more_datasets)) * (1 + len(spec.also_test_on))
    found = []
    for block in blocks:
        dataset = versions[block.dataset_version_id]
        trained = versions[trained_on[block.trained]] if block.trained is not None else None
        model = models[block.base_model_id]
        words = dataset if trained is None else f"{dataset} (trained on {trained})"
        several = [name for name, count in ((words, n_data), (model, len(models))) if count > 1]
        found.append(
            BlockRead(
                key=block.key,
                title=f"{words} · {model}",
                short=" · ".join(several) or model,
                dataset=dataset,
                model=model,
                trained_on=trained,
            )
        )
    return found


def titles(session: Session, spec: ExperimentSpec) -> dict[str, str]:
    """Block key -> data set and model in words."""
    return {block.key: block.title for block in read(session, spec)}


def choose(spec: ExperimentSpec, key: str | None) -> Block:
    """A block by its key; the first by default.

    Raises:
        Invalid: If the experiment has no such block.
    """
    blocks = {block.key: block for block in spec.blocks}
    if (key or FIRST_BLOCK) not in blocks:
        raise Invalid(
            f"The experiment has no block '{key}'.",
            remedy=f"Choose one of {', '.join(blocks)}: data set number, then model number.",
            field="block",
        )
    return blocks[key or FIRST_BLOCK]


def _data(session: Session, choice: DataChoice, field: str) -> DataChoice:
    version_id = choice.dataset_version_id
    if version_id == BUILTIN:
        version_id = datasets.builtin_version(session).id
    version = datasets.get_version(session, version_id)
    if version.state != "ready":
        raise Invalid(
            f"The data set version is in state '{version.state}'.", remedy="Finish its import first.", field=field
        )
    split = splits.of_version_or_newest(session, version_id, choice.split_id)
    return DataChoice(dataset_version_id=version_id, split_id=split.id)


def _model(session: Session, model_id: str) -> str:
    if model_id == BUILTIN:
        return base_models.builtin_entry(session).id
    base = next((base for base in OTHER_BASES if base.key == model_id), None)
    if base is not None:
        made = base_models.find_made(session, base.config)
        if made is None:
            raise NotFound(f"'{base.name}' is not registered.", remedy="Start the server once with `aft up`.")
        return made.id
    return base_models.get(session, model_id).id


def _require_distinct(named: list[Any], field: str) -> None:
    repeated = next((item for item in named if named.count(item) > 1), None)
    if repeated is not None:
        name = repeated[0] if isinstance(repeated, tuple) else repeated
        raise Invalid(f"'{name}' is named twice.", remedy="Name each data set and model once.", field=field)


def _versions(blocks: Iterable[Block]) -> set[str]:
    return {block.dataset_version_id for block in blocks}


def _dataset_name(session: Session, version_id: str) -> str:
    version = session.get(DatasetVersion, version_id)
    if version is None:
        return "deleted data set"
    dataset = session.get(Dataset, version.dataset_id)
    return f"{dataset.name if dataset else 'deleted data set'} v{version.number}"


def _model_name(session: Session, model_id: str) -> str:
    model = session.get(BaseModelEntry, model_id)
    return model.name if model else "deleted model"
