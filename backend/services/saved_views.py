"""Named selections of filters of the COTs page; a deleted one can be taken back."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from backend.db.models import SavedView, utcnow
from backend.errors import Invalid, NotFound
from backend.services import experiments

MOST = 200
KEPT_FOR = timedelta(days=30)
"""Deleted views are removed for good after this long."""


def visible(session: Session, experiment_id: str | None) -> Sequence[SavedView]:
    """The views offered everywhere, and those of an experiment, by name."""
    places: list[Any] = [SavedView.experiment_id.is_(None)]
    if experiment_id is not None:
        places.append(SavedView.experiment_id == experiment_id)
    query = select(SavedView).where(SavedView.deleted_at.is_(None), or_(*places))
    return session.scalars(query.order_by(SavedView.name, SavedView.id).limit(MOST)).all()


def create(session: Session, *, name: str, experiment_id: str | None, query: str) -> SavedView:
    """Keep a view.

    Raises:
        NotFound: If the experiment does not exist.
        Invalid: If the name is blank, or there are as many views as can be shown.
    """
    if experiment_id is not None:
        experiments.get(session, experiment_id)
    if len(visible(session, experiment_id)) >= MOST:
        raise Invalid(f"There are {MOST} views already.", remedy="Delete one that nobody uses.")
    session.execute(delete(SavedView).where(SavedView.deleted_at < utcnow() - KEPT_FOR))
    view = SavedView(name=_name(name), experiment_id=experiment_id, query=query.removeprefix("?"))
    session.add(view)
    session.flush()
    return view


def rename(session: Session, view_id: str, name: str) -> SavedView:
    """Give a view another name.

    Raises:
        NotFound: If there is no such view.
        Invalid: If the name is blank.
    """
    view = _get(session, view_id)
    view.name = _name(name)
    return view


def remove(session: Session, view_id: str) -> None:
    """Hide a view; ``restore`` takes it back.

    Raises:
        NotFound: If there is no such view.
    """
    _get(session, view_id).deleted_at = utcnow()


def restore(session: Session, view_id: str) -> SavedView:
    """Take back a deletion.

    Raises:
        NotFound: If the view is gone for good.
    """
    view = session.get(SavedView, view_id)
    if view is None:
        raise NotFound("The view is gone.", remedy="Save it anew.")
    view.deleted_at = None
    return view


def _get(session: Session, view_id: str) -> SavedView:
    view = session.get(SavedView, view_id)
    if view is None or view.deleted_at is not None:
        raise NotFound(f"There is no saved view {view_id[:40]!r}.", remedy="Load the page again.")
    return view


def _name(name: str) -> str:
    if not name.strip():
        raise Invalid("The view has no name.", remedy="Give it one.", field="name")
    return name.strip()
