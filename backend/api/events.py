"""The live stream over Server-Sent Events."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

router = APIRouter(prefix="/events", tags=["events"])


@router.get("", response_class=EventSourceResponse)
async def stream_events(
    request: Request,
    last_event_id: Annotated[int | None, Header(alias="Last-Event-ID", ge=0)] = None,
    after: Annotated[int | None, Query(ge=0, description="Replay events newer than this id.")] = None,
) -> EventSourceResponse:
    """Everything that happens, as it happens; reconnecting replays what was missed."""
    start = last_event_id if last_event_id is not None else after

    async def messages() -> AsyncIterator[ServerSentEvent]:
        async for event in request.app.state.broadcaster.stream(start):
            yield ServerSentEvent(id=str(event.id), data=event.data)

    return EventSourceResponse(messages(), ping=15, headers={"Cache-Control": "no-store"})
