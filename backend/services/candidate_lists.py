"""Lists of a candidate set's questions and COTs: filtered, in any order, by keyset."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Select, and_, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from backend.db.models import Candidate, CandidateSet, Example, QuestionScores, QuestionStats, RatingSummary, Score
from backend.errors import Invalid
from backend.schemas.candidate_filters import CandidateFilter, CandidatesQuery, QuestionsQuery
from backend.services import candidate_search

SHOWN_QUESTION = 400
SHOWN_EXCERPT = 300
MOST_IDS = 10_000
"""As many as a review queue takes."""
_PAGE = 50
_Asked = TypeVar("_Asked", QuestionsQuery, CandidatesQuery)
_SCANNED_FIRST = 4
_SCANNED_MOST = 10_000
_FIRST_ASCENDING = {"position", "margin", "right"}
"""Sorts whose telling end is the lowest value; the others begin with the highest."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A page: rows, and the key of the next one, None at the end."""

    rows: list[Any]
    next_after: str | None


def questions(session: Session, among: CandidateSet, query: QuestionsQuery) -> Listed:
    """Questions whose candidates pass the filter.

    Raises:
        Invalid: If scores are asked about without a model, or the page's key is not one.
    """
    _require_model(query, query.sort in {"violated", "margin", "score"})
    stats, scores = QuestionStats, QuestionScores
    columns = {
        "right": stats.n_right, "violated": scores.n_violated, "margin": scores.margin, "score": scores.best,
        "length": stats.max_tokens, "rating": stats.rating, "disagreement": stats.rating_spread,
    }  # fmt: skip
    by = columns.get(query.sort)
    joined = query.needs_model() or query.sort in {"violated", "margin", "score"}
    found = select(
        *(column for column in stats.__table__.c if column.name != "run_id"),
        Example.position,
        Example.external_id,
        func.substr(Example.question, 1, SHOWN_QUESTION).label("question"),
    ).join(Example, Example.id == stats.example_id)
    on = and_(scores.run_id == stats.run_id, scores.example_id == stats.example_id, scores.model_run_id == query.model)
    shown = found.add_columns(scores.n_violated, scores.margin)
    shown = shown.join(scores, on) if joined else shown.outerjoin(scores, on)
    # The table that is sorted by leads, so that its index gives the order.
    leads = scores if by is not None and by.class_ is scores else stats
    conditions, is_narrow = _question_conditions(session, among, query, by)
    shown = shown.where(leads.run_id == among.run_id, *conditions)
    if leads is scores:
        shown = shown.where(scores.model_run_id == query.model)
    search = candidate_search.prepare(session, among, query.q) if query.q else None
    if search is None or not search.is_scanned:
        shown = shown.where(search.questions()) if search else shown
        is_narrow = is_narrow or (search is not None and search.is_rare)
        return _page(session, shown, query, by, leads.example_id, is_narrow=is_narrow)

    def matching(rows: list[Any]) -> set[int]:
        return search.question_hits(session, [row.example_id for row in rows])

    return _scanned(
        query,
        lambda part: _page(session, shown, part, by, leads.example_id, is_narrow=is_narrow),
        matching,
        "example_id",
    )


def candidates(session: Session, among: CandidateSet, query: CandidatesQuery) -> Listed:
    """COTs that pass the filter, each with its question's start, score and rating.

    Raises:
        Invalid: If scores are asked about without a model, or the page's key is not one.
    """
    _require_model(query, query.sort == "score")
    columns = {
        "length": Candidate.n_tokens, "score": Score.score, "rating": RatingSummary.rating,
        "disagreement": RatingSummary.spread,
    }  # fmt: skip
    by = columns.get(query.sort)
    wanted: Any = select(Candidate.id, Candidate.example_id, Candidate.sample_index)
    is_rated, is_scored = query.sort in {"rating", "disagreement"}, query.sort == "score"
    search = candidate_search.prepare(session, among, query.q) if query.q else None
    is_scanned = search is not None and search.is_scanned
    wanted, is_narrow = _filtered(
        session, among, query, wanted, rated=is_rated, scored=is_scored, by=by, search=None if is_scanned else search
    )
    first: Any = Candidate.example_id
    second: Any = Candidate.sample_index
    if by is not None:
        first = by
        second = {"score": Score.candidate_id, "length": Candidate.id}.get(query.sort, RatingSummary.candidate_id)

    def page_of(part: CandidatesQuery) -> Listed:
        return _page(session, wanted, part, first, second, is_narrow=is_narrow)

    if search is not None and is_scanned:
        found = search

        def matching(rows: list[Any]) -> set[int]:
            return found.hits(session, [row.id for row in rows])

        page = _scanned(query, page_of, matching, "id")
    else:
        page = page_of(query)
    return Listed(_details(session, [row.id for row in page.rows], query.model), page.next_after)


