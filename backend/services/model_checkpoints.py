"""Checkpoints as the models page shows them: lineage, size, who uses them, deletion."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend import storage
from backend.db.models import BaseModelEntry, Checkpoint, Run, RunParent, utcnow
from backend.errors import Conflict, NotFound
from backend.schemas.datasets import UsedBy
from backend.schemas.models import CheckpointLine, ExportForm
from backend.services import datasets, events
from backend.services.run_states import HELD, OPEN

_READING_ROLES = ("start", "checkpoint", "reference")
_SHOWN_USERS = 50


def page(
    session: Session,
    *,
    purpose: str | None = "final",
    base_model_id: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> list[tuple[Checkpoint, Run]]:
    """Existing checkpoints with their runs, newest first."""
    query = (
        select(Checkpoint, Run)
        .join(Run, Run.id == Checkpoint.run_id)
        .where(Checkpoint.deleted_at.is_(None))
        .order_by(Checkpoint.id.desc())
        .limit(limit)
    )
    if purpose is not None:
        query = query.where(Checkpoint.purpose == purpose)
    if base_model_id is not None:
        query = query.where(Run.inputs["base_model_id"].as_string() == base_model_id)
    if after is not None:
        query = query.where(Checkpoint.id < after)
    return list(session.execute(query))


def lines(session: Session, rows: list[tuple[Checkpoint, Run]]) -> list[CheckpointLine]:
    """Checkpoints with lineage and users, in a handful of queries for the whole page."""
    run_ids = [run.id for _, run in rows]
    models = _models(session, {str(run.inputs.get("base_model_id")) for _, run in rows})
    parents = (
        select(RunParent.run_id, Run)
        .join(Run, Run.id == RunParent.parent_id)
        .where(RunParent.run_id.in_(run_ids), RunParent.role == "start")
    )
    starts = dict(session.execute(parents).all())
    users: dict[str, list[UsedBy]] = {run_id: [] for run_id in run_ids}
    for parent_id, user in _readers(session, run_ids):
        if len(users[parent_id]) < _SHOWN_USERS:
            users[parent_id].append(UsedBy(kind="run", id=user.id, name=user.name))
    return [_line(checkpoint, run, models, starts, users[run.id]) for checkpoint, run in rows]


def delete(session: Session, checkpoint_id: str, *, confirmed: bool = False) -> Checkpoint:
    """Mark a checkpoint as deleted; the caller removes its files with ``remove_files`` after the commit.

    Args:
        session: The transaction.
        checkpoint_id: The checkpoint.
        confirmed: Delete it although finished runs read it: their numbers stay, but nothing new can start from it.

    Raises:
        NotFound: If there is none.
        Conflict: If an unfinished run needs it, or finished ones read it and this is not confirmed.
    """
    checkpoint = session.get(Checkpoint, checkpoint_id)
    if checkpoint is None or checkpoint.deleted_at is not None:
        raise NotFound(f"There is no checkpoint {checkpoint_id[:40]!r}.", remedy="It may have been deleted already.")
    run = session.get_one(Run, checkpoint.run_id)
    if run.state in HELD:
        raise Conflict(f"'{run.name}' is {run.state} and resumes from it.", remedy="Cancel that run first.")
    readers = [user for _, user in _readers(session, [run.id])] if checkpoint.purpose == "final" else []
    active = [user for user in readers if user.state in OPEN]
    if active:
        users = [UsedBy(kind="run", id=user.id, name=user.name) for user in active]
        raise Conflict(f"The model is needed by {datasets.named(users)}.", remedy="Cancel those, or wait for them.")
    adapters = _adapters_on(session, run.id) if checkpoint.purpose == "final" else []
    if adapters:
        users = [UsedBy(kind="run", id=user.id, name=user.name) for user in adapters]
        raise Conflict(
            f"The adapters of {datasets.named(users)} are worth nothing without this model.",
            remedy="Delete those checkpoints first, or export them merged.",
        )
    if readers and not confirmed:
        users = [UsedBy(kind="run", id=user.id, name=user.name) for user in readers]
        raise Conflict(
            f"The model was read by {datasets.named(users)}.",
            remedy="Confirm to delete it: their numbers stay, but nothing new can be computed from this model.",
        )
    checkpoint.deleted_at = utcnow()
    events.publish(session, "model", "checkpoint deleted", run_id=run.id, subject_id=checkpoint_id)
    session.flush()
    return checkpoint


def remove_files(key: str) -> None:
    """Remove a deleted checkpoint's files."""
    storage.delete(key)


def _adapters_on(session: Session, run_id: str) -> list[Run]:
    """Runs that trained low-rank factors on this run's model and still have them."""
    query = (
        select(Run)
        .join(RunParent, RunParent.run_id == Run.id)
        .join(Checkpoint, Checkpoint.run_id == Run.id)
        .where(
            RunParent.parent_id == run_id,
            RunParent.role == "start",
            Checkpoint.purpose == "final",
            Checkpoint.deleted_at.is_(None),
        )
        .order_by(Run.id)
    )
    return [run for run in session.scalars(query) if run.config.get("lora")]


def _readers(session: Session, run_ids: list[str]) -> list[tuple[str, Run]]:
    query = (
        select(RunParent.parent_id, Run)
        .join(Run, Run.id == RunParent.run_id)
        .where(RunParent.parent_id.in_(run_ids), RunParent.role.in_(_READING_ROLES))
        .order_by(Run.id)
    )
    return list(session.execute(query))


def _models(session: Session, ids: set[str]) -> dict[str, BaseModelEntry]:
    query = select(BaseModelEntry).where(BaseModelEntry.id.in_(ids))
    return {model.id: model for model in session.scalars(query)}


def export_forms(run: Run, start: Run | None, base: BaseModelEntry | None) -> list[ExportForm]:
    """How the final model of a run can leave.

    Args:
        run: The run.
        start: The run whose model it started from, if any.
        base: The base model of both.
    """
    if not run.config.get("lora"):
        return ["whole"]
    # An adapter on what another training made is worth nothing on the base model that it would be published for.
    alone = start is None or start.kind != "train"
    # What lies on the hub only has no files here to add the factors to.
    merged = start is not None or base is None or base.source != "hub"
    return [*(["adapter"] if alone else []), *(["merged"] if merged else [])]  # type: ignore[list-item]


def _line(
    checkpoint: Checkpoint, run: Run, models: dict[str, BaseModelEntry], starts: dict[str, Run], users: list[UsedBy]
) -> CheckpointLine:
    base: Any = run.inputs.get("base_model_id")
    model, start = models.get(str(base)), starts.get(run.id)
    values = {name: getattr(checkpoint, name) for name in ("id", "run_id", "purpose", "step", "size_bytes", "sha256")}
    return CheckpointLine(
        **values,
        created_at=checkpoint.created_at,
        run_name=run.name,
        run_kind=run.kind,  # type: ignore[arg-type]  # one of the kinds
        run_state=run.state,  # type: ignore[arg-type]  # one of the states
        method=run.method,
        seed=run.seed,
        base_model_id=base,
        base_model_name=model.name if model is not None else None,
        started_from_run_id=start.id if start is not None else None,
        exports=export_forms(run, start, model),
        used_by=users,
    )
