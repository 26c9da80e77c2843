"""Review queues: made from a candidate set by a strategy, opened and closed, with their progress."""

import random
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from backend.db.models import Candidate, Person, Rating, ReviewItem, ReviewQueue, ReviewSlot, Run
from backend.errors import Conflict, Forbidden, Invalid, NotFound
from backend.schemas.reviews import LEAST, QueueChange, QueueCreate
from backend.services import candidates, datasets, events, people, review_selection
from backend.services.review_selection import Chosen

DEFAULT_SIZE = {"verify": 1, "rate": 4, "rank": 4, "pair": 2}
SCALE = {"verify": "verify", "rate": "1-10", "rank": "rank", "pair": "pair"}
GOLD_REVIEWS = 1000
"""Every reviewer meets a gold item, so it takes more reviews than there will be people."""
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class PlannedQueue:
    """What a queue would hold: items in the order in which they are handed out."""

    run: Run
    items: list[Chosen]
    gold: list[dict[str, float] | None]


def plan(session: Session, body: QueueCreate) -> PlannedQueue:
    """Choose the items and the gold ones among them.

    Raises:
        NotFound: If the candidate set does not exist.
        Invalid: If the strategy finds nothing, or there are fewer gold items than asked for.
    """
    run = candidates.get_set(session, body.source.run_id)
    size = body.candidates_per_item or DEFAULT_SIZE[body.mode]
    items = review_selection.choose(session, run, body.source, per_item=size, least=LEAST[body.mode], seed=body.seed)
    if not items:
        raise Invalid(
            f"Strategy '{body.source.strategy}' finds no question with {LEAST[body.mode]} or more COTs here.",
            remedy="Choose another strategy or candidate set.",
            field="source.strategy",
        )
    generator = random.Random(f"{body.seed}:order")
    generator.shuffle(items)
    gold: list[dict[str, float] | None] = [None] * len(items)
    if body.gold_items:
        known = [(index, expected) for index, expected in enumerate(_expected(session, body, items)) if expected]
        if len(known) < body.gold_items:
            raise Invalid(
                f"{body.gold_items} gold items are asked for; the right judgement is known for {len(known)}.",
                remedy=f"Ask for {len(known)} or fewer, or choose a rater whose ratings cover more.",
                field="gold_items",
            )
        for index, expected in generator.sample(known, body.gold_items):
            gold[index] = expected
    return PlannedQueue(run, items, gold)


def create(session: Session, body: QueueCreate) -> ReviewQueue:
    """Make a queue; the same ``request_id`` gives the same queue."""
    if body.request_id is not None:
        found = session.scalar(select(ReviewQueue).where(ReviewQueue.request_id == body.request_id))
        if found is not None:
            return found
    people.require(session, body.reviewer_ids)
    planned = plan(session, body)
    version = datasets.get_version(session, planned.run.inputs["dataset_version_id"])
    queue = ReviewQueue(
        name=body.name.strip() or "Review",
        request_id=body.request_id,
        mode=body.mode,
        guidelines=body.guidelines,
        is_blind=body.is_blind,
        shows_reference=body.shows_reference,
        reviews_per_item=body.reviews_per_item,
        reviewer_ids=sorted(set(body.reviewer_ids)),
        seed=body.seed,
        source={**body.source.model_dump(mode="json"), "gold_rater": body.gold_rater},
        run_id=planned.run.id,
        task=version.task,
    )
    session.add(queue)
    session.flush()
    session.add_all(
        ReviewItem(
            queue_id=queue.id,
            position=position,
            example_id=item.example_id,
            candidate_ids=list(item.candidate_ids),
            gold=gold,
            wanted=GOLD_REVIEWS if gold else body.reviews_per_item,
        )
        for position, (item, gold) in enumerate(zip(planned.items, planned.gold, strict=True))
    )
    session.flush()
    events.publish(session, "review", "created", subject_id=queue.id)
    return queue


def _expected(session: Session, body: QueueCreate, items: list[Chosen]) -> list[dict[str, float] | None]:
    """The right judgement of each item as values by candidate, None where it is not known."""
    ids = sorted({one for item in items for one in item.candidate_ids})
    known: dict[int, float] = {}
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        if body.gold_rater is None:
            verdicts = select(Candidate.id, Candidate.verdict).where(Candidate.id.in_(chunk))
            known |= {row: float(verdict == "right") for row, verdict in session.execute(verdicts)}
        else:
            rated = select(Rating.candidate_id, Rating.value).where(
                Rating.candidate_id.in_(chunk), Rating.rater == body.gold_rater, Rating.is_current
            )
            known |= dict(session.execute(rated).all())
    found: list[dict[str, float] | None] = []
    for item in items:
        values = [known.get(one) for one in item.candidate_ids]
        given = {str(one): value for one, value in zip(item.candidate_ids, values, strict=True) if value is not None}
        # A ranking of equals watches nobody.
        usable = len(given) == len(values) and (body.mode in {"verify", "rate"} or len(set(values)) > 1)
        found.append(given if usable else None)
    return found


