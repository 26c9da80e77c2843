"""Items on which raters differ, the largest difference first."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db.models import Candidate, Example, ReviewQueue
from backend.errors import Invalid
from backend.schemas.agreement import DecisionRead, Disagreement, DisagreementCot, Disagreements
from backend.services import agreement, judgements
from backend.services.candidates import SHOWN_TEXT
from backend.services.judgements import PEOPLE, Decision, JudgedCot, Judgements


@dataclass(frozen=True, slots=True)
class _Item:
    gap: float
    item_id: int
    gaps: dict[int, float]
    """By candidate."""
    cots: Sequence[JudgedCot]


def page(
    session: Session,
    queue: ReviewQueue,
    *,
    against: str | None,
    undecided: bool = False,
    after: str | None = None,
    limit: int = 20,
) -> Disagreements:
    """Items by their largest difference.

    Args:
        session: The transaction.
        queue: The queue.
        against: Key of a judge, rule or import to compare with people; by default people are compared with each other.
        undecided: Leave out what somebody decided already.
        after: ``next_after`` of the page before.
        limit: Items of the page.

    Raises:
        NotFound: If nobody of the key has judged here.
        Invalid: If ``after`` is no place in the list.
    """
    found = judgements.load(session, queue)
    if against is not None:
        agreement.require_rater(found, against)
    everything = _differing(found, against)
    wanted = [item for item in everything if not undecided or item.item_id not in found.decisions]
    left = wanted if after is None else [item for item in wanted if _key(item) > _place(after)]
    shown = left[:limit]
    return Disagreements(
        items=_read(session, found, shown),
        next_after=_cursor(shown[-1]) if len(left) > limit else None,
        n=len(everything),
        n_decided=sum(item.item_id in found.decisions for item in everything),
    )


def decision_read(decision: Decision) -> DecisionRead:
    """A decision for the page."""
    values = {str(key): value for key, value in decision.values.items()}
    return DecisionRead(by=decision.by, values=values, note=decision.note)


def _differing(found: Judgements, against: str | None) -> list[_Item]:
    people = [one.key for one in found.people]
    width = 9.0 if found.mode == "rate" else 1.0
    items: dict[int, list[JudgedCot]] = {}
    for cot in found.cots:
        items.setdefault(cot.item_id, []).append(cot)
    differing = []
    for item_id, cots in items.items():
        gaps = {}
        for cot in cots:
            compared = [cot.values[key] for key in ([PEOPLE, against] if against else people) if key in cot.values]
            if len(compared) > 1:
                gaps[cot.candidate_id] = (max(compared) - min(compared)) / width
        gap = max(gaps.values(), default=0.0)
        if gap > 1e-9:
            differing.append(_Item(gap, item_id, gaps, cots))
    return sorted(differing, key=_key)


def _key(item: _Item) -> tuple[float, int]:
    return -round(item.gap, 9), item.item_id


def _cursor(item: _Item) -> str:
    return f"{round(item.gap, 9)!r}:{item.item_id}"


def _place(after: str) -> tuple[float, int]:
    try:
        gap, item_id = after.split(":")
        return -float(gap), int(item_id)
    except ValueError:
        raise Invalid(f"after is {after!r}.", remedy="Use next_after of the page before.", field="after") from None


def _read(session: Session, found: Judgements, items: Sequence[_Item]) -> list[Disagreement]:
    ids = [cot.candidate_id for item in items for cot in item.cots]
    rows = {row.id: row for row in session.scalars(select(Candidate).where(Candidate.id.in_(ids)))}
    asked = {item.cots[0].example_id for item in items}
    examples = {row.id: row for row in session.scalars(select(Example).where(Example.id.in_(asked)))}
    read = []
    for item in items:
        first = item.cots[0]
        example = examples[first.example_id]
        decision = found.decisions.get(item.item_id)
        read.append(
            Disagreement(
                item_id=item.item_id,
                position=first.position,
                example_id=example.id,
                question=example.question[:SHOWN_TEXT],
                answer=example.answer,
                gap=item.gap,
                cots=[
                    DisagreementCot(
                        candidate_id=cot.candidate_id,
                        text=rows[cot.candidate_id].text[:SHOWN_TEXT],
                        text_truncated=len(rows[cot.candidate_id].text) > SHOWN_TEXT,
                        verdict=rows[cot.candidate_id].verdict,
                        values={key: value for key, value in cot.values.items() if key != PEOPLE},
                        gap=item.gaps.get(cot.candidate_id, 0.0),
                    )
                    for cot in item.cots
                ],
                notes={key: note for (item_id, key), note in found.notes.items() if item_id == item.item_id},
                decision=decision_read(decision) if decision else None,
            )
        )
    return read
