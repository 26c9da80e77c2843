"""Exports of a candidate set: COTs with scores and ratings, or preferences, by the same filter as the page."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import pyarrow as pa
from sqlalchemy import and_, select, tuple_
from sqlalchemy.orm import Session, aliased

from aft.data.examples import Example as Question
from aft.data.prompts import prompt_text
from aft.version import VERSION
from backend.db.models import (
    Candidate,
    CandidateSetModel,
    Dataset,
    DatasetVersion,
    Example,
    Rating,
    RatingSummary,
    Run,
    Score,
)
from backend.db.session import reading
from backend.errors import Invalid
from backend.schemas.candidate_filters import CandidateFilter, ExportRequest
from backend.services import candidate_lists, candidate_search, candidates, datasets, preference_rows
from backend.services.candidate_conditions import filtered
from backend.services.export_files import (
    Column,
    Kind,
    Outlet,
    Row,
    Structs,
    Table,
    as_table,
    file_name,
    written,
    zipped,
)
from backend.services.preference_rows import RankedQuestion

_BATCH = 4_000
_QUESTIONS_KEPT = 5_000
_TEXT, _NUMBER, _WHOLE = pa.string(), pa.float64(), pa.int64()
COLUMNS: tuple[Column, ...] = (
    Column("id", _WHOLE),
    Column("example_id", _WHOLE),
    Column("question_id", _TEXT),
    Column("question", _TEXT),
    Column("choices", pa.list_(_TEXT)),
    Column("gold", _TEXT),
    Column("task", _TEXT),
    Column("sample_index", _WHOLE),
    Column("model", _TEXT),
    Column("text", _TEXT),
    Column("answer", _TEXT),
    Column("answer_rule", _TEXT),
    Column("verdict", _TEXT),
    Column("finish_reason", _TEXT),
    Column("n_tokens", _WHOLE),
    Column("is_duplicate", pa.bool_()),
    Column("rating", _NUMBER),
    Column("rating_spread", _NUMBER),
    Column("ratings", pa.list_(pa.struct({"rater": _TEXT, "source": _TEXT, "scale": _TEXT, "value": _NUMBER}))),
    Column("scores", pa.list_(pa.struct({"model_run_id": _TEXT, "model": _TEXT, "score": _NUMBER}))),
)
_OF_CANDIDATES = tuple(
    getattr(Candidate, name)
    for name in (
        "example_id", "sample_index", "model", "text", "answer", "answer_rule", "verdict", "finish_reason", "n_tokens",
        "is_duplicate",
    )
)  # fmt: skip
_ID, _EXAMPLE, _SAMPLE = range(3)
"""Where they stand in a page's rows."""
_RATING = ("rater", "source", "scale", "value")
_MODELS_AT_ONCE = 16
"""Joined in one query; SQLite takes no more than 64."""


