"""From ratings to the qualities y that ranking losses compare: combined, tied, and what was left out and why.

Pure functions. A pair of COTs of one question exists where their qualities differ; COTs without a quality are in no
pair.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import fmean, median
from typing import Final

from aft.config.ranking import RankingSetConfig

UNIT_SCALES: Final = frozenset({"binary", "verify", "rank", "pair"})
"""Scales from 0 to 1; the other one is 1-10."""
WITHIN_ITEM: Final = frozenset({"rank", "pair"})
UNRATED: Final = "no rating of these raters"
TOO_FEW: Final = "fewer raters than asked for"
IN_PARTS: Final = "ranked in separate items, whose ranks cannot be compared"
DECIMALS: Final = 9
_BINS: Final = 10


@dataclass(frozen=True, slots=True)
class GivenRating:
    """One rating as it is stored."""

    id: int
    """Newer ratings have larger ones."""
    candidate_id: int
    rater: str
    source: str
    scale: str
    value: float
    item_id: int | None = None
    """The review item it was given in."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The quality of one COT."""

    question_id: int
    candidate_id: int
    quality: float
    n_ratings: int


@dataclass(frozen=True, slots=True)
class RankingStatistics:
    """What a ranking set holds and what it left out."""

    questions: int
    """With at least one rated COT."""
    questions_with_pairs: int
    candidates: int
    pairs: int
    """Of one question, with different qualities."""
    ties: int
    """Of one question, with equal qualities."""
    offered: int
    """COTs of the source."""
    dropped: dict[str, int]
    """COTs left out, by reason."""
    raters: dict[str, int]
    """COTs by rater whose ratings count."""
    distribution: list[tuple[float, float, int]]
    """(from, to, COTs): a histogram of the qualities."""
    low: float
    """Lowest value of the scale."""
    high: float


def build_ranking(
    questions: Mapping[int, Sequence[int]], ratings: Iterable[GivenRating], config: RankingSetConfig
) -> tuple[list[Entry], RankingStatistics]:
    """Combine ratings into one quality a COT.

    Args:
        questions: Candidate ids by question; others' ratings are ignored.
        ratings: Current ratings.
        config: Which count, and how.

    Returns:
        Entries by question and candidate, and the statistics.

    Raises:
        ValueError: If the ratings are on different scales and ``config.scale`` is as-rated.
    """
    question_of = {one: question for question, members in questions.items() for one in members}
    counted = [
        rating
        for rating in ratings
        if rating.candidate_id in question_of
        and rating.source in config.sources
        and (not config.raters or rating.rater in config.raters)
    ]
    low, high = _scale(counted, config)
    parted = _in_parts(counted, question_of)
    dropped: Counter[str] = Counter()
    given: dict[int, list[GivenRating]] = {}
    for rating in counted:
        given.setdefault(rating.candidate_id, []).append(rating)
    entries: list[Entry] = []
    for question, members in sorted(questions.items()):
        found = []
        for candidate_id in sorted(members):
            reason = IN_PARTS if question in parted else _missing(given.get(candidate_id, []), config)
            if reason:
                dropped[reason] += 1
            else:
                quality, n = _combined(given[candidate_id], config)
                found.append(Entry(question, candidate_id, low + quality * (high - low), n))
        entries += _tied(found, config.tie_tolerance)
    return entries, _statistics(entries, given, dropped, len(question_of), (low, high))


def content_hash(entries: Iterable[Entry]) -> str:
    """sha256 of candidate ids and qualities in their order."""
    digest = hashlib.sha256()
    for entry in sorted(entries, key=lambda one: one.candidate_id):
        digest.update(f"{entry.candidate_id}:{entry.quality!r}\n".encode())
    return digest.hexdigest()


def _scale(ratings: Sequence[GivenRating], config: RankingSetConfig) -> tuple[float, float]:
    if config.scale != "as-rated":
        return (0.0, 1.0) if config.scale == "0-1" else (1.0, 10.0)
    scales = {"0-1" if rating.scale in UNIT_SCALES else rating.scale for rating in ratings}
    if len(scales) > 1:
        named = ", ".join(sorted({rating.scale for rating in ratings}))
        raise ValueError(
            f"The ratings are on different scales ({named}). Choose the scale 0-1 or 1-10, or fewer raters."
        )
    return (1.0, 10.0) if scales == {"1-10"} else (0.0, 1.0)


