"""``aft reproduce``: the presets one after the other, as ordinary experiments of this installation."""

import hashlib
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from aft.paper.preset import Preset
from aft.paper.presets import NAMES, get_preset
from aft.paper.scales import REPRODUCED, Scale, reproduced_spec
from backend.db.models import Experiment
from backend.errors import Conflict, Invalid
from backend.services import base_models, builtin, experiments, workers

PREFIX: Final = "reproduce-"


@dataclass(frozen=True, slots=True)
class Item:
    """A preset with its experiment's specification."""

    preset: Preset
    spec: ExperimentSpec
    request_id: str
    """The same for the same specification, so that a second call finds the first one's experiment."""


def items(session: Session, scale: Scale, seeds: tuple[int, ...], names: tuple[str, ...] = REPRODUCED) -> list[Item]:
    """What is to run, in order; base models of the scale are registered when they are not known.

    Raises:
        Invalid: If a name is none of the reproduced presets, or a seed cannot be reported.
    """
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise Invalid(f"There is no preset '{unknown[0]}'.", remedy=f"Choose among {', '.join(NAMES)}.", field="only")
    if not seeds or len(set(seeds)) != len(seeds) or min(seeds) < 1:
        raise Invalid(
            f"Seeds {list(seeds)} cannot be reported: they must be distinct and above 0, for everything was tuned on "
            "seed 0.",
            remedy="Give for example 1,2,3.",
            field="seeds",
        )
    model_id = _model_id(session, scale)
    others = tuple(builtin.registered(session, base.name, base.config).id for base in scale.other_bases)
    found = []
    for name in names:
        preset = get_preset(name)
        spec = reproduced_spec(preset, scale, seeds, model_id, others)
        digest = hashlib.sha256(experiments.resolve(session, spec).model_dump_json().encode()).hexdigest()
        found.append(Item(preset, spec, f"{PREFIX}{digest[:48]}"))
    return found


def require_device(session: Session, scale: Scale) -> None:
    """Refuse a scale that this machine's workers cannot compute.

    Raises:
        Conflict: If it needs a CUDA device and no worker has one.
    """
    if not scale.needs_cuda:
        return
    devices = sorted({slot.device for slot in workers.live(session)})
    if not any(device.startswith("cuda") for device in devices):
        raise Conflict(
            f"Scale '{scale.name}' needs a CUDA device; the workers compute on {', '.join(devices) or 'nothing yet'}.",
            remedy="Start it on a machine with an NVIDIA GPU and its driver, or take --scale mini. `aft doctor` says "
            "what this machine has.",
        )


def start(session: Session, item: Item, *, retry: bool) -> Experiment:
    """Start a preset's experiment, or find it; ``retry`` queues its failed and cancelled runs again."""
    found = find(session, item)
    experiment = found or experiments.start(session, item.spec, request_id=item.request_id)
    if retry:
        experiments.retry(session, experiment)
    return experiment


def find(session: Session, item: Item) -> Experiment | None:
    """The preset's experiment, if it was started: also by an earlier version, whose settings were fewer."""
    found = session.scalar(select(Experiment).where(Experiment.request_id == item.request_id))
    if found is not None:
        return found
    wanted = experiments.resolve(session, item.spec)
    earlier = select(Experiment).where(
        Experiment.name == wanted.name, Experiment.request_id.startswith(PREFIX), Experiment.deleted_at.is_(None)
    )
    for experiment in session.scalars(earlier.order_by(Experiment.id.desc())):
        if ExperimentSpec.model_validate(experiment.spec) == wanted:
            return experiment
    return None


def _model_id(session: Session, scale: Scale) -> str:
    if scale.model_name is None:
        return base_models.builtin_entry(session).id
    return builtin.registered(session, scale.model_name, scale.model).id