@dataclass
class Export:
    """An export that was asked for and can be written."""

    run: Run
    version: DatasetVersion
    dataset: Dataset
    request: ExportRequest
    outlet: Outlet = field(default_factory=Outlet)
    counted: list[int] = field(default_factory=lambda: [0])

    @property
    def kind(self) -> Kind:
        """Of the file."""
        return self.request.format if self.request.format in ("jsonl", "csv", "parquet") else "jsonl"

    @property
    def columns(self) -> Sequence[Column]:
        """Of its rows."""
        form = self.request.format
        return COLUMNS if form in ("jsonl", "csv", "parquet") else preference_rows.COLUMNS[form]  # type: ignore[index]

    @property
    def stem(self) -> str:
        """Name of the file without its ending."""
        return f"cots-{self.run.id[-8:]}" + ("" if self.columns is COLUMNS else f"-{self.request.format}")

    @property
    def file_name(self) -> str:
        """Name of the file."""
        return file_name(self.stem, self.kind)

    def pieces(self) -> Iterator[bytes]:
        """The file's bytes; one consistent state of the database, a batch of rows in memory."""
        with reading() as session:
            yield from written(_batches(session, self), self.kind, self.columns, self.outlet, self.counted)

    def others(self) -> dict[str, str]:
        """The smaller files beside it, once it is complete: the manifest, and what a trainer reads it by."""
        found = {"manifest.json": json.dumps(self.manifest(), indent=2, ensure_ascii=False)}
        if self.request.format == "llama-factory":
            found["dataset_info.json"] = preference_rows.dataset_info(self.stem.replace("-", "_"), self.file_name)
        return found

    def archive(self) -> Iterator[bytes]:
        """All files as a ZIP archive."""
        return zipped(self.file_name, self.pieces(), self.others)

    def manifest(self) -> dict[str, Any]:
        """What the file holds, of what, and its sha256."""
        wanted = self.request.model_dump(mode="json", exclude_defaults=True)
        return {
            "file": self.file_name,
            "format": self.request.format,
            "rows": self.counted[0],
            "bytes": self.outlet.size_bytes,
            "sha256": self.outlet.sha256(),
            "columns": [{"name": column.name, "type": str(column.type)} for column in self.columns],
            "filter": {key: value for key, value in wanted.items() if key in CandidateFilter.model_fields},
            "candidate_set": {"run_id": self.run.id, "name": self.run.name, "fingerprint": self.run.fingerprint},
            "dataset": {
                "name": self.dataset.name,
                "version": self.version.number,
                "version_id": self.version.id,
                "sha256": self.version.sha256,
            },
            "code_version": VERSION,
            "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }


def prepare(session: Session, run_id: str, request: ExportRequest) -> Export:
    """Check what is asked for, before the first byte leaves.

    Raises:
        NotFound: If there is no such set.
        Invalid: If the filter asks about scores without a model.
    """
    run = candidates.get_set(session, run_id)
    version = datasets.get_version(session, run.inputs["dataset_version_id"])
    among = candidate_lists.set_row(session, run_id)
    filtered(session, among, request, select(Candidate.id))
    if request.format == "ranked" and request.most_pairs is not None:
        raise Invalid("A ranked list has no pairs.", remedy="Leave most_pairs out.", field="most_pairs")
    return Export(run, version, datasets.get(session, version.dataset_id), request)


def _batches(session: Session, export: Export) -> Iterator[Table]:
    pages = _pages(session, export.run.id, export.request)
    read = _Tables(session, export)
    if export.columns is COLUMNS:
        for page in pages:
            yield read.whole(page)
    else:
        for rows in _preferences(export, (read.rows(page) for page in pages)):
            yield as_table(rows, export.columns)


def _pages(session: Session, run_id: str, wanted: CandidateFilter) -> Iterator[list[Any]]:
    """COTs that pass, question by question, some thousand at a time."""
    among = candidate_lists.set_row(session, run_id)
    search = candidate_search.prepare(session, among, wanted.q) if wanted.q else None
    is_scanned = search is not None and search.is_scanned
    columns = select(Candidate.id, *_OF_CANDIDATES)
    query, _ = filtered(session, among, wanted, columns, search=None if is_scanned else search)
    query = query.order_by(Candidate.example_id, Candidate.sample_index).limit(_BATCH)
    place: tuple[int, int] | None = None
    while True:
        here = tuple_(Candidate.example_id, Candidate.sample_index)
        page = _fetched(session, query if place is None else query.where(here > tuple_(*place)))
        hits = search.hits(session, [one[_ID] for one in page]) if search is not None and is_scanned else None
        if kept := page if hits is None else [one for one in page if one[_ID] in hits]:
            yield kept
        if len(page) < _BATCH:
            return
        place = (page[-1][_EXAMPLE], page[-1][_SAMPLE])


def _fetched(session: Session, query: Any) -> list[tuple[Any, ...]]:
    """Rows as the driver gives them: what the session and SQLAlchemy make of each costs as much as reading it.

    Only for columns that need nothing made of them; SQLite has 0 and 1 for booleans.
    """
    return list(session.connection().execute(query).cursor.fetchall())


def _near(column: Any, page: list[Any]) -> Any:
    """Condition that holds for the page's COTs: PostgreSQL would read a whole table for every page without a range."""
    ids = [one[_ID] for one in page]
    return column.between(min(ids), max(ids))


class _Tables:
    """COTs as columns, with what is read beside them."""

    def __init__(self, session: Session, export: Export) -> None:
        self._session = session
        self._run_id = export.run.id
        self._task = export.version.task
        wanted = export.request.model_dump(exclude_defaults=True)
        self._is_whole = not wanted.keys() & (CandidateFilter.model_fields.keys() - {"model"})
        self._questions: dict[int, Any] = {}
        self._models = self._scored_by()

    def whole(self, page: list[Any]) -> Table:
        """Every column of some COTs."""
        found = dict(self._plain(page))
        among = self._among(page)
        ratings, scores = self._ratings(among, page), self._scores(among)
        found["ratings"] = Structs.of(_RATING, [ratings.get(one, ()) for one in found["id"]])
        found["scores"] = self._score_cells([scores.get(one, ()) for one in found["id"]])
        return found

    def rows(self, page: list[Any]) -> list[Row]:
        """The columns that are one value each, row by row."""
        found = self._plain(page)
        return [dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)]

    def _plain(self, page: list[Any]) -> dict[str, Any]:
        columns = [column.key for column in (Candidate.id, *_OF_CANDIDATES)]
        found: dict[str, Any] = dict(zip(columns, zip(*page, strict=True), strict=True))
        found["is_duplicate"] = [bool(one) for one in found["is_duplicate"]]
        self._know_questions(set(found["example_id"]))
        questions = [self._questions[one] for one in found["example_id"]]
        found["question_id"] = [one.external_id for one in questions]
        found["question"] = [one.question for one in questions]
        found["choices"] = [one.choices for one in questions]
        found["gold"] = [one.answer for one in questions]
        found["task"] = [one.task or self._task for one in questions]
        summaries = self._summaries(self._among(page), page)
        nothing = (None, None)
        found["rating"], found["rating_spread"] = zip(
            *[summaries.get(one, nothing) for one in found["id"]], strict=True
        )
        return found

    def _among(self, page: list[Any]) -> Any:
        """Condition on ``Candidate`` for a page: of a whole set its stretch, which is cheaper than a list of ids."""
        if not self._is_whole:
            return Candidate.id.in_([one[_ID] for one in page])
        stretch = Candidate.example_id.between(page[0][_EXAMPLE], page[-1][_EXAMPLE])
        return and_(Candidate.run_id == self._run_id, stretch)

    def _know_questions(self, example_ids: set[int]) -> None:
        missing = sorted(example_ids - self._questions.keys())
        if len(self._questions) + len(missing) > _QUESTIONS_KEPT:
            self._questions.clear()
            missing = sorted(example_ids)
        query = select(Example.id, Example.external_id, Example.question, Example.choices, Example.answer, Example.task)
        for row in self._session.execute(query.where(Example.id.in_(missing))) if missing else ():
            self._questions[row.id] = row

    def _scored_by(self) -> list[tuple[str, str]]:
        """Id and name of every model that scored COTs of the set."""
        models = select(Run.id, Run.method, Run.name, Run.seed).join(
            CandidateSetModel, CandidateSetModel.model_run_id == Run.id
        )
        found = self._session.execute(models.where(CandidateSetModel.run_id == self._run_id).order_by(Run.id))
        return [(one.id, candidates.model_name(one.method, one.name, one.seed)) for one in found]

    def _scores(self, among: Any) -> dict[int, tuple[float | None, ...]]:
        """Each COT's score under every model: a row a COT instead of one a score."""
        found: dict[int, tuple[float | None, ...]] = {}
        for start in range(0, len(self._models), _MODELS_AT_ONCE):
            query = select(Candidate.id).where(among)
            for model_run_id, _ in self._models[start : start + _MODELS_AT_ONCE]:
                one = aliased(Score)
                on = and_(one.candidate_id == Candidate.id, one.model_run_id == model_run_id)
                query = query.outerjoin(one, on).add_columns(one.score)
            for candidate_id, *scores in _fetched(self._session, query):
                found[candidate_id] = (*found.get(candidate_id, ()), *scores)
        return found

    def _score_cells(self, scored: list[tuple[float | None, ...]]) -> Structs:
        offsets, values, models = [0], [], []
        numbers = range(len(self._models))
        for scores in scored:
            if None in scores:
                kept = [number for number in numbers if scores[number] is not None]
                values.extend([scores[number] for number in kept])
                models.extend(kept)
            elif scores:
                values.extend(scores)
                models.extend(numbers)
            offsets.append(len(values))
        ids, names = [one for one, _ in self._models], [name for _, name in self._models]
        of_models = {"model_run_id": [ids[one] for one in models], "model": [names[one] for one in models]}
        return Structs(offsets, {**of_models, "score": values})

    def _ratings(self, among: Any, page: list[Any]) -> dict[int, list[tuple[Any, ...]]]:
        query = select(Rating.candidate_id, *(getattr(Rating, name) for name in _RATING))
        query = query.join(Candidate, Candidate.id == Rating.candidate_id)
        query = query.where(among, _near(Rating.candidate_id, page), Rating.is_current.is_(True)).order_by(Rating.id)
        found: dict[int, list[tuple[Any, ...]]] = {}
        for candidate_id, *one in _fetched(self._session, query):
            found.setdefault(candidate_id, []).append(tuple(one))
        return found

    def _summaries(self, among: Any, page: list[Any]) -> dict[int, tuple[float, float | None]]:
        query = select(RatingSummary.candidate_id, RatingSummary.rating, RatingSummary.spread)
        query = query.join(Candidate, Candidate.id == RatingSummary.candidate_id)
        rows = _fetched(self._session, query.where(among, _near(RatingSummary.candidate_id, page)))
        return {candidate_id: (rating, spread) for candidate_id, rating, spread in rows}


