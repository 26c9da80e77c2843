"""Ratings from files, and into files."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from backend.api.deps import ReadSessionDep, SessionDep, problems
from backend.api.reviews import PersonDep
from backend.db.models import RatingImport
from backend.errors import Conflict, Forbidden, Invalid, NotFound
from backend.schemas.rating_files import (
    RatingImportCreate,
    RatingImportRead,
    RatingImportReport,
    RatingImportUndone,
)
from backend.services import rating_exports, rating_imports, review_queues

router = APIRouter(tags=["ratings"])
SourceId = Annotated[str | None, Query(max_length=32)]


@router.get("/ratings/export", response_class=StreamingResponse, responses=problems(NotFound, Forbidden, Invalid))
def export_ratings(
    session: ReadSessionDep,
    person: PersonDep,
    run_id: SourceId = None,
    queue_id: SourceId = None,
    form: Annotated[Literal["jsonl", "csv", "parquet"], Query(alias="format")] = "jsonl",
    revisions: bool = False,
) -> StreamingResponse:
    """Ratings of a candidate set or a queue, with a manifest, as a ZIP archive: those that count, or every revision."""
    if (run_id is None) == (queue_id is None):
        raise Invalid("Both or neither of run_id and queue_id are given.", remedy="Give one.", field="run_id")
    if queue_id is not None:
        review_queues.require_unblinded(session, review_queues.get(session, queue_id), person)
    export = rating_exports.prepare(session, run_id=run_id, queue_id=queue_id, kind=form, revisions=revisions)
    headers = {"Content-Disposition": f'attachment; filename="{export.stem}.zip"'}
    return StreamingResponse(export.archive(), media_type="application/zip", headers=headers)


@router.get("/rating-imports", response_model=list[RatingImportRead], responses=problems(NotFound, Forbidden))
def list_rating_imports(
    session: ReadSessionDep, person: PersonDep, run_id: SourceId = None, queue_id: SourceId = None
) -> list[RatingImport]:
    """Files whose ratings were imported into a candidate set, newest first."""
    if queue_id is not None:
        review_queues.require_unblinded(session, review_queues.get(session, queue_id), person)
    return rating_imports.of_set(session, run_id, queue_id)


@router.post("/rating-imports/check", response_model=RatingImportReport, responses=problems(NotFound, Invalid))
def check_rating_import(session: ReadSessionDep, body: RatingImportCreate) -> RatingImportReport:
    """What an import would store, and which rows it would not take, with reasons."""
    return rating_imports.check(session, body)


@router.post("/rating-imports", response_model=RatingImportRead, status_code=201, responses=problems(NotFound, Invalid))
def import_ratings(session: SessionDep, body: RatingImportCreate) -> RatingImport:
    """Store a file's ratings; with errors nothing is stored unless they are to be skipped."""
    return rating_imports.create(session, body)


@router.post("/rating-imports/{import_id}/undo", responses=problems(NotFound, Conflict))
def undo_rating_import(session: SessionDep, import_id: str) -> RatingImportUndone:
    """Take an import back: its ratings stay on record and no longer count."""
    return RatingImportUndone(n_ratings=rating_imports.undo(session, import_id))
