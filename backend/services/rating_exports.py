"""Ratings into files: every rating that counts, or every revision, with evidence, steps and time."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from aft.version import VERSION
from backend.db.models import Adjudication, Candidate, Example, Rating, Review, ReviewQueue, Run
from backend.db.session import reading
from backend.services import candidates, review_queues
from backend.services.export_files import Column, Kind, Outlet, Row, Table, as_table, file_name, written, zipped

_BATCH = 2_000
_TEXT, _NUMBER, _WHOLE = pa.string(), pa.float64(), pa.int64()
COLUMNS: tuple[Column, ...] = (
    Column("id", _WHOLE),
    Column("candidate_id", _WHOLE),
    Column("question_id", _TEXT),
    Column("question", _TEXT),
    Column("text", _TEXT),
    Column("rater", _TEXT),
    Column("source", _TEXT),
    Column("scale", _TEXT),
    Column("value", _NUMBER),
    Column("is_current", pa.bool_()),
    Column("revision", _WHOLE),
    Column("note", _TEXT),
    Column("wrong_steps", pa.list_(pa.list_(_WHOLE))),
    Column("evidence", _TEXT),
    Column("seconds", _NUMBER),
    Column("queue_id", _TEXT),
    Column("item_id", _WHOLE),
    Column("import_id", _TEXT),
    Column("rate_run_id", _TEXT),
    Column("created_at", _TEXT),
)


@dataclass
class RatingExport:
    """An export that was asked for and can be written."""

    run: Run
    queue: ReviewQueue | None
    kind: Kind
    revisions: bool
    outlet: Outlet = field(default_factory=Outlet)
    counted: list[int] = field(default_factory=lambda: [0])

    @property
    def stem(self) -> str:
        """Name of the file without its ending."""
        return f"ratings-{(self.queue or self.run).id[-8:]}"

    def archive(self) -> Iterator[bytes]:
        """The file and its manifest as a ZIP archive."""
        return zipped(file_name(self.stem, self.kind), self.pieces(), self.others)

    def pieces(self) -> Iterator[bytes]:
        """The file's bytes; one consistent state of the database, a batch of rows in memory."""
        with reading() as session:
            yield from written(_batches(session, self), self.kind, COLUMNS, self.outlet, self.counted)

    def others(self) -> dict[str, str]:
        """The manifest, once the file is complete."""
        manifest = {
            "file": file_name(self.stem, self.kind),
            "rows": self.counted[0],
            "bytes": self.outlet.size_bytes,
            "sha256": self.outlet.sha256(),
            "columns": [{"name": column.name, "type": str(column.type)} for column in COLUMNS],
            "revisions": self.revisions,
            "candidate_set": {"run_id": self.run.id, "name": self.run.name, "fingerprint": self.run.fingerprint},
            "queue": {"id": self.queue.id, "name": self.queue.name} if self.queue else None,
            "code_version": VERSION,
            "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        return {"manifest.json": json.dumps(manifest, indent=2, ensure_ascii=False)}


def prepare(session: Session, *, run_id: str | None, queue_id: str | None, kind: Kind, revisions: bool) -> RatingExport:
    """Check what is asked for, before the first byte leaves.

    Raises:
        NotFound: If the candidate set or the queue does not exist.
    """
    if queue_id is not None:
        queue = review_queues.get(session, queue_id)
        return RatingExport(session.get_one(Run, queue.run_id), queue, kind, revisions)
    return RatingExport(candidates.get_set(session, run_id or ""), None, kind, revisions)


def _batches(session: Session, export: RatingExport) -> Iterator[Table]:
    query = (
        select(
            Rating, Candidate.text, Example.external_id, Example.question, Review.revision,
            Review.queue_id, Review.item_id, Adjudication.queue_id, Adjudication.item_id,
        )
        .join(Candidate, Candidate.id == Rating.candidate_id)
        .join(Example, Example.id == Candidate.example_id)
        .outerjoin(Review, Review.id == Rating.review_id)
        .outerjoin(Adjudication, Adjudication.id == Rating.adjudication_id)
        .where(Candidate.run_id == export.run.id)
        .order_by(Rating.id)
        .limit(_BATCH)
    )  # fmt: skip
    if not export.revisions:
        query = query.where(Rating.is_current)
    if export.queue is not None:
        # What people said elsewhere about these COTs is not the queue's.
        query = query.where(or_(Review.queue_id == export.queue.id, Adjudication.queue_id == export.queue.id))
    after = 0
    while True:
        page = session.execute(query.where(Rating.id > after)).all()
        if page:
            yield as_table([_row(*found) for found in page], COLUMNS)
            after = page[-1][0].id
        if len(page) < _BATCH:
            return
        session.expunge_all()


def _row(
    rating: Rating,
    text: str,
    external_id: str,
    question: str,
    revision: int | None,
    review_queue_id: str | None,
    review_item_id: int | None,
    decided_queue_id: str | None,
    decided_item_id: int | None,
) -> Row:
    evidence: dict[str, Any] = rating.evidence or {}
    return {
        "id": rating.id,
        "candidate_id": rating.candidate_id,
        "question_id": external_id,
        "question": question,
        "text": text,
        "rater": rating.rater,
        "source": rating.source,
        "scale": rating.scale,
        "value": rating.value,
        "is_current": rating.is_current,
        "revision": revision,
        "note": str(evidence["note"]) if evidence.get("note") else None,
        "wrong_steps": [list(span) for span in evidence.get("wrong_steps", [])],
        "evidence": json.dumps(evidence, ensure_ascii=False) if evidence else None,
        "seconds": rating.seconds,
        "queue_id": review_queue_id or decided_queue_id,
        "item_id": review_item_id or decided_item_id,
        "import_id": rating.import_id,
        "rate_run_id": rating.run_id,
        "created_at": rating.created_at.isoformat(),
    }
