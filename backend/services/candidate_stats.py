"""Keep what lists of COTs filter and sort by: called by whoever writes candidates, scores, ratings or verdicts.

Each function brings the rows of some questions up to date by one aggregation over them, in the writer's transaction,
and moves the set's totals by the difference. The set's row is locked first: on PostgreSQL two writers of one set would
otherwise each count without the other's rows.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, case, delete, func, select, update
from sqlalchemy.orm import Session

from backend.db.models import (
    Candidate,
    CandidateSet,
    CandidateSetModel,
    QuestionScores,
    QuestionStats,
    Rating,
    RatingSummary,
    Run,
    Score,
)
from backend.db.upserts import insert_from, upsert
from backend.services import candidate_search

_CHUNK = 500
_COUNTS = ("n_right", "n_wrong", "n_unparsed", "n_truncated", "n_duplicate", "n_candidates", "n_rated", "n_disagreed")


def unit_value(value: Any, scale: Any) -> ColumnElement[float]:
    """A rating on 0 to 1, whatever its scale."""
    return case((scale == "1-10", (value - 1) / 9.0), else_=value)


def open_set(session: Session, run: Run, *, state: str = "ready") -> None:
    """Make the set's row where there is none yet."""
    values = dict.fromkeys((*_COUNTS, "n_questions"), 0)
    upsert(session, CandidateSet, [{"run_id": run.id, "kind": run.kind, "state": state, **values}], ("kind",))


def candidates_changed(session: Session, run_id: str, example_ids: Collection[int]) -> None:
    """Candidates of these questions were stored, or their verdicts changed."""
    _lock(session, run_id)
    candidate_search.index_questions(session, example_ids)
    for chunk in _chunks(example_ids):
        before = _totals(session, run_id, chunk)
        _fill_questions(session, run_id, chunk)
        _move_totals(session, run_id, before, _totals(session, run_id, chunk))
        _widen(session, run_id, Candidate.example_id.in_(chunk))


def verdicts_changed(session: Session, run_id: str, example_ids: Collection[int]) -> None:
    """Verdicts of stored candidates changed: which pairs are violated, too."""
    candidates_changed(session, run_id, example_ids)
    models = session.scalars(select(CandidateSetModel.model_run_id).where(CandidateSetModel.run_id == run_id)).all()
    for model_run_id in models:
        for chunk in _chunks(example_ids):
            _refresh_scores(session, run_id, model_run_id, chunk)


def scores_changed(session: Session, model_run_id: str, candidate_ids: Sequence[int]) -> None:
    """A model scored these candidates."""
    found: dict[str, set[int]] = {}
    for chunk in _chunks(candidate_ids):
        query = select(Candidate.run_id, Candidate.example_id).where(Candidate.id.in_(chunk)).distinct()
        for run_id, example_id in session.execute(query):
            found.setdefault(run_id, set()).add(example_id)
    for run_id, example_ids in sorted(found.items()):
        _lock(session, run_id)
        for chunk in _chunks(example_ids):
            _refresh_scores(session, run_id, model_run_id, chunk)


def ratings_changed(session: Session, candidate_ids: Collection[int]) -> None:
    """Ratings of these candidates came, or no longer count."""
    for chunk in _chunks(candidate_ids):
        query = select(Candidate.run_id, Candidate.example_id).where(Candidate.id.in_(chunk)).distinct()
        touched: dict[str, list[int]] = {}
        for run_id, example_id in session.execute(query.order_by(Candidate.run_id, Candidate.example_id)):
            touched.setdefault(run_id, []).append(example_id)
        for run_id in touched:
            _lock(session, run_id)
        session.execute(delete(RatingSummary).where(RatingSummary.candidate_id.in_(chunk)))
        _fill_ratings(session, Rating.candidate_id.in_(chunk))
        for run_id, example_ids in touched.items():
            before = _totals(session, run_id, example_ids)
            _fill_questions(session, run_id, example_ids)
            _move_totals(session, run_id, before, _totals(session, run_id, example_ids))


