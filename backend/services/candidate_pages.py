"""Pages of COTs and of questions by keyset: read by an index, collected and sorted, or looked through."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import Session

from backend.errors import Invalid
from backend.schemas.candidate_filters import CandidatesQuery, QuestionsQuery

_Asked = TypeVar("_Asked", QuestionsQuery, CandidatesQuery)
_SCANNED_FIRST = 4
_SCANNED_MOST = 10_000
_FIRST_ASCENDING = {"position", "margin", "right"}
"""Sorts whose telling end is the lowest value; the others begin with the highest."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A page: rows, and the key of the next one, None at the end."""

    rows: list[Any]
    next_after: str | None


def sort_columns(columns: Sequence[Any], *, is_narrow: bool) -> list[Any]:
    """What to sort by: where few rows pass, an expression, which no index is in the order of.

    PostgreSQL would go through a whole table in an index's order for one page, since it does not know how few.
    """
    return [column + 0 if is_narrow else column for column in columns]


def page(
    session: Session,
    shown: Select[Any],
    query: QuestionsQuery | CandidatesQuery,
    by: Any,
    key: Any,
    *,
    is_narrow: bool,
) -> Listed:
    """Rows beyond the key in the order of ``by`` and then ``key``; ``by`` None orders by the key alone."""
    is_descending = query.descending if query.descending is not None else query.sort not in _FIRST_ASCENDING
    order = [key] if by is None else [by, key]
    if by is not None and query.sort != "position":
        shown = shown.where(by.is_not(None))
    if query.after is not None:
        place = _place(query.after, len(order))
        here: Any = tuple_(*order) if len(order) > 1 else order[0]
        there: Any = tuple_(*place) if len(order) > 1 else place[0]
        shown = shown.where(here < there if is_descending else here > there)
    sorted_by = sort_columns(order, is_narrow=is_narrow)
    shown = shown.order_by(*(column.desc() if is_descending else column for column in sorted_by))
    keyed = shown.add_columns(*(column.label(f"key_{index}") for index, column in enumerate(order)))
    rows = list(session.execute(keyed.limit(query.limit + 1)))
    if len(rows) <= query.limit:
        return Listed(rows, None)
    return Listed(rows[: query.limit], _key(rows[query.limit - 1], len(order)))


def _key(row: Any, size: int) -> str:
    return json.dumps([getattr(row, f"key_{index}") for index in range(size)])


def scanned(
    query: _Asked, page_of: Callable[[_Asked], Listed], matching: Callable[[list[Any]], set[int]], name: str
) -> Listed:
    """A page of the rows that match, looked for in the page's order, more at a time the longer it takes.

    Args:
        query: The page wanted.
        page_of: Gives rows whether they match or not.
        matching: Gives the ids of those that do.
        name: Of the rows' id.
    """
    found: list[Any] = []
    n_seen = 0
    part = query.model_copy(update={"limit": _SCANNED_FIRST * query.limit})
    while True:
        page = page_of(part)
        ids = matching(page.rows)
        found += [row for row in page.rows if getattr(row, name) in ids]
        if len(found) > query.limit:
            size = sum(hasattr(found[0], f"key_{index}") for index in range(2))
            return Listed(found[: query.limit], _key(found[query.limit - 1], size))
        if page.next_after is None:
            return Listed(found, None)
        n_seen += len(page.rows)
        # As many as should hold the rest by what was found so far, and some more.
        wanted = round(1.5 * (query.limit + 1 - len(found)) * n_seen / max(1, len(found)))
        size = max(query.limit, min(_SCANNED_MOST, wanted, 8 * part.limit))
        part = part.model_copy(update={"after": page.next_after, "limit": size})


def _place(after: str, size: int) -> list[float]:
    try:
        values = json.loads(after)
    except ValueError:
        values = None
    is_place = isinstance(values, list) and len(values) == size and all(isinstance(one, int | float) for one in values)
    if not is_place:
        raise Invalid(f"after is {after!r}.", remedy="Use next_after of the page before.", field="after")
    return values  # type: ignore[no-any-return]
