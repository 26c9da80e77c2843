"""An experiment to take away: the report as one page, and the reproduction bundle."""

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from backend.api.comparison import OptionsDep
from backend.api.deps import ReadSessionDep, problems
from backend.errors import Invalid, NotFound
from backend.services import bundles, comparison, experiments, reports

router = APIRouter(prefix="/experiments", tags=["reports"])


@router.get(
    "/{experiment_id}/bundle",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}}, **problems(NotFound, Invalid)},
)
def download_bundle(session: ReadSessionDep, options: OptionsDep, experiment_id: str) -> StreamingResponse:
    """Everything behind the comparison as one zip, which `aft verify` recomputes."""
    # Asked for first, so that an error is an answer and not the end of a file.
    comparison.compare(session, experiments.get(session, experiment_id), options.model_copy(update={"test": "welch"}))
    return _file(bundles.stream(experiment_id, options), f"experiment-{experiment_id}.zip", "application/zip")


@router.get(
    "/{experiment_id}/report.html",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/html": {}}}, **problems(NotFound, Invalid)},
)
def download_report(session: ReadSessionDep, options: OptionsDep, experiment_id: str) -> StreamingResponse:
    """Table, words, figures, settings and hashes as one page that opens without a network."""
    pieces = reports.stream(session, experiments.get(session, experiment_id), options)
    return _file(pieces, f"report-{experiment_id}.html", "text/html; charset=utf-8")


def _file(blocks: object, name: str, media_type: str) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(blocks, media_type=media_type, headers=headers)  # type: ignore[arg-type]
