"""Named selections of filters of the COTs page."""

from typing import Annotated

from fastapi import APIRouter, Query

from backend.api.deps import ReadSessionDep, SessionDep, problems
from backend.errors import Invalid, NotFound
from backend.schemas.saved_views import SavedViewChange, SavedViewCreate, SavedViewRead, SavedViews
from backend.services import saved_views

router = APIRouter(prefix="/saved-views", tags=["candidates"])


@router.get("")
def list_saved_views(
    session: ReadSessionDep, experiment_id: Annotated[str | None, Query(max_length=32)] = None
) -> SavedViews:
    """The views offered everywhere, and those of an experiment."""
    found = saved_views.visible(session, experiment_id)
    return SavedViews(views=[SavedViewRead.model_validate(view) for view in found])


@router.post("", status_code=201, responses=problems(NotFound, Invalid))
def create_saved_view(session: SessionDep, body: SavedViewCreate) -> SavedViewRead:
    """Keep the page's filters under a name."""
    view = saved_views.create(session, name=body.name, experiment_id=body.experiment_id, query=body.query)
    return SavedViewRead.model_validate(view)


@router.patch("/{view_id}", responses=problems(NotFound, Invalid))
def rename_saved_view(session: SessionDep, view_id: str, body: SavedViewChange) -> SavedViewRead:
    """Give a view another name."""
    return SavedViewRead.model_validate(saved_views.rename(session, view_id, body.name))


@router.delete("/{view_id}", status_code=204, responses=problems(NotFound))
def delete_saved_view(session: SessionDep, view_id: str) -> None:
    """Delete a view; it can be restored."""
    saved_views.remove(session, view_id)


@router.post("/{view_id}/restore", responses=problems(NotFound))
def restore_saved_view(session: SessionDep, view_id: str) -> SavedViewRead:
    """Take back a deletion."""
    return SavedViewRead.model_validate(saved_views.restore(session, view_id))