def ids(session: Session, among: CandidateSet, wanted: CandidateFilter) -> tuple[list[int], bool]:
    """Ids of the COTs that pass, at most ``MOST_IDS``, and whether they are all.

    Raises:
        Invalid: If scores are asked about without a model.
    """
    search = candidate_search.prepare(session, among, wanted.q) if wanted.q else None
    query, is_narrow = _filtered(session, among, wanted, select(Candidate.id), search=search)
    order = _order([Candidate.example_id, Candidate.sample_index], is_narrow=is_narrow)
    query = query.order_by(*order).limit(MOST_IDS + 1)
    found = list(session.scalars(query))
    return found[:MOST_IDS], len(found) <= MOST_IDS


def filtered(
    session: Session,
    among: CandidateSet,
    wanted: CandidateFilter,
    query: Select[Any],
    *,
    rated: bool = False,
    scored: bool = False,
    by: Any = None,
    search: candidate_search.Search | None = None,
) -> Select[Any]:
    """A query on ``Candidate`` with the joins and conditions of a filter.

    Args:
        session: Finds out how much lies within a bound.
        among: The candidate set.
        wanted: The filter.
        query: Selects columns of ``Candidate`` (and ``RatingSummary``, ``Score`` where asked for).
        rated: Join the rating's summary whether or not the filter needs it.
        scored: Join the model's score whether or not the filter needs it.
        by: The column that the rows will be sorted by; None is by question.
        search: The searched words; None leaves them to the caller.

    Raises:
        Invalid: If scores are asked about without a model.
    """
    return _filtered(session, among, wanted, query, rated=rated, scored=scored, by=by, search=search)[0]


def _filtered(
    session: Session,
    among: CandidateSet,
    wanted: CandidateFilter,
    query: Select[Any],
    *,
    rated: bool = False,
    scored: bool = False,
    by: Any = None,
    search: candidate_search.Search | None = None,
) -> tuple[Select[Any], bool]:
    """``filtered``, and whether few rows pass, so that all of them are collected and sorted."""
    _require_model(wanted, scored)
    spread, low, high = wanted.min_disagreement, wanted.min_rating, wanted.max_rating
    if rated or wanted.rated or spread is not None or low is not None or high is not None:
        query = query.join(RatingSummary, RatingSummary.candidate_id == Candidate.id).where(
            RatingSummary.run_id == among.run_id
        )
    if scored or wanted.needs_model():
        query = query.join(Score, and_(Score.candidate_id == Candidate.id, Score.model_run_id == wanted.model))
    if wanted.violated or wanted.min_margin is not None or wanted.max_margin is not None:
        scores = QuestionScores
        query = query.join(
            scores,
            and_(
                scores.run_id == among.run_id,
                scores.model_run_id == wanted.model,
                scores.example_id == Candidate.example_id,
            ),
        )
    conditions, is_narrow = _candidate_conditions(session, among, wanted, by)
    if search is not None:
        return query.where(search.of_set(), search.candidates(), *conditions), is_narrow or search.is_rare
    return query.where(Candidate.run_id == among.run_id, *conditions), is_narrow


def set_row(session: Session, run_id: str) -> CandidateSet:
    """The set's totals; empty ones for a set that has no candidate yet."""
    found = session.get(CandidateSet, run_id)
    return found or CandidateSet(run_id=run_id, kind="sample", n_candidates=0, n_questions=0)


