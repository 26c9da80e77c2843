"""Rows of data sets as the API shows them."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db.models import Dataset, DatasetVersion, Example, RowReject, Run
from backend.schemas.datasets import (
    DatasetRead,
    DatasetSummary,
    ExampleRead,
    ImportProgress,
    SplitRead,
    VersionRead,
    VersionReport,
    VersionSummary,
)
from backend.schemas.runs import RunError
from backend.services import datasets, run_views, splits
from backend.services.run_states import OPEN

SHOWN_TEXT = 4_000


def summaries(session: Session, rows: list[Dataset]) -> list[DatasetSummary]:
    """Rows of the list."""
    versions = datasets.versions(session, [row.id for row in rows])
    runs = datasets.importing(session, [item for items in versions.values() for item in items])
    return [DatasetSummary(**_summary(row, versions[row.id], runs)) for row in rows]


def whole(session: Session, dataset: Dataset) -> DatasetRead:
    """A data set with everything but its rows."""
    versions = datasets.versions(session, [dataset.id])[dataset.id]
    runs = datasets.importing(session, versions)
    return DatasetRead(
        **_summary(dataset, versions, runs),
        versions=[version(session, item) for item in versions],
        used_by=datasets.used_by(session, [item.id for item in versions]),
    )


def version(session: Session, row: DatasetVersion) -> VersionRead:
    """A version with everything but its rows."""
    run = session.get(Run, row.import_run_id) if row.import_run_id else None
    stored = session.scalar(select(func.count()).where(RowReject.version_id == row.id)) if row.n_rejected else 0
    return VersionRead(
        **_version(row).model_dump(),
        dataset_name=session.get_one(Dataset, row.dataset_id).name,
        report=VersionReport.model_validate(row.report) if row.report else None,
        splits=[SplitRead.model_validate(split) for split in splits.of_version(session, row.id)],
        importing=_importing(run) if run is not None else None,
        n_rejects_stored=stored or 0,
    )


def example(row: Example, part: str | None, *, shorten: bool) -> ExampleRead:
    """An example, with long texts cut in lists."""
    cut = shorten and any(len(text) > SHOWN_TEXT for text in (row.question, row.reference, row.answer))
    return ExampleRead(
        id=row.id,
        version_id=row.version_id,
        position=row.position,
        external_id=row.external_id,
        part=part,  # type: ignore[arg-type]  # one of the parts
        question=row.question[:SHOWN_TEXT] if cut else row.question,
        reference=row.reference[:SHOWN_TEXT] if cut else row.reference,
        answer=row.answer[:SHOWN_TEXT] if cut else row.answer,
        choices=[str(choice) for choice in row.choices] if row.choices else None,
        task=row.task,  # type: ignore[arg-type]  # one of the tasks
        text_truncated=cut,
    )


def _summary(row: Dataset, versions: list[DatasetVersion], runs: dict[str, Run]) -> dict[str, Any]:
    ready = [item for item in versions if item.state == "ready"]
    newest = ready[0] if ready else None
    pending = [item for item in versions if item.state == "review" or (item.state == "staging" and _active(item, runs))]
    return {
        "id": row.id,
        "name": row.name,
        "task": row.task,
        "description": row.description,
        "builtin": row.builtin,
        "created_at": row.created_at,
        "newest": _version(newest) if newest else None,
        "pending": [_version(item) for item in pending],
        "n_versions": len(ready),
        "parts": (newest.report or {}).get("parts", {}) if newest else {},
    }


def _active(item: DatasetVersion, runs: dict[str, Run]) -> bool:
    run = runs.get(item.id)
    return run is not None and run.state in OPEN


def _version(row: DatasetVersion) -> VersionSummary:
    return VersionSummary.model_validate(row)


def _importing(run: Run) -> ImportProgress:
    return ImportProgress(
        run_id=run.id,
        state=run.state,  # type: ignore[arg-type]  # one of the states
        progress=run_views.progress(run),
        error=RunError.model_validate({key: run.error[key] for key in RunError.model_fields if key in run.error})
        if run.error
        else None,
    )
