"""Ratings from files: rows matched with COTs by id, or by question and text; errors by row, nothing half-saved.

A row has ``value`` (or ``rating``), and either ``candidate_id`` (or ``id``), or ``question_id`` or ``question`` with
``text`` (or ``candidate``, ``response``). It may have ``rater``, ``note``, ``seconds`` and ``wrong_steps``.
"""

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from aft.data.dedupe import same_text
from aft.data.readers import DEFAULT_LIMITS, FileError, RowError, read_rows
from backend import storage
from backend.db.models import Candidate, Example, Rating, RatingImport, Run, new_id
from backend.errors import Invalid, NotFound
from backend.schemas.rating_files import RatingImportCreate, RatingImportReport, RatingRowError
from backend.services import candidate_stats, candidates, people, review_queues, uploads
from backend.services.ratings import SCALES
from backend.services.review_values import VERIFY_VALUES

MOST_ROWS: Final = 200_000
MOST_BYTES: Final = 256 << 20
_SHOWN_ERRORS: Final = 100
_CHUNK: Final = 1000
_ID = ("candidate_id", "id")
_VALUE = ("value", "rating")
_TEXT = ("text", "candidate", "response")


@dataclass(frozen=True, slots=True)
class _Row:
    candidate_id: int
    rater: str
    value: float
    evidence: dict[str, Any] | None
    seconds: float | None


@dataclass(slots=True)
class _Read:
    rows: list[_Row] = field(default_factory=list)
    n: int = 0
    by_id: int = 0
    errors: list[RatingRowError] = field(default_factory=list)
    n_errors: int = 0

    def fail(self, row: int, column: str, reason: str) -> None:
        self.n_errors += 1
        if len(self.errors) < _SHOWN_ERRORS:
            self.errors.append(RatingRowError(row=row, column=column, reason=reason))


class _RowProblem(Exception):
    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.reason = column, reason


def check(session: Session, body: RatingImportCreate) -> RatingImportReport:
    """What an import would store, and which rows it would not take.

    Raises:
        NotFound: If the upload or the candidate set does not exist.
        Invalid: If the file cannot be read.
    """
    return _report(_read(session, body, set_of(session, body.run_id, body.queue_id)))


def create(session: Session, body: RatingImportCreate) -> RatingImport:
    """Store a file's ratings as revisions: a rater's earlier imported ratings of these COTs no longer count.

    Raises:
        NotFound: If the upload or the candidate set does not exist.
        Invalid: If the file cannot be read, has no valid row, or has errors and they are not to be skipped.
    """
    if body.request_id is not None:
        found = session.scalar(select(RatingImport).where(RatingImport.request_id == body.request_id))
        if found is not None:
            return found
    run = set_of(session, body.run_id, body.queue_id)
    read = _read(session, body, run)
    if not read.rows or (read.n_errors and not body.skip_errors):
        first = read.errors[0] if read.errors else None
        raise Invalid(
            f"{read.n_errors} of {read.n} rows cannot be taken"
            + (f"; row {first.row}, {first.column}: {first.reason}" if first else "."),
            remedy="Correct them, or import the valid rows only." if read.rows else "Correct them.",
            field="upload_id",
        )
    upload = uploads.get(session, body.upload_id)
    row = RatingImport(
        id=new_id(),
        request_id=body.request_id,
        filename=upload.filename,
        sha256=upload.sha256,
        run_id=run.id,
        settings=body.model_dump(mode="json", exclude={"request_id"}),
        report=_report(read).model_dump(mode="json"),
    )
    session.add(row)
    session.flush()
    for start in range(0, len(read.rows), _CHUNK):
        _store(session, read.rows[start : start + _CHUNK], row.id, body.scale)
    return row