def rebuild(session: Session, run_id: str) -> None:
    """Recompute everything about a set from its candidates, scores and ratings; for bulk loads."""
    _lock(session, run_id)
    for table in (QuestionStats, QuestionScores, CandidateSetModel, RatingSummary):
        session.execute(delete(table).where(table.run_id == run_id))
    candidate_search.index_questions(session, None, run_id=run_id)
    _fill_ratings(session, Candidate.run_id == run_id)
    _fill_questions(session, run_id, None)
    _fill_scores(session, run_id, None, None)
    totals = _totals(session, run_id, None)
    session.execute(update(CandidateSet).where(CandidateSet.run_id == run_id).values(totals))
    _widen(session, run_id, Candidate.run_id == run_id)
    models = select(
        QuestionScores.run_id, QuestionScores.model_run_id, func.sum(QuestionScores.n_scored),
        func.sum(QuestionScores.sum_score), func.sum(QuestionScores.n_violated), _count(QuestionScores.n_violated > 0),
    ).where(QuestionScores.run_id == run_id).group_by(QuestionScores.run_id, QuestionScores.model_run_id)  # fmt: skip
    names = ("run_id", "model_run_id", "n_scored", "sum_score", "n_violated", "n_questions_violated")
    insert_from(session, CandidateSetModel, names, models)
    session.expire_all()


def _lock(session: Session, run_id: str) -> None:
    query = select(CandidateSet.run_id).where(CandidateSet.run_id == run_id).with_for_update()
    if session.scalar(query) is None:
        open_set(session, session.get_one(Run, run_id))
        session.scalar(query)


def _chunks(ids: Collection[int]) -> Iterator[list[int]]:
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), _CHUNK):
        yield ordered[start : start + _CHUNK]


def _count(condition: Any) -> Any:
    return func.sum(case((condition, 1), else_=0))


def _fill_questions(session: Session, run_id: str, example_ids: list[int] | None) -> None:
    query = (
        select(
            Candidate.run_id, Candidate.example_id, func.count(), *(_count(Candidate.verdict == name) for name in
            ("right", "wrong", "unparsed", "truncated")), _count(Candidate.is_duplicate.is_(True)),
            func.min(Candidate.n_tokens), func.max(Candidate.n_tokens), func.count(RatingSummary.rating),
            _count(RatingSummary.spread > 0), func.avg(RatingSummary.rating), func.max(RatingSummary.spread),
        )
        .outerjoin(RatingSummary, RatingSummary.candidate_id == Candidate.id)
        .where(Candidate.run_id == run_id)
        .group_by(Candidate.run_id, Candidate.example_id)
    )  # fmt: skip
    if example_ids is not None:
        query = query.where(Candidate.example_id.in_(example_ids))
    names = (
        "run_id", "example_id", "n_candidates", "n_right", "n_wrong", "n_unparsed", "n_truncated", "n_duplicate",
        "min_tokens", "max_tokens", "n_rated", "n_disagreed", "rating", "rating_spread",
    )  # fmt: skip
    insert_from(session, QuestionStats, names, query)


def _fill_scores(session: Session, run_id: str, model_run_id: str | None, example_ids: list[int] | None) -> None:
    is_right = case((Candidate.verdict == "right", 1), else_=0)
    # Rights whose score is not above this candidate's: RANGE, the default frame, counts those of equal score.
    rights = func.sum(is_right).over(partition_by=(Candidate.example_id, Score.model_run_id), order_by=Score.score)
    scored = (
        select(
            Candidate.example_id, Score.model_run_id, Score.score, is_right.label("is_right"), rights.label("rights")
        )
        .join(Score, Score.candidate_id == Candidate.id)
        .where(Candidate.run_id == run_id)
    )
    if model_run_id is not None:
        scored = scored.where(Score.model_run_id == model_run_id)
    if example_ids is not None:
        scored = scored.where(Candidate.example_id.in_(example_ids))
    rows = scored.subquery()
    right, wrong = rows.c.is_right == 1, rows.c.is_right == 0
    best_wrong, worst_right = func.max(case((wrong, rows.c.score))), func.min(case((right, rows.c.score)))
    query = select(
        Run.id, rows.c.model_run_id, rows.c.example_id, func.count(), func.sum(rows.c.score),
        func.sum(case((wrong, rows.c.rights), else_=0)), func.max(rows.c.score), best_wrong, worst_right,
        worst_right - best_wrong,
    ).select_from(rows).join(Run, Run.id == run_id).where(Run.id == run_id).group_by(
        Run.id, rows.c.model_run_id, rows.c.example_id
    )  # fmt: skip
    names = (
        "run_id", "model_run_id", "example_id", "n_scored", "sum_score", "n_violated", "best", "best_wrong",
        "worst_right", "margin",
    )  # fmt: skip
    insert_from(session, QuestionScores, names, query)


