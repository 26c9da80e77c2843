"""The β explorer on a candidate set's stored scores."""

import json
from typing import Annotated

import plotly.graph_objects as go
from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from backend.api.deps import ReadSessionDep, problems
from backend.charts import export
from backend.errors import Invalid, NotFound
from backend.schemas.beta import BetaChoices, BetaOverview, BetaQuestion
from backend.schemas.common import Page
from backend.schemas.comparison import FigureRead
from backend.services import beta as explorer
from backend.services import candidates

router = APIRouter(prefix="/candidate-sets/{run_id}/beta", tags=["beta"])

Beta = Annotated[float, Query(ge=-5, le=5, description="Gap between s_j* and the boundary, nats a token.")]
Model = Annotated[str, Query(max_length=32, description="Model run whose scores are looked at.")]
Feedback = Annotated[str, Query(max_length=32, description="binary, or the id of a rate run or a rating file.")]


@router.get("/choices", response_model=BetaChoices, responses=problems(NotFound))
def read_beta_choices(session: ReadSessionDep, run_id: str) -> BetaChoices:
    """Models that scored the set, and what can make its pairs."""
    return explorer.choices(session, candidates.get_set(session, run_id))


@router.get("", response_model=BetaOverview, responses=problems(NotFound, Invalid))
def read_beta_overview(
    session: ReadSessionDep, run_id: str, model: Model, beta: Beta = 0.15, feedback: Feedback = "binary"
) -> BetaOverview:
    """What each constraint would do over the whole set."""
    found = explorer.arrays(session, candidates.get_set(session, run_id), model, feedback)
    return explorer.overview(found, beta)


@router.get("/questions", response_model=Page[BetaQuestion], responses=problems(NotFound, Invalid))
def list_beta_questions(
    session: ReadSessionDep,
    run_id: str,
    model: Model,
    beta: Beta = 0.15,
    feedback: Feedback = "binary",
    only_under: Annotated[bool, Query(description="Only questions with a COT under its boundary.")] = False,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Page[BetaQuestion]:
    """Questions with pairs: boundary and gradient of each COT, by keyset."""
    found = explorer.arrays(session, candidates.get_set(session, run_id), model, feedback)
    rows = explorer.questions(session, found, beta=beta, only_under=only_under, after=after, limit=limit)
    items = rows[:limit]
    return Page(items=items, next_after=str(items[-1].example_id) if len(rows) > limit else None)


@router.get("/questions/{example_id}", response_model=BetaQuestion, responses=problems(NotFound, Invalid))
def read_beta_question(
    session: ReadSessionDep,
    run_id: str,
    example_id: Annotated[int, Path(ge=1, le=2**53)],
    model: Model,
    beta: Beta = 0.15,
    feedback: Feedback = "binary",
) -> BetaQuestion:
    """One question of the set."""
    found = explorer.arrays(session, candidates.get_set(session, run_id), model, feedback)
    return explorer.one_question(session, found, example_id, beta)


@router.get("/figure", response_model=FigureRead, responses=problems(NotFound, Invalid))
def read_beta_figure(
    session: ReadSessionDep, run_id: str, model: Model, beta: Beta = 0.15, feedback: Feedback = "binary"
) -> FigureRead:
    """Share of the worse COTs that are pushed down, over β."""
    made = explorer.figure(explorer.arrays(session, candidates.get_set(session, run_id), model, feedback), beta)
    return FigureRead(
        title=made.title,
        description=made.description,
        figure=json.loads(go.Figure(made.figure).to_json()),
        columns=made.columns,
        rows=made.rows,
    )


@router.get("/figure/file", response_class=Response, responses=problems(NotFound, Invalid, export.ExportUnavailable))
def export_beta_figure(
    session: ReadSessionDep,
    run_id: str,
    model: Model,
    beta: Beta = 0.15,
    feedback: Feedback = "binary",
    form: Annotated[export.Format, Query(alias="format")] = "svg",
) -> Response:
    """The same figure as a file."""
    made = explorer.figure(explorer.arrays(session, candidates.get_set(session, run_id), model, feedback), beta)
    headers = {"Content-Disposition": f'attachment; filename="beta-{run_id[:32]}.{form}"'}
    return Response(export.render(made.figure, made.title, form), media_type=export.MEDIA_TYPES[form], headers=headers)
