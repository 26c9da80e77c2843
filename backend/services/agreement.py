"""Agreement of a queue's raters: people with each other, and judges and rules with people."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from statistics import fmean

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.agreement import (
    Estimate,
    Level,
    cohen_kappa,
    fleiss_kappa,
    kendall_tau,
    kendall_tau_within,
    krippendorff_alpha,
)
from backend.db.models import Review, ReviewItem, ReviewQueue, ReviewSlot
from backend.errors import NotFound
from backend.schemas.agreement import (
    AgreementRead,
    Confusion,
    EstimateRead,
    GoldRead,
    RaterPair,
    RaterRead,
)
from backend.services import judgements
from backend.services.judgements import PEOPLE, RELATIVE, JudgedCot, Judgements, Rater
from backend.services.review_values import beaten_shares

LEVELS: dict[str, Level] = {"verify": "ordinal", "rate": "interval", "rank": "ordinal", "pair": "nominal"}
_HALVES_FROM = 4


def read(session: Session, queue: ReviewQueue) -> AgreementRead:
    """Every statistic of the queue."""
    found = judgements.load(session, queue)
    level = LEVELS[queue.mode]
    units = [[cot.values.get(one.key) for one in found.people] for cot in found.cots]
    questions = [cot.example_id for cot in found.cots]

    def alpha(at: Level) -> EstimateRead:
        return _read(krippendorff_alpha(units, at, questions=questions))

    return AgreementRead(
        mode=found.mode,  # type: ignore[arg-type]
        level=level,
        n_cots=len(found.cots),
        n_judged_twice=sum(sum(value is not None for value in unit) > 1 for unit in units),
        raters=[rater_read(found, one) for one in (*found.people, *found.others)],
        alpha_nominal=alpha("nominal"),
        alpha_ordinal=alpha("ordinal"),
        alpha_interval=alpha("interval"),
        fleiss=_read(fleiss_kappa(units, questions=questions)),
        pairs=[_pair(found, one, other) for one, other in combinations(found.people, 2)],
        against_people=[_pair(found, people, other) for people in _together(found) for other in found.others],
        gold=_gold(session, queue, found),
        n_decided=len(found.decisions),
    )


def require_rater(found: Judgements, key: str) -> Rater:
    """The rater of this key.

    Raises:
        NotFound: If nobody of the kind has judged here.
    """
    rater = found.rater(key)
    if rater is None:
        raise NotFound(f"No rater {key!r} has judged COTs of this queue.", remedy="Choose one from the list.")
    return rater


def rater_read(found: Judgements, rater: Rater) -> RaterRead:
    """A rater with how much it has judged."""
    n = sum(rater.key in cot.values for cot in found.cots)
    return RaterRead(key=rater.key, name=rater.name, source=rater.source, n=n)  # type: ignore[arg-type]


def confusion(found: Judgements, one: Rater, other: Rater) -> Confusion:
    """How often one rater gave each value where the other gave each; means count as the nearest value."""
    both = _both(found, one, other)
    rows, columns = _levels(found, one), _levels(found, other)
    counts = [[0] * len(columns) for _ in rows]
    for cot in both:
        row = _nearest(cot.values[one.key], [value for value, _ in rows])
        column = _nearest(cot.values[other.key], [value for value, _ in columns])
        counts[row][column] += 1
    return Confusion(
        one=rater_read(found, one),
        other=rater_read(found, other),
        rows=[name for _, name in rows],
        columns=[name for _, name in columns],
        counts=counts,
    )


def _together(found: Judgements) -> list[Rater]:
    rater = found.rater(PEOPLE)
    return [rater] if rater is not None and any(PEOPLE in cot.values for cot in found.cots) else []


def _pair(found: Judgements, one: Rater, other: Rater) -> RaterPair:
    both = _both(found, one, other)
    mine, theirs = [cot.values[one.key] for cot in both], [cot.values[other.key] for cot in both]
    questions = [cot.example_id for cot in both]
    items = [cot.item_id for cot in both]
    is_relative = found.mode in RELATIVE
    same = one.is_same_scale and other.is_same_scale
    # Means of several ratings are equal by accident only.
    is_exact = same and (found.mode != "rate" or "people" not in {one.source, other.source})
    exact = fmean(a == b for a, b in zip(mine, theirs, strict=True)) if both else None
    tau = kendall_tau_within(mine, theirs, questions=items) if is_relative else None
    units = [[a, b] for a, b in zip(mine, theirs, strict=True)]
    return RaterPair(
        one=one.key,
        other=other.key,
        n=len(both),
        exact=exact if is_exact else None,
        kappa=_read(cohen_kappa(mine, theirs, questions=questions)) if is_exact else None,
        weighted_kappa=_read(cohen_kappa(mine, theirs, weighted=True, questions=questions)),
        tau=_read(tau or kendall_tau(mine, theirs, questions=questions)),
        alpha=_read(krippendorff_alpha(units, LEVELS[found.mode], questions=questions)),
        bias=fmean(b - a for a, b in zip(mine, theirs, strict=True)) if both and not is_relative else None,
    )


def _both(found: Judgements, one: Rater, other: Rater) -> list[JudgedCot]:
    return [cot for cot in found.cots if one.key in cot.values and other.key in cot.values]


def _levels(found: Judgements, rater: Rater) -> list[tuple[float, str]]:
    """Values of a scale with their names, as they stand in a table."""
    if found.mode == "rate":
        return [(float(value), str(value)) for value in range(1, 11)]
    if found.mode == "verify" and not rater.is_same_scale:
        return [((value - 1) / 9, str(value)) for value in range(1, 11)]
    if found.mode == "verify":
        return [(0.0, "wrong"), (0.5, "unsure"), (1.0, "right")]
    if found.mode == "pair":
        return [(0.0, "worse"), (0.5, "tie"), (1.0, "better")]
    places = max(Counter(cot.item_id for cot in found.cots).values(), default=2)
    return [(1 - place / max(1, places - 1), f"place {place + 1}") for place in range(places)]


def _nearest(value: float, levels: Sequence[float]) -> int:
    return min(range(len(levels)), key=lambda index: (abs(levels[index] - value), index))


def _gold(session: Session, queue: ReviewQueue, found: Judgements) -> list[GoldRead]:
    query = (
        select(ReviewSlot.person_id, ReviewItem.gold, Review.values)
        .join(ReviewItem, ReviewItem.id == ReviewSlot.item_id)
        .join(Review, Review.id == ReviewSlot.review_id)
        .where(ReviewSlot.queue_id == queue.id, ReviewSlot.state == "done", ReviewItem.gold.is_not(None))
        .order_by(Review.id)
    )
    agreed: dict[str, list[bool]] = {}
    for person_id, gold, values in session.execute(query):
        if gold:  # JSON null is not SQL NULL
            agreed.setdefault(f"person:{person_id}", []).append(as_expected(queue.mode, gold, values))
    read = []
    for one in found.people:
        hits = agreed.get(one.key, [])
        if not hits:
            continue
        half = len(hits) // 2 if len(hits) >= _HALVES_FROM else None
        read.append(
            GoldRead(
                rater=one.key,
                name=one.name,
                n=len(hits),
                agreed=fmean(hits),
                early=fmean(hits[:half]) if half else None,
                late=fmean(hits[half:]) if half else None,
            )
        )
    return read


def as_expected(mode: str, gold: dict[str, float], values: dict[str, float]) -> bool:
    """Whether a gold item is judged as expected: the same verdict, within a point, or all pairs in order."""
    if mode == "verify":
        return all(values.get(key) == expected for key, expected in gold.items())
    if mode == "rate":
        return all(abs(values[key] - expected) <= 1 for key, expected in gold.items())
    expected = beaten_shares({int(key): value for key, value in gold.items()})
    mine = {int(key): value for key, value in values.items()}
    return all(
        (mine[a] - mine[b]) * (expected[a] - expected[b]) > 0
        for a, b in combinations(expected, 2)
        if expected[a] != expected[b]
    )


def _read(found: Estimate) -> EstimateRead:
    return EstimateRead(value=found.value, low=found.low, high=found.high, n=found.n)
