"""An item as its reviewer may see it. What a blind queue hides is not put in, so it cannot leave."""

import random
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db.models import (
    Candidate,
    Example,
    Rating,
    Review,
    ReviewItem,
    ReviewQueue,
    ReviewSlot,
    Run,
    Score,
    utcnow,
)
from backend.services.candidates import SHOWN_TEXT, model_names

LETTERS = "ABCDEFGHIJKLMNOP"


def labels(queue: ReviewQueue, item: ReviewItem, person_id: str) -> dict[str, int]:
    """Candidate id by letter, in an order of this reviewer's own that follows from the queue's seed."""
    ids = list(item.candidate_ids)
    random.Random(f"{queue.seed}:{queue.id}:{item.id}:{person_id}").shuffle(ids)
    return dict(zip(LETTERS, ids, strict=False))


def show(
    session: Session, queue: ReviewQueue, item: ReviewItem, slot: ReviewSlot | None, person_id: str
) -> dict[str, Any]:
    """The item for ``ItemRead``."""
    letters = labels(queue, item, person_id)
    example = session.get_one(Example, item.example_id)
    rows = {row.id: row for row in session.scalars(select(Candidate).where(Candidate.id.in_(letters.values())))}
    known = {} if queue.is_blind else _known(session, rows, example)
    shown = []
    for letter, candidate_id in letters.items():
        row = rows[candidate_id]
        text = row.text[:SHOWN_TEXT]
        shown.append(
            {
                "label": letter,
                "text": text,
                "text_truncated": len(text) < len(row.text),
                "known": known.get(candidate_id),
            }
        )
    return {
        "id": item.id,
        "queue_id": queue.id,
        "mode": queue.mode,
        "task": example.task_in(queue.task),
        "state": _state(slot),
        "question": example.question[:SHOWN_TEXT],
        "choices": example.choices,
        "reference": example.reference[:SHOWN_TEXT] if queue.shows_reference or not queue.is_blind else None,
        "gold_answer": None if queue.is_blind else example.answer,
        "candidates": shown,
        "lease_expires_at": slot.lease_expires_at if slot else None,
        "review": _mine(session, item, slot, letters),
    }


def _state(slot: ReviewSlot | None) -> str:
    if slot is None:
        return "lost"
    if slot.state == "leased" and slot.lease_expires_at is not None and slot.lease_expires_at <= utcnow():
        return "lost"
    return slot.state


def _mine(
    session: Session, item: ReviewItem, slot: ReviewSlot | None, letters: dict[str, int]
) -> dict[str, Any] | None:
    """My newest review of it; candidate ids become letters again."""
    if slot is None or slot.revision == 0:
        return None
    review = session.scalar(
        select(Review).where(
            Review.item_id == item.id, Review.person_id == slot.person_id, Review.revision == slot.revision
        )
    )
    if review is None:
        return None
    letter_of = {str(candidate_id): letter for letter, candidate_id in letters.items()}
    return {
        "action": review.action,
        "values": {letter_of[key]: value for key, value in review.values.items()},
        "steps": {letter_of[key]: spans for key, spans in review.steps.items()},
        "note": review.note,
        "reason": review.reason,
        "is_flagged": review.is_flagged,
        "revision": review.revision,
        "created_at": review.created_at,
    }


def _known(session: Session, rows: dict[int, Candidate], example: Example) -> dict[int, dict[str, Any]]:
    """What only an open queue shows."""
    ids = list(rows)
    scores: dict[int, list[Score]] = {}
    for score in session.scalars(select(Score).where(Score.candidate_id.in_(ids)).order_by(Score.model_run_id)):
        scores.setdefault(score.candidate_id, []).append(score)
    given: dict[int, list[Rating]] = {}
    current = select(Rating).where(Rating.candidate_id.in_(ids), Rating.is_current).order_by(Rating.id)
    for rating in session.scalars(current):
        given.setdefault(rating.candidate_id, []).append(rating)
    names = model_names(session, scores)
    makers = {run.id: run for run in session.scalars(select(Run).where(Run.id.in_({r.run_id for r in rows.values()})))}
    return {
        row.id: {
            "candidate_id": row.id,
            "run_id": row.run_id,
            "example_id": row.example_id,
            "model": makers[row.run_id].name,
            "verdict": row.verdict,
            "why": f"Read {row.answer!r}; the gold answer is {example.answer}."
            if row.answer is not None
            else f"No answer was read; the gold answer is {example.answer}.",
            "answer_span": _span(row),
            "scores": [
                {"model_run_id": s.model_run_id, "model": names.get(s.model_run_id, "deleted"), "score": s.score}
                for s in scores.get(row.id, [])
            ],
            "ratings": [
                {
                    "rater": rating.rater,
                    "value": rating.value,
                    "wrong_steps": [
                        {"start": start, "end": end} for start, end in (rating.evidence or {}).get("wrong_steps", [])
                    ],
                    "note": str((rating.evidence or {}).get("note", "")),
                }
                for rating in given.get(row.id, [])
            ],
        }
        for row in rows.values()
    }


def _span(row: Candidate) -> dict[str, int] | None:
    if row.answer_start is None or row.answer_end is None:
        return None
    return {"start": row.answer_start, "end": row.answer_end}
