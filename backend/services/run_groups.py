"""Runs by experiment and method: the outline with its counts, and pages of runs in its order."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement, Select
from sqlalchemy.sql.selectable import Subquery

from backend.db.models import Experiment, ExperimentRun, Run
from backend.errors import Invalid
from backend.schemas.runs import RunGroup
from backend.services import external_checkpoints, run_views
from backend.services.run_views import RunFilter

NO_EXPERIMENT: Final = "-"


def outline(session: Session, wanted: RunFilter) -> list[RunGroup]:
    """Every group that has a run, with its runs by state.

    Experiments come by their newest run, the newest first, and the runs of none among them; methods in the order of
    the experiment's plan, what they share before them.

    Args:
        session: A session that only reads.
        wanted: Runs that do not fit are not counted.
    """
    placed = _placed(wanted.experiment_id)
    query = run_views.matching(_select(placed, Run.state, func.count()), wanted)
    groups: dict[str, RunGroup] = {}
    order = [*_group_order(placed), Run.state]
    keys = [placed.c.newest, placed.c.experiment_id, placed.c.rank, placed.c.method]
    for *key, state, n in session.execute(query.group_by(*keys, Run.state).order_by(*order)):
        _, experiment_id, _, method = key
        group = groups.setdefault(
            group_key(experiment_id, method),
            RunGroup(
                key=group_key(experiment_id, method), experiment_id=experiment_id or None, experiment_name=None,
                method=method or None, runs=0, states={},
            ),
        )  # fmt: skip
        group.states[state] = n
        group.runs += n
    ids = {group.experiment_id for group in groups.values() if group.experiment_id is not None}
    names = dict(session.execute(select(Experiment.id, Experiment.name).where(Experiment.id.in_(ids))).all())
    for group in groups.values():
        group.experiment_name = names.get(group.experiment_id or "")
    return list(groups.values())


def list_page(
    session: Session, wanted: RunFilter, *, closed: Collection[str], after: str | None, limit: int
) -> tuple[list[tuple[Run, str]], str | None]:
    """Runs with the keys of their groups, group by group and newest first, and where the next page starts.

    Args:
        session: A session that only reads.
        wanted: Which runs.
        closed: Keys of groups whose runs are left out.
        after: What the page before gave. A place and not a run's id, whose place every page would have to find anew.
        limit: Runs of a page.

    Raises:
        Invalid: If ``after`` is no such place.
    """
    placed = _placed(wanted.experiment_id)
    query = run_views.matching(_select(placed, Run), wanted)
    if closed:
        shut = [and_(placed.c.experiment_id == one[0], placed.c.method == one[1]) for one in map(_parts, closed)]
        query = query.where(~or_(*shut))
    if after is not None:
        query = query.where(_behind(placed, _place(after)))
    query = query.order_by(*_group_order(placed), Run.id.desc()).limit(limit + 1)
    found = session.execute(query).all()
    rows = [(run, group_key(experiment_id, method)) for _, experiment_id, _, method, run in found[:limit]]
    if len(found) <= limit:
        return rows, None
    newest, _, rank, method, run = found[limit - 1]
    return rows, f"{newest}~{rank}~{run.id}~{method}"


def group_key(experiment_id: str, method: str) -> str:
    """What a group is called in an address."""
    return f"{experiment_id or NO_EXPERIMENT}:{method}"


def _parts(key: str) -> tuple[str, str]:
    experiment_id, _, method = key.partition(":")
    return "" if experiment_id == NO_EXPERIMENT else experiment_id, method


def _placed(experiment_id: str | None) -> Subquery:
    """Every run once, in one experiment: the one that made it, or the one asked for."""
    places = (
        select(
            ExperimentRun.run_id,
            ExperimentRun.experiment_id,
            func.coalesce(ExperimentRun.method, "").label("method"),
            func.min(ExperimentRun.position)
            .over(partition_by=(ExperimentRun.experiment_id, func.coalesce(ExperimentRun.method, "")))
            .label("rank"),
            func.row_number()
            .over(
                partition_by=ExperimentRun.run_id,
                order_by=(ExperimentRun.reused, ExperimentRun.experiment_id, ExperimentRun.position),
            )
            .label("choice"),
        )
        .join(Experiment, Experiment.id == ExperimentRun.experiment_id)
        .where(Experiment.deleted_at.is_(None))
    )
    if experiment_id is not None:
        places = places.where(ExperimentRun.experiment_id == experiment_id)
    home = places.subquery()
    of_experiment = func.coalesce(home.c.experiment_id, "")
    has_home = home.c.run_id.is_not(None)
    return (
        select(
            Run.id.label("run_id"),
            of_experiment.label("experiment_id"),
            case((has_home, home.c.method), else_=func.coalesce(Run.method, "")).label("method"),
            # What methods share comes before them, wherever in the plan it stands.
            case((has_home & (home.c.method != ""), home.c.rank + 1), else_=0).label("rank"),
            func.max(Run.id).over(partition_by=of_experiment).label("newest"),
        )
        .select_from(Run)
        .outerjoin(home, (home.c.run_id == Run.id) & (home.c.choice == 1))
        .where(Run.kind != external_checkpoints.KIND)
        .subquery()
    )


def _select(placed: Subquery, *columns: Any) -> Select[Any]:
    keys = (placed.c.newest, placed.c.experiment_id, placed.c.rank, placed.c.method)
    return select(*keys, *columns).select_from(placed).join(Run, Run.id == placed.c.run_id)


def _group_order(placed: Subquery) -> tuple[ColumnElement[Any], ...]:
    return (placed.c.newest.desc(), placed.c.rank, placed.c.method)


def _place(after: str) -> tuple[str, int, str, str]:
    newest, rank, run_id, method = [*after.split("~", 3), "", "", ""][:4]
    if not rank.isdecimal():
        raise Invalid(f"{after!r} is no place in the list.", remedy="Start from the first page.", field="after")
    return newest, int(rank), method, run_id


def _behind(placed: Subquery, place: tuple[str, int, str, str]) -> ColumnElement[bool]:
    newest, rank, method, run_id = place
    here = placed.c
    return or_(
        here.newest < newest,
        and_(
            here.newest == newest,
            or_(
                here.rank > rank,
                and_(here.rank == rank, or_(here.method > method, and_(here.method == method, here.run_id < run_id))),
            ),
        ),
    )
