"""The import of a candidate file: rows streamed, matched with questions, graded, stored with ratings and scores."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from aft.data.candidate_rows import CandidateRow, count_words, parse_row
from aft.data.dedupe import same_text
from aft.data.examples import CHOICE_TASKS, MIXED
from aft.data.readers import FileError, RowError, read_rows
from backend import storage
from backend.db.models import (
    Artifact,
    Candidate,
    CandidateSet,
    Example,
    Rating,
    RatingImport,
    Run,
    Score,
    new_id,
)
from backend.db.session import reading, transaction
from backend.errors import Invalid, NotFound
from backend.schemas.candidate_imports import CandidateImportConfig
from backend.services import candidate_stats, candidates, datasets, events, external_checkpoints, uploads
from backend.services.candidates import SampledRow
from backend.services.import_rejects import REJECTS_FILE, RejectsFile
from backend.services.import_staging import Fence, full_disk_is_named
from backend.services.question_matching import QuestionMatcher

BATCH_ROWS = 1_000
BATCH_CHARACTERS = 8 << 20
HOPELESS_AFTER = 10_000
"""A file with so many refused rows and no valid one is not read further."""
_SHOWN_REJECTS = 200
_SHOWN_REASONS = 50
_WIPED_AT_ONCE = 4_000

Progress = Callable[[int, int | None, str], None]


@dataclass
class _Seen:
    """What is known of the rows so far: a few bytes of each."""

    next_index: Counter[int] = field(default_factory=Counter)
    texts: set[bytes] = field(default_factory=set)
    models: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    rejects: list[dict[str, Any]] = field(default_factory=list)
    taken: int = 0
    refused: int = 0
    rated: int = 0
    scored: int = 0
    checkpoints: dict[str, str] = field(default_factory=dict)
    """Runs that stand for the checkpoints, by name."""


def run_import(
    *,
    run_id: str,
    config: CandidateImportConfig,
    fence: Fence,
    progress: Progress,
    should_stop: Callable[[], bool],
) -> bool:
    """Read the file into its candidate set; an interrupted import starts from the beginning.

    Args:
        run_id: The import's run, which is the candidate set.
        config: Its configuration.
        fence: Raises when the run belongs to somebody else now; called in every transaction.
        progress: Takes KiB read, KiB in all, and the phase.
        should_stop: Whether to stop after the current batch.

    Returns:
        Whether it is complete; False when it was asked to stop.

    Raises:
        Invalid: If the file cannot be read, holds no valid row, or has refused rows that must not be.
        NotFound: If the file or the data set version is gone.
    """
    with reading() as session:
        run = session.get_one(Run, run_id)
        known = session.get(CandidateSet, run_id)
        version = datasets.get_version(session, run.inputs["dataset_version_id"])
        if known is not None and known.state in {"ready", "review"}:
            return True
        progress(0, None, "reading the questions")
        matcher = QuestionMatcher(session, version.id, by_choices=version.task in {*CHOICE_TASKS, MIXED})
    with full_disk_is_named():
        wipe(run_id, fence)
        return _Import(run_id, version.task, config, matcher, fence, progress, should_stop).run()


def wipe(run_id: str, fence: Fence) -> None:
    """Remove an import's candidates and ratings, a few thousand at a time."""
    while True:
        with transaction() as session:
            fence(session)
            first = session.scalar(select(func.min(Candidate.id)).where(Candidate.run_id == run_id))
            if first is None:
                session.execute(delete(RatingImport).where(RatingImport.run_id == run_id))
                external_checkpoints.remove(session, run_id)
                candidate_stats.rebuild(session, run_id)
                return
            some = delete(Candidate).where(Candidate.run_id == run_id, Candidate.id < first + _WIPED_AT_ONCE)
            session.execute(some.execution_options(synchronize_session=False))


