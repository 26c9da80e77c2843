"""Uploads and imports through the API, the worker's part done in this process."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from backend import storage
from backend.db.session import reading, transaction
from backend.errors import AppError
from backend.schemas.datasets import ImportConfig
from backend.services import imports, runs
from backend.services.import_staging import ImportOutcome
from backend.services.runs import Outcome

API = "/api/v1"


def gsm8k(count: int, first: int = 0) -> list[dict[str, Any]]:
    """Rows in GSM8K's published form."""
    return [
        {
            "question": f"Ann has {n} apples and gets 2. How many?",
            "answer": f"{n} + 2 = <<{n}+2={n + 2}>>{n + 2}\n#### {n + 2}",
        }
        for n in range(first, first + count)
    ]


def jsonl(rows: list[Any]) -> bytes:
    """One JSON value a line; bytes stand for themselves."""
    return b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows)


def packed(content: bytes) -> bytes:
    """Gzipped."""
    return gzip.compress(content)


def send(web: TestClient, name: str, content: bytes, status: int = 201) -> dict[str, Any]:
    """Upload a file."""
    answer = web.post(f"{API}/uploads", params={"filename": name}, content=content)
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


def ask(web: TestClient, files: list[dict[str, Any]], status: int = 202, **values: Any) -> dict[str, Any]:
    """Ask for an import."""
    body = {"dataset_name": "sums", "task": "gsm8k", "files": files, **values}
    answer = web.post(f"{API}/imports", json=body)
    assert answer.status_code == status, answer.text
    result: dict[str, Any] = answer.json()
    return result


def ask_for(web: TestClient, contents: dict[str, bytes], **values: Any) -> dict[str, Any]:
    """Upload files and ask for their import."""
    return ask(web, [{"upload_id": send(web, name, content)["id"]} for name, content in contents.items()], **values)


def compute(
    run_id: str,
    *,
    progress: Callable[[int, int | None, str], None] = lambda done, total, phase: None,
    should_stop: Callable[[], bool] = lambda: False,
    fence: Callable[[Session], None] | None = None,
) -> ImportOutcome:
    """Do what the worker does with an import: claim it, read the files, end the run."""
    with transaction() as session:
        run = runs.get(session, run_id)
        claim = runs.claim(session, run_id, run.attempt, "host:1:0:test")
        assert claim is not None
        config = ImportConfig.model_validate(run.config)
        version_id = str(run.inputs["dataset_version_id"])
    try:
        outcome = imports.run_import(
            run_id=run_id,
            version_id=version_id,
            config=config,
            fence=fence or (lambda session: runs.fence(session, claim)),
            progress=progress,
            should_stop=should_stop,
        )
    except AppError as error:
        with transaction() as session:
            runs.finish(session, claim, Outcome("failed", error={"title": error.title, "detail": error.detail}))
        raise
    if not outcome.stopped:
        with transaction() as session:
            assert runs.finish(session, claim, Outcome("succeeded"))
    return outcome


def version_of(web: TestClient, started: dict[str, Any]) -> dict[str, Any]:
    """The import's version."""
    answer = web.get(f"{API}/dataset-versions/{started['version_id']}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def imported(web: TestClient, contents: dict[str, bytes], **values: Any) -> dict[str, Any]:
    """Upload, import, and give the version."""
    started = ask_for(web, contents, **values)
    compute(started["run_id"])
    return version_of(web, started)


def stored_files(kind: str = "uploads") -> list[Path]:
    """Files of a kind on the disk."""
    place = storage.path(storage.new_key(kind)).parent
    return sorted(item for item in place.rglob("*") if item.is_file()) if place.is_dir() else []


def count(table: Any) -> int:
    """Rows of a table."""
    with reading() as session:
        found: int = session.query(table).count()
        return found
