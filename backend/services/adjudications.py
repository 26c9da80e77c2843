"""Decisions about items on which raters disagree: append-only, stored once, taken back by another row."""

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from backend.db.models import Adjudication, Person, Rating, ReviewItem, ReviewQueue
from backend.errors import Conflict, Invalid, NotFound
from backend.schemas.agreement import Decide, DecisionRead
from backend.services import candidate_stats, events, review_queues
from backend.services.review_values import VERIFY_VALUES, ranked


def decide(session: Session, queue: ReviewQueue, item_id: int, person: Person, body: Decide) -> DecisionRead:
    """Store a decision; it takes the place of an earlier one, and its ratings count as source ``adjudication``.

    Raises:
        NotFound: If the queue has no such item.
        Invalid: If a COT has no value, or one that is not of the queue's scale.
        Conflict: If the submission id belongs to another decision.
    """
    item = _item(session, queue, item_id)
    values = _values(queue.mode, item, body)
    if not _is_stored(session, body.submission_id, item, person):
        _put(session, queue, item, person, body.submission_id, "decide", values, body.note.replace("\x00", ""))
    return DecisionRead(by=person.name, values=values, note=body.note)


def undo(session: Session, queue: ReviewQueue, item_id: int, person: Person, submission_id: str) -> None:
    """Take the decision back: the reviews count again.

    Raises:
        NotFound: If the queue has no such item.
        Conflict: If nothing is decided.
    """
    item = _item(session, queue, item_id)
    if _is_stored(session, submission_id, item, person):
        return
    last = session.scalar(
        select(Adjudication).where(Adjudication.item_id == item.id).order_by(Adjudication.id.desc()).limit(1)
    )
    if last is None or last.action == "undo":
        raise Conflict("Nothing is decided about this item.", remedy="Decide it first.")
    _put(session, queue, item, person, submission_id, "undo", last.values, "")


def _put(
    session: Session,
    queue: ReviewQueue,
    item: ReviewItem,
    person: Person,
    submission_id: str,
    action: str,
    values: dict[str, float],
    note: str,
) -> None:
    row = Adjudication(
        submission_id=submission_id,
        queue_id=queue.id,
        item_id=item.id,
        person_id=person.id,
        action=action,
        values=values,
        note=note,
    )
    earlier = select(Adjudication.id).where(Adjudication.item_id == item.id)
    session.execute(update(Rating).where(Rating.adjudication_id.in_(earlier)).values(is_current=False))
    session.add(row)
    session.flush()
    if action == "decide":
        rating = {
            "rater": person.name,
            "source": "adjudication",
            "scale": review_queues.SCALE[queue.mode],
            "evidence": {"note": note} if note else None,
            "adjudication_id": row.id,
        }
        session.execute(
            insert(Rating), [{**rating, "candidate_id": int(key), "value": value} for key, value in values.items()]
        )
    candidate_stats.ratings_changed(session, [int(one) for one in item.candidate_ids])
    events.publish(session, "review", "decided", subject_id=queue.id)


def _values(mode: str, item: ReviewItem, body: Decide) -> dict[str, float]:
    if mode in {"rank", "pair"}:
        given, field = ranked([[str(one) for one in tier] for tier in body.tiers]), "tiers"
    else:
        given, field = dict(body.values), "values"
    ids = [str(one) for one in item.candidate_ids]
    if sorted(given) != sorted(ids):
        raise Invalid(
            f"The decision is about COTs {', '.join(sorted(given)) or 'none'}; the item has {', '.join(sorted(ids))}.",
            remedy="Decide every COT of the item.",
            field=field,
        )
    for key, value in given.items():
        if mode == "verify" and value not in VERIFY_VALUES:
            raise Invalid(f"COT {key} is decided {value:g}.", remedy="Use 1, 0.5 or 0.", field=field)
        if mode == "rate" and not 1 <= value <= 10:
            raise Invalid(f"COT {key} is decided {value:g}.", remedy="Use a rating from 1 to 10.", field=field)
    return {key: float(given[key]) for key in ids}


def _item(session: Session, queue: ReviewQueue, item_id: int) -> ReviewItem:
    # Held, so that two decisions about one item come one after the other.
    item = session.scalar(select(ReviewItem).where(ReviewItem.id == item_id).with_for_update())
    if item is None or item.queue_id != queue.id:
        raise NotFound(f"Queue '{queue.name}' has no item {item_id}.", remedy="Choose one from the list.")
    return item


def _is_stored(session: Session, submission_id: str, item: ReviewItem, person: Person) -> bool:
    found = session.scalar(select(Adjudication).where(Adjudication.submission_id == submission_id))
    if found is not None and (found.item_id, found.person_id) != (item.id, person.id):
        raise Conflict(
            f"Submission {submission_id} belongs to another decision.", remedy="Make a new id for each decision."
        )
    return found is not None
