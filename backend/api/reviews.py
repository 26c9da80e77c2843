"""Review queues and the reviewers at work in them."""

from typing import Annotated

from fastapi import APIRouter, Cookie, Depends, Path, Query, Response

from backend.api.deps import ReadSessionDep, SessionDep, problems
from backend.db.models import Person, ReviewQueue
from backend.errors import Conflict, Forbidden, Invalid, NotFound
from backend.schemas.reviews import (
    History,
    HistoryRow,
    ItemRead,
    LeaseRequest,
    Leases,
    NextItems,
    NextRequest,
    PersonName,
    PersonRead,
    Progress,
    QueueChange,
    QueueCreate,
    QueueList,
    QueuePreview,
    QueueRead,
    Reviewer,
    ReviewSubmit,
    Submitted,
    Undone,
    UndoRequest,
)
from backend.services import people, review_items, review_queues, review_views

router = APIRouter(tags=["reviews"])
COOKIE = "aft_reviewer"
ItemPath = Annotated[int, Path(ge=1, le=2**53)]


def _person(session: ReadSessionDep, aft_reviewer: Annotated[str | None, Cookie()] = None) -> Person | None:
    return people.of_cookie(session, aft_reviewer) if aft_reviewer else None


PersonDep = Annotated[Person | None, Depends(_person, scope="function")]


@router.get("/people", response_model=list[PersonRead])
def list_people(session: ReadSessionDep) -> list[Person]:
    """Everybody who ever said a name, to choose reviewers from."""
    return people.everybody(session)


@router.post("/people", response_model=PersonRead, status_code=201, responses=problems(Invalid))
def create_person(session: SessionDep, body: PersonName) -> Person:
    """Name somebody who shall review; the same name is the same person."""
    return people.named(session, body.name)


@router.get("/reviewer", response_model=Reviewer)
def read_reviewer(person: PersonDep) -> Reviewer:
    """Who sits at this browser."""
    return Reviewer(person=PersonRead.model_validate(person) if person else None)


@router.put("/reviewer", response_model=Reviewer, responses=problems(Invalid))
def set_reviewer(session: SessionDep, response: Response, body: PersonName) -> Reviewer:
    """Say who sits at this browser; it is remembered by a cookie."""
    person = people.named(session, body.name)
    cookie = people.remember(session, person)
    lifetime = int(people.SESSION_LIFETIME.total_seconds())
    response.set_cookie(COOKIE, cookie, max_age=lifetime, httponly=True, samesite="strict", path="/")
    response.headers["Cache-Control"] = "no-store"
    return Reviewer(person=PersonRead.model_validate(person))


@router.delete("/reviewer", response_model=Reviewer)
def forget_reviewer(
    session: SessionDep, response: Response, aft_reviewer: Annotated[str | None, Cookie()] = None
) -> Reviewer:
    """Somebody else sits down here."""
    if aft_reviewer:
        people.forget(session, aft_reviewer)
    response.delete_cookie(COOKIE, path="/")
    return Reviewer(person=None)


@router.get("/review-queues", response_model=QueueList)
def list_review_queues(session: ReadSessionDep, person: PersonDep) -> QueueList:
    """All queues, newest first, with everybody's progress and mine."""
    return QueueList(queues=[_read(session, queue, person) for queue in review_queues.everything(session)])


@router.post("/review-queues", response_model=QueueRead, status_code=201, responses=problems(NotFound, Invalid))
def create_review_queue(session: SessionDep, body: QueueCreate, person: PersonDep) -> QueueRead:
    """Make a queue from a candidate set; the same ``request_id`` makes it once."""
    return _read(session, review_queues.create(session, body), person)


@router.post("/review-queues/preview", response_model=QueuePreview, responses=problems(NotFound, Invalid))
def preview_review_queue(session: ReadSessionDep, body: QueueCreate) -> QueuePreview:
    """What a queue would hold, before it is made."""
    planned = review_queues.plan(session, body)
    n_candidates = sum(len(item.candidate_ids) for item in planned.items)
    n_gold = sum(gold is not None for gold in planned.gold)
    return QueuePreview(n_items=len(planned.items), n_candidates=n_candidates, n_gold=n_gold)


@router.get("/review-queues/{queue_id}", response_model=QueueRead, responses=problems(NotFound))
def read_review_queue(session: ReadSessionDep, queue_id: str, person: PersonDep) -> QueueRead:
    """One queue."""
    return _read(session, review_queues.get(session, queue_id), person)


@router.patch("/review-queues/{queue_id}", response_model=QueueRead, responses=problems(NotFound))
def change_review_queue(session: SessionDep, queue_id: str, body: QueueChange, person: PersonDep) -> QueueRead:
    """Open or close a queue, or change its name and guidelines."""
    queue = review_queues.get(session, queue_id)
    review_queues.change(session, queue, body)
    return _read(session, queue, person)


