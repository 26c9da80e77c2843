"""What people do with an experiment that is under way or done: pause, resume, put first or last, extend."""

import hashlib
import json
from typing import Final

from pydantic import ValidationError
from sqlalchemy import update
from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from aft.config.method import method_label
from backend.db.models import Experiment, utcnow
from backend.errors import Conflict, Invalid
from backend.schemas.experiments import ExperimentExtension
from backend.services import blocks, events, experiments, previews, standing
from backend.services.previews import Preview

PRIORITIES: Final = {"low": -1, "normal": 0, "high": 1}


def pause(session: Session, experiment: Experiment) -> None:
    """Let no new run start. Runs under way finish, because stopping them would only save their checkpoint earlier.

    Runs that another experiment needs go on; pausing twice is pausing.

    Raises:
        Conflict: If nothing is left to start.
    """
    state = experiments.state_of(experiments.state_counts(session, [experiment.id])[experiment.id])
    if state != "running" and experiment.paused_at is None:
        raise Conflict(
            f"Experiment '{experiment.name}' is {state}: nothing is left to pause.",
            remedy="Pause an experiment while runs of it wait.",
        )
    _set_paused(session, experiment, paused=True)


def resume(session: Session, experiment: Experiment) -> None:
    """Let its runs start again; resuming what is not paused changes nothing."""
    _set_paused(session, experiment, paused=False)


def prioritise(session: Session, experiment: Experiment, priority: str) -> None:
    """Put its runs before or after those of other experiments; what runs already is not interrupted.

    Args:
        session: The transaction.
        experiment: The experiment.
        priority: low, normal or high.
    """
    experiment.priority = PRIORITIES[priority]
    session.flush()
    standing.settle(session, experiment.id)
    events.publish(session, "experiment", "prioritised", subject_id=experiment.id, data={"priority": priority})


def priority_name(experiment: Experiment) -> str:
    """low, normal or high."""
    return next(name for name, value in PRIORITIES.items() if value == max(-1, min(1, experiment.priority)))


def extended(session: Session, experiment: Experiment, added: ExperimentExtension) -> ExperimentSpec:
    """The specification with methods, seeds, models and data sets added, ids resolved; the rest stays as it was.

    Raises:
        Invalid: If nothing is added, or something is there already.
        NotFound: If an added model, data set version or split does not exist.
    """
    spec = ExperimentSpec.model_validate(experiment.spec)
    more = {name: tuple(getattr(added, name)) for name in ExperimentExtension.model_fields}
    if not any(more.values()):
        raise Invalid("Nothing is added.", remedy="Give a method, a seed, a model or a data set.", field="methods")
    _require_new(spec, added)
    try:
        body = spec.model_dump() | {name: (*getattr(spec, name), *values) for name, values in more.items()}
        grown = ExperimentSpec.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        raise Invalid(
            str(first["msg"]).removeprefix("Value error, "), remedy="Add fewer, or different ones.",
            field=str(first["loc"][0]) if first["loc"] else "methods",
        ) from error  # fmt: skip
    return grown.model_copy(update=blocks.resolve(session, grown))


def _require_new(spec: ExperimentSpec, added: ExperimentExtension) -> None:
    labels = {method_label(method) for method in spec.methods}
    for method in added.methods:
        if method_label(method) in labels:
            raise Invalid(
                f"The experiment has a method '{method_label(method)}' already.",
                remedy="Choose another method or setting, or give it a label of its own.",
                field="methods",
            )
    models = {spec.base_model_id, *spec.more_models}
    there: tuple[tuple[str, str, list[str]], ...] = (
        ("seeds", "seed", [str(seed) for seed in added.seeds if seed in spec.seeds]),
        ("more_models", "model", [model for model in added.more_models if model in models]),
    )
    for field, noun, known in there:
        if known:
            raise Invalid(
                f"The experiment has {noun} {known[0]} already.", remedy=f"Add {noun}s that it does not have.",
                field=field,
            )  # fmt: skip


def preview_extension(session: Session, experiment: Experiment, spec: ExperimentSpec) -> Preview:
    """What an extension would start: the cells that the experiment does not have."""
    return previews.preview(
        session, spec, there={cell.place.cell for cell in experiments.cells(session, experiment.id)}
    )


def extend(session: Session, experiment: Experiment, spec: ExperimentSpec) -> None:
    """Add the runs that ``spec`` needs beyond the experiment's; what is there stays as it is.

    Args:
        session: The transaction.
        experiment: Finished, running or paused.
        spec: From `extended`.

    Raises:
        Invalid: If the extended experiment cannot work.
        Conflict: If a run that the new ones need has failed, or somebody else changed the experiment meanwhile.
    """
    preview = preview_extension(session, experiment, spec)
    for finding in preview.warnings:
        if finding.level == "error":
            raise Invalid(finding.message, remedy=finding.remedy, field=finding.field)
    body = spec.model_dump(mode="json")
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    changed = session.execute(
        update(Experiment)
        .where(Experiment.id == experiment.id, Experiment.spec_sha256 == experiment.spec_sha256)
        .values(spec=body, spec_sha256=digest)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(
            f"Experiment '{experiment.name}' was changed by somebody else meanwhile.", remedy="Look at it again."
        )
    there = {cell.place.cell: cell for cell in experiments.cells(session, experiment.id)}
    experiments.add_runs(session, experiment, preview.planned.runs, there=there, reuse=True)
    session.refresh(experiment)
    standing.settle(session, experiment.id)
    events.publish(session, "experiment", "extended", subject_id=experiment.id)


def _set_paused(session: Session, experiment: Experiment, *, paused: bool) -> None:
    before = Experiment.paused_at.is_(None) if paused else Experiment.paused_at.is_not(None)
    changed = session.execute(
        update(Experiment)
        .where(Experiment.id == experiment.id, before)
        .values(paused_at=utcnow() if paused else None)
        .execution_options(synchronize_session=False)
    )
    session.refresh(experiment)
    standing.settle(session, experiment.id)
    if changed.rowcount == 1:  # type: ignore[attr-defined]
        events.publish(session, "experiment", "paused" if paused else "resumed", subject_id=experiment.id)
