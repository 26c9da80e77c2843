"""Imports of uploaded files into data sets, and what is decided about refused rows."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Query
from fastapi.responses import FileResponse

from backend.api.deps import ReadSessionDep, SessionDep, problems
from backend.errors import Conflict, Invalid, NotFound
from backend.schemas.common import Page
from backend.schemas.datasets import ImportRequest, ImportStarted, RejectRead, VersionSummary
from backend.services import imports

router = APIRouter(tags=["datasets"])


@router.post("/imports", status_code=202, responses=problems(NotFound, Conflict, Invalid))
def start_import(session: SessionDep, body: ImportRequest) -> ImportStarted:
    """Queue the import of uploaded files as a new data set or a new version of one."""
    return imports.start(session, body)


@router.post("/dataset-versions/{version_id}/accept", responses=problems(NotFound, Conflict))
def accept_import(session: SessionDep, version_id: str) -> VersionSummary:
    """Take the valid rows of an import in review."""
    return VersionSummary.model_validate(imports.accept(session, version_id))


@router.post("/dataset-versions/{version_id}/discard", status_code=204, responses=problems(NotFound, Conflict))
def discard_import(session: SessionDep, later: BackgroundTasks, version_id: str) -> None:
    """Throw an import away: its rows, its files, and the data set if this was its only version."""
    imports.discard(session, version_id)
    later.add_task(imports.purge)


@router.get("/dataset-versions/{version_id}/rejects", responses=problems(NotFound))
def list_rejects(
    session: ReadSessionDep,
    version_id: str,
    after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[RejectRead]:
    """Refused rows with column and reason; the download has more than the first 10,000."""
    rows = imports.rejects(session, version_id, after, limit + 1)
    following = str(rows[limit - 1].id) if len(rows) > limit else None
    return Page(items=[RejectRead.model_validate(row) for row in rows[:limit]], next_after=following)


@router.get("/dataset-versions/{version_id}/rejects.jsonl", response_class=FileResponse, responses=problems(NotFound))
def download_rejects(session: ReadSessionDep, version_id: str) -> FileResponse:
    """All refused rows as JSON lines, with what they held."""
    place = imports.rejects_file(session, version_id)
    return FileResponse(place, media_type="application/x-ndjson", filename=f"rejects-{version_id[-8:]}.jsonl")