@router.post(
    "/review-queues/{queue_id}/next", response_model=NextItems, responses=problems(NotFound, Conflict, Forbidden)
)
def take_review_items(session: SessionDep, queue_id: str, body: NextRequest, person: PersonDep) -> NextItems:
    """Lease the next items to me for 10 minutes; those that I hold come first."""
    queue = review_queues.get(session, queue_id)
    someone = review_queues.require_reviewer(queue, person)
    held = review_items.take(session, queue, someone, body.count)
    items = [ItemRead.model_validate(review_views.show(session, queue, one.item, one.slot, someone.id)) for one in held]
    return NextItems(items=items, progress=_progress(session, queue, someone))


@router.post(
    "/review-queues/{queue_id}/leases", response_model=Leases, responses=problems(NotFound, Conflict, Forbidden)
)
def renew_review_leases(session: SessionDep, queue_id: str, body: LeaseRequest, person: PersonDep) -> Leases:
    """Keep items while I am at work."""
    queue = review_queues.get(session, queue_id)
    someone = review_queues.require_reviewer(queue, person)
    held, lost = review_items.renew(session, queue, someone, body.item_ids)
    return Leases(held=held, lost=lost)


@router.get(
    "/review-queues/{queue_id}/history", response_model=History, responses=problems(NotFound, Conflict, Forbidden)
)
def read_review_history(
    session: ReadSessionDep, queue_id: str, person: PersonDep, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> History:
    """My items in a queue, latest first."""
    queue = review_queues.get(session, queue_id)
    someone = somebody(person)
    rows = review_items.history(session, queue, someone, limit)
    return History(
        items=[
            HistoryRow.model_validate(
                {"item_id": slot.item_id, "state": slot.state, "is_flagged": flagged, "changed_at": slot.changed_at}
            )
            for slot, flagged in rows
        ]
    )


@router.get("/review-items/{item_id}", response_model=ItemRead, responses=problems(NotFound, Conflict))
def read_review_item(session: ReadSessionDep, item_id: ItemPath, person: PersonDep) -> ItemRead:
    """An item that was handed to me, with what I said."""
    someone = somebody(person)
    queue, held = review_items.mine(session, item_id, someone)
    return ItemRead.model_validate(review_views.show(session, queue, held.item, held.slot, someone.id))


@router.post(
    "/review-items/{item_id}/reviews",
    response_model=Submitted,
    responses=problems(NotFound, Conflict, Forbidden, Invalid),
)
def submit_review(session: SessionDep, item_id: ItemPath, body: ReviewSubmit, person: PersonDep) -> Submitted:
    """Judge or skip an item. Sending the same submission again changes nothing."""
    someone = somebody(person)
    review = review_items.submit(session, item_id, someone, body)
    queue = review_queues.get(session, review.queue_id)
    return Submitted.model_validate(
        {
            "item_id": item_id,
            "submission_id": review.submission_id,
            "revision": review.revision,
            "action": review.action,
            "progress": _progress(session, queue, someone),
        }
    )


@router.post("/review-items/{item_id}/undo", response_model=Undone, responses=problems(NotFound, Conflict, Forbidden))
def undo_review(session: SessionDep, item_id: ItemPath, body: UndoRequest, person: PersonDep) -> Undone:
    """Take my review back; it stays on record as an earlier revision."""
    someone = somebody(person)
    review_items.undo(session, item_id, someone, body.submission_id)
    queue, held = review_items.mine(session, item_id, someone)
    item = ItemRead.model_validate(review_views.show(session, queue, held.item, held.slot, someone.id))
    return Undone(item=item, progress=_progress(session, queue, someone))


def somebody(person: Person | None) -> Person:
    """The person at this browser.

    Raises:
        Conflict: If nobody said who they are.
    """
    if person is None:
        raise Conflict(
            "Nobody is named at this browser.", remedy="Say who you are on the Review page.", field="reviewer"
        )
    return person


def _progress(session: ReadSessionDep, queue: ReviewQueue, person: Person | None) -> Progress:
    return Progress.model_validate(review_queues.progress(session, queue, person))


def _read(session: ReadSessionDep, queue: ReviewQueue, person: Person | None) -> QueueRead:
    names = people.names(session, queue.reviewer_ids)
    return QueueRead.model_validate(
        {
            **{
                name: getattr(queue, name)
                for name in (
                    "id",
                    "name",
                    "mode",
                    "state",
                    "guidelines",
                    "is_blind",
                    "shows_reference",
                    "reviews_per_item",
                    "task",
                    "created_at",
                )
            },
            "reviewers": sorted(names.values(), key=str.casefold),
            "may_review": review_queues.may_review(queue, person),
            "progress": _progress(session, queue, person),
        }
    )
