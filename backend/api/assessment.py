"""The worst misjudgements of a candidate set under a model."""

from typing import Annotated

from fastapi import APIRouter, Query

from backend.api.deps import ReadSessionDep, problems
from backend.errors import Invalid, NotFound
from backend.schemas.assessment import Violations
from backend.services import beta, candidates, violations

router = APIRouter(tags=["candidates"])


@router.get("/candidate-sets/{run_id}/violations", response_model=Violations, responses=problems(NotFound, Invalid))
def list_violations(
    session: ReadSessionDep,
    run_id: str,
    model: Annotated[str, Query(max_length=32, description="Model run whose scores rank the pairs.")],
    against: Annotated[str | None, Query(max_length=32, description="A second model run, for comparison.")] = None,
    after: Annotated[str | None, Query(max_length=60)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Violations:
    """Questions in which a wrong COT is at least as likely as a right one, the worst first, by keyset."""
    run = candidates.get_set(session, run_id)
    found = beta.arrays(session, run, model, beta.BINARY)
    other = beta.arrays(session, run, against, beta.BINARY) if against else None
    rows, cursor = violations.worst(session, found, other, after=after, limit=limit)
    n_questions, n_bad, n_pairs, n_violated = violations.summary(found)
    return Violations(
        items=rows,
        next_after=cursor,
        n_questions=n_questions,
        n_questions_violated=n_bad,
        n_pairs=n_pairs,
        n_violated=n_violated,
    )
