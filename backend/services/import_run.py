"""The import itself: rows streamed from files into a version that nobody sees until it is complete."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from aft.data.examples import MIXED
from aft.data.examples import Example as ParsedExample
from aft.data.formats import FileError, RowError, RowParser, read_explanations, read_ids, read_rows, row_parser_of
from backend import storage
from backend.db.models import Artifact, Example, RowReject, Run
from backend.db.session import reading, transaction
from backend.errors import Invalid, NotFound
from backend.schemas.datasets import ImportConfig, ImportFile, SourceFile
from backend.services import events, splits, uploads
from backend.services.import_rejects import REJECTS_FILE, RejectsFile, reject_row
from backend.services.import_report import PARTS, Tally
from backend.services.import_rows import BATCH_ROWS, Batch, BatchWriter, ExampleRow, choices_json
from backend.services.import_staging import (
    Fence,
    ImportOutcome,
    begin,
    full_disk_is_named,
    give_up,
    importing_version,
    require_room,
    wipe,
)
from backend.services.leases import LeaseLost

STORED_REJECTS = 10_000
"""Refused rows that are kept in the database for paging; the file has all."""
HOPELESS_AFTER = 10_000
"""A file with so many refused rows and no valid one is not read further."""

Progress = Callable[[int, int | None, str], None]


def run_import(
    *,
    run_id: str,
    version_id: str,
    config: ImportConfig,
    fence: Fence,
    progress: Progress,
    should_stop: Callable[[], bool],
) -> ImportOutcome:
    """Read all files of an import into its version; an interrupted one starts from the beginning.

    Args:
        run_id: The import's run.
        version_id: The version to fill.
        config: The run's configuration.
        fence: Raises when the run belongs to somebody else now; called in every transaction.
        progress: Takes KiB read, KiB in all, and the phase.
        should_stop: Whether to stop after the current batch.

    Raises:
        Invalid: If a file cannot be read, holds no valid row, or has refused rows that must not be.
        NotFound: If the version or a file is gone.
        StorageFull: If the disk has no room.
    """
    started = time.monotonic()
    done = begin(version_id, fence)
    if done is not None:
        return done
    try:
        with full_disk_is_named():
            require_room(config)
            wipe(version_id, fence)
            work = _Import(run_id, version_id, config, fence, progress, should_stop, started)
            return work.run()
    except LeaseLost:
        raise
    except Exception as error:
        # On a full disk even this may fail; the error that says so matters more.
        with contextlib.suppress(OperationalError):
            give_up(version_id, fence)
        if isinstance(error, FileError):
            raise Invalid(str(error)) from error
        raise


class _Import:
    def __init__(
        self,
        run_id: str,
        version_id: str,
        config: ImportConfig,
        fence: Fence,
        progress: Progress,
        should_stop: Callable[[], bool],
        started: float,
    ) -> None:
        self.run_id, self.version_id, self.config = run_id, version_id, config
        self.fence, self.progress, self.should_stop = fence, progress, should_stop
        self.started = started
        self.tally = Tally(with_tasks=config.task == MIXED)
        self.stored_rejects = 0
        self.bytes_before, self.bytes_read = 0, 0
        self.bytes_all = sum(file.size_bytes for file in config.files)
        self.sources: list[SourceFile] = []
        self.references: dict[str, str] = {}
        self.part_of: dict[str, str] = {}
        self.batch = Batch()
        self.writer = BatchWriter(fence)

    def run(self) -> ImportOutcome:
        with RejectsFile(self.run_id) as refused, self.writer:
            for file in sorted(self.config.files, key=lambda file: file.role == "questions"):
                if not self._take(file, refused):
                    return ImportOutcome("staging", len(self.tally), self.tally.n_rejected, stopped=True)
            if self.config.on_invalid == "fail" and self.tally.n_rejected:
                raise self._refused()
            if self.tally.n_rejected:
                refused.keep()
        return self._finish(refused)

    def _take(self, file: ImportFile, refused: RejectsFile) -> bool:
        place = storage.path(file.key)
        if not place.is_file() or place.stat().st_size != file.size_bytes:
            raise NotFound(f"The uploaded file '{file.filename}' is gone.", remedy="Upload it again and import anew.")
        rows_before, rejected_before = len(self.tally), self.tally.n_rejected
        try:
            match file.role:
                case "explanations":
                    self.references |= read_explanations(place, file.filename)
                case "ids":
                    self._take_ids(file, place)
                case "questions":
                    if not self._take_rows(file, place, refused):
                        return False
        except FileError as error:
            raise Invalid(f"'{file.filename}' cannot be read: {error}") from error
        self.bytes_before, self.bytes_read = self.bytes_before + file.size_bytes, 0
        self.sources.append(
            SourceFile(
                filename=file.filename,
                sha256=file.sha256,
                size_bytes=file.size_bytes,
                rows=len(self.tally) - rows_before,
                rejected=self.tally.n_rejected - rejected_before,
                part=file.detection.part,
                role=file.role,
            )
        )
        return True

    def _tell(self, done_bytes: int, phase: str) -> None:
        # In KiB, because a count of bytes would not fit into the column.
        self.progress(done_bytes >> 10, max(1, self.bytes_all >> 10), phase)

    def _phase(self) -> str:
        rows = f"{len(self.tally):,} rows read"
        return f"{rows}, {self.tally.n_rejected:,} refused" if self.tally.n_rejected else rows

    def _take_ids(self, file: ImportFile, place: Path) -> None:
        if file.detection.part is None:
            raise Invalid(
                f"'{file.filename}' lists ids, but not of which part.",
                remedy="Choose train, validation or test for it.",
            )
        self.part_of |= dict.fromkeys(read_ids(place, file.filename), file.detection.part)

    def _take_rows(self, file: ImportFile, place: Path, refused: RejectsFile) -> bool:
        rows_before, rejected_before = len(self.tally), self.tally.n_rejected
        parse = self._parser(file)
        for number, row in read_rows(place, file.filename, on_read=self._at):
            try:
                if isinstance(row, RowError):
                    raise row
                self.batch.add(self._row(parse(row, number)))
            except RowError as error:
                self._refuse(file, number, error, None if isinstance(row, RowError) else row, refused)
            if self.batch.is_full:
                if self.should_stop():
                    return False
                self._store()
                if len(self.tally) == rows_before and self.tally.n_rejected - rejected_before >= HOPELESS_AFTER:
                    break
                self._tell(self.bytes_before + self.bytes_read, self._phase())
        self._store()
        self.writer.settle()
        if len(self.tally) == rows_before:
            raise self._refused(file, self.tally.n_rejected - rejected_before)
        return True

    def _parser(self, file: ImportFile) -> RowParser:
        mapping = file.mapping or file.detection.mapping
        # A mixed data set is made of files of one task each, or of rows that say theirs.
        of_one = self.config.task == MIXED and (mapping is None or mapping.task is None)
        task = file.detection.task if of_one else self.config.task
        try:
            return row_parser_of(file.detection, mapping=file.mapping, task=task, references=self.references or None)
        except ValueError as error:
            raise Invalid(f"'{file.filename}' cannot be read as asked: {error}") from error

    def _at(self, position: int) -> None:
        self.bytes_read = position

    def _refuse(
        self, file: ImportFile, number: int, error: RowError, row: dict[str, Any] | None, refused: RejectsFile
    ) -> None:
        self.tally.add_reject(error.column, error.reason)
        refused.add(file.filename, number, error, row)
        self.batch.seen += 1
        if self.stored_rejects < STORED_REJECTS:
            self.stored_rejects += 1
            self.batch.rejects.append(reject_row(self.version_id, file.filename, number, error, row))

    def _store(self) -> None:
        self.writer.write(self.batch)
        self.batch = Batch()

    def _row(self, example: ParsedExample) -> ExampleRow:
        if self.part_of:
            example = replace(example, part=self.part_of.get(example.id))
        position = len(self.tally)
        self.tally.add(example)
        return ExampleRow(
            self.version_id,
            position,
            example.id,
            example.part,
            example.question,
            example.reference,
            example.answer,
            choices_json(example.choices),
            example.task if self.config.task == MIXED else None,
        )

    def _finish(self, refused: RejectsFile) -> ImportOutcome:
        counts = self.tally.part_counts()
        total = len(self.tally)
        self._tell(self.bytes_all, f"Checking {total:,} rows for duplicates and overlap")
        with reading() as session:
            report = self.tally.report(
                self.sources, time.monotonic() - self.started, lambda at: _questions(session, self.version_id, at)
            )
        if all(counts.get(part) for part in PARTS):
            self._split(counts)
        asks = self.tally.n_rejected > 0 and self.config.on_invalid == "ask"
        state = "review" if asks else "ready"
        with transaction() as session:
            self.fence(session)
            version = importing_version(session, self.version_id)
            version.state, version.n_rows, version.n_rejected = state, total, self.tally.n_rejected
            version.sha256 = self.tally.content_sha256()
            version.report = report.model_dump(mode="json")
            if refused.kept is not None:
                key, sha256, size = refused.kept
                session.add(Artifact(run_id=self.run_id, name=REJECTS_FILE, key=key, sha256=sha256, size_bytes=size))
            events.publish(
                session, "dataset", state, run_id=self.run_id, subject_id=version.dataset_id,
                data={"version_id": version.id, "rows": total, "rejected": self.tally.n_rejected},
            )  # fmt: skip
        # After the rows are safe: an import killed before this keeps its files for the next attempt.
        with transaction() as session:
            uploads.forget_imported(session, session.get(Run, self.run_id))
        return ImportOutcome(state, total, self.tally.n_rejected)

    def _split(self, counts: dict[str, int]) -> None:
        with transaction() as session:
            self.fence(session)
            split = splits.add_as_in_files(session, self.version_id, counts, self.tally.ids_sha256())
        filled: dict[str, int] = {}
        step = 10 * BATCH_ROWS
        for first in range(0, len(self.tally), step):
            with transaction() as session:
                self.fence(session)
                splits.fill_as_in_files(session, split, first, first + step, filled)

    def _refused(self, file: ImportFile | None = None, rejected: int = 0) -> Invalid:
        with reading() as session:
            query = select(RowReject).where(RowReject.version_id == self.version_id).order_by(RowReject.id)
            if file is not None:
                query = query.where(RowReject.filename == file.filename)
            first = session.scalar(query.limit(1))
        column = f", column '{first.column}'" if first is not None and first.column else ""
        where = f" First, row {first.row_number} of '{first.filename}'{column}: {first.reason}" if first else ""
        if file is None:
            message = f"{self.tally.n_rejected:,} rows cannot be imported, and the import was to fail then.{where}"
            return Invalid(message, remedy="Correct them, or import the valid rows only.")
        message = (
            f"None of the first {rejected:,} rows of '{file.filename}' can be imported as {self.config.task}.{where}"
        )
        return Invalid(message, remedy="Choose the right task, or map the columns.")


def _questions(session: Session, version_id: str, positions: list[int]) -> dict[int, str]:
    query = select(Example.position, Example.question).where(
        Example.version_id == version_id, Example.position.in_(positions)
    )
    return dict(session.execute(query).all())
