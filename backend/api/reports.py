"""A comparison to take away: the report as one page, and the reproduction bundle."""

from collections.abc import Iterable

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from backend.api.chosen_runs import RunIds
from backend.api.comparison import OptionsDep
from backend.api.deps import ReadSessionDep, problems
from backend.errors import Invalid, NotFound
from backend.services import bundles, chosen_runs, comparison, experiments, reports

router = APIRouter(tags=["reports"])


@router.get(
    "/experiments/{experiment_id}/bundle",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}}, **problems(NotFound, Invalid)},
)
def download_bundle(session: ReadSessionDep, options: OptionsDep, experiment_id: str) -> StreamingResponse:
    """Everything behind the comparison as one zip, which `aft verify` recomputes."""
    # Asked for first, so that an error is an answer and not the end of a file.
    comparison.compare(session, experiments.get(session, experiment_id), options.model_copy(update={"test": "welch"}))
    pieces = bundles.of_experiment(experiment_id, options)
    return _file(pieces, f"experiment-{experiment_id}.zip", "application/zip")


@router.get(
    "/experiments/{experiment_id}/report.html",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/html": {}}}, **problems(NotFound, Invalid)},
)
def download_report(session: ReadSessionDep, options: OptionsDep, experiment_id: str) -> StreamingResponse:
    """Table, words, figures, settings and hashes as one page that opens without a network."""
    pieces = reports.of_experiment(session, experiments.get(session, experiment_id), options)
    return _file(pieces, f"report-{experiment_id}.html", "text/html; charset=utf-8")


@router.get(
    "/chosen-runs/bundle",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}}, **problems(NotFound, Invalid)},
)
def download_chosen_bundle(session: ReadSessionDep, options: OptionsDep, run: RunIds) -> StreamingResponse:
    """Everything behind chosen runs' comparison as one zip, which `aft verify` recomputes."""
    chosen_runs.compare(session, run, options.model_copy(update={"test": "welch"}))
    return _file(bundles.of_runs(run, options), "chosen-runs.zip", "application/zip")


@router.get(
    "/chosen-runs/report.html",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/html": {}}}, **problems(NotFound, Invalid)},
)
def download_chosen_report(session: ReadSessionDep, options: OptionsDep, run: RunIds) -> StreamingResponse:
    """Chosen runs' table, words, figures, settings and hashes as one page that opens without a network."""
    return _file(reports.of_runs(session, run, options), "report-chosen-runs.html", "text/html; charset=utf-8")


def _file(blocks: Iterable[bytes] | Iterable[str], name: str, media_type: str) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(blocks, media_type=media_type, headers=headers)
