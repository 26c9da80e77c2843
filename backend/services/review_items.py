"""Handing out items of a review queue, and taking judgements: leased, exactly once, never more than asked for.

Every change of a queue's places holds the queue's row, so that two reviewers never see the same free place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db.models import Person, Review, ReviewItem, ReviewQueue, ReviewSlot, utcnow
from backend.errors import Conflict, NotFound
from backend.schemas.reviews import ReviewSubmit
from backend.services import events, ratings, review_queues
from backend.services.review_values import judged_steps, judged_values
from backend.services.review_views import labels

LEASE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Held:
    """An item and my place at it."""

    item: ReviewItem
    slot: ReviewSlot | None


def take(session: Session, queue: ReviewQueue, person: Person, count: int) -> list[Held]:
    """Lease items until ``count`` are held; those held already come first and are renewed."""
    _hold(session, queue)
    now = utcnow()
    query = (
        select(ReviewItem, ReviewSlot)
        .join(ReviewSlot, ReviewSlot.item_id == ReviewItem.id)
        .where(ReviewSlot.queue_id == queue.id, ReviewSlot.person_id == person.id, ReviewSlot.state == "leased")
        .order_by(ReviewItem.position)
    )
    held: list[Held] = []
    for item, slot in session.execute(query):
        if len(held) < count and _renew(session, item, slot, now):
            held.append(Held(item, slot))
    if len(held) < count:
        for item in _free(session, queue, person, now, count - len(held)):
            slot = ReviewSlot(item_id=item.id, person_id=person.id, queue_id=queue.id, state="leased", revision=0)
            slot.lease_expires_at = now + LEASE
            session.add(slot)
            held.append(Held(item, slot))
        session.flush()
    return held


def _free(session: Session, queue: ReviewQueue, person: Person, now: datetime, count: int) -> Sequence[ReviewItem]:
    """Items with a free place that I have no place at, in the queue's order."""
    mine = select(ReviewSlot.item_id).where(ReviewSlot.item_id == ReviewItem.id, ReviewSlot.person_id == person.id)
    taken = (
        select(func.count())
        .where(ReviewSlot.item_id == ReviewItem.id, ReviewSlot.state == "leased", ReviewSlot.lease_expires_at > now)
        .scalar_subquery()
    )
    query = (
        select(ReviewItem)
        .where(
            ReviewItem.queue_id == queue.id,
            ReviewItem.is_open,
            ~mine.exists(),
            ReviewItem.n_done + taken < ReviewItem.wanted,
        )
        .order_by(ReviewItem.position)
        .limit(count)
    )
    return session.scalars(query).all()


def renew(session: Session, queue: ReviewQueue, person: Person, item_ids: Sequence[int]) -> tuple[list[int], list[int]]:
    """Keep leases while their holder is at work; returns those held and those lost to others."""
    _hold(session, queue)
    now = utcnow()
    query = (
        select(ReviewItem, ReviewSlot)
        .join(ReviewSlot, ReviewSlot.item_id == ReviewItem.id)
        .where(ReviewItem.queue_id == queue.id, ReviewItem.id.in_(item_ids), ReviewSlot.person_id == person.id)
    )
    held = []
    for item, slot in session.execute(query):
        if slot.state != "leased" or _renew(session, item, slot, now):
            held.append(item.id)
    return held, [item_id for item_id in item_ids if item_id not in held]


def submit(session: Session, item_id: int, person: Person, body: ReviewSubmit) -> Review:
    """Store a judgement or a skip; a repeated submission id returns what was stored.

    Raises:
        NotFound: If the item does not exist.
        Invalid: If the judgement does not fit the mode.
        Conflict: If others hold all the places, or the submission id belongs to something else.
    """
    queue, item = _item(session, item_id)
    _hold(session, queue)
    stored = _stored(session, body.submission_id, item, person)
    if stored is not None:
        return stored
    review_queues.require_reviewer(queue, person)
    session.refresh(item)
    letters = labels(queue, item, person.id)
    slot = _slot(session, item, person)
    if slot is None or slot.state != "done":
        _require_place(session, item, slot, utcnow())
    if slot is None:
        slot = ReviewSlot(item_id=item.id, person_id=person.id, queue_id=queue.id, state="leased", revision=0)
        session.add(slot)
    review = Review(
        submission_id=body.submission_id,
        queue_id=queue.id,
        item_id=item.id,
        person_id=person.id,
        revision=slot.revision + 1,
        action=body.action,
        values=judged_values(queue.mode, letters, body) if body.action == "submit" else {},
        steps=judged_steps(letters, body) if body.action == "submit" else {},
        note=body.note.replace("\x00", ""),
        reason=body.reason.replace("\x00", ""),
        is_flagged=body.is_flagged,
        seconds=body.seconds,
    )
    return _put(session, queue, item, slot, review, person)


