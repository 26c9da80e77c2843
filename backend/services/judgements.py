"""Who judged which COT of a queue, and how: reviews, decisions, and what judges and rules say, on one scale."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db.models import (
    Adjudication,
    Candidate,
    Person,
    Rating,
    Review,
    ReviewItem,
    ReviewQueue,
    ReviewSlot,
)
from backend.services.review_selection import on_unit
from backend.services.review_values import beaten_shares

PEOPLE = "people"
"""Key of all people together: the decision where there is one, else the mean of their reviews."""
GOLD_ANSWER = "rule:gold answer"
RELATIVE = frozenset({"rank", "pair"})
_SCALES = {"verify": frozenset({"verify", "binary"}), "rate": frozenset({"1-10"})}
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Rater:
    """Somebody or something that judges."""

    key: str
    name: str
    source: str
    """person, judge, rule, import or people."""
    is_same_scale: bool = True
    """Whether its values mean the same as the queue's, so that exact agreement says something."""


@dataclass(slots=True)
class JudgedCot:
    """One COT of an item with every rater's value on the queue's scale."""

    item_id: int
    position: int
    example_id: int
    candidate_id: int
    values: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about an item."""

    id: int
    values: dict[int, float]
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class Judgements:
    """All that is known about a queue's COTs."""

    mode: str
    cots: list[JudgedCot]
    people: list[Rater]
    """Reviewers with at least one review, in the order of their names."""
    others: list[Rater]
    """Judges, rules and imports that rated at least one of the COTs."""
    decisions: dict[int, Decision]
    """By item."""
    notes: dict[tuple[int, str], str]
    """A reviewer's note by item and rater key."""

    def rater(self, key: str) -> Rater | None:
        """The rater of this key."""
        if key == PEOPLE:
            return Rater(PEOPLE, "people", "people")
        return next((one for one in (*self.people, *self.others) if one.key == key), None)


def load(session: Session, queue: ReviewQueue) -> Judgements:
    """Everything that people, judges and rules have said about the queue's COTs."""
    items = list(
        session.scalars(select(ReviewItem).where(ReviewItem.queue_id == queue.id).order_by(ReviewItem.position))
    )
    cots = {
        (item.id, int(one)): JudgedCot(item.id, item.position, item.example_id, int(one))
        for item in items
        for one in item.candidate_ids
    }
    people, notes = _reviews(session, queue, cots)
    decisions = _decisions(session, queue)
    others = _machines(session, queue.mode, cots.values())
    for cot in cots.values():
        decision = decisions.get(cot.item_id)
        given = [cot.values[one.key] for one in people if one.key in cot.values]
        if decision is not None and cot.candidate_id in decision.values:
            cot.values[PEOPLE] = decision.values[cot.candidate_id]
        elif given:
            cot.values[PEOPLE] = fmean(given)
    return Judgements(queue.mode, list(cots.values()), people, others, decisions, notes)


def _reviews(
    session: Session, queue: ReviewQueue, cots: Mapping[tuple[int, int], JudgedCot]
) -> tuple[list[Rater], dict[tuple[int, str], str]]:
    query = (
        select(Review.item_id, Review.values, Review.note, Person.id, Person.name)
        .join(ReviewSlot, ReviewSlot.review_id == Review.id)
        .join(Person, Person.id == Review.person_id)
        .where(ReviewSlot.queue_id == queue.id, ReviewSlot.state == "done")
        .order_by(Person.name_key)
    )
    people: dict[str, Rater] = {}
    notes: dict[tuple[int, str], str] = {}
    for item_id, values, note, person_id, name in session.execute(query):
        key = f"person:{person_id}"
        people[key] = Rater(key, name, "person")
        if note:
            notes[item_id, key] = note
        for candidate_id, value in values.items():
            cots[item_id, int(candidate_id)].values[key] = value
    return list(people.values()), notes


def _decisions(session: Session, queue: ReviewQueue) -> dict[int, Decision]:
    newest = select(func.max(Adjudication.id)).where(Adjudication.queue_id == queue.id).group_by(Adjudication.item_id)
    query = (
        select(Adjudication, Person.name)
        .join(Person, Person.id == Adjudication.person_id)
        .where(Adjudication.id.in_(newest), Adjudication.action == "decide")
    )
    return {
        row.item_id: Decision(row.id, {int(key): value for key, value in row.values.items()}, name, row.note)
        for row, name in session.execute(query)
    }


def _machines(session: Session, mode: str, cots: Iterable[JudgedCot]) -> list[Rater]:
    """Add what judges, rules and imports say, the newest of each; where people rank, as ranks within the item."""
    by_id: dict[int, list[JudgedCot]] = {}
    for cot in cots:
        by_id.setdefault(cot.candidate_id, []).append(cot)
    ids = sorted(by_id)
    raw: dict[str, dict[int, float]] = {}
    raters: dict[str, Rater] = {}
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        query = (
            select(Rating.candidate_id, Rating.source, Rating.rater, Rating.scale, Rating.value)
            .where(Rating.candidate_id.in_(chunk), Rating.is_current, Rating.source.in_(("judge", "rule", "import")))
            .order_by(Rating.id)
        )
        for candidate_id, source, name, scale, value in session.execute(query):
            key = f"{source}:{name}"
            same = mode in RELATIVE or scale in _SCALES[mode]
            raters[key] = Rater(key, name, source, same)
            raw.setdefault(key, {})[candidate_id] = _converted(mode, scale, value)
        verdicts = select(Candidate.id, Candidate.verdict).where(Candidate.id.in_(chunk))
        for candidate_id, verdict in session.execute(verdicts):
            right = float(verdict == "right")
            raw.setdefault(GOLD_ANSWER, {})[candidate_id] = 1 + 9 * right if mode == "rate" else right
    raters.pop("rule:answer", None)  # the same by another way
    raters[GOLD_ANSWER] = Rater(GOLD_ANSWER, "gold answer", "rule", mode != "rate")
    for key in raters:
        _put(mode, key, raw[key], by_id)
    used = {key for group in by_id.values() for cot in group for key in cot.values}
    return [rater for key, rater in raters.items() if key in used]


def _put(mode: str, key: str, values: Mapping[int, float], by_id: Mapping[int, Sequence[JudgedCot]]) -> None:
    if mode not in RELATIVE:
        for candidate_id, value in values.items():
            for cot in by_id[candidate_id]:
                cot.values[key] = value
        return
    items: dict[int, list[JudgedCot]] = {}
    for group in by_id.values():
        for cot in group:
            items.setdefault(cot.item_id, []).append(cot)
    for members in items.values():
        if all(cot.candidate_id in values for cot in members):
            shares = beaten_shares({cot.candidate_id: values[cot.candidate_id] for cot in members})
            for cot in members:
                cot.values[key] = shares[cot.candidate_id]


def _converted(mode: str, scale: str, value: float) -> float:
    return 1 + 9 * on_unit(value, scale) if mode == "rate" else on_unit(value, scale)
