"""Ranking sets: made once from ratings, never changed, read by training and evaluation."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, insert, or_, select
from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from aft.ranking_sets import Entry, GivenRating, RankingStatistics, build_ranking, content_hash
from backend.db.models import (
    Adjudication,
    Candidate,
    RankingSet,
    RankingSetEntry,
    Rating,
    Review,
    ReviewItem,
    ReviewQueue,
    Run,
)
from backend.errors import Conflict, Invalid, NotFound
from backend.schemas.ranking_sets import (
    AvailableRater,
    Bin,
    RankingSetCreate,
    RankingSetRead,
    RankingSource,
    RankingStatisticsRead,
)
from backend.services import candidates, events, review_queues

_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class PlannedRanking:
    """What a set would hold."""

    run: Run
    queue: ReviewQueue | None
    entries: list[Entry]
    statistics: RankingStatistics
    sha256: str


def plan(session: Session, body: RankingSetCreate) -> PlannedRanking:
    """Combine the ratings of the source.

    Raises:
        NotFound: If the source does not exist.
        Invalid: If the ratings are on scales that cannot be combined as asked.
    """
    run, queue = _source(session, body.source)
    questions = _questions(session, run, queue)
    try:
        entries, statistics = build_ranking(questions, _ratings(session, run, queue), body.settings)
    except ValueError as error:
        raise Invalid(str(error), field="settings.scale") from None
    return PlannedRanking(run, queue, entries, statistics, content_hash(entries))


def create(session: Session, body: RankingSetCreate) -> RankingSet:
    """Store a version; pressing twice, and a version equal to the newest of its name, give the one there is.

    Raises:
        NotFound: If the source does not exist.
        Invalid: If nothing is rated, or scales cannot be combined.
    """
    if body.request_id is not None:
        found = session.scalar(select(RankingSet).where(RankingSet.request_id == body.request_id))
        if found is not None:
            return found
    planned = plan(session, body)
    if not planned.entries:
        raise Invalid(
            "None of the COTs has a rating that counts.",
            remedy="Choose more raters or fewer reviews of each, or review first.",
            field="settings.sources",
        )
    name = " ".join(body.name.split()) or "Ranking"
    newest = session.scalar(
        select(RankingSet).where(RankingSet.name == name).order_by(RankingSet.version.desc()).limit(1)
    )
    if newest is not None and newest.sha256 == planned.sha256 and newest.run_id == planned.run.id:
        return newest
    row = RankingSet(
        name=name,
        version=newest.version + 1 if newest is not None else 1,
        run_id=planned.run.id,
        request_id=body.request_id,
        settings={**body.settings.model_dump(mode="json"), "queue_id": planned.queue.id if planned.queue else None},
        statistics=asdict(planned.statistics),
        sha256=planned.sha256,
    )
    session.add(row)
    session.flush()
    for start in range(0, len(planned.entries), _CHUNK):
        session.execute(
            insert(RankingSetEntry),
            [
                {
                    "ranking_set_id": row.id,
                    "candidate_id": entry.candidate_id,
                    "quality": entry.quality,
                    "n_ratings": entry.n_ratings,
                }
                for entry in planned.entries[start : start + _CHUNK]
            ],
        )
    events.publish(session, "review", "ranking set", subject_id=planned.queue.id if planned.queue else None)
    return row


def get(session: Session, set_id: str) -> RankingSet:
    """One version.

    Raises:
        NotFound: If it does not exist.
    """
    row = session.get(RankingSet, set_id)
    if row is None:
        raise NotFound(f"There is no ranking set {set_id!r}.", remedy="Choose one from a review queue's page.")
    return row


def of_source(session: Session, *, run_id: str | None, queue_id: str | None) -> list[RankingSet]:
    """Versions of a candidate set, or of a queue's candidate set, or all; newest first."""
    query = select(RankingSet).order_by(RankingSet.id.desc()).limit(200)
    if queue_id is not None:
        run_id = review_queues.get(session, queue_id).run_id
    if run_id is not None:
        query = query.where(RankingSet.run_id == run_id)
    return list(session.scalars(query))


def qualities(session: Session, set_id: str) -> dict[int, float]:
    """Quality by candidate id."""
    query = select(RankingSetEntry.candidate_id, RankingSetEntry.quality).where(
        RankingSetEntry.ranking_set_id == set_id
    )
    return dict(session.execute(query).all())


def available(session: Session, source: RankingSource) -> list[AvailableRater]:
    """Everybody and everything that has rated COTs of the source."""
    run, queue = _source(session, source)
    found = _current(run, queue).subquery()
    query = (
        select(found.c.source, found.c.rater, found.c.scale, func.count(found.c.candidate_id.distinct()).label("n"))
        .group_by(found.c.source, found.c.rater, found.c.scale)
        .order_by(found.c.source, found.c.rater)
    )
    return [
        AvailableRater(source=source, rater=rater, scale=scale, n=n)
        for source, rater, scale, n in session.execute(query)
    ]


