"""Candidate files on their way in."""

from fastapi import APIRouter, BackgroundTasks
from fastapi.responses import FileResponse

from backend.api.deps import ReadSessionDep, SessionDep, problems
from backend.errors import Conflict, Invalid, NotFound
from backend.schemas.candidate_imports import (
    CandidateImportRead,
    CandidateImportRequest,
    CandidateImportStarted,
    CandidatePreview,
    CandidatePreviewRequest,
)
from backend.services import candidate_imports

router = APIRouter(prefix="/candidate-imports", tags=["candidates"])


@router.post("/preview", responses=problems(NotFound, Invalid))
def preview_candidates(session: ReadSessionDep, body: CandidatePreviewRequest) -> CandidatePreview:
    """The first rows of an uploaded candidate file, matched with a data set's questions and graded."""
    return candidate_imports.preview(session, body)


@router.post("", status_code=202, responses=problems(NotFound, Invalid))
def start_candidate_import(session: SessionDep, body: CandidateImportRequest) -> CandidateImportStarted:
    """Queue the import of an uploaded file as a candidate set."""
    return candidate_imports.start(session, body)


@router.get("/{run_id}", responses=problems(NotFound))
def read_candidate_import(session: ReadSessionDep, run_id: str) -> CandidateImportRead:
    """An import: its progress, counts and refused rows."""
    return candidate_imports.read(session, run_id)


@router.post("/{run_id}/accept", status_code=204, responses=problems(NotFound, Conflict))
def accept_candidate_import(session: SessionDep, run_id: str) -> None:
    """Take the valid rows of an import in review."""
    candidate_imports.accept(session, run_id)


@router.delete("/{run_id}", status_code=204, responses=problems(NotFound, Conflict))
def discard_candidate_import(session: SessionDep, later: BackgroundTasks, run_id: str) -> None:
    """Throw an imported set away, if nothing uses its COTs."""
    candidate_imports.discard(session, run_id)
    later.add_task(candidate_imports.purge)


@router.get("/{run_id}/rejects.jsonl", response_class=FileResponse, responses=problems(NotFound))
def download_candidate_rejects(session: ReadSessionDep, run_id: str) -> FileResponse:
    """All refused rows as JSON lines, with what they held."""
    place = candidate_imports.rejects_file(session, run_id)
    return FileResponse(place, media_type="application/x-ndjson", filename=f"rejects-{run_id[-8:]}.jsonl")