def get(session: Session, queue_id: str) -> ReviewQueue:
    """One queue.

    Raises:
        NotFound: If it does not exist.
    """
    queue = session.get(ReviewQueue, queue_id)
    if queue is None:
        raise NotFound(f"There is no review queue {queue_id!r}.", remedy="Choose one from the Review page.")
    return queue


def everything(session: Session) -> list[ReviewQueue]:
    """All queues, newest first."""
    return list(session.scalars(select(ReviewQueue).order_by(ReviewQueue.id.desc()).limit(500)))


def change(session: Session, queue: ReviewQueue, body: QueueChange) -> None:
    """Open or close it, or change its words."""
    for field, value in body.model_dump(exclude_none=True).items():
        setattr(queue, field, value)
    session.flush()
    events.publish(session, "review", "changed", subject_id=queue.id)


def may_review(queue: ReviewQueue, person: Person | None) -> bool:
    """Whether this person is among the queue's reviewers."""
    return person is not None and (not queue.reviewer_ids or person.id in queue.reviewer_ids)


def require_reviewer(queue: ReviewQueue, person: Person | None) -> Person:
    """The person, if they may review here and now.

    Raises:
        Conflict: If nobody said who they are, or the queue is closed.
        Forbidden: If the queue is for others.
    """
    if person is None:
        raise Conflict(
            "Nobody is named at this browser.", remedy="Say who you are on the Review page.", field="reviewer"
        )
    if not may_review(queue, person):
        raise Forbidden(
            f"Queue '{queue.name}' is for other reviewers than {person.name}.",
            remedy="Choose another queue, or say who you are.",
        )
    if queue.state != "open":
        raise Conflict(f"Queue '{queue.name}' is closed.", remedy="Open it again on its page, or choose another.")
    return person


def require_unblinded(session: Session, queue: ReviewQueue, person: Person | None) -> None:
    """Refuse what others said to somebody who still has items of a blind queue to review.

    Raises:
        Forbidden: If the queue is blind and open, and this person has reviews left in it.
    """
    if not queue.is_blind or queue.state != "open" or not may_review(queue, person):
        return
    left = progress(session, queue, person).mine_left
    if left:
        raise Forbidden(
            f"Queue '{queue.name}' is blind and you have {left} of its items left, so what others say stays hidden.",
            remedy="Finish your items, or close the queue.",
        )


@dataclass(frozen=True, slots=True)
class QueueProgress:
    """Counts of a queue, and of one person in it."""

    n_items: int
    reviews_done: int
    reviews_wanted: int
    mine_done: int
    mine_left: int


def progress(session: Session, queue: ReviewQueue, person: Person | None) -> QueueProgress:
    """How far it is."""
    # A gold item's further reviews are about the reviewers, not about the item.
    most = queue.reviews_per_item
    done_of_wanted = func.sum(case((ReviewItem.n_done < most, ReviewItem.n_done), else_=most))
    row = session.execute(
        select(func.count(), done_of_wanted).select_from(ReviewItem).where(ReviewItem.queue_id == queue.id)
    ).one()
    n_items, done = int(row[0]), int(row[1] or 0)
    mine_done = mine_left = 0
    if person is not None:
        mine = select(ReviewSlot.state, func.count()).where(
            ReviewSlot.queue_id == queue.id, ReviewSlot.person_id == person.id
        )
        counts = dict(session.execute(mine.group_by(ReviewSlot.state)).all())
        mine_done = counts.get("done", 0)
        taken = select(ReviewSlot.item_id).where(
            ReviewSlot.queue_id == queue.id,
            ReviewSlot.person_id == person.id,
            ReviewSlot.state.in_(("done", "skipped")),
        )
        left = select(func.count()).where(
            ReviewItem.queue_id == queue.id, ReviewItem.is_open, ReviewItem.id.not_in(taken)
        )
        mine_left = session.scalar(left) or 0
    return QueueProgress(n_items, done, n_items * queue.reviews_per_item, mine_done, mine_left)