def undo(session: Session, import_id: str) -> int:
    """Take an import back: its ratings stay on record and no longer count. Returns how many counted.

    Raises:
        NotFound: If there is no such import.
    """
    row = session.get(RatingImport, import_id)
    if row is None:
        raise NotFound(f"There is no import {import_id!r}.", remedy="Choose one from the list.")
    ids = list(session.scalars(select(Rating.candidate_id).where(Rating.import_id == import_id, Rating.is_current)))
    session.execute(update(Rating).where(Rating.import_id == import_id).values(is_current=False))
    candidate_stats.ratings_changed(session, ids)
    row.settings = {**row.settings, "undone": True}
    return len(ids)


def _store(session: Session, rows: list[_Row], import_id: str, scale: str) -> None:
    ids = [row.candidate_id for row in rows]
    earlier = (
        Rating.candidate_id.in_(ids),
        Rating.source == "import",
        Rating.import_id != import_id,
        Rating.rater.in_({row.rater for row in rows}),
    )
    session.execute(update(Rating).where(*earlier).values(is_current=False))
    session.execute(
        insert(Rating),
        [
            {
                "candidate_id": row.candidate_id,
                "rater": row.rater,
                "source": "import",
                "scale": scale,
                "value": row.value,
                "evidence": row.evidence,
                "seconds": row.seconds,
                "import_id": import_id,
            }
            for row in rows
        ],
    )
    candidate_stats.ratings_changed(session, ids)


def _read(session: Session, body: RatingImportCreate, run: Run) -> _Read:
    upload = uploads.get(session, body.upload_id)
    if upload.size_bytes > MOST_BYTES:
        raise Invalid(
            f"'{upload.filename}' has {upload.size_bytes:,} bytes; {MOST_BYTES:,} are the most for ratings.",
            remedy="Split it.",
            field="upload_id",
        )
    known = _Known(session, run)
    found = _Read()
    seen: set[tuple[int, str]] = set()
    try:
        for number, raw in read_rows(storage.path(upload.key), upload.filename, DEFAULT_LIMITS):
            found.n += 1
            if found.n > MOST_ROWS:
                raise Invalid(f"The file has more than {MOST_ROWS:,} rows.", remedy="Split it.", field="upload_id")
            if isinstance(raw, RowError):
                found.fail(number, raw.column or "row", raw.reason)
                continue
            try:
                row, by_id = _row(raw, body, known)
                if (row.candidate_id, row.rater) in seen:
                    raise _RowProblem("rater", f"{row.rater} has rated this COT in an earlier row.")
            except _RowProblem as problem:
                found.fail(number, problem.column, problem.reason)
                continue
            seen.add((row.candidate_id, row.rater))
            found.by_id += by_id
            found.rows.append(row)
    except FileError as error:
        raise Invalid(f"'{upload.filename}' cannot be read: {error}", field="upload_id") from error
    return found


class _Known:
    """The set's COTs by id, and by question and text."""

    def __init__(self, session: Session, run: Run) -> None:
        self.ids: set[int] = set()
        self._by_text: dict[tuple[str, str], int | None] = {}
        query = (
            select(Candidate.id, Candidate.text, Example.external_id, Example.question)
            .join(Example, Example.id == Candidate.example_id)
            .where(Candidate.run_id == run.id)
            .order_by(Candidate.id)
        )
        for candidate_id, text, external_id, question in session.execute(query.execution_options(yield_per=2000)):
            self.ids.add(candidate_id)
            key = same_text(text)
            for name in {f"id:{external_id}", f"text:{same_text(question)}"}:
                # Repeats of a text are one COT to a reader: the first stands for all.
                self._by_text.setdefault((name, key), candidate_id)

    def find(self, question_id: str, question: str, text: str) -> int | None:
        """The COT of this text under this question."""
        name = f"id:{question_id}" if question_id else f"text:{same_text(question)}"
        return self._by_text.get((name, same_text(text)))


