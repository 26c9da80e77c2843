"""Files on their way in."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from backend import storage
from backend.api.deps import ReadSessionDep, SessionDep, problems
from backend.db.session import transaction
from backend.errors import AppError, Conflict, Invalid, NotFound, StorageFull, TooLarge
from backend.schemas.datasets import PreviewRead, PreviewRequest, UploadRead
from backend.services import upload_previews, uploads

router = APIRouter(prefix="/uploads", tags=["datasets"])

_BUFFER_BYTES = 1 << 20


_RAW_BODY = {
    "required": True,
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}


@router.post(
    "",
    status_code=201,
    responses=problems(Invalid, TooLarge, StorageFull),
    openapi_extra={"requestBody": _RAW_BODY},
)
async def create_upload(request: Request, filename: Annotated[str, Query(min_length=1, max_length=4096)]) -> UploadRead:
    """Receive a file as the request's raw body; its first rows are looked at before the answer."""
    # Only this endpoint is asynchronous: the body has to be taken as it arrives, whatever its size.
    announced = request.headers.get("content-length", "")
    receiver = await run_in_threadpool(
        uploads.Receiver, filename, int(announced) if announced.isdecimal() and len(announced) < 20 else None
    )
    try:
        buffer = bytearray()
        async for chunk in request.stream():
            buffer += chunk
            if len(buffer) >= _BUFFER_BYTES:
                await run_in_threadpool(receiver.write, bytes(buffer))
                buffer.clear()
        await run_in_threadpool(receiver.write, bytes(buffer))
        return await run_in_threadpool(_keep, receiver)
    except ClientDisconnect as error:
        receiver.abort()
        raise AppError("The upload was broken off.", remedy="Upload the file again. Nothing was kept.") from error
    except BaseException:
        receiver.abort()
        raise


def _keep(receiver: uploads.Receiver) -> UploadRead:
    sha256 = receiver.finish()
    detection = uploads.look(storage.path(receiver.key), receiver.filename)
    with transaction() as session:
        return uploads.read(uploads.keep(session, receiver, sha256, detection))


@router.get("/{upload_id}", responses=problems(NotFound))
def read_upload(session: ReadSessionDep, upload_id: str) -> UploadRead:
    """A received file."""
    return uploads.read(uploads.get(session, upload_id))


@router.post("/{upload_id}/preview", responses=problems(NotFound, Invalid))
def preview_upload(session: ReadSessionDep, upload_id: str, body: PreviewRequest) -> PreviewRead:
    """The first rows as they would be imported under a mapping, with the parsed gold answers."""
    return upload_previews.preview_upload(uploads.get(session, upload_id), body)


@router.delete("/{upload_id}", status_code=204, responses=problems(NotFound, Conflict))
def delete_upload(session: SessionDep, upload_id: str) -> None:
    """Remove a file that is not being imported."""
    uploads.delete(session, upload_id)
