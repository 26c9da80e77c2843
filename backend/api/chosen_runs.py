"""The comparison of runs that somebody chose, whatever experiments they belong to."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse, Response

from backend.api.comparison import OptionsDep, as_file
from backend.api.deps import ReadSessionDep, problems
from backend.api.figures import figure_file, figure_read
from backend.charts import export
from backend.errors import Invalid, NotFound
from backend.schemas.case_study import CaseStudy
from backend.schemas.comparison import Comparison, ComparisonOptions, FigureRead, FlipsRead
from backend.services import case_study, chosen_runs, comparison_files, figures, question_flips

router = APIRouter(prefix="/chosen-runs", tags=["comparison"])

RunIds = Annotated[
    list[Annotated[str, Query(max_length=32)]],
    Query(alias="run", min_length=1, max_length=chosen_runs.MOST_RUNS, description="Trainings or evaluations."),
]
TableFigure = Literal[
    "task", "assessment", "perplexity", "scatter", "curves", "push", "scores", "calibration", "degradation", "votes"
]


@router.get("", response_model=Comparison, responses=problems(NotFound, Invalid))
def compare_runs(session: ReadSessionDep, options: OptionsDep, run: RunIds) -> Comparison:
    """Chosen runs against a baseline; runs that differ in their seed only are a row, mean ± std."""
    return chosen_runs.compare(session, run, options)


@router.get("/comparison.csv", response_class=PlainTextResponse, responses=problems(NotFound, Invalid))
def compare_runs_csv(session: ReadSessionDep, options: OptionsDep, run: RunIds) -> PlainTextResponse:
    """The same table as CSV."""
    text = comparison_files.as_csv(chosen_runs.compare(session, run, options))
    return as_file(text, "chosen-runs.csv", "text/csv")


@router.get("/comparison.tex", response_class=PlainTextResponse, responses=problems(NotFound, Invalid))
def compare_runs_latex(session: ReadSessionDep, options: OptionsDep, run: RunIds) -> PlainTextResponse:
    """The same table as LaTeX (booktabs)."""
    text = comparison_files.as_latex(chosen_runs.compare(session, run, options), "Chosen runs")
    return as_file(text, "chosen-runs.tex", "application/x-tex")


@router.get("/flips", response_model=FlipsRead, responses=problems(NotFound, Invalid))
def read_chosen_flips(
    session: ReadSessionDep,
    options: OptionsDep,
    run: RunIds,
    method: Annotated[str, Query(max_length=80, description="The row's name.")],
    kind: Literal["fixed", "broken"] = "fixed",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> FlipsRead:
    """Questions that a row fixed or broke against the baseline."""
    table = chosen_runs.compare(session, run, options.model_copy(update={"test": "paired-t"}))
    return question_flips.of_table(session, table, method, options.seed, kind=kind, limit=limit, across_seeds=True)


@router.get("/case-study", response_model=CaseStudy, responses=problems(NotFound, Invalid))
def read_chosen_case(
    session: ReadSessionDep, run: RunIds, example_id: int | None = None, seed: int | None = None
) -> CaseStudy:
    """One test question under every row: first wrong step and repetition."""
    table = chosen_runs.compare(session, run, ComparisonOptions())
    return case_study.of_table(session, table, example_id=example_id, seed=seed, across_seeds=True)


@router.get("/figures/{name}", response_model=FigureRead, responses=problems(NotFound, Invalid))
def read_chosen_figure(session: ReadSessionDep, options: OptionsDep, run: RunIds, name: TableFigure) -> FigureRead:
    """One figure of chosen runs."""
    return figure_read(figures.of_table(session, chosen_runs.shown(session, run, options), name))


@router.get(
    "/figures/{name}/file", response_class=Response, responses=problems(NotFound, Invalid, export.ExportUnavailable)
)
def export_chosen_figure(
    session: ReadSessionDep,
    options: OptionsDep,
    run: RunIds,
    name: TableFigure,
    form: Annotated[export.Format, Query(alias="format")] = "svg",
) -> Response:
    """The same figure as PNG, SVG or a self-contained HTML page."""
    made = figures.of_table(session, chosen_runs.shown(session, run, options), name)
    return figure_file(made, f"{name}-chosen-runs", form)
