"""The comparison of an experiment's methods: the table, its files, and the questions behind a difference."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import PlainTextResponse

from backend.api.deps import ReadSessionDep, problems
from backend.errors import Invalid, NotFound
from backend.schemas.case_study import CaseStudy
from backend.schemas.comparison import (
    Comparison,
    ComparisonOptions,
    ComparisonOverview,
    FlipsRead,
    TestName,
)
from backend.services import case_study, comparison, comparison_files, comparison_overview, experiments, question_flips

router = APIRouter(prefix="/experiments", tags=["comparison"])


def comparison_options(
    baseline: Annotated[str | None, Query(max_length=80)] = None,
    test: TestName = "paired-t",
    seed: int | None = None,
    published: Annotated[str | None, Query(max_length=60)] = None,
    hidden: Annotated[list[str] | None, Query(max_length=200)] = None,
    block: Annotated[str | None, Query(max_length=16)] = None,
) -> ComparisonOptions:
    """How to compare, from the address."""
    return ComparisonOptions(
        baseline=baseline, test=test, seed=seed, published=published, hidden=hidden or [], block=block
    )


OptionsDep = Annotated[ComparisonOptions, Depends(comparison_options)]


@router.get("/{experiment_id}/comparison", response_model=Comparison, responses=problems(NotFound, Invalid))
def read_comparison(session: ReadSessionDep, options: OptionsDep, experiment_id: str) -> Comparison:
    """Methods against a baseline: mean ± std over seeds, n, difference, interval, p and corrected p."""
    return comparison.compare(session, experiments.get(session, experiment_id), options)


@router.get(
    "/{experiment_id}/comparison/overview", response_model=ComparisonOverview, responses=problems(NotFound, Invalid)
)
def read_comparison_overview(
    session: ReadSessionDep,
    options: OptionsDep,
    experiment_id: str,
    metric: Annotated[str, Query(max_length=60)] = "task_accuracy",
) -> ComparisonOverview:
    """One metric of every method on every data set and model of the experiment."""
    return comparison_overview.read(session, experiments.get(session, experiment_id), options, metric)


@router.get("/{experiment_id}/comparison.csv", response_class=PlainTextResponse, responses=problems(NotFound, Invalid))
def read_comparison_csv(session: ReadSessionDep, options: OptionsDep, experiment_id: str) -> PlainTextResponse:
    """The comparison table as CSV."""
    table = comparison.compare(session, experiments.get(session, experiment_id), options)
    return as_file(comparison_files.as_csv(table), f"comparison-{experiment_id}.csv", "text/csv")


@router.get("/{experiment_id}/comparison.tex", response_class=PlainTextResponse, responses=problems(NotFound, Invalid))
def read_comparison_latex(session: ReadSessionDep, options: OptionsDep, experiment_id: str) -> PlainTextResponse:
    """The comparison table as LaTeX (booktabs)."""
    experiment = experiments.get(session, experiment_id)
    table = comparison.compare(session, experiment, options)
    text = comparison_files.as_latex(table, experiment.name)
    return as_file(text, f"comparison-{experiment_id}.tex", "application/x-tex")


@router.get("/{experiment_id}/flips", response_model=FlipsRead, responses=problems(NotFound, Invalid))
def read_flips(
    session: ReadSessionDep,
    options: OptionsDep,
    experiment_id: str,
    method: Annotated[str, Query(max_length=80)],
    kind: Literal["fixed", "broken"] = "fixed",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> FlipsRead:
    """Questions that a method fixed or broke against the baseline, under one seed."""
    experiment = experiments.get(session, experiment_id)
    return question_flips.read(session, experiment, method, options, kind=kind, limit=limit)


@router.get("/{experiment_id}/case-study", response_model=CaseStudy, responses=problems(NotFound, Invalid))
def read_case_study(
    session: ReadSessionDep,
    experiment_id: str,
    example_id: int | None = None,
    seed: int | None = None,
    block: Annotated[str | None, Query(max_length=16)] = None,
) -> CaseStudy:
    """One test question under every method: first wrong step and repetition (Table 12)."""
    experiment = experiments.get(session, experiment_id)
    return case_study.read(session, experiment, example_id=example_id, seed=seed, block=block)


def as_file(text: str, name: str, media_type: str) -> PlainTextResponse:
    """Text to be saved under a name."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return PlainTextResponse(text, media_type=f"{media_type}; charset=utf-8", headers=headers)