def _candidate_conditions(
    session: Session, among: CandidateSet, wanted: CandidateFilter, by: Any
) -> tuple[list[Any], bool]:
    conditions: list[Any] = []
    mine = _Ranges(session, among.n_candidates, by)
    if wanted.verdict is not None:
        conditions.append(Candidate.verdict == wanted.verdict)
    if wanted.duplicate is not None:
        conditions.append(Candidate.is_duplicate.is_(wanted.duplicate))
    if wanted.source_model is not None:
        conditions.append(Candidate.model == wanted.source_model)
    if wanted.rated is False:
        rating = select(RatingSummary.candidate_id).where(RatingSummary.candidate_id == Candidate.id)
        conditions.append(~rating.exists())
    if wanted.violated:
        scores, is_right = QuestionScores, Candidate.verdict == "right"
        conditions += [
            scores.n_violated > 0,
            or_(and_(is_right, Score.score <= scores.best_wrong), and_(~is_right, Score.score >= scores.worst_right)),
        ]
    of_set, rated = Candidate.run_id == among.run_id, RatingSummary.run_id == among.run_id
    scored = QuestionScores.run_id == among.run_id, QuestionScores.model_run_id == wanted.model
    conditions += mine.within(Candidate.n_tokens, wanted.min_tokens, wanted.max_tokens, of_set)
    conditions += mine.within(RatingSummary.rating, wanted.min_rating, wanted.max_rating, rated)
    conditions += mine.within(RatingSummary.spread, wanted.min_disagreement, None, rated)
    conditions += mine.within(Score.score, wanted.min_score, wanted.max_score, Score.model_run_id == wanted.model)
    conditions += mine.within(QuestionScores.margin, wanted.min_margin, wanted.max_margin, *scored)
    return conditions, mine.found_few


def _question_conditions(
    session: Session, among: CandidateSet, wanted: CandidateFilter, by: Any
) -> tuple[list[Any], bool]:
    stats, scores = QuestionStats, QuestionScores
    mine = _Ranges(session, among.n_questions, by)
    conditions: list[Any] = []
    if wanted.verdict is not None:
        conditions.append(getattr(stats, f"n_{wanted.verdict}") > 0)
    if wanted.duplicate is not None:
        conditions.append(stats.n_duplicate > 0 if wanted.duplicate else stats.n_duplicate < stats.n_candidates)
    if wanted.source_model is not None:
        by_it = select(Candidate.id).where(
            Candidate.run_id == stats.run_id,
            Candidate.example_id == stats.example_id,
            Candidate.model == wanted.source_model,
        )
        conditions.append(by_it.exists())
    if wanted.rated is not None:
        conditions.append(stats.n_rated > 0 if wanted.rated else stats.n_rated < stats.n_candidates)
    of_set, scored = stats.run_id == among.run_id, (scores.run_id == among.run_id, scores.model_run_id == wanted.model)
    if wanted.violated:
        conditions += mine.within(scores.n_violated, 1, None, *scored)
    conditions += mine.within(stats.max_tokens, wanted.min_tokens, None, of_set)
    conditions += mine.within(stats.min_tokens, None, wanted.max_tokens)
    conditions += mine.within(stats.rating, wanted.min_rating, wanted.max_rating, of_set)
    conditions += mine.within(stats.rating_spread, wanted.min_disagreement, None, of_set)
    conditions += mine.within(scores.best, wanted.min_score, wanted.max_score, *scored)
    conditions += mine.within(scores.margin, wanted.min_margin, wanted.max_margin, *scored)
    return conditions, mine.found_few


class _Ranges:
    """Conditions on columns that have an index, and whether to let it be used.

    A page in another order than the column's is found in two ways: what lies within, by the index, and then sorted; or
    row after row in the page's order until it is full. The first is dear where much lies within and the second where
    little does, and no planner knows before: a few thousand entries of the index are counted to decide.
    """

    def __init__(self, session: Session, n_rows: int, by: Any) -> None:
        self._session = session
        self._by = by
        # Reading n by the index costs as much as passing over rows until a page is full, PAGE * n_rows / n of them.
        self._many = max(200, round((_PAGE * n_rows) ** 0.5))
        self.found_few = False

    def within(self, column: Any, low: float | None, high: float | None, *among: Any) -> list[Any]:
        """The bounds that are set, as conditions.

        Args:
            column: What is bounded.
            low: From here on.
            high: Up to here.
            among: Conditions on the columns before it in its index; none where it has no index.
        """
        found = _bounds(column, low, high)
        if not found or not among or column is self._by:
            return found
        some = select(literal(1)).where(*among, *found).limit(self._many).subquery()
        if (self._session.scalar(select(func.count()).select_from(some)) or 0) < self._many:
            self.found_few = True
            return found
        # An index on a column is none on an expression of it.
        return _bounds(column + 0, low, high)


def _bounds(column: Any, low: float | None, high: float | None) -> list[Any]:
    return [*([column >= low] if low is not None else []), *([column <= high] if high is not None else [])]


def _require_model(wanted: CandidateFilter, sorts_by_score: bool) -> None:
    if wanted.model is None and (sorts_by_score or wanted.needs_model()):
        raise Invalid(
            "Scores are asked about, and no model was chosen.",
            remedy="Choose the model whose scores are meant.",
            field="model",
        )


