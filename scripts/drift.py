"""Is what is derived from the code still what the code says?

`migrations` compares the tables a fresh migration makes with the models; `openapi` compares frontend/openapi.json with
the application's own description, and with --write brings it up to date.
"""

import json
import sys
import tempfile
from pathlib import Path

from alembic.util import CommandError

from backend.app import create_app
from backend.db import migrate

OPENAPI = Path(__file__).resolve().parents[1] / "frontend" / "openapi.json"


def check_migrations() -> str | None:
    """Why models and migrations differ, or None."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/drift.sqlite3"
        migrate.upgrade(url)
        try:
            migrate.check(url)
        except CommandError as error:
            return f"{error}\nAdd a migration: .venv/bin/alembic revision --autogenerate -m 'what changes'"
    return None


def check_openapi(*, write: bool) -> str | None:
    """Why the stored description differs, or None."""
    fresh = json.dumps(create_app().openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if write:
        OPENAPI.write_text(fresh, encoding="utf-8")
        return None
    stored = OPENAPI.read_text(encoding="utf-8") if OPENAPI.is_file() else ""
    return None if stored == fresh else "frontend/openapi.json is out of date. Run `make schema` and commit the result."


def main(arguments: list[str]) -> int:
    """Run one check; the exit status says whether something drifted."""
    match arguments:
        case ["migrations"]:
            problem = check_migrations()
        case ["openapi", *rest] if set(rest) <= {"--write"}:
            problem = check_openapi(write="--write" in rest)
        case _:
            problem = "usage: python -m scripts.drift migrations | openapi [--write]"
    if problem:
        print(problem, file=sys.stderr)
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