def undo(session: Session, item_id: int, person: Person, submission_id: str) -> ReviewItem:
    """Take my review of an item back, as a new revision; the item is leased to me again.

    Raises:
        NotFound: If the item does not exist.
        Conflict: If there is nothing to take back, or others hold all the places by now.
    """
    queue, item = _item(session, item_id)
    _hold(session, queue)
    if _stored(session, submission_id, item, person) is not None:
        return item
    review_queues.require_reviewer(queue, person)
    session.refresh(item)
    slot = _slot(session, item, person)
    if slot is None or slot.state not in {"done", "skipped"}:
        raise Conflict("There is no review of yours to take back here.", remedy="Review the item first.")
    if slot.state == "skipped":
        _require_place(session, item, None, utcnow())
    last = session.get_one(Review, slot.review_id)
    review = Review(
        submission_id=submission_id,
        queue_id=queue.id,
        item_id=item.id,
        person_id=person.id,
        revision=slot.revision + 1,
        action="undo",
        values=last.values,
        steps=last.steps,
        note=last.note,
        reason=last.reason,
        is_flagged=last.is_flagged,
        seconds=0.0,
    )
    _put(session, queue, item, slot, review, person)
    return item


def mine(session: Session, item_id: int, person: Person) -> tuple[ReviewQueue, Held]:
    """An item that I have a place at.

    Raises:
        NotFound: If it does not exist, or was never handed to me.
    """
    queue, item = _item(session, item_id)
    slot = _slot(session, item, person)
    if slot is None:
        raise NotFound(f"Item {item_id} was not handed to you.", remedy="Ask the queue for the next item.")
    return queue, Held(item, slot)


def history(session: Session, queue: ReviewQueue, person: Person, limit: int) -> list[tuple[ReviewSlot, bool]]:
    """My items, latest first, each with whether I flagged it."""
    query = (
        select(ReviewSlot, func.coalesce(Review.is_flagged, False))
        .outerjoin(Review, Review.id == ReviewSlot.review_id)
        .where(
            ReviewSlot.queue_id == queue.id,
            ReviewSlot.person_id == person.id,
            ReviewSlot.state.in_(("done", "skipped")),
        )
        .order_by(ReviewSlot.changed_at.desc(), ReviewSlot.item_id.desc())
        .limit(limit)
    )
    return [(slot, bool(flagged)) for slot, flagged in session.execute(query)]


def _put(
    session: Session, queue: ReviewQueue, item: ReviewItem, slot: ReviewSlot, review: Review, person: Person
) -> Review:
    """Store a revision, let it take the place of the one before, and count."""
    session.add(review)
    session.flush()
    if slot.review_id is not None:
        ratings.supersede(session, slot.review_id)
    was_done = slot.state == "done"
    slot.state = {"submit": "done", "skip": "skipped", "undo": "leased"}[review.action]
    slot.review_id = None if review.action == "undo" else review.id
    slot.lease_expires_at = utcnow() + LEASE if review.action == "undo" else None
    slot.revision = review.revision
    slot.changed_at = utcnow()
    if review.action == "submit":
        ratings.record_review(session, review, rater=person.name, scale=review_queues.SCALE[queue.mode])
    item.n_done += int(slot.state == "done") - int(was_done)
    item.is_open = item.n_done < item.wanted
    session.flush()
    events.publish(session, "review", "progress", subject_id=queue.id)
    return review


def _hold(session: Session, queue: ReviewQueue) -> None:
    """Wait for the queue's row; SQLite's writers wait for each other anyway."""
    session.execute(select(ReviewQueue.id).where(ReviewQueue.id == queue.id).with_for_update())
    session.expire_all()


def _renew(session: Session, item: ReviewItem, slot: ReviewSlot, now: datetime) -> bool:
    """Extend a lease, or take an expired one up again if its place is still free."""
    assert slot.lease_expires_at is not None
    if slot.lease_expires_at <= now and not _has_place(session, item, slot.person_id, now):
        return False
    slot.lease_expires_at = now + LEASE
    return True


def _has_place(session: Session, item: ReviewItem, person_id: str, now: datetime) -> bool:
    query = select(func.count()).where(
        ReviewSlot.item_id == item.id,
        ReviewSlot.person_id != person_id,
        ReviewSlot.state == "leased",
        ReviewSlot.lease_expires_at > now,
    )
    return item.n_done + (session.scalar(query) or 0) < item.wanted


def _require_place(session: Session, item: ReviewItem, slot: ReviewSlot | None, now: datetime) -> None:
    leased = slot is not None and slot.lease_expires_at is not None and slot.lease_expires_at > now
    if leased or _has_place(session, item, slot.person_id if slot else "", now):
        return
    raise Conflict(
        f"Item {item.id} has all the reviews it was to get: your lease of 10 minutes ended and others took the place.",
        remedy="Go on with the next item; this review is not counted.",
    )


def _item(session: Session, item_id: int) -> tuple[ReviewQueue, ReviewItem]:
    item = session.get(ReviewItem, item_id)
    if item is None:
        raise NotFound(f"There is no review item {item_id}.", remedy="Ask the queue for the next item.")
    return session.get_one(ReviewQueue, item.queue_id), item


def _slot(session: Session, item: ReviewItem, person: Person) -> ReviewSlot | None:
    return session.get(ReviewSlot, (item.id, person.id), populate_existing=True)


def _stored(session: Session, submission_id: str, item: ReviewItem, person: Person) -> Review | None:
    found = session.scalar(select(Review).where(Review.submission_id == submission_id))
    if found is not None and (found.item_id, found.person_id) != (item.id, person.id):
        raise Conflict(
            f"Submission {submission_id} belongs to another review.", remedy="Make a new id for each submission."
        )
    return found
