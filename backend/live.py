"""The live stream: one reader of the event table per process, fanned out to every open tab."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from anyio import to_thread

from backend.db.models import Event
from backend.db.session import reading
from backend.services import events

POLL_SECONDS = 0.4
REPLAY_LIMIT = 2000


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """One event, ready to be written to a stream."""

    id: int
    data: str


@dataclass(eq=False)
class Broadcaster:
    """Polls once for all subscribers, so that fifty tabs cost the database as much as one."""

    _subscribers: set[asyncio.Queue[LiveEvent]] = field(default_factory=set)
    _task: asyncio.Task[None] | None = None
    _last_id: int = 0

    async def start(self) -> None:
        """Begin polling."""
        self._last_id = await to_thread.run_sync(_newest_id)
        self._task = asyncio.create_task(self._poll())

    async def stop(self) -> None:
        """End polling."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def stream(self, last_id: int | None) -> AsyncIterator[LiveEvent]:
        """Events after ``last_id`` (None: from now on), for as long as the client listens."""
        queue: asyncio.Queue[LiveEvent] = asyncio.Queue(maxsize=10_000)
        self._subscribers.add(queue)
        try:
            seen = self._last_id if last_id is None else last_id
            if last_id is not None:
                for event in await to_thread.run_sync(_after, last_id, REPLAY_LIMIT):
                    seen = event.id
                    yield event
            while True:
                event = await queue.get()
                if event.id > seen:
                    seen = event.id
                    yield event
        finally:
            self._subscribers.discard(queue)

    async def _poll(self) -> None:
        while True:
            # A database that is away for a while must not end the stream: the next poll catches up.
            with contextlib.suppress(Exception):
                for event in await to_thread.run_sync(_after, self._last_id, 500):
                    self._last_id = event.id
                    for queue in list(self._subscribers):
                        if queue.full():  # a tab that stopped reading; it replays on reconnect
                            self._subscribers.discard(queue)
                        else:
                            queue.put_nowait(event)
            await asyncio.sleep(POLL_SECONDS)


def _newest_id() -> int:
    with reading() as session:
        return events.newest_id(session)


def _after(last_id: int, limit: int) -> list[LiveEvent]:
    with reading() as session:
        return [_serialise(event) for event in events.after(session, last_id, limit)]


def _serialise(event: Event) -> LiveEvent:
    body = {
        "id": event.id,
        "topic": event.topic,
        "action": event.action,
        "run_id": event.run_id,
        "subject_id": event.subject_id,
        "data": event.data,
        "created_at": event.created_at.isoformat(),
    }
    return LiveEvent(id=event.id, data=json.dumps(body))