def _preferences(export: Export, pages: Iterator[list[Row]]) -> Iterator[list[Row]]:
    """Preferences among a question's COTs; repeats and, ranked by rating, unrated ones are left out."""
    form, by_rating = export.request.format, export.request.quality == "rating"
    waiting: list[Row] = []
    for rows in _whole_questions(pages):
        for _, group in groupby(rows, key=lambda row: row["example_id"]):
            mine = [row for row in group if not row["is_duplicate"]]
            quality = "rating" if by_rating else "verdict"
            completions = [
                (row["text"], row["rating"] if by_rating else float(row["verdict"] == "right"))
                for row in mine
                if row[quality] is not None
            ]
            if not completions:
                continue
            first = mine[0]
            choices = tuple(first["choices"]) if first["choices"] else None
            question = Question(first["question_id"], first["question"], "", first["gold"], first["task"], choices)
            ranked = RankedQuestion(first["question_id"], prompt_text(question), completions)
            waiting += preference_rows.rows(ranked, form, export.request.most_pairs)  # type: ignore[arg-type]
        if len(waiting) >= _BATCH:
            yield waiting
            waiting = []
    yield waiting


def _whole_questions(pages: Iterator[list[Row]]) -> Iterator[list[Row]]:
    """Pages cut between questions: the last question of a page waits for its rest."""
    held: list[Row] = []
    for page in pages:
        rows = held + page
        last = rows[-1]["example_id"]
        at = next(index for index, row in enumerate(rows) if row["example_id"] == last)
        held = rows[at:]
        if at:
            yield rows[:at]
    if held:
        yield held