def require_fitting(session: Session, spec: ExperimentSpec) -> None:
    """Refuse an experiment whose data are not those of its ranking sets.

    Raises:
        NotFound: If a set does not exist.
        Invalid: If a set is of another data set version, or of questions that are not trained on.
    """
    for field in ("ranking_set_id", "agreement_set_id"):
        set_id = getattr(spec, field)
        if set_id is None:
            continue
        row = get(session, set_id)
        run = session.get_one(Run, row.run_id)
        if run.inputs.get("dataset_version_id") != spec.dataset_version_id:
            raise Invalid(
                f"Ranking set '{row.name} v{row.version}' rates COTs of another data set version.",
                remedy="Choose that version, or another ranking set.",
                field=field,
            )
        if field == "ranking_set_id" and run.config.get("part", "train") != "train":
            raise Invalid(
                f"Ranking set '{row.name} v{row.version}' rates COTs of the {run.config['part']} part.",
                remedy="Train on ratings of training questions; compare with these as agreement_set_id.",
                field=field,
            )
        if run.state != "succeeded":
            raise Conflict(f"The candidate set '{run.name}' is {run.state}.", remedy="Wait for it, or retry it.")


def read(session: Session, row: RankingSet) -> RankingSetRead:
    """A version for the page."""
    run = session.get_one(Run, row.run_id)
    settings = dict(row.settings)
    queue_id = settings.pop("queue_id", None)
    return RankingSetRead(
        id=row.id,
        name=row.name,
        version=row.version,
        run_id=row.run_id,
        run_name=run.name,
        queue_id=queue_id,
        settings=settings,  # type: ignore[arg-type]
        statistics=statistics_read(row.statistics),
        sha256=row.sha256,
        created_at=row.created_at,
        dataset_version_id=run.inputs.get("dataset_version_id"),
        split_id=run.inputs.get("split_id"),
        base_model_id=run.inputs.get("base_model_id"),
        train_questions=run.inputs.get("train_questions"),
        part=str(run.config.get("part", "train")),
    )


def statistics_read(stored: dict[str, Any]) -> RankingStatisticsRead:
    """Statistics for the page, from what is stored."""
    bins = [Bin(start=start, end=end, n=n) for start, end, n in stored["distribution"]]
    return RankingStatisticsRead(**{**stored, "distribution": bins})


def _source(session: Session, source: RankingSource) -> tuple[Run, ReviewQueue | None]:
    if source.queue_id is not None:
        queue = review_queues.get(session, source.queue_id)
        return session.get_one(Run, queue.run_id), queue
    assert source.run_id is not None
    return candidates.get_set(session, source.run_id), None


def _questions(session: Session, run: Run, queue: ReviewQueue | None) -> dict[int, list[int]]:
    """Candidates by question."""
    found: dict[int, list[int]] = {}
    if queue is not None:
        items = select(ReviewItem.example_id, ReviewItem.candidate_ids).where(ReviewItem.queue_id == queue.id)
        for example_id, ids in session.execute(items):
            mine = found.setdefault(example_id, [])
            mine += [int(one) for one in ids if int(one) not in mine]
        return found
    rows = select(Candidate.example_id, Candidate.id).where(Candidate.run_id == run.id)
    for example_id, candidate_id in session.execute(rows):
        found.setdefault(example_id, []).append(candidate_id)
    return found


def _current(run: Run, queue: ReviewQueue | None) -> Any:
    """Ratings that count, with the item they were given in; of a queue, its own reviews and decisions only."""
    query: Any = (
        select(
            Rating.id,
            Rating.candidate_id,
            Rating.rater,
            Rating.source,
            Rating.scale,
            Rating.value,
            func.coalesce(Review.item_id, Adjudication.item_id).label("item_id"),
        )
        .join(Candidate, Candidate.id == Rating.candidate_id)
        .outerjoin(Review, Review.id == Rating.review_id)
        .outerjoin(Adjudication, Adjudication.id == Rating.adjudication_id)
        .where(Candidate.run_id == run.id, Rating.is_current)
    )
    if queue is not None:
        query = query.where(
            or_(
                Review.queue_id == queue.id,
                Adjudication.queue_id == queue.id,
                Rating.source.in_(("judge", "rule", "import")),
            )
        )
    return query


def _ratings(session: Session, run: Run, queue: ReviewQueue | None) -> Iterator[GivenRating]:
    for row in session.execute(_current(run, queue).execution_options(yield_per=5000)):
        yield GivenRating(
            id=row.id,
            candidate_id=row.candidate_id,
            rater=row.rater,
            source=row.source,
            scale=row.scale,
            value=float(row.value),
            item_id=row.item_id,
        )
