"""Judge endpoints: an administrator's settings, a test, rating runs."""

from typing import Annotated

from fastapi import APIRouter, Cookie, Depends

from backend.api.deps import ReadSessionDep, SessionDep, problems
from backend.db.session import reading
from backend.errors import Conflict, Forbidden, Invalid, NotFound
from backend.schemas.judges import (
    JudgeList,
    JudgeName,
    JudgeRead,
    JudgeRunCreate,
    JudgeRunList,
    JudgeRunPreview,
    JudgeRunStarted,
    JudgeTest,
    JudgeTestResult,
    JudgeWrite,
)
from backend.services import judge_runs, judge_settings, judges, people, review_queues

router = APIRouter(prefix="/judges", tags=["judges"])


@router.get("", responses=problems(Conflict))
def list_judges(session: ReadSessionDep) -> JudgeList:
    """Every endpoint, without keys, with what it has cost."""
    return JudgeList(items=[judges.read(session, name) for name in judge_settings.names()])


@router.get("/{name}", responses=problems(NotFound))
def read_judge(session: ReadSessionDep, name: JudgeName) -> JudgeRead:
    """One endpoint, without its key."""
    return judges.read(session, name)


@router.put("/{name}", responses=problems(Invalid))
def write_judge(session: ReadSessionDep, name: JudgeName, body: JudgeWrite) -> JudgeRead:
    """Store an endpoint; its address is checked, its key is write-only."""
    return judges.write(session, name, body)


@router.delete("/{name}", status_code=204, responses=problems(NotFound))
def delete_judge(name: JudgeName) -> None:
    """Forget an endpoint with its key; ratings stay."""
    judge_settings.remove(name)


def _seen(body: JudgeTest, aft_reviewer: Annotated[str | None, Cookie()] = None) -> None:
    """Refuse a judge's word about a queue that this person reviews blind."""
    if body.queue_id is not None:
        with reading() as session:
            person = people.of_cookie(session, aft_reviewer) if aft_reviewer else None
            review_queues.require_unblinded(session, review_queues.get(session, body.queue_id), person)


@router.post("/{name}/test", responses=problems(NotFound, Conflict, Forbidden), dependencies=[Depends(_seen)])
def test_judge(name: JudgeName, body: JudgeTest) -> JudgeTestResult:
    """Ask about up to ten candidates and show the raw replies; nothing is stored."""
    # No transaction stays open while the judge thinks.
    return judges.test(name, body)


@router.get("/{name}/runs", responses=problems(NotFound))
def list_judge_runs(session: ReadSessionDep, name: JudgeName) -> JudgeRunList:
    """This judge's rating runs, newest first, with what each has cost so far."""
    return JudgeRunList(items=judge_runs.of_judge(session, name))


@router.post("/{name}/runs/preview", responses=problems(NotFound, Conflict, Invalid))
def preview_judge_run(session: ReadSessionDep, name: JudgeName, body: JudgeRunCreate) -> JudgeRunPreview:
    """How many COTs a run would ask about."""
    return judge_runs.preview(session, name, body)


@router.post("/{name}/runs", status_code=201, responses=problems(NotFound, Conflict, Invalid))
def start_judge_run(session: SessionDep, name: JudgeName, body: JudgeRunCreate) -> JudgeRunStarted:
    """Queue the rating of a candidate set, a part of it, or a queue's COTs."""
    return judge_runs.start(session, name, body)
