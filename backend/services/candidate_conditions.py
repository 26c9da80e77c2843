"""What a filter on COTs or questions asks of the database."""

from typing import Any

from sqlalchemy import Select, and_, func, literal, or_, select
from sqlalchemy.orm import Session

from backend.db.models import Candidate, CandidateSet, QuestionScores, QuestionStats, RatingSummary, Score
from backend.errors import Invalid
from backend.schemas.candidate_filters import CandidateFilter
from backend.services import candidate_search

_PAGE = 50


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
) -> tuple[Select[Any], bool]:
    """A query on ``Candidate`` with the joins and conditions of a filter, and whether few rows pass.

    Args:
        session: Finds out how much lies within a bound.
        among: The candidate set.
        wanted: The filter.
        query: Selects columns of ``Candidate`` (and ``RatingSummary``, ``Score`` where asked for).
        rated: Join the rating's summary whether or not the filter needs it.
        scored: Join the model's score whether or not the filter needs it.
        by: The column that the rows will be sorted by; None is by question.
        search: The searched words; None leaves them to the caller.

    Returns:
        The query, and whether so few rows pass that all of them are best collected and then sorted.

    Raises:
        Invalid: If scores are asked about without a model.
    """
    require_model(wanted, scored)
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


def question_conditions(
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


def require_model(wanted: CandidateFilter, sorts_by_score: bool) -> None:
    if wanted.model is None and (sorts_by_score or wanted.needs_model()):
        raise Invalid(
            "Scores are asked about, and no model was chosen.",
            remedy="Choose the model whose scores are meant.",
            field="model",
        )