class _Import:
    def __init__(
        self,
        run_id: str,
        task: str,
        config: CandidateImportConfig,
        matcher: QuestionMatcher,
        fence: Fence,
        progress: Progress,
        should_stop: Callable[[], bool],
    ) -> None:
        self.run_id, self.task, self.config, self.matcher = run_id, task, config, matcher
        self.fence, self.progress, self.should_stop = fence, progress, should_stop
        self.import_id = new_id()
        self.file = config.files[0]
        self.seen = _Seen()
        self.at = 0
        self.waiting: list[tuple[int, CandidateRow]] = []
        self.characters = 0

    def run(self) -> bool:
        place = storage.path(self.file.key)
        if not place.is_file() or place.stat().st_size != self.file.size_bytes:
            raise NotFound(f"The uploaded file '{self.file.filename}' is gone.", remedy="Upload it and import anew.")
        with RejectsFile(self.run_id) as refused:
            try:
                for number, row in read_rows(place, self.file.filename, on_read=self._note_place):
                    self._take(number, row, refused)
                    if len(self.waiting) >= BATCH_ROWS or self.characters >= BATCH_CHARACTERS:
                        if self.should_stop():
                            return False
                        self._store()
                    elif self.seen.refused >= HOPELESS_AFTER and not self.seen.taken + len(self.waiting):
                        break
            except FileError as error:
                raise Invalid(f"'{self.file.filename}' cannot be read: {error}") from error
            self._store()
            if not self.seen.taken or (self.seen.refused and self.config.on_invalid == "fail"):
                raise self._refusal()
            if self.seen.refused:
                refused.keep()
        self._finish(refused)
        return True

    def _note_place(self, position: int) -> None:
        self.at = position

    def _take(self, number: int, row: dict[str, Any] | RowError, refused: RejectsFile) -> None:
        try:
            if isinstance(row, RowError):
                raise row
            parsed = parse_row(row, self.config.columns, self.config.scale)
            self.waiting.append((self.matcher.find(parsed.question, parsed.question_id), parsed))
            self.characters += len(parsed.text)
        except RowError as error:
            kept = None if isinstance(row, RowError) else row
            refused.add(self.file.filename, number, error, kept)
            self._count_reject(number, error, kept)

    def _count_reject(self, number: int, error: RowError, row: dict[str, Any] | None) -> None:
        seen = self.seen
        seen.refused += 1
        # Reasons quote values; what comes before the colon tells them apart well enough.
        reason = (error.column, error.reason.split(":")[0])
        if reason in seen.reasons or len(seen.reasons) < 1000:
            seen.reasons[reason] += 1
        if len(seen.rejects) < _SHOWN_REJECTS:
            excerpt = error.excerpt or json.dumps(row, ensure_ascii=False, default=str)[:300]
            seen.rejects.append(
                {"row_number": number, "column": error.column, "reason": error.reason[:2000], "excerpt": excerpt}
            )

    def _store(self) -> None:
        rows, self.waiting, self.characters = self.waiting, [], 0
        if rows:
            with transaction() as session:
                self.fence(session)
                self._insert(session, rows)
        size = max(1, self.file.size_bytes >> 10)
        refused = f", {self.seen.refused:,} refused" if self.seen.refused else ""
        self.progress(min(self.at >> 10, size), size, f"{self.seen.taken:,} COTs read{refused}")

    def _insert(self, session: Session, rows: list[tuple[int, CandidateRow]]) -> None:
        questions = _questions(session, sorted({example_id for example_id, _ in rows}))
        values = [self._values(questions[example_id], row) for example_id, row in rows]
        self.seen.taken += len(values)
        stored: list[tuple[int, CandidateRow]] = []
        if not any(row.rating is not None or row.scores for _, row in rows):
            session.execute(insert(Candidate).execution_options(**candidates.WITH_NULLS), values)
        else:
            returning = insert(Candidate).returning(Candidate.id, sort_by_parameter_order=True)
            returning = returning.execution_options(**candidates.WITH_NULLS)
            ids: Sequence[int] = session.scalars(returning, values).all()
            stored = [(one, row) for one, (_, row) in zip(ids, rows, strict=True)]
            self._rate(session, stored)
        candidate_stats.candidates_changed(session, self.run_id, {example_id for example_id, _ in rows})
        self._score(session, stored)

    def _values(self, question: Any, row: CandidateRow) -> dict[str, Any]:
        seen = self.seen
        index = seen.next_index[question.id]
        seen.next_index[question.id] += 1
        if row.model is not None and (row.model in seen.models or len(seen.models) < 200):
            seen.models[row.model] += 1
        digest = blake2b(f"{question.id}\0{same_text(row.text)}".encode("utf-8", "replace"), digest_size=8).digest()
        is_duplicate = digest in seen.texts
        seen.texts.add(digest)
        choices = tuple(str(choice) for choice in question.choices) if question.choices else None
        sample = SampledRow(
            example_id=question.id,
            sample_index=index,
            token_ids=(),
            text=row.text,
            finish_reason="length" if row.is_cut else "stop",
            gold=question.answer,
            choices=choices,
            task=question.task,
        )
        values = candidates.graded(self.run_id, self.task, sample, is_duplicate=is_duplicate)
        return {**values, "n_tokens": count_words(row.text), "model": row.model, "external_id": row.id}

    def _rate(self, session: Session, rows: list[tuple[int, CandidateRow]]) -> None:
        values: list[dict[str, Any]] = []
        for candidate_id, row in rows:
            if row.rating is None:
                continue
            evidence: dict[str, Any] = {"wrong_steps": [list(span) for span in row.wrong_steps], "note": row.note}
            values.append(
                {
                    "candidate_id": candidate_id,
                    "rater": self.config.rater,
                    "source": "import",
                    "scale": self.config.scale,
                    "value": row.rating,
                    "evidence": {key: value for key, value in evidence.items() if value} or None,
                    "import_id": self.import_id,
                }
            )
        if not values:
            return
        session.execute(insert(Rating), values)
        self.seen.rated += len(values)
        candidate_stats.ratings_changed(session, [value["candidate_id"] for value in values])

    def _score(self, session: Session, rows: list[tuple[int, CandidateRow]]) -> None:
        known = self.seen.checkpoints
        values: dict[str, list[dict[str, Any]]] = {}
        for candidate_id, row in rows:
            self.seen.scored += bool(row.scores)
            for name, score in row.scores.items():
                if name not in known:
                    known[name] = external_checkpoints.add(session, self.run_id, name, len(known))
                values.setdefault(known[name], []).append(
                    {
                        "candidate_id": candidate_id,
                        "model_run_id": known[name],
                        "by_run_id": self.run_id,
                        "score": score,
                        "n_tokens": count_words(row.text),
                    }
                )
        for model_run_id, scores in values.items():
            session.execute(insert(Score), scores)
            candidate_stats.scores_changed(session, model_run_id, [one["candidate_id"] for one in scores])

    def _finish(self, refused: RejectsFile) -> None:
        seen = self.seen
        state = "review" if seen.refused and self.config.on_invalid == "ask" else "ready"
        reasons = [
            {"column": column, "reason": reason, "rows": rows}
            for (column, reason), rows in seen.reasons.most_common(_SHOWN_REASONS)
        ]
        report = {
            "rows": seen.taken,
            "questions": len(seen.next_index),
            "rated": seen.rated,
            "scored": seen.scored,
            "checkpoints": list(seen.checkpoints),
            "rejected": seen.refused,
            "reasons": reasons,
            "rejects": seen.rejects,
        }
        with transaction() as session:
            self.fence(session)
            values = {"state": state, "models": dict(seen.models.most_common()) or None}
            session.execute(update(CandidateSet).where(CandidateSet.run_id == self.run_id).values(values))
            session.add(
                RatingImport(
                    id=self.import_id,
                    filename=self.file.filename,
                    sha256=self.file.sha256,
                    run_id=self.run_id,
                    settings={"rater": self.config.rater, "scale": self.config.scale},
                    report=report,
                )
            )
            if refused.kept is not None:
                key, sha256, size = refused.kept
                session.add(Artifact(run_id=self.run_id, name=REJECTS_FILE, key=key, sha256=sha256, size_bytes=size))
            events.publish(session, "candidate", state, run_id=self.run_id)
        # After the rows are safe: an import killed before this keeps its file for the next attempt.
        with transaction() as session:
            uploads.forget_imported(session, session.get(Run, self.run_id))

    def _refusal(self) -> Invalid:
        first = self.seen.rejects[0] if self.seen.rejects else None
        where = f" First, row {first['row_number']}: {first['reason']}" if first else ""
        if not self.seen.taken:
            return Invalid(
                f"None of the {self.seen.refused:,} rows read can be imported.{where}",
                remedy="Choose the data set that the questions are from, or map the columns.",
            )
        return Invalid(
            f"{self.seen.refused:,} rows cannot be imported, and the import was to fail then.{where}",
            remedy="Correct them, or import the valid rows only.",
        )


def _questions(session: Session, ids: list[int]) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for start in range(0, len(ids), 500):
        query = select(Example.id, Example.answer, Example.choices, Example.task).where(
            Example.id.in_(ids[start : start + 500])
        )
        found |= {row.id: row for row in session.execute(query)}
    return found
