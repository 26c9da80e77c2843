"""What every command does around the services: one transaction, its messages, errors in plain words."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError
from sqlalchemy.orm import Session

from backend import jobs
from backend.cli.output import fail
from backend.db.session import reading, transaction
from backend.errors import AppError, telling


@contextmanager
def acting() -> Iterator[Session]:
    """A transaction whose runs are rung for after the commit; an error that users meet ends the command."""
    with plain_errors():
        with transaction() as session:
            yield session
            doorbells = jobs.pending(session)
        for doorbell in doorbells:
            jobs.ring(*doorbell)


@contextmanager
def looking() -> Iterator[Session]:
    """A session that only reads; an error that users meet ends the command."""
    with plain_errors(), reading() as session:
        yield session


@contextmanager
def plain_errors() -> Iterator[None]:
    try:
        yield
    except AppError as error:
        fail(f"{error.detail} {error.remedy}".strip())
    except ValidationError as error:
        fail(in_words(error))


def in_words(error: ValidationError) -> str:
    """What is wrong with which value, one line."""
    return "; ".join(words(error))


def words(error: ValidationError) -> list[str]:
    """The same, a line for each value."""
    lines = []
    for item in telling(error.errors()):
        where = ".".join(str(part) for part in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        given = item["input"]
        if isinstance(given, str | int | float) and str(given) not in message:
            message = f"{message} (given: {given})"
        lines.append(f"{where}: {message}" if where else message)
    return lines
