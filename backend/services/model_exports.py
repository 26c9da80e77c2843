"""Checkpoints as Hugging Face directories with a model card: written to disk, or streamed as a zip archive."""

import json
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.adapters import ADAPTER_CONFIG, BASE_FILE, adapter_chain, is_adapter, merged_file, unmerged
from aft.model_files import inspect_model_directory
from aft.version import VERSION
from backend import storage
from backend.db.models import BaseModelEntry, Checkpoint, Dataset, DatasetVersion, Result, Run, RunParent
from backend.errors import Conflict, NotFound
from backend.schemas.models import ExportForm
from backend.services import model_cards, runs
from backend.services.zip_stream import ZipStream

_BLOCK = 1 << 20
_PARTS = {"train": "training", "validation": "validation", "test": "test"}


@dataclass(frozen=True)
class ExportFile:
    """One file of an export; its content is made while it is read."""

    name: str
    blocks: Callable[[], Iterable[bytes]]


@dataclass(frozen=True)
class ModelExport:
    """The files of an export: the checkpoint's own, and the card."""

    name: str
    files: tuple[ExportFile, ...]
    card: str


def prepare(session: Session, checkpoint_id: str, *, merged: bool = False) -> ModelExport:
    """Gather the files of a final or best checkpoint and card.

    Args:
        session: A session.
        checkpoint_id: The checkpoint.
        merged: Give a whole model where the checkpoint is an adapter; no difference where it is not.

    Raises:
        NotFound: If there is no such checkpoint.
        Conflict: If its files or those of an adapter's base model are gone, or it cannot be merged.
    """
    checkpoint = session.get(Checkpoint, checkpoint_id)
    if checkpoint is None or checkpoint.deleted_at is not None or checkpoint.purpose not in {"final", "best"}:
        raise NotFound(
            f"There is no final checkpoint {checkpoint_id[:40]!r}.", remedy="Choose one from the list of checkpoints."
        )
    place = storage.path(checkpoint.key)
    files = tuple(sorted(item for item in place.glob("*") if item.is_file())) if place.is_dir() else ()
    if not files:
        raise Conflict(
            "The checkpoint's files are gone from the data directory.", remedy="Run its training again, then export."
        )
    run = session.get_one(Run, checkpoint.run_id)
    form: ExportForm = "whole" if not is_adapter(place) else "merged" if merged else "adapter"
    facts = _facts(session, checkpoint, run, form)
    exported = tuple(ExportFile(file.name, partial(_blocks, file)) for file in files)
    if form == "merged":
        try:
            exported = _merged(place)
        except ValueError as error:
            raise Conflict(str(error), remedy="Export the adapter alone, or run its training again.") from error
    elif form == "adapter":
        _require_on_base(session, run)
        exported = _adapter_alone(files, facts.base_location or facts.base_model)
    return ModelExport(f"aft-{run.kind}-{run.id[-8:]}", exported, model_cards.render(facts))


def _require_on_base(session: Session, run: Run) -> None:
    start = runs.parents_of(session, run.id).get("start")
    if start is not None and start.kind == "train":
        raise Conflict(
            f"The adapter of '{run.name}' was trained on the model of '{start.name}', and is worth nothing on the base "
            "model alone.",
            remedy="Export it merged.",
        )


def _merged(place: Path) -> tuple[ExportFile, ...]:
    """The whole model below an adapter with every factor added, file by file."""
    base, adapters = adapter_chain(place)
    if not Path(base).is_dir():
        raise ValueError(f"The base model '{base}' lies on the hub and not on this machine.")
    summary = inspect_model_directory(base)
    left_over = unmerged([Path(base) / name for name in summary.weight_files], adapters)
    if left_over:
        raise ValueError(f"The base model's files hold no weight '{left_over[0]}', which the adapter changes.")
    return tuple(
        ExportFile(
            file.name,
            partial(merged_file, file, adapters) if file.name in summary.weight_files else partial(_blocks, file),
        )
        for file in sorted(Path(base).iterdir())
        if file.is_file() and file.name not in {"manifest.json", "README.md"}
    )


