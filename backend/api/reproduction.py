"""The paper in miniature at the press of a button: what ``aft reproduce`` runs."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from aft.paper.scales import SCALES
from backend.api.deps import ReadSessionDep, SessionDep, problems
from backend.api.experiments import summaries
from backend.errors import Invalid
from backend.schemas.reproduction import ReproducedPreset, ReproductionRead, ReproductionStart, Seeds
from backend.services import reproduction, reproduction_report
from backend.services.reproduction import Item

router = APIRouter(prefix="/reproduction", tags=["reproduction"])

MINI = SCALES["mini"]
SeedsQuery = Annotated[Seeds, Query(default_factory=lambda: [1, 2, 3])]


@router.get("", responses=problems(Invalid))
def read_reproduction(session: ReadSessionDep, seeds: SeedsQuery) -> ReproductionRead:
    """The presets with their experiments on these seeds."""
    return _read(session, _items(session, seeds))


@router.post("", status_code=201, responses=problems(Invalid))
def start_reproduction(session: SessionDep, body: ReproductionStart) -> ReproductionRead:
    """Start all of them; what runs already or is finished is taken over."""
    items = _items(session, body.seeds)
    for item in items:
        reproduction.start(session, item, retry=body.retry)
    return _read(session, items)


@router.get(
    "/report", response_class=Response, responses={200: {"content": {"text/markdown": {}}}, **problems(Invalid)}
)
def read_report(session: ReadSessionDep, seeds: SeedsQuery) -> Response:
    """Every number with its seeds, and which of the paper's shapes hold, as Markdown."""
    text = reproduction_report.write(session, _items(session, seeds), MINI, tuple(seeds))
    headers = {"Content-Disposition": 'attachment; filename="reproduction.md"'}
    return Response(text, media_type="text/markdown", headers=headers)


def _items(session: Session, seeds: list[int]) -> list[Item]:
    return reproduction.items(session, MINI, tuple(seeds))


def _read(session: Session, items: list[Item]) -> ReproductionRead:
    found = [reproduction.find(session, item) for item in items]
    shown = {one.id: one for one in summaries(session, [one for one in found if one is not None])}
    return ReproductionRead(
        about=MINI.about,
        seeds=list(items[0].spec.seeds),
        items=[
            ReproducedPreset(
                name=item.preset.name,
                title=item.preset.title,
                paper=item.preset.paper,
                experiment=None if one is None else shown[one.id],
            )
            for item, one in zip(items, found, strict=True)
        ],
    )
