"""Lists of a candidate set's questions and COTs: filtered, in any order, by keyset."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from backend.db.models import Candidate, CandidateSet, Example, QuestionScores, QuestionStats, RatingSummary, Score
from backend.schemas.candidate_filters import CandidateFilter, CandidatesQuery, QuestionsQuery
from backend.services import candidate_search
from backend.services.candidate_conditions import filtered, question_conditions, require_model
from backend.services.candidate_pages import Listed, page, scanned, sort_columns

SHOWN_QUESTION = 400
SHOWN_EXCERPT = 300
MOST_IDS = 10_000
"""As many as a review queue takes."""


def questions(session: Session, among: CandidateSet, query: QuestionsQuery) -> Listed:
    """Questions whose candidates pass the filter.

    Raises:
        Invalid: If scores are asked about without a model, or the page's key is not one.
    """
    require_model(query, query.sort in {"violated", "margin", "score"})
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
    conditions, is_narrow = question_conditions(session, among, query, by)
    shown = shown.where(leads.run_id == among.run_id, *conditions)
    if leads is scores:
        shown = shown.where(scores.model_run_id == query.model)
    search = candidate_search.prepare(session, among, query.q) if query.q else None
    if search is None or not search.is_scanned:
        shown = shown.where(search.questions()) if search else shown
        is_narrow = is_narrow or (search is not None and search.is_rare)
        return page(session, shown, query, by, leads.example_id, is_narrow=is_narrow)

    def matching(rows: list[Any]) -> set[int]:
        return search.question_hits(session, [row.example_id for row in rows])

    return scanned(
        query,
        lambda part: page(session, shown, part, by, leads.example_id, is_narrow=is_narrow),
        matching,
        "example_id",
    )


def candidates(session: Session, among: CandidateSet, query: CandidatesQuery) -> Listed:
    """COTs that pass the filter, each with its question's start, score and rating.

    Raises:
        Invalid: If scores are asked about without a model, or the page's key is not one.
    """
    require_model(query, query.sort == "score")
    columns = {
        "length": Candidate.n_tokens, "score": Score.score, "rating": RatingSummary.rating,
        "disagreement": RatingSummary.spread,
    }  # fmt: skip
    by = columns.get(query.sort)
    wanted: Any = select(Candidate.id, Candidate.example_id, Candidate.sample_index)
    is_rated, is_scored = query.sort in {"rating", "disagreement"}, query.sort == "score"
    search = candidate_search.prepare(session, among, query.q) if query.q else None
    is_scanned = search is not None and search.is_scanned
    wanted, is_narrow = filtered(
        session, among, query, wanted, rated=is_rated, scored=is_scored, by=by, search=None if is_scanned else search
    )
    first: Any = Candidate.example_id
    second: Any = Candidate.sample_index
    if by is not None:
        first = by
        second = {"score": Score.candidate_id, "length": Candidate.id}.get(query.sort, RatingSummary.candidate_id)

    def page_of(part: CandidatesQuery) -> Listed:
        return page(session, wanted, part, first, second, is_narrow=is_narrow)

    if search is not None and is_scanned:
        found = search

        def matching(rows: list[Any]) -> set[int]:
            return found.hits(session, [row.id for row in rows])

        listed = scanned(query, page_of, matching, "id")
    else:
        listed = page_of(query)
    return Listed(_details(session, [row.id for row in listed.rows], query.model), listed.next_after)


def ids(session: Session, among: CandidateSet, wanted: CandidateFilter) -> tuple[list[int], bool]:
    """Ids of the COTs that pass, at most ``MOST_IDS``, and whether they are all.

    Raises:
        Invalid: If scores are asked about without a model.
    """
    search = candidate_search.prepare(session, among, wanted.q) if wanted.q else None
    query, is_narrow = filtered(session, among, wanted, select(Candidate.id), search=search)
    order = sort_columns([Candidate.example_id, Candidate.sample_index], is_narrow=is_narrow)
    query = query.order_by(*order).limit(MOST_IDS + 1)
    found = list(session.scalars(query))
    return found[:MOST_IDS], len(found) <= MOST_IDS


def set_row(session: Session, run_id: str) -> CandidateSet:
    """The set's totals; empty ones for a set that has no candidate yet."""
    found = session.get(CandidateSet, run_id)
    return found or CandidateSet(run_id=run_id, kind="sample", n_candidates=0, n_questions=0)


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
