"""Checkpoints as Hugging Face directories with a model card: written to disk, or streamed as a zip archive."""

import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.version import VERSION
from backend import storage
from backend.db.models import BaseModelEntry, Checkpoint, Dataset, DatasetVersion, Result, Run, RunParent
from backend.errors import Conflict, NotFound
from backend.services import model_cards
from backend.services.zip_stream import ZipStream

_BLOCK = 1 << 20


@dataclass(frozen=True)
class ModelExport:
    """The files of an export: the checkpoint's own, and the card."""

    name: str
    files: tuple[Path, ...]
    card: str


def prepare(session: Session, checkpoint_id: str) -> ModelExport:
    """Gather the files of a final or best checkpoint and card.

    Raises:
        NotFound: If there is no such checkpoint.
        Conflict: If its files are gone.
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
    return ModelExport(f"aft-{run.kind}-{run.id[-8:]}", files, model_cards.render(_facts(session, checkpoint, run)))


def write_directory(export: ModelExport, target: Path) -> None:
    """Copy the export into a new directory; either all of it is there afterwards or nothing.

    Raises:
        Conflict: If the target exists already.
    """
    if target.exists():
        raise Conflict(f"{target} exists already.", remedy="Name a directory that does not exist yet.")
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        for file in export.files:
            shutil.copyfile(file, partial / file.name)
        (partial / "README.md").write_text(export.card, encoding="utf-8")
        partial.rename(target)
    except OSError:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def stream_zip(export: ModelExport) -> Iterator[bytes]:
    """The export as a zip archive in blocks; weights do not compress, so they are stored."""
    archive = ZipStream(zipfile.ZIP_STORED)
    yield from archive.add(f"{export.name}/README.md", [export.card.encode()])
    for file in export.files:
        yield from archive.add(f"{export.name}/{file.name}", _blocks(file))
    yield archive.close()


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while block := source.read(_BLOCK):
            yield block


def _facts(session: Session, checkpoint: Checkpoint, run: Run) -> model_cards.CardFacts:
    base = session.get(BaseModelEntry, run.inputs.get("base_model_id", ""))
    version = session.get(DatasetVersion, run.inputs.get("dataset_version_id", ""))
    dataset = session.get(Dataset, version.dataset_id) if version is not None else None
    evaluations = (
        select(Result.metric, Result.value, Result.n)
        .join(RunParent, RunParent.run_id == Result.run_id)
        .where(RunParent.parent_id == run.id, RunParent.role == "checkpoint", Result.value.is_not(None))
        .order_by(Result.run_id, Result.metric)
    )
    return model_cards.CardFacts(
        name=run.name,
        run_id=run.id,
        checkpoint_sha256=checkpoint.sha256,
        step=checkpoint.step,
        base_model=base.name if base is not None else "made on the spot",
        base_location=base.location if base is not None and base.source == "hub" else "",
        dataset=f"{dataset.name} v{version.number}" if dataset is not None and version is not None else "built-in",
        dataset_sha256=(version.sha256 if version is not None else None) or "none",
        config=run.config,
        results=[(metric, value, count) for metric, value, count in session.execute(evaluations) if value is not None],
        code_version=VERSION,
    )