def _row(raw: Mapping[str, Any], body: RatingImportCreate, known: _Known) -> tuple[_Row, bool]:
    candidate_id, by_id = _candidate(raw, known)
    column, given = _first(raw, _VALUE)
    value = _number(column or "value", given)
    low, high = SCALES[body.scale]
    levels = {"verify": VERIFY_VALUES, "binary": (0.0, 1.0)}.get(body.scale)
    if not low <= value <= high or (levels is not None and value not in levels):
        allowed = ", ".join(f"{level:g}" for level in levels) if levels else f"{low:g} to {high:g}"
        raise _RowProblem(column or "value", f"{value:g} is not on the scale '{body.scale}': {allowed}.")
    rater = str(raw.get("rater") or body.rater or "")
    try:
        rater = people.clean_name(rater)
    except Invalid:
        raise _RowProblem("rater", "No rater is named. Add a column, or name one for the whole file.") from None
    seconds = raw.get("seconds")
    evidence: dict[str, Any] = {}
    if raw.get("note"):
        evidence["note"] = str(raw["note"])[:4000].replace("\x00", "")
    if raw.get("wrong_steps"):
        evidence["wrong_steps"] = _spans(raw["wrong_steps"])
    return (
        _Row(
            candidate_id=candidate_id,
            rater=rater,
            value=value,
            evidence=evidence or None,
            seconds=None if seconds in (None, "") else _number("seconds", seconds),
        ),
        by_id,
    )


def _candidate(raw: Mapping[str, Any], known: _Known) -> tuple[int, bool]:
    column, given = _first(raw, _ID)
    if column:
        text = str(given).strip()
        if not text.isdecimal() or len(text) > 16 or int(text) not in known.ids:
            raise _RowProblem(column, f"{text[:40]!r} is no COT of this candidate set.")
        return int(text), True
    column, text = _first(raw, _TEXT)
    question_id, question = str(raw.get("question_id") or ""), str(raw.get("question") or "")
    if not column or not (question_id or question):
        raise _RowProblem("candidate_id", "The row has neither candidate_id, nor question_id or question with text.")
    found = known.find(question_id, question, str(text))
    if found is None:
        raise _RowProblem(column, "No COT of this candidate set has this text under this question.")
    return found, False


def _first(raw: Mapping[str, Any], names: tuple[str, ...]) -> tuple[str, Any]:
    return next(((name, raw[name]) for name in names if raw.get(name) not in (None, "")), ("", None))


def _number(column: str, given: Any) -> float:
    try:
        value = float(str(given).strip()) if not isinstance(given, bool) else float(given)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _RowProblem(
            column, f"{str(given)[:40]!r} is no number." if given is not None else "The value is missing."
        )
    return value


def _spans(given: Any) -> list[list[int]]:
    if isinstance(given, str):  # as a CSV holds them
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            given = None
    if isinstance(given, list) and len(given) <= 500 and all(map(_is_span, given)):
        return [list(span) for span in given]
    raise _RowProblem("wrong_steps", "wrong_steps is no list of [start, end].")


def _is_span(given: Any) -> bool:
    whole = isinstance(given, list) and len(given) == 2 and all(isinstance(end, int) for end in given)
    return whole and 0 <= given[0] < given[1]


def _report(read: _Read) -> RatingImportReport:
    return RatingImportReport(
        rows=read.n,
        valid=len(read.rows),
        errors=read.n_errors,
        by_id=read.by_id,
        by_text=len(read.rows) - read.by_id,
        raters=dict(Counter(row.rater for row in read.rows).most_common(100)),
        first_errors=read.errors,
    )


def of_set(session: Session, run_id: str | None, queue_id: str | None) -> list[RatingImport]:
    """Files imported into a set, newest first.

    Raises:
        NotFound: If there is no such set or queue.
    """
    run = set_of(session, run_id, queue_id)
    query = select(RatingImport).where(RatingImport.run_id == run.id).order_by(RatingImport.id.desc()).limit(50)
    return list(session.scalars(query))


def set_of(session: Session, run_id: str | None, queue_id: str | None) -> Run:
    """The candidate set, or that of a queue.

    Raises:
        NotFound: If there is no such set or queue.
    """
    if queue_id is not None:
        return session.get_one(Run, review_queues.get(session, queue_id).run_id)
    return candidates.get_set(session, run_id or "")