def _in_parts(ratings: Iterable[GivenRating], question_of: Mapping[int, int]) -> set[int]:
    """Questions whose COTs were ranked in more than one item: a rank says nothing outside its own."""
    items: dict[int, set[int]] = {}
    for rating in ratings:
        if rating.scale in WITHIN_ITEM and rating.item_id is not None:
            items.setdefault(question_of[rating.candidate_id], set()).add(rating.item_id)
    return {question for question, found in items.items() if len(found) > 1}


def _missing(given: Sequence[GivenRating], config: RankingSetConfig) -> str:
    if not given:
        return UNRATED
    decided = config.adjudicated_first and any(rating.source == "adjudication" for rating in given)
    return TOO_FEW if not decided and len({_who(rating) for rating in given}) < config.min_ratings else ""


def _combined(given: Sequence[GivenRating], config: RankingSetConfig) -> tuple[float, int]:
    """Quality from 0 to 1, and of how many raters it is made."""
    newest = {_who(rating): rating for rating in sorted(given, key=lambda one: one.id)}
    used = list(newest.values())
    if config.adjudicated_first and any(rating.source == "adjudication" for rating in used):
        used = [max((one for one in used if one.source == "adjudication"), key=lambda one: one.id)]
    values = [_unit(rating) for rating in used]
    if config.combine == "latest":
        return _unit(max(used, key=lambda one: one.id)), len(used)
    return (fmean(values) if config.combine == "mean" else float(median(values))), len(used)


def _who(rating: GivenRating) -> tuple[str, str]:
    return rating.source, rating.rater


def _unit(rating: GivenRating) -> float:
    return rating.value if rating.scale in UNIT_SCALES else (rating.value - 1) / 9


def _tied(entries: Sequence[Entry], tolerance: float) -> list[Entry]:
    """Bring COTs of one question that are as good as equal to one quality.

    From the lowest up, a quality joins the group whose lowest is at most ``tolerance`` below it; all of a group get its
    mean.
    """
    groups: list[list[Entry]] = []
    for entry in sorted(entries, key=lambda one: one.quality):
        if groups and entry.quality - groups[-1][0].quality <= tolerance + 10**-DECIMALS:
            groups[-1].append(entry)
        else:
            groups.append([entry])
    tied = [
        replace(entry, quality=round(fmean(one.quality for one in group), DECIMALS))
        for group in groups
        for entry in group
    ]
    return sorted(tied, key=lambda one: one.candidate_id)


def _statistics(
    entries: Sequence[Entry],
    given: Mapping[int, Sequence[GivenRating]],
    dropped: Mapping[str, int],
    offered: int,
    scale: tuple[float, float],
) -> RankingStatistics:
    by_question: dict[int, list[float]] = {}
    raters: Counter[str] = Counter()
    for entry in entries:
        by_question.setdefault(entry.question_id, []).append(entry.quality)
        raters.update({rating.rater for rating in given[entry.candidate_id]})
    pairs = ties = with_pairs = 0
    for qualities in by_question.values():
        different = sum(a != b for a, b in combinations(qualities, 2))
        pairs += different
        ties += len(qualities) * (len(qualities) - 1) // 2 - different
        with_pairs += different > 0
    low, high = scale
    width = (high - low) / _BINS
    bins = [0] * _BINS
    for entry in entries:
        bins[min(_BINS - 1, int((entry.quality - low) / width))] += 1
    return RankingStatistics(
        questions=len(by_question),
        questions_with_pairs=with_pairs,
        candidates=len(entries),
        pairs=pairs,
        ties=ties,
        offered=offered,
        dropped=dict(dropped),
        raters=dict(raters.most_common()),
        distribution=[(low + index * width, low + (index + 1) * width, n) for index, n in enumerate(bins)],
        low=low,
        high=high,
    )
