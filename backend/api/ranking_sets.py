"""Ranking sets: ratings on their way back into training."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from backend.api.deps import ReadSessionDep, SessionDep, problems
from backend.api.reviews import PersonDep
from backend.db.models import Person
from backend.errors import Forbidden, Invalid, NotFound
from backend.schemas.ranking_sets import (
    AvailableRater,
    RankingPreview,
    RankingSetCreate,
    RankingSetList,
    RankingSetRead,
    RankingSource,
)
from backend.services import ranking_sets, review_queues

router = APIRouter(prefix="/ranking-sets", tags=["ranking sets"])
SourceId = Annotated[str | None, Query(max_length=32)]


def _seen(session: ReadSessionDep, source: RankingSource, person: Person | None) -> None:
    if source.queue_id is not None:
        review_queues.require_unblinded(session, review_queues.get(session, source.queue_id), person)


def _source(run_id: SourceId = None, queue_id: SourceId = None) -> RankingSource:
    try:
        return RankingSource(run_id=run_id, queue_id=queue_id)
    except ValueError:
        raise Invalid("Both or neither of run_id and queue_id are given.", remedy="Give one.", field="run_id") from None


@router.get("", response_model=RankingSetList, responses=problems(NotFound, Forbidden))
def list_ranking_sets(
    session: ReadSessionDep, person: PersonDep, run_id: SourceId = None, queue_id: SourceId = None
) -> RankingSetList:
    """Versions, newest first: of a candidate set, of a queue's candidate set, or all."""
    if queue_id is not None:
        _seen(session, RankingSource(queue_id=queue_id), person)
    rows = ranking_sets.of_source(session, run_id=run_id, queue_id=queue_id)
    return RankingSetList(items=[ranking_sets.read(session, row) for row in rows])


@router.get("/raters", response_model=list[AvailableRater], responses=problems(NotFound, Forbidden, Invalid))
def list_raters(
    session: ReadSessionDep, person: PersonDep, source: Annotated[RankingSource, Depends(_source)]
) -> list[AvailableRater]:
    """Everybody and everything that has rated COTs of a candidate set or a queue."""
    _seen(session, source, person)
    return ranking_sets.available(session, source)


@router.post("/preview", response_model=RankingPreview, responses=problems(NotFound, Forbidden, Invalid))
def preview_ranking_set(session: ReadSessionDep, body: RankingSetCreate, person: PersonDep) -> RankingPreview:
    """What a set would hold, before it is made."""
    _seen(session, body.source, person)
    planned = ranking_sets.plan(session, body)
    return RankingPreview(statistics=ranking_sets.statistics_read(asdict(planned.statistics)), sha256=planned.sha256)


@router.post("", response_model=RankingSetRead, status_code=201, responses=problems(NotFound, Forbidden, Invalid))
def create_ranking_set(session: SessionDep, body: RankingSetCreate, person: PersonDep) -> RankingSetRead:
    """Store a version; equal content under the same name stays one version."""
    _seen(session, body.source, person)
    return ranking_sets.read(session, ranking_sets.create(session, body))


@router.get("/{set_id}", response_model=RankingSetRead, responses=problems(NotFound))
def read_ranking_set(session: ReadSessionDep, set_id: str) -> RankingSetRead:
    """One version with its statistics."""
    return ranking_sets.read(session, ranking_sets.get(session, set_id))