def _fill_ratings(session: Session, which: Any) -> None:
    one_rater = (
        select(
            Rating.candidate_id, Candidate.run_id, Candidate.example_id,
            func.avg(unit_value(Rating.value, Rating.scale)).label("value"),
        )
        .join(Candidate, Candidate.id == Rating.candidate_id)
        .where(which, Rating.is_current.is_(True), Rating.source != "rule")
        .group_by(Rating.candidate_id, Candidate.run_id, Candidate.example_id, Rating.rater, Rating.source)
        .subquery()
    )  # fmt: skip
    value = one_rater.c.value
    query = (
        select(
            one_rater.c.candidate_id, one_rater.c.run_id, one_rater.c.example_id, func.avg(value),
            case((func.count() > 1, func.max(value) - func.min(value))), func.count(),
        )
        .where(value.is_not(None))
        .group_by(one_rater.c.candidate_id, one_rater.c.run_id, one_rater.c.example_id)
    )  # fmt: skip
    names = ("candidate_id", "run_id", "example_id", "rating", "spread", "n_raters")
    insert_from(session, RatingSummary, names, query)


def _refresh_scores(session: Session, run_id: str, model_run_id: str, example_ids: list[int]) -> None:
    key = {"run_id": run_id, "model_run_id": model_run_id}
    before = _model_totals(session, run_id, model_run_id, example_ids)
    _fill_scores(session, run_id, model_run_id, example_ids)
    after = _model_totals(session, run_id, model_run_id, example_ids)
    upsert(session, CandidateSetModel, [{**key, **dict.fromkeys(after, 0)}], ("model_run_id",))
    changes = {name: getattr(CandidateSetModel, name) + after[name] - before[name] for name in after}
    session.execute(
        update(CandidateSetModel)
        .where(CandidateSetModel.run_id == run_id, CandidateSetModel.model_run_id == model_run_id)
        .values(changes)
        .execution_options(synchronize_session=False)
    )


def _model_totals(session: Session, run_id: str, model_run_id: str, example_ids: list[int]) -> dict[str, Any]:
    query = select(
        func.coalesce(func.sum(QuestionScores.n_scored), 0).label("n_scored"),
        func.coalesce(func.sum(QuestionScores.sum_score), 0.0).label("sum_score"),
        func.coalesce(func.sum(QuestionScores.n_violated), 0).label("n_violated"),
        func.coalesce(_count(QuestionScores.n_violated > 0), 0).label("n_questions_violated"),
    ).where(
        QuestionScores.run_id == run_id,
        QuestionScores.model_run_id == model_run_id,
        QuestionScores.example_id.in_(example_ids),
    )
    return dict(session.execute(query).one()._mapping)


def _totals(session: Session, run_id: str, example_ids: list[int] | None) -> dict[str, int]:
    sums = [func.coalesce(func.sum(getattr(QuestionStats, name)), 0).label(name) for name in _COUNTS]
    query = select(func.count().label("n_questions"), *sums).where(QuestionStats.run_id == run_id)
    if example_ids is not None:
        query = query.where(QuestionStats.example_id.in_(example_ids))
    return {name: int(value) for name, value in session.execute(query).one()._mapping.items()}


def _move_totals(session: Session, run_id: str, before: dict[str, int], after: dict[str, int]) -> None:
    changes = {name: getattr(CandidateSet, name) + after[name] - before[name] for name in after}
    session.execute(
        update(CandidateSet)
        .where(CandidateSet.run_id == run_id)
        .values(changes)
        .execution_options(synchronize_session=False)
    )


def _widen(session: Session, run_id: str, which: Any) -> None:
    bounds: Any = select(func.min(Candidate.id), func.max(Candidate.id)).where(Candidate.run_id == run_id, which)
    first, last = session.execute(bounds).one()
    if first is None:
        return
    known = CandidateSet.first_id, CandidateSet.last_id
    session.execute(
        update(CandidateSet)
        .where(CandidateSet.run_id == run_id)
        .values(
            first_id=case((known[0] < first, known[0]), else_=first),
            last_id=case((known[1] > last, known[1]), else_=last),
        )
        .execution_options(synchronize_session=False)
    )
