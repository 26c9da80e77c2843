"""Mixtures: one data set made of others, each question with its own task.

A mixture is a file of rows like any other, so that importing it checks, counts and hashes it as every data set.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.data.examples import MIXED
from aft.data.mapping import ColumnMapping
from backend import storage
from backend.db.models import DatasetVersion, Example, SplitMember
from backend.errors import Conflict, Invalid
from backend.schemas.datasets import ImportFileRequest, ImportRequest, ImportStarted, MixRequest, MixSource
from backend.services import datasets, imports, splits, uploads

_COLUMNS: Final = ColumnMapping(
    question="question", reference="reference", answer="answer", choices="choices", id="id", task="task", part="part"
)
_ROWS_AT_ONCE: Final = 2000


def start(session: Session, body: MixRequest) -> ImportStarted:
    """Write the sources' questions into one file and queue its import as a mixed data set.

    Raises:
        NotFound: If a version or split does not exist.
        Conflict: If the name is taken, or a version is not ready.
        Invalid: If a version is listed twice, or a split belongs to another version.
    """
    versions = [_ready(session, index, source, body) for index, source in enumerate(body.sources)]
    receiver = uploads.Receiver(f"{body.dataset_name.strip()}.jsonl")
    try:
        for version, source in zip(versions, body.sources, strict=True):
            for row in _rows(session, version, source.split_id):
                receiver.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        sha256 = receiver.finish()
        detection = uploads.look(storage.path(receiver.key), receiver.filename)
        upload = uploads.keep(session, receiver, sha256, detection)
        return imports.start(
            session,
            ImportRequest(
                dataset_name=body.dataset_name,
                description=body.description or _described(session, versions),
                task=MIXED,
                files=[ImportFileRequest(upload_id=upload.id, mapping=_COLUMNS)],
            ),
        )
    except BaseException:
        receiver.abort()
        raise


def _ready(session: Session, index: int, source: MixSource, body: MixRequest) -> DatasetVersion:
    field = f"sources.{index}"
    version = datasets.get_version(session, source.version_id)
    if version.state != "ready":
        raise Conflict(
            f"The data set version is in state '{version.state}'.", remedy="Finish its import first.", field=field
        )
    if any(source.version_id == other.version_id for other in body.sources[:index]):
        raise Invalid("A data set version is listed twice.", remedy="Leave one out.", field=f"{field}.version_id")
    if source.split_id is not None and splits.get(session, source.split_id).version_id != version.id:
        raise Invalid(
            f"Split {source.split_id[:40]!r} belongs to another version.",
            remedy="Choose a split of the version, or none.",
            field=f"{field}.split_id",
        )
    return version


def _rows(session: Session, version: DatasetVersion, split_id: str | None) -> Iterator[dict[str, Any]]:
    query = select(Example, Example.part).where(Example.version_id == version.id)
    if split_id is not None:
        query = (
            select(Example, SplitMember.part)
            .join(SplitMember, SplitMember.example_id == Example.id)
            .where(SplitMember.split_id == split_id)
        )
    for example, part in session.execute(query.order_by(Example.position)).yield_per(_ROWS_AT_ONCE):
        yield {
            "id": example.external_id,
            "task": example.task_in(version.task),
            "part": part,
            "question": example.question,
            "choices": example.choices or None,
            "reference": example.reference,
            "answer": example.answer,
        }


def _described(session: Session, versions: list[DatasetVersion]) -> str:
    named = [f"{datasets.get(session, one.dataset_id).name}, version {one.number}" for one in versions]
    return f"Mixed from {'; '.join(named)}."
