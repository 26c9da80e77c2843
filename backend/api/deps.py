"""What endpoints ask for: a session per request, committed before the answer leaves."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends
from sqlalchemy.orm import Session

from backend import jobs
from backend.db.session import reading, transaction
from backend.errors import AppError
from backend.schemas.common import Problem


def _writing() -> Iterator[Session]:
    with transaction() as session:
        yield session
        doorbells = jobs.pending(session)
    for run_id, attempt in doorbells:
        jobs.ring(run_id, attempt)


def _reading() -> Iterator[Session]:
    with reading() as session:
        yield session


# scope="function": with FastAPI's default scope the commit would come after the answer.
SessionDep = Annotated[Session, Depends(_writing, scope="function")]
ReadSessionDep = Annotated[Session, Depends(_reading, scope="function")]


def problems(*errors: type[AppError]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI ``responses`` of an endpoint that may raise these."""
    return {
        error.status: {"model": Problem, "description": error.title, "content": {"application/problem+json": {}}}
        for error in errors
    }
