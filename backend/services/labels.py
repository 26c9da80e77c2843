"""Labels of candidates beside the automatic one: people's overrides, and the newest re-grade.

The label a COT was sampled with is never changed, and evaluation counts nothing else. Training counts it too, unless
its configuration says ``labels: corrected``: then the newest re-grade of the set takes its place, and a person's
label that of either. Overrides are append-only and a set's changes are pinned by two ids, so what a training run
counted can be worked out at any later time.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db.models import Candidate, LabelOverride, Regrade, RegradeChange
from backend.errors import Conflict, Invalid, NotFound
from backend.services import events
from backend.services.people import clean_name

LABELS: Final = ("right", "wrong", "unparsed")
LONGEST_REASON: Final = 2000
NOTHING: Final[dict[str, Any]] = {"regrade": None, "overrides": 0}
"""The pin of a set whose labels nobody has changed."""


def get_candidate(session: Session, candidate_id: int) -> Candidate:
    """The candidate.

    Raises:
        NotFound: If there is none.
    """
    candidate = session.get(Candidate, candidate_id)
    if candidate is None:
        raise NotFound(f"There is no candidate {candidate_id}.", remedy="Choose one from a question's page.")
    return candidate


def override(
    session: Session, candidate_id: int, *, label: str | None, reason: str, person: str, request_id: str
) -> LabelOverride:
    """Give a candidate a person's label, or withdraw it; the same ``request_id`` is stored once.

    Args:
        session: The transaction.
        candidate_id: The candidate.
        label: right, wrong or unparsed; None withdraws a person's label: the automatic one counts again.
        reason: Why, in the person's words.
        person: Their name.
        request_id: Made by the client, once per press of the button.

    Raises:
        NotFound: If there is no such candidate.
        Invalid: If the reason or the name is empty.
        Conflict: If the candidate is truncated, or there is nothing to withdraw.
    """
    stored = session.scalar(select(LabelOverride).where(LabelOverride.request_id == request_id))
    if stored is not None:
        return stored
    candidate = get_candidate(session, candidate_id)
    text = reason.strip()[:LONGEST_REASON]
    if label is None:
        if candidate_id not in of_candidates(session, [candidate_id]):
            raise Conflict("This COT has no label by a person.", remedy="Reload the page: it was withdrawn already.")
        text = text or "withdrawn"
    elif candidate.finish_reason == "length":
        raise Conflict(
            "This COT was cut at the length limit. It has no end of its own and never counts as right.",
            remedy="Sample with a higher max_new_tokens instead.",
        )
    if not text:
        raise Invalid("The reason is empty.", remedy="Say in a sentence why the label is not right.", field="reason")
    made = LabelOverride(
        request_id=request_id,
        run_id=candidate.run_id,
        candidate_id=candidate_id,
        label=label,
        reason=text,
        person=clean_name(person),
    )
    session.add(made)
    session.flush()
    events.publish(session, "candidate", "labelled", subject_id=candidate.run_id)
    return made


def history(session: Session, candidate_id: int) -> list[LabelOverride]:
    """Every label people gave, the newest first."""
    query = select(LabelOverride).where(LabelOverride.candidate_id == candidate_id).order_by(LabelOverride.id.desc())
    return list(session.scalars(query.limit(200)))


def of_candidates(session: Session, candidate_ids: Sequence[int]) -> dict[int, LabelOverride]:
    """People's labels that count now, by candidate."""
    newest = (
        select(func.max(LabelOverride.id))
        .where(LabelOverride.candidate_id.in_(list(candidate_ids)))
        .group_by(LabelOverride.candidate_id)
    )
    query = select(LabelOverride).where(LabelOverride.id.in_(newest), LabelOverride.label.is_not(None))
    return {row.candidate_id: row for row in session.scalars(query)}


def pin(session: Session, run_id: str) -> dict[str, Any]:
    """What has been changed about a set's labels up to now, in two ids.

    Returns:
        ``regrade`` (a regrade run's id, or None) and ``overrides`` (the newest override's id, 0 for none).
    """
    regrade = session.scalar(
        select(Regrade.run_id).where(Regrade.candidates_run_id == run_id).order_by(Regrade.run_id.desc()).limit(1)
    )
    newest = session.scalar(select(func.max(LabelOverride.id)).where(LabelOverride.run_id == run_id))
    return {"regrade": regrade, "overrides": newest or 0}


def corrections(session: Session, run_id: str, pinned: dict[str, Any]) -> dict[int, str]:
    """Labels that differ from how the set was sampled, as they were when they were pinned."""
    found: dict[int, str] = {}
    if pinned.get("regrade"):
        changes = select(RegradeChange.candidate_id, RegradeChange.verdict).where(
            RegradeChange.run_id == pinned["regrade"], RegradeChange.verdict != RegradeChange.verdict_before
        )
        found.update(session.execute(changes).all())
    newest = (
        select(func.max(LabelOverride.id))
        .where(LabelOverride.run_id == run_id, LabelOverride.id <= int(pinned.get("overrides") or 0))
        .group_by(LabelOverride.candidate_id)
    )
    by_people = select(LabelOverride.candidate_id, LabelOverride.label).where(
        LabelOverride.id.in_(newest), LabelOverride.label.is_not(None)
    )
    found.update({candidate_id: label for candidate_id, label in session.execute(by_people) if label is not None})
    return found


def count(session: Session, run_id: str) -> int:
    """Candidates of the set that a person has labelled."""
    newest = (
        select(func.max(LabelOverride.id)).where(LabelOverride.run_id == run_id).group_by(LabelOverride.candidate_id)
    )
    query = select(func.count()).where(LabelOverride.id.in_(newest), LabelOverride.label.is_not(None))
    return session.scalar(query) or 0
