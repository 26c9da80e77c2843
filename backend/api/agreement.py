"""Agreement of a queue's raters, where they differ, and decisions."""

import json
from typing import Annotated

from fastapi import APIRouter, Query

from backend.api.deps import ReadSessionDep, SessionDep, problems
from backend.api.reviews import ItemPath, PersonDep, somebody
from backend.db.models import Person, ReviewQueue
from backend.errors import Conflict, Forbidden, Invalid, NotFound
from backend.schemas.agreement import AgreementRead, Confusion, Decide, Decided, Disagreements
from backend.schemas.comparison import FigureRead
from backend.schemas.reviews import UndoRequest
from backend.services import (
    adjudications,
    agreement,
    agreement_figures,
    disagreements,
    judgements,
    review_queues,
)

router = APIRouter(prefix="/review-queues/{queue_id}", tags=["agreement"])
RaterKey = Annotated[str, Query(min_length=1, max_length=120)]
_ERRORS = problems(NotFound, Forbidden)


def _seen(session: ReadSessionDep, queue_id: str, person: Person | None) -> ReviewQueue:
    """The queue, if this person may see what others say."""
    queue = review_queues.get(session, queue_id)
    review_queues.require_unblinded(session, queue, person)
    return queue


@router.get("/agreement", response_model=AgreementRead, responses=_ERRORS)
def read_agreement(session: ReadSessionDep, queue_id: str, person: PersonDep) -> AgreementRead:
    """α, κ and τ of people with each other, and of judges and rules with people, with intervals."""
    return agreement.read(session, _seen(session, queue_id, person))


@router.get("/agreement/confusion", response_model=Confusion, responses=_ERRORS)
def read_confusion(
    session: ReadSessionDep, queue_id: str, person: PersonDep, one: RaterKey, other: RaterKey
) -> Confusion:
    """How often one rater gave each value where the other gave each."""
    found = judgements.load(session, _seen(session, queue_id, person))
    return agreement.confusion(found, agreement.require_rater(found, one), agreement.require_rater(found, other))


@router.get("/agreement/figure", response_model=FigureRead, responses=_ERRORS)
def read_agreement_figure(
    session: ReadSessionDep, queue_id: str, person: PersonDep, one: RaterKey, other: RaterKey
) -> FigureRead:
    """Every COT that both raters have judged, as a picture."""
    found = judgements.load(session, _seen(session, queue_id, person))
    made = agreement_figures.pair_figure(
        found, agreement.require_rater(found, one), agreement.require_rater(found, other)
    )
    return FigureRead(
        title=made.title,
        description=made.description,
        figure=json.loads(made.figure.to_json()),
        columns=made.columns,
        rows=made.rows,
    )


@router.get("/disagreements", response_model=Disagreements, responses=problems(NotFound, Forbidden, Invalid))
def list_disagreements(
    session: ReadSessionDep,
    queue_id: str,
    person: PersonDep,
    against: Annotated[str | None, Query(max_length=120)] = None,
    undecided: bool = False,
    after: Annotated[str | None, Query(max_length=60)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Disagreements:
    """Items on which people differ from each other, or a judge from people; the largest difference first."""
    queue = _seen(session, queue_id, person)
    return disagreements.page(session, queue, against=against, undecided=undecided, after=after, limit=limit)


@router.put("/decisions/{item_id}", response_model=Decided, responses=problems(NotFound, Forbidden, Conflict, Invalid))
def decide_item(session: SessionDep, queue_id: str, item_id: ItemPath, body: Decide, person: PersonDep) -> Decided:
    """Decide an item: the decision counts in place of the reviews, which stay on record."""
    someone = somebody(person)
    decision = adjudications.decide(session, _seen(session, queue_id, person), item_id, someone, body)
    return Decided(item_id=item_id, decision=decision)


@router.post("/decisions/{item_id}/undo", response_model=Decided, responses=problems(NotFound, Forbidden, Conflict))
def undo_decision(
    session: SessionDep, queue_id: str, item_id: ItemPath, body: UndoRequest, person: PersonDep
) -> Decided:
    """Take a decision back: the reviews count again."""
    someone = somebody(person)
    adjudications.undo(session, _seen(session, queue_id, person), item_id, someone, body.submission_id)
    return Decided(item_id=item_id, decision=None)
