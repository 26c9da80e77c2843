"""Imports of candidate files: tried, asked for, decided about, discarded. Reading is in ``candidate_import_run``."""

import itertools
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from aft.answers import extract_answer, is_correct
from aft.data.candidate_rows import CandidateColumns, CandidateRow, Scale, detect_columns, parse_row, rating_scale
from aft.data.examples import CHOICE_TASKS, MIXED
from aft.data.readers import FileError, RowError, read_rows
from backend import storage
from backend.db.models import (
    CandidateSet,
    DatasetVersion,
    Example,
    RankingSet,
    RatingImport,
    ReviewQueue,
    Run,
    RunParent,
    Upload,
)
from backend.db.session import reading, transaction
from backend.errors import Conflict, Invalid, NotFound
from backend.schemas.candidate_imports import (
    CandidateFile,
    CandidateImportConfig,
    CandidateImportRead,
    CandidateImportRequest,
    CandidateImportStarted,
    CandidatePreview,
    CandidatePreviewRequest,
    CandidatePreviewRow,
)
from backend.services import candidate_import_run, candidate_stats, datasets, events, runs, uploads
from backend.services.import_rejects import REJECTS_FILE
from backend.services.question_matching import QuestionMatcher

KIND = "import-cots"
PREVIEW_ROWS = 20
_LOOKED_AT = 500
_SHOWN_TEXT = 2_000
_PRIORITY = -10


def preview(session: Session, body: CandidatePreviewRequest) -> CandidatePreview:
    """The first rows as they would be imported.

    Raises:
        NotFound: If the upload or the data set version does not exist.
        Invalid: If the file cannot be read.
    """
    upload = uploads.get(session, body.upload_id)
    version = _version(session, body.dataset_version_id)
    rows = _first_rows(upload)
    names = list(dict.fromkeys(name for _, row in rows if isinstance(row, dict) for name in row))
    columns = body.columns or detect_columns(names)
    if columns is None:
        return CandidatePreview(
            names=names, columns=None, scale="binary", n_rated=0, n_scored=0, rows=[], n_errors=0,
            problem="Say which column holds the COT, and which one the question's text or id.",
        )  # fmt: skip
    scale, n_rated = _scale(rows, columns)
    matcher = QuestionMatcher(session, version.id, by_choices=version.task in {*CHOICE_TASKS, MIXED})
    shown = [
        _preview_row(session, version, matcher, columns, scale, number, row) for number, row in rows[:PREVIEW_ROWS]
    ]
    n_errors = sum(row.reason is not None for row in shown)
    problem = None
    if shown and n_errors == len(shown):
        problem = "None of the first rows can be imported. Choose the data set that the questions are from."
    return CandidatePreview(
        names=names, columns=columns, scale=scale, n_rated=n_rated, n_scored=sum(bool(row.scores) for row in shown),
        rows=shown, n_errors=n_errors, problem=problem,
    )  # fmt: skip


def start(session: Session, body: CandidateImportRequest) -> CandidateImportStarted:
    """Queue the import of a file as a candidate set of its own; the same ``request_id`` starts once.

    Raises:
        NotFound: If the upload or the data set version does not exist.
        Invalid: If it is not known which columns hold what.
    """
    if body.request_id is not None:
        known = session.scalar(
            select(Run.id).where(Run.kind == KIND, Run.inputs["request_id"].as_string() == body.request_id)
        )
        if known is not None:
            return CandidateImportStarted(run_id=known)
    upload = uploads.get(session, body.upload_id)
    version = _version(session, body.dataset_version_id)
    rows = _first_rows(upload)
    columns = body.columns or detect_columns(name for _, row in rows if isinstance(row, dict) for name in row)
    if columns is None:
        raise Invalid(
            f"It is not known which columns of '{upload.filename}' hold the COT and the question.",
            remedy="Map the columns.",
            field="columns",
        )
    file = CandidateFile(
        upload_id=upload.id,
        filename=upload.filename,
        key=upload.key,
        sha256=upload.sha256,
        size_bytes=upload.size_bytes,
    )
    config = CandidateImportConfig(
        files=(file,),
        columns=columns,
        rater=(body.rater or "").strip() or upload.filename[:80],
        scale=body.scale or _scale(rows, columns)[0],
        on_invalid=body.on_invalid,
    )
    run, _ = runs.create(
        session,
        kind=KIND,
        name=body.name.strip() or upload.filename,
        config=config.model_dump(mode="json"),
        inputs={"dataset_version_id": version.id, "request_id": body.request_id},
        priority=_PRIORITY,
        reuse=False,
    )
    candidate_stats.open_set(session, run, state="staging")
    return CandidateImportStarted(run_id=run.id)


def read(session: Session, run_id: str) -> CandidateImportRead:
    """An import and what became of its rows.

    Raises:
        NotFound: If there is no such import.
    """
    run, found = _get(session, run_id)
    report: dict[str, Any] = session.scalar(select(RatingImport.report).where(RatingImport.run_id == run_id)) or {}
    return CandidateImportRead(
        run_id=run.id,
        name=run.name,
        run_state=run.state,
        state=found.state if found is not None else "discarded",  # type: ignore[arg-type]  # one of the states
        filename=run.config["files"][0]["filename"],
        dataset_version_id=run.inputs["dataset_version_id"],
        n_rows=report.get("rows", 0),
        n_questions=report.get("questions", 0),
        n_rated=report.get("rated", 0),
        n_scored=report.get("scored", 0),
        checkpoints=report.get("checkpoints", []),
        n_rejected=report.get("rejected", 0),
        reasons=report.get("reasons", []),
        rejects=report.get("rejects", []),
        progress_done=run.progress_done,
        progress_total=run.progress_total,
        progress_phase=run.progress_phase,
        error=run.error,
    )


