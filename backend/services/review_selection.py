"""Which questions and candidates a review queue asks about."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from backend.db.models import Candidate, Rating, Run, Score
from backend.errors import Invalid
from backend.schemas.reviews import QueueSource
from backend.services.candidates import violated_pairs_query

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Chosen:
    """An item to be: a question and its candidates, the ones that matter first."""

    example_id: int
    candidate_ids: tuple[int, ...]


def choose(session: Session, run: Run, source: QueueSource, *, per_item: int, least: int, seed: int) -> list[Chosen]:
    """The items that a strategy finds, at most ``source.n``, most telling first.

    Args:
        session: The transaction.
        run: The candidate set.
        source: The strategy and its settings.
        per_item: Candidates of one item, where its question has as many.
        least: Candidates an item needs; questions with fewer are left out.
        seed: Decides what is drawn at random.

    Raises:
        Invalid: If the strategy needs scores or ratings that do not exist.
    """
    generator = random.Random(f"{seed}:items")
    if source.strategy == "selection":
        found = _selected(session, run, source)
    elif source.strategy == "random":
        found = _random(session, run, source, generator)
    elif source.strategy == "judge-against-people":
        found = _judge_against_people(session, run, source)
    else:
        found = _pairs(session, run, source)
    verdict = source.verdict if source.strategy == "random" else None
    filled = _filled(session, run, found[: source.n], per_item, verdict, generator)
    return [item for item in filled if len(item.candidate_ids) >= least]


def _selected(session: Session, run: Run, source: QueueSource) -> list[Chosen]:
    found: dict[int, list[int]] = {}
    for start in range(0, len(source.candidate_ids), _CHUNK):
        query = select(Candidate.id, Candidate.example_id).where(
            Candidate.run_id == run.id, Candidate.id.in_(source.candidate_ids[start : start + _CHUNK])
        )
        for candidate_id, example_id in session.execute(query):
            found.setdefault(example_id, []).append(candidate_id)
    missing = len(set(source.candidate_ids)) - sum(map(len, found.values()))
    if missing:
        raise Invalid(
            f"{missing} of the chosen candidates are not in this candidate set.",
            remedy="Choose candidates of one set.",
            field="source.candidate_ids",
        )
    for start in range(0, len(source.example_ids), _CHUNK):
        part = source.example_ids[start : start + _CHUNK]
        questions = select(Candidate.example_id).where(Candidate.run_id == run.id, Candidate.example_id.in_(part))
        for example_id in session.scalars(questions.distinct()):
            found.setdefault(example_id, [])
    return [Chosen(example_id, tuple(sorted(ids))) for example_id, ids in sorted(found.items())]


def _random(session: Session, run: Run, source: QueueSource, generator: random.Random) -> list[Chosen]:
    query = select(Candidate.example_id).where(Candidate.run_id == run.id)
    if source.verdict is not None:
        query = query.where(Candidate.verdict == source.verdict)
    ids = list(session.scalars(query.distinct().order_by(Candidate.example_id)))
    generator.shuffle(ids)
    return [Chosen(example_id, ()) for example_id in ids]


def _pairs(session: Session, run: Run, source: QueueSource) -> list[Chosen]:
    """The worst violated, or the least decided, pair of each question under a model."""
    if source.model_run_id is None:
        raise Invalid(
            f"Strategy '{source.strategy}' compares scores, and no model was chosen.",
            remedy="Choose the model whose scores it looks at.",
            field="source.model_run_id",
        )
    if source.strategy == "violated-pair":
        pairs = violated_pairs_query(run.id, source.model_run_id).subquery()
        by = pairs.c.margin
        rows = select(pairs.c.example_id, pairs.c.right_id, pairs.c.wrong_id, by.label("by"))
    else:
        first, second = aliased(Candidate), aliased(Candidate)
        one, two = aliased(Score), aliased(Score)
        rows = (
            select(
                first.example_id.label("example_id"), first.id.label("right_id"), second.id.label("wrong_id"),
                func.abs(one.score - two.score).label("by"),
            )
            .join(second, (second.run_id == first.run_id) & (second.example_id == first.example_id))
            .join(one, (one.candidate_id == first.id) & (one.model_run_id == source.model_run_id))
            .join(two, (two.candidate_id == second.id) & (two.model_run_id == source.model_run_id))
            .where(first.run_id == run.id, first.verdict == "right", second.verdict != "right")
        )  # fmt: skip
    found = rows.subquery()
    place = func.row_number().over(partition_by=found.c.example_id, order_by=(found.c.by, found.c.right_id))
    placed = select(found, place.label("place")).subquery()
    query = select(placed).where(placed.c.place == 1).order_by(placed.c.by, placed.c.example_id).limit(source.n)
    chosen = [Chosen(row.example_id, (row.right_id, row.wrong_id)) for row in session.execute(query)]
    if not chosen and not session.scalar(
        select(Score.candidate_id)
        .join(Candidate, Candidate.id == Score.candidate_id)
        .where(Candidate.run_id == run.id, Score.model_run_id == source.model_run_id)
        .limit(1)
    ):
        raise Invalid(
            "This model has scored no candidate of the set.",
            remedy="Choose a model that has, or score the set first.",
            field="source.model_run_id",
        )
    return chosen


def _judge_against_people(session: Session, run: Run, source: QueueSource) -> list[Chosen]:
    """Candidates whose judge and people differ most, both scales brought to 0 to 1."""
    judge, person = aliased(Rating), aliased(Rating)
    query = (
        select(Candidate.example_id, Candidate.id, judge.value, judge.scale, person.value, person.scale)
        .join(judge, (judge.candidate_id == Candidate.id) & (judge.source == "judge") & judge.is_current)
        .join(person, (person.candidate_id == Candidate.id) & (person.source == "person") & person.is_current)
        .where(Candidate.run_id == run.id)
    )
    if source.judge is not None:
        query = query.where(judge.rater == source.judge)
    gaps: dict[int, tuple[float, int]] = {}
    for example_id, candidate_id, judged, judge_scale, said, person_scale in session.execute(query):
        gap = abs(on_unit(judged, judge_scale) - on_unit(said, person_scale))
        gaps[example_id] = max(gaps.get(example_id, (0.0, 0)), (gap, candidate_id))
    if not gaps:
        raise Invalid(
            "No candidate of this set has both a judge's and a person's rating.",
            remedy="Review a random sample first, or run a judge over the set.",
            field="source.strategy",
        )
    worst = sorted(gaps.items(), key=lambda item: (-item[1][0], item[0]))
    return [Chosen(example_id, (candidate_id,)) for example_id, (_, candidate_id) in worst]


def on_unit(value: float, scale: str) -> float:
    """A rating on 0 to 1, whatever its scale."""
    return (value - 1) / 9 if scale == "1-10" else value


def _filled(
    session: Session, run: Run, chosen: Sequence[Chosen], per_item: int, verdict: str | None, generator: random.Random
) -> list[Chosen]:
    """Bring every item to ``per_item`` candidates where its question has as many; repeats of a text are left out."""
    others: dict[int, list[int]] = {}
    ids = [item.example_id for item in chosen]
    for start in range(0, len(ids), _CHUNK):
        query = (
            select(Candidate.example_id, Candidate.id)
            .where(
                Candidate.run_id == run.id,
                Candidate.example_id.in_(ids[start : start + _CHUNK]),
                Candidate.is_duplicate.is_(False),
            )
            .order_by(Candidate.example_id, Candidate.id)
        )
        if verdict is not None:
            query = query.where(Candidate.verdict == verdict)
        for example_id, candidate_id in session.execute(query):
            others.setdefault(example_id, []).append(candidate_id)
    filled = []
    for item in chosen:
        pool = [one for one in others.get(item.example_id, []) if one not in item.candidate_ids]
        generator.shuffle(pool)
        wanted = [*item.candidate_ids, *pool][:per_item] if len(item.candidate_ids) < per_item else item.candidate_ids
        # An explicit selection may hold more of one question than an item takes: it becomes several items.
        for start in range(0, len(wanted), per_item):
            part = tuple(wanted[start : start + per_item])
            filled.append(Chosen(item.example_id, part))
    return filled
