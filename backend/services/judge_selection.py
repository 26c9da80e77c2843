"""Which COTs a judge is asked about: a candidate set, a part of it, or those of a review queue."""

import random

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db.models import Candidate, ReviewItem, Run
from backend.errors import Conflict, Invalid
from backend.schemas.judges import MOST_SELECTED, JudgeRunCreate
from backend.services import review_queues, runs

_KINDS = frozenset({"sample", "evaluate", "import"})


def select_candidates(session: Session, body: JudgeRunCreate) -> tuple[Run, list[int] | None]:
    """The candidate set, and the ids of the selection, ascending; None stands for the whole set.

    Raises:
        NotFound: If the set or the queue does not exist.
        Invalid: If the run has no candidates, or the selection is empty or too large.
    """
    if body.queue_id is not None:
        queue = review_queues.get(session, body.queue_id)
        run = session.get_one(Run, queue.run_id)
        ids = _of_queue(session, queue.id)
    else:
        assert body.candidates_run_id is not None
        run = _candidate_set(session, body.candidates_run_id)
        if not body.candidate_ids and body.verdict is None and body.n is None:
            return run, None
        ids = _of_set(session, run, body)
    if body.n is not None and body.n < len(ids):
        ids = random.Random(f"{body.seed}:judge").sample(ids, body.n)
    if not ids:
        raise Invalid("The selection holds no COT.", remedy="Choose others.", field="verdict")
    if len(ids) > MOST_SELECTED:
        raise Invalid(
            f"The selection holds {len(ids):,} COTs; {MOST_SELECTED:,} are the most.",
            remedy="Draw some of them with n, or rate the whole candidate set.",
            field="n",
        )
    return run, sorted(ids)


def one_a_question(session: Session, run_id: str | None, queue_id: str | None, n: int) -> list[int]:
    """Ids of the first candidate of each of the first questions.

    Raises:
        Conflict: If there are none.
    """
    if queue_id is not None:
        queue = review_queues.get(session, queue_id)
        name = queue.name
        items = select(ReviewItem.candidate_ids).where(ReviewItem.queue_id == queue.id)
        found = [int(ids[0]) for ids in session.scalars(items.order_by(ReviewItem.position).limit(n))]
    else:
        run = runs.get(session, run_id or "")
        name = run.name
        first = select(func.min(Candidate.id)).where(Candidate.run_id == run.id).group_by(Candidate.example_id)
        found = list(session.scalars(first.order_by(Candidate.example_id).limit(n)))
    if not found:
        raise Conflict(f"'{name}' has no candidates.", remedy="Choose a sampling run that has some.")
    return found


def _candidate_set(session: Session, run_id: str) -> Run:
    run = runs.get(session, run_id)
    if run.kind not in _KINDS:
        raise Invalid(
            f"Run '{run.name}' is of kind '{run.kind}' and has no candidates to rate.",
            remedy="Choose a sampling run.",
            field="candidates_run_id",
        )
    return run


def _of_set(session: Session, run: Run, body: JudgeRunCreate) -> list[int]:
    query = select(Candidate.id).where(Candidate.run_id == run.id).order_by(Candidate.id)
    if body.verdict is not None:
        query = query.where(Candidate.verdict == body.verdict)
    found = list(session.scalars(query))
    if not body.candidate_ids:
        return found
    known, wanted = set(found), set(body.candidate_ids)
    if wanted - known:
        raise Invalid(
            f"{len(wanted - known)} of the chosen COTs are not in this candidate set.",
            remedy="Choose COTs of one set.",
            field="candidate_ids",
        )
    return sorted(wanted)


def _of_queue(session: Session, queue_id: str) -> list[int]:
    items = select(ReviewItem.candidate_ids).where(ReviewItem.queue_id == queue_id)
    return sorted({int(one) for ids in session.scalars(items) for one in ids})
