"""Insert or replace, on SQLite and PostgreSQL alike."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from backend.db.models import Base


def upsert(session: Session, model: type[Base], rows: Sequence[dict[str, Any]], replaced: Sequence[str]) -> None:
    """Insert rows; where the primary key exists, replace the columns named.

    Args:
        session: The transaction.
        model: The table's class.
        rows: Values by column, the same columns in each; at most some hundred rows.
        replaced: Columns that take the new value.
    """
    if not rows:
        return
    table = model.__table__
    assert isinstance(table, Table)
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement: Any = make(table).values(list(rows))
    keys = [column.name for column in table.primary_key]
    new_values = {column: statement.excluded[column] for column in replaced}
    session.execute(statement.on_conflict_do_update(index_elements=keys, set_=new_values))


def insert_from(session: Session, model: type[Base], names: Sequence[str], query: Any) -> None:
    """Insert what a query finds; rows that are there already take the new values.

    Args:
        session: The transaction.
        model: The table's class.
        names: Columns in the order in which the query selects their values.
        query: Must have a WHERE clause: SQLite takes ON CONFLICT for a join's ON otherwise.
    """
    table = model.__table__
    assert isinstance(table, Table)
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement: Any = make(table).from_select(list(names), query)
    keys = [column.name for column in table.primary_key]
    changes = {name: statement.excluded[name] for name in names if name not in keys}
    session.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes))