def _adapter_alone(files: Sequence[Path], base: str) -> tuple[ExportFile, ...]:
    """The adapter's files, with its base model by name: its place on this machine is nobody else's business."""

    def renamed(file: Path) -> list[bytes]:
        config = json.loads(file.read_bytes())
        return [json.dumps({**config, "base_model_name_or_path": base}, indent=2).encode()]

    return tuple(
        ExportFile(file.name, partial(renamed if file.name == ADAPTER_CONFIG else _blocks, file))
        for file in files
        if file.name not in {BASE_FILE, "manifest.json"}
    )


def write_directory(export: ModelExport, target: Path) -> None:
    """Copy the export into a new directory; either all of it is there afterwards or nothing.

    Raises:
        Conflict: If the target exists already.
    """
    if target.exists():
        raise Conflict(f"{target} exists already.", remedy="Name a directory that does not exist yet.")
    unfinished = target.with_name(f"{target.name}.partial")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        for file in export.files:
            with (unfinished / file.name).open("wb") as written:
                written.writelines(file.blocks())
        (unfinished / "README.md").write_text(export.card, encoding="utf-8")
        unfinished.rename(target)
    except (OSError, ValueError):
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def stream_zip(export: ModelExport) -> Iterator[bytes]:
    """The export as a zip archive in blocks; weights do not compress, so they are stored."""
    archive = ZipStream(zipfile.ZIP_STORED)
    yield from archive.add(f"{export.name}/README.md", [export.card.encode()])
    for file in export.files:
        yield from archive.add(f"{export.name}/{file.name}", file.blocks())
    yield archive.close()


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while block := source.read(_BLOCK):
            yield block


def _facts(session: Session, checkpoint: Checkpoint, run: Run, form: ExportForm) -> model_cards.CardFacts:
    base = session.get(BaseModelEntry, run.inputs.get("base_model_id", ""))
    version = session.get(DatasetVersion, run.inputs.get("dataset_version_id", ""))
    evaluations = (
        select(Run)
        .join(RunParent, RunParent.run_id == Run.id)
        .where(
            RunParent.parent_id == run.id,
            RunParent.role == "checkpoint",
            Run.kind == "evaluate",
            Run.state == "succeeded",
        )
        .order_by(Run.id)
    )
    return model_cards.CardFacts(
        name=run.name,
        run_id=run.id,
        form=form,
        checkpoint_sha256=checkpoint.sha256,
        step=checkpoint.step,
        base_model=base.name if base is not None else "made on the spot",
        base_location=base.location if base is not None and base.source == "hub" else "",
        dataset=_data(session, version) or "built-in",
        dataset_sha256=(version.sha256 if version is not None else None) or "none",
        train_questions=run.inputs.get("train_questions"),
        task=version.task if version is not None else None,
        config=run.config,
        measured=[_measured(session, evaluation) for evaluation in session.scalars(evaluations)],
        code_version=VERSION,
    )


def _data(session: Session, version: DatasetVersion | None) -> str:
    dataset = session.get(Dataset, version.dataset_id) if version is not None else None
    return f"{dataset.name} v{version.number}" if dataset is not None and version is not None else ""


def _measured(session: Session, evaluation: Run) -> model_cards.Measured:
    version = session.get(DatasetVersion, evaluation.inputs.get("dataset_version_id", ""))
    scored = runs.parents_of(session, evaluation.id).get("assessment")
    results = select(Result).where(Result.run_id == evaluation.id, Result.value.is_not(None)).order_by(Result.metric)
    return model_cards.Measured(
        data=_data(session, version) or "built-in",
        part=evaluation.config.get("part", "test"),
        scored_part=_PARTS[scored.config.get("part", "train")] if scored is not None else None,
        run_id=evaluation.id,
        results=[
            (result.metric, result.value, result.n, result.details or {})
            for result in session.scalars(results)
            if result.value is not None
        ],
    )
