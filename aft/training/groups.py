"""From stored rows to the groups a training batch is made of: a question and its k candidate COTs."""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from aft.data.dedupe import deduplicate
from aft.equations import distinct_paths

RATING_TOLERANCE = 1e-9
"""Ratings closer than this are tied: no pair."""


@dataclass(frozen=True, slots=True)
class TrainingCandidate:
    """One candidate COT as the loss sees it; ``ids`` are the token ids as sampled."""

    ids: tuple[int, ...]
    rating: float
    reference_score: float | None = None
    """Score under the reference model; only DPO needs it."""
    truncated: bool = False
    """Cut by the length limit, so it has no end token and is never positive."""


@dataclass(frozen=True, slots=True)
class Group:
    """A question with its reference COT and its candidates."""

    question_id: str
    prompt_ids: tuple[int, ...]
    reference_ids: tuple[int, ...]
    candidates: tuple[TrainingCandidate, ...] = ()


@dataclass(frozen=True, slots=True)
class CandidateRecord:
    """A stored candidate; its text decides whether it repeats another."""

    token_ids: Sequence[int]
    text: str
    rating: float
    truncated: bool = False
    reference_score: float | None = None


@dataclass(frozen=True, slots=True)
class QuestionRecord:
    """A stored question, tokenised, with its candidates in the order they were sampled."""

    question_id: str
    prompt_ids: Sequence[int]
    reference_ids: Sequence[int]
    candidates: Sequence[CandidateRecord] = ()


def make_groups(
    records: Iterable[QuestionRecord], *, deduplicate_texts: bool = True, distinct_equations: bool = False
) -> list[Group]:
    """Make training groups in the order of the records.

    Args:
        records: One for each question.
        deduplicate_texts: Count candidates with equal text once. The first one stays, unless only a later one
            ended by itself.
        distinct_equations: Keep one candidate for every distinct list of equations, the best-rated and then the first
            one, and none with a wrong calculation: RFT's rule as first published.

    Raises:
        ValueError: If a question repeats, or a prompt, reference or candidate has no tokens or no rating.
    """
    groups, seen = [], set()
    for record in records:
        if record.question_id in seen:
            raise ValueError(f"Question '{record.question_id}' appears twice. Give each question once.")
        seen.add(record.question_id)
        for name, ids in (("prompt", record.prompt_ids), ("reference", record.reference_ids)):
            if not ids:
                raise ValueError(f"Question '{record.question_id}' has an empty {name}. Remove it or fix its text.")
        kept = _distinct(record.candidates) if deduplicate_texts else list(record.candidates)
        if distinct_equations:
            kept = _distinct_in_equations(kept)
        for candidate in kept:
            _check_candidate(record.question_id, candidate)
        candidates = tuple(
            TrainingCandidate(tuple(c.token_ids), float(c.rating), c.reference_score, c.truncated) for c in kept
        )
        groups.append(Group(record.question_id, tuple(record.prompt_ids), tuple(record.reference_ids), candidates))
    return groups


def _distinct(candidates: Sequence[CandidateRecord]) -> list[CandidateRecord]:
    order = sorted(range(len(candidates)), key=lambda index: candidates[index].truncated)
    repeats = deduplicate(candidates[index].text for index in order)
    kept = sorted(index for index, earlier in zip(order, repeats, strict=True) if earlier is None)
    return [candidates[index] for index in kept]


def _distinct_in_equations(candidates: Sequence[CandidateRecord]) -> list[CandidateRecord]:
    order = sorted(range(len(candidates)), key=lambda index: (candidates[index].truncated, -candidates[index].rating))
    are_kept = distinct_paths(candidates[index].text for index in order)
    return [candidates[index] for index in sorted(itertools.compress(order, are_kept))]


def _check_candidate(question_id: str, candidate: CandidateRecord) -> None:
    if not candidate.token_ids:
        raise ValueError(f"A candidate of question '{question_id}' has no tokens. Sample it again.")
    if not math.isfinite(candidate.rating):
        msg = f"A candidate of question '{question_id}' has the rating {candidate.rating}. Rate it, or leave it out."
        raise ValueError(msg)


def has_pairs(group: Group) -> bool:
    """Whether any two candidates differ in rating; without a pair the ranking loss is 0."""
    ratings = [candidate.rating for candidate in group.candidates]
    return bool(ratings) and max(ratings) - min(ratings) > RATING_TOLERANCE


def is_lowest(group: Group, index: int) -> bool:
    """Whether a candidate is at the lowest rating of its group."""
    lowest = min(candidate.rating for candidate in group.candidates)
    return group.candidates[index].rating - lowest <= RATING_TOLERANCE


def without_candidates(group: Group) -> Group:
    """The group as plain VFT sees it."""
    return replace(group, candidates=())
