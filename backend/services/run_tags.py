"""Words that people put on runs, to find them again."""

import re
from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from backend.db.models import Run, RunTag
from backend.db.upserts import upsert
from backend.errors import Invalid
from backend.services import events

LONGEST: Final = 40
_BLOCK: Final = 500


def clean(tag: str) -> str:
    """The tag as it is stored.

    Raises:
        Invalid: If it is empty or too long.
    """
    short = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", tag).split())
    if not 1 <= len(short) <= LONGEST:
        raise Invalid(f"The tag {tag[:60]!r} has {len(short)} characters.", remedy=f"Use 1 to {LONGEST}.", field="add")
    return short


def change(session: Session, run_ids: Sequence[str], *, add: Sequence[str], remove: Sequence[str]) -> int:
    """Put tags on runs and take others off; returns how many of the runs there are.

    Raises:
        Invalid: If a tag cannot be stored.
    """
    added, removed = [clean(tag) for tag in add], [clean(tag) for tag in remove]
    known = 0
    for start in range(0, len(run_ids), _BLOCK):
        block = run_ids[start : start + _BLOCK]
        found = list(session.scalars(select(Run.id).where(Run.id.in_(block))))
        known += len(found)
        if removed:
            session.execute(delete(RunTag).where(RunTag.run_id.in_(found), RunTag.tag.in_(removed)))
        rows = [{"run_id": run_id, "tag": tag} for run_id in found for tag in dict.fromkeys(added)]
        if rows:
            upsert(session, RunTag, rows, ["tag"])
        for run_id in found:
            events.publish(session, "run", "tagged", run_id=run_id)
    return known


def of_runs(session: Session, run_ids: Sequence[str]) -> dict[str, list[str]]:
    """Tags by run, in alphabetical order."""
    found: dict[str, list[str]] = {}
    for run_id, tag in session.execute(
        select(RunTag.run_id, RunTag.tag).where(RunTag.run_id.in_(run_ids)).order_by(RunTag.tag)
    ):
        found.setdefault(run_id, []).append(tag)
    return found


def in_use(session: Session) -> list[tuple[str, int]]:
    """Every tag with its number of runs."""
    query = select(RunTag.tag, func.count()).group_by(RunTag.tag).order_by(RunTag.tag)
    return [(tag, n) for tag, n in session.execute(query)]