def accept(session: Session, run_id: str) -> None:
    """Take the valid rows of an import that waits for a decision.

    Raises:
        NotFound: If there is no such import.
        Conflict: If it does not wait for one.
    """
    _get(session, run_id)
    if not _move(session, run_id, "review", "ready"):
        raise Conflict("The import waits for no decision.", remedy="Load the page again.")
    events.publish(session, "candidate", "ready", run_id=run_id)


def discard(session: Session, run_id: str) -> None:
    """Throw an imported set away: hidden at once, its rows go with the next ``purge``.

    Raises:
        NotFound: If there is no such import.
        Conflict: If it is being read, or something uses its COTs.
    """
    run, found = _get(session, run_id)
    if run.state in runs.OPEN:
        raise Conflict(f"The file is still being read by '{run.name}'.", remedy="Cancel that run first.")
    for what, query in (
        ("a run", select(RunParent.run_id).where(RunParent.parent_id == run_id)),
        ("a review queue", select(ReviewQueue.id).where(ReviewQueue.run_id == run_id)),
        ("a ranking set", select(RankingSet.id).where(RankingSet.run_id == run_id)),
    ):
        if session.scalar(query.limit(1)) is not None:
            raise Conflict(f"The COTs of '{run.name}' are used by {what}.", remedy="They stay as long as it does.")
    if found is None or not _move(session, run_id, found.state, "deleting"):
        raise Conflict("The import was discarded already.", remedy="Load the page again.")
    uploads.forget_imported(session, run)
    storage.delete(storage.new_key("runs", run.id, REJECTS_FILE))
    events.publish(session, "candidate", "discarded", run_id=run_id)


def purge() -> None:
    """Remove the rows of discarded imports, a few thousand in each transaction."""
    with reading() as session:
        gone = list(session.scalars(select(CandidateSet.run_id).where(CandidateSet.state == "deleting")))
    for run_id in gone:
        candidate_import_run.wipe(run_id, lambda session: None)
        with transaction() as session:
            found = session.get(CandidateSet, run_id)
            if found is not None:
                session.delete(found)


def rejects_file(session: Session, run_id: str) -> Path:
    """Where the list of all refused rows is.

    Raises:
        NotFound: If no row was refused, or the import has not got that far.
    """
    _get(session, run_id)
    place = storage.path(storage.new_key("runs", run_id, REJECTS_FILE))
    if not place.is_file():
        raise NotFound("There is no list of refused rows.", remedy="Every row of this file was imported.")
    return place


def _get(session: Session, run_id: str) -> tuple[Run, CandidateSet | None]:
    run = session.get(Run, run_id)
    if run is None or run.kind != KIND:
        raise NotFound(f"There is no import {run_id!r}.", remedy="Choose one from the COTs page.")
    return run, session.get(CandidateSet, run_id)


def _move(session: Session, run_id: str, before: str, after: str) -> bool:
    changed = session.execute(
        update(CandidateSet)
        .where(CandidateSet.run_id == run_id, CandidateSet.state == before)
        .values(state=after)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount == 1)  # type: ignore[attr-defined]


def _version(session: Session, version_id: str) -> DatasetVersion:
    version = datasets.get_version(session, version_id)
    if version.state != "ready":
        raise Invalid(
            f"The data set version is in state '{version.state}'.",
            remedy="Finish its import first.",
            field="dataset_version_id",
        )
    return version


def _first_rows(upload: Upload) -> list[tuple[int, dict[str, Any] | RowError]]:
    try:
        return list(itertools.islice(read_rows(storage.path(upload.key), upload.filename), _LOOKED_AT))
    except FileError as error:
        raise Invalid(f"'{upload.filename}' cannot be read: {error}", field="upload_id") from error


def _scale(rows: list[tuple[int, dict[str, Any] | RowError]], columns: CandidateColumns) -> tuple[Scale, int]:
    values = []
    for _, row in rows:
        if isinstance(row, dict):
            try:
                rating = parse_row(row, columns).rating
            except RowError:
                continue
            if rating is not None:
                values.append(rating)
    return rating_scale(values), len(values)


def _preview_row(
    session: Session,
    version: DatasetVersion,
    matcher: QuestionMatcher,
    columns: CandidateColumns,
    scale: Scale,
    number: int,
    row: dict[str, Any] | RowError,
) -> CandidatePreviewRow:
    parsed: CandidateRow | None = None
    try:
        if isinstance(row, RowError):
            raise row
        parsed = parse_row(row, columns, scale)
        example = session.get_one(Example, matcher.find(parsed.question, parsed.question_id))
    except RowError as error:
        return CandidatePreviewRow(
            row_number=number, question=None, text=parsed.text[:_SHOWN_TEXT] if parsed else None, answer=None,
            verdict=None, model=None, rating=None, scores={}, column=error.column, reason=error.reason,
        )  # fmt: skip
    choices = tuple(str(choice) for choice in example.choices) if example.choices else None
    task = example.task_in(version.task)
    answer = extract_answer(parsed.text, task, choices)
    verdict = "truncated" if parsed.is_cut else "unparsed"
    if answer is not None and not parsed.is_cut:
        verdict = "right" if is_correct(answer, example.answer, task, choices) else "wrong"
    return CandidatePreviewRow(
        row_number=number,
        question=example.question[:_SHOWN_TEXT],
        text=parsed.text[:_SHOWN_TEXT],
        answer=answer.value[:200] if answer else None,
        verdict=verdict,  # type: ignore[arg-type]  # one of the verdicts
        model=parsed.model,
        rating=parsed.rating,
        scores=parsed.scores,
        column=None,
        reason=None,
    )