def _order(columns: Sequence[Any], *, is_narrow: bool) -> list[Any]:
    """What to sort by: where few rows pass, an expression, which no index is in the order of.

    PostgreSQL would go through a whole table in an index's order for one page, since it does not know how few.
    """
    return [column + 0 if is_narrow else column for column in columns]


def _page(
    session: Session,
    shown: Select[Any],
    query: QuestionsQuery | CandidatesQuery,
    by: Any,
    key: Any,
    *,
    is_narrow: bool,
) -> Listed:
    """Rows beyond the key in the order of ``by`` and then ``key``; ``by`` None orders by the key alone."""
    is_descending = query.descending if query.descending is not None else query.sort not in _FIRST_ASCENDING
    order = [key] if by is None else [by, key]
    if by is not None and query.sort != "position":
        shown = shown.where(by.is_not(None))
    if query.after is not None:
        place = _place(query.after, len(order))
        here: Any = tuple_(*order) if len(order) > 1 else order[0]
        there: Any = tuple_(*place) if len(order) > 1 else place[0]
        shown = shown.where(here < there if is_descending else here > there)
    sorted_by = _order(order, is_narrow=is_narrow)
    shown = shown.order_by(*(column.desc() if is_descending else column for column in sorted_by))
    keyed = shown.add_columns(*(column.label(f"key_{index}") for index, column in enumerate(order)))
    rows = list(session.execute(keyed.limit(query.limit + 1)))
    if len(rows) <= query.limit:
        return Listed(rows, None)
    return Listed(rows[: query.limit], _key(rows[query.limit - 1], len(order)))


def _key(row: Any, size: int) -> str:
    return json.dumps([getattr(row, f"key_{index}") for index in range(size)])


def _scanned(
    query: _Asked, page_of: Callable[[_Asked], Listed], matching: Callable[[list[Any]], set[int]], name: str
) -> Listed:
    """A page of the rows that match, looked for in the page's order, more at a time the longer it takes.

    Args:
        query: The page wanted.
        page_of: Gives rows whether they match or not.
        matching: Gives the ids of those that do.
        name: Of the rows' id.
    """
    found: list[Any] = []
    n_seen = 0
    part = query.model_copy(update={"limit": _SCANNED_FIRST * query.limit})
    while True:
        page = page_of(part)
        ids = matching(page.rows)
        found += [row for row in page.rows if getattr(row, name) in ids]
        if len(found) > query.limit:
            size = sum(hasattr(found[0], f"key_{index}") for index in range(2))
            return Listed(found[: query.limit], _key(found[query.limit - 1], size))
        if page.next_after is None:
            return Listed(found, None)
        n_seen += len(page.rows)
        # As many as should hold the rest by what was found so far, and some more.
        wanted = round(1.5 * (query.limit + 1 - len(found)) * n_seen / max(1, len(found)))
        size = max(query.limit, min(_SCANNED_MOST, wanted, 8 * part.limit))
        part = part.model_copy(update={"after": page.next_after, "limit": size})


def _place(after: str, size: int) -> list[float]:
    try:
        values = json.loads(after)
    except ValueError:
        values = None
    is_place = isinstance(values, list) and len(values) == size and all(isinstance(one, int | float) for one in values)
    if not is_place:
        raise Invalid(f"after is {after!r}.", remedy="Use next_after of the page before.", field="after")
    return values  # type: ignore[no-any-return]


def _details(session: Session, ids: Sequence[int], model_run_id: str | None) -> list[Any]:
    if not ids:
        return []
    on = and_(Score.candidate_id == Candidate.id, Score.model_run_id == model_run_id)
    query = (
        select(
            Candidate.id, Candidate.example_id, Candidate.sample_index, Candidate.verdict, Candidate.answer,
            Candidate.n_tokens, Candidate.is_duplicate, Candidate.model, Score.score, RatingSummary.rating,
            RatingSummary.spread, Example.position, func.substr(Candidate.text, 1, SHOWN_EXCERPT).label("excerpt"),
            func.substr(Example.question, 1, SHOWN_QUESTION).label("question"),
        )
        .join(Example, Example.id == Candidate.example_id)
        .outerjoin(Score, on)
        .outerjoin(RatingSummary, RatingSummary.candidate_id == Candidate.id)
        .where(Candidate.id.in_(ids))
    )  # fmt: skip
    rows = {row.id: row for row in session.execute(query)}
    return [rows[one] for one in ids]
