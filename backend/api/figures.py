"""Figures: JSON for the page, files for papers, by the same code."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response

from backend.api.comparison import OptionsDep
from backend.api.deps import ReadSessionDep, problems
from backend.charts import export
from backend.errors import Invalid, NotFound
from backend.schemas.comparison import FigureRead
from backend.services import events, experiments, figures, run_views
from backend.services.shared_answers import SharedAnswers

router = APIRouter(tags=["figures"])

ExperimentFigure = Literal[
    "task",
    "assessment",
    "perplexity",
    "scatter",
    "curves",
    "push",
    "scores",
    "calibration",
    "degradation",
    "watch",
    "sweep",
    "votes",
    "parallel",
    "blocks",
    "models",
]
RunFigure = Literal["loss", "push", "degradation"]
_curves = SharedAnswers()


@router.get(
    "/experiments/{experiment_id}/figures/{name}/file",
    response_class=Response,
    responses=problems(NotFound, Invalid, export.ExportUnavailable),
)
def export_experiment_figure(
    session: ReadSessionDep,
    options: OptionsDep,
    experiment_id: str,
    name: ExperimentFigure,
    form: Annotated[export.Format, Query(alias="format")] = "svg",
) -> Response:
    """The same figure as PNG, SVG or a self-contained HTML page."""
    made = figures.of_experiment(session, experiments.get(session, experiment_id), name, options)
    return figure_file(made, f"{name}-{experiment_id}", form)


@router.get(
    "/runs/{run_id}/figures/{name}/file",
    response_class=Response,
    responses=problems(NotFound, export.ExportUnavailable),
)
def export_run_figure(
    session: ReadSessionDep,
    run_id: str,
    name: RunFigure,
    form: Annotated[export.Format, Query(alias="format")] = "svg",
) -> Response:
    """The same figure as a file."""
    return figure_file(figures.of_run(session, run_views.get(session, run_id), name), f"{name}-{run_id}", form)


@router.get(
    "/experiments/{experiment_id}/figures/{name}", response_model=FigureRead, responses=problems(NotFound, Invalid)
)
def read_experiment_figure(
    session: ReadSessionDep, options: OptionsDep, experiment_id: str, name: ExperimentFigure
) -> FigureRead:
    """One figure of an experiment."""
    return figure_read(figures.of_experiment(session, experiments.get(session, experiment_id), name, options))


@router.get("/runs/{run_id}/figures/{name}", response_model=FigureRead, responses=problems(NotFound))
def read_run_figure(session: ReadSessionDep, run_id: str, name: RunFigure) -> FigureRead | Response:
    """One figure of a run."""
    run = run_views.get(session, run_id)
    if name not in figures.RUN_FIGURES:
        return figure_read(figures.of_run(session, run, name))
    # Every tab that shows a run asks for its curves at the same moment, whenever points came.
    body = _curves.get(
        (run.id, name),
        (run.name, events.newest_of_run(session, run.id)),
        lambda: figure_read(figures.of_run(session, run, name)).model_dump_json().encode(),
    )
    return Response(body, media_type="application/json")


def figure_read(made: figures.MadeFigure) -> FigureRead:
    """The figure as the API carries it."""
    return FigureRead(**figures.as_json(made))


def figure_file(made: figures.MadeFigure, name: str, form: export.Format) -> Response:
    """The figure to be saved under a name."""
    body = export.render(made.figure, made.title, form)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return Response(body, media_type=export.MEDIA_TYPES[form], headers=headers)
