"""Rows of an import into the database, by the fastest way each engine has."""

import itertools
import json
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from sqlalchemy import insert
from sqlalchemy.orm import Session

from backend.db.models import RowReject
from backend.db.session import transaction

BATCH_ROWS = 2_000
"""Rows in one transaction: short enough that a page's own write does not wait noticeably."""
BATCH_CHARACTERS = 8 << 20
"""Fewer rows are taken where they are long."""


class ExampleRow(NamedTuple):
    """Columns of ``examples`` in the order in which they are written."""

    version_id: str
    position: int
    external_id: str
    part: str | None
    question: str
    reference: str
    answer: str
    choices: str | None
    """JSON."""
    task: str | None = None


_COLUMNS = ", ".join(ExampleRow._fields)
_COPY = f"COPY examples ({_COLUMNS}) FROM STDIN"
_INSERT = f"INSERT INTO examples ({_COLUMNS}) VALUES "
_VALUES = f"({', '.join('?' * len(ExampleRow._fields))})"
_ROWS_IN_STATEMENT = 2000
"""SQLite takes 32,766 parameters."""


def choices_json(choices: tuple[str, ...] | None) -> str | None:
    """Choices as the column keeps them."""
    return json.dumps(choices) if choices else None


def insert_examples(session: Session, rows: list[ExampleRow]) -> None:
    """Add rows in the session's transaction.

    The ORM's insert costs more than reading and checking a row does, so this goes to the driver.
    """
    if not rows:
        return
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        for start in range(0, len(rows), _ROWS_IN_STATEMENT):
            some = rows[start : start + _ROWS_IN_STATEMENT]
            # One statement of many rows: the driver lets other threads run once a statement, not once a row.
            values = tuple(itertools.chain.from_iterable(some))
            connection.exec_driver_sql(_INSERT + ", ".join([_VALUES] * len(some)), values)
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in rows:
            copy.write_row(row)


@dataclass
class Batch:
    """Rows that are written in one transaction."""

    rows: list[ExampleRow] = field(default_factory=list)
    rejects: list[dict[str, Any]] = field(default_factory=list)
    seen: int = 0
    characters: int = 0

    def add(self, row: ExampleRow) -> None:
        """Take an example."""
        self.rows.append(row)
        self.seen += 1
        self.characters += len(row.question) + len(row.reference)

    @property
    def is_full(self) -> bool:
        """Whether it is time to write."""
        return self.seen >= BATCH_ROWS or self.characters >= BATCH_CHARACTERS


class BatchWriter:
    """Writes batches in a thread: the database works while the next rows are read."""

    def __init__(self, fence: Callable[[Session], None]) -> None:
        self._fence = fence
        self._thread = ThreadPoolExecutor(1, "import-writer")
        self._written: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    def write(self, batch: Batch) -> None:
        """Begin to write, once the batch before is stored; what went wrong with that one is raised here."""
        self.settle()
        if batch.seen:
            self._written = self._thread.submit(self._write, batch)

    def settle(self) -> None:
        """Wait until everything is stored."""
        if self._written is not None:
            self._written.result()
            self._written = None

    def _write(self, batch: Batch) -> None:
        with transaction() as session:
            self._fence(session)
            insert_examples(session, batch.rows)
            if batch.rejects:
                session.execute(insert(RowReject), batch.rejects)
