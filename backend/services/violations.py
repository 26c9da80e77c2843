"""The worst misjudgements of a candidate set: questions by how far a wrong COT is ahead of a right one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db.models import Candidate, Example
from backend.errors import Invalid
from backend.schemas.assessment import ViolatedCot, ViolationRow
from backend.services import candidates, score_arrays
from backend.services.score_arrays import ScoreArrays

SHOWN_QUESTION = 300
SHOWN_COT = 600


@dataclass(frozen=True, slots=True)
class Margins:
    """By question of a set, NaN or 0 where a question has only right or only wrong COTs."""

    worst: NDArray[np.float64]
    """Lowest score of a right COT less the highest of a wrong one, nats/token; at most 0 for a violated pair."""
    right: NDArray[np.int64]
    """Place of that right COT."""
    wrong: NDArray[np.int64]
    n_violated: NDArray[np.int64]
    n_pairs: NDArray[np.int64]


def margins(found: ScoreArrays) -> Margins:
    """The worst pair of every question (Eq. 3: a right COT that is not strictly ahead is violated)."""
    is_right, is_wrong = found.ratings > 0.5, found.ratings <= 0.5
    rights = np.where(is_right, found.scores, np.inf)
    wrongs = np.where(is_wrong, found.scores, -np.inf)
    both = is_right.any(axis=1) & is_wrong.any(axis=1)
    right, wrong = rights.argmin(axis=1), wrongs.argmax(axis=1)
    questions = np.arange(len(found.example_ids))
    with np.errstate(invalid="ignore"):
        worst = np.where(both, rights[questions, right] - wrongs[questions, wrong], np.nan)
    # Counted by column, so that memory stays at one candidate against all others.
    violated = np.zeros(len(questions), np.int64)
    for place in range(found.scores.shape[1]):
        ahead = (rights <= wrongs[:, place : place + 1]) & is_right
        violated += np.where(is_wrong[:, place], ahead.sum(axis=1), 0)
    return Margins(worst, right, wrong, violated, is_right.sum(axis=1) * is_wrong.sum(axis=1))


def summary(found: ScoreArrays) -> tuple[int, int, int, int]:
    """Questions with pairs, questions with a violated pair, pairs, violated pairs."""
    made = margins(found)
    return (
        int((made.n_pairs > 0).sum()),
        int((made.n_violated > 0).sum()),
        int(made.n_pairs.sum()),
        int(made.n_violated.sum()),
    )


def worst(
    session: Session, found: ScoreArrays, other: ScoreArrays | None, *, after: str | None, limit: int
) -> tuple[list[ViolationRow], str | None]:
    """Questions with a violated pair, the worst first.

    Args:
        session: The transaction.
        found: The set under the model that ranks.
        other: The set under a second model, for comparison.
        after: The cursor of the page before: margin and example id.
        limit: Rows of a page.

    Returns:
        The rows, and the next page's cursor, None at the end.

    Raises:
        Invalid: If the cursor is none.
    """
    made = margins(found)
    violated = np.flatnonzero(made.n_violated > 0)
    order = violated[np.lexsort((found.example_ids[violated], made.worst[violated]))]
    if after is not None:
        margin, example_id = _cursor(after)
        keys = made.worst[order]
        start = int(np.searchsorted(keys, margin, side="left"))
        while start < len(order) and keys[start] == margin and found.example_ids[order[start]] <= example_id:
            start += 1
        order = order[start:]
    chosen = order[:limit]
    rows = _rows(session, found, made, chosen, other)
    if len(order) <= limit or not rows:
        return rows, None
    last = chosen[-1]
    return rows, f"{float(made.worst[last])!r}:{int(found.example_ids[last])}"


def _rows(
    session: Session, found: ScoreArrays, made: Margins, chosen: NDArray[np.intp], other: ScoreArrays | None
) -> list[ViolationRow]:
    examples = {
        row.id: row
        for row in session.execute(
            select(Example.id, Example.position, Example.question).where(
                Example.id.in_(found.example_ids[chosen].tolist())
            )
        )
    }
    pairs = {
        int(at): (int(found.candidate_ids[at, made.right[at]]), int(found.candidate_ids[at, made.wrong[at]]))
        for at in chosen
    }
    query = select(Candidate.id, Candidate.verdict, Candidate.text).where(
        Candidate.id.in_([one for pair in pairs.values() for one in pair])
    )
    about = {row.id: row for row in session.execute(query)}
    letters = candidates.places(session, found.run_id, list(examples))

    def cot(candidate_id: int, score: float) -> ViolatedCot:
        row = about[candidate_id]
        return ViolatedCot.model_validate(
            {
                "candidate_id": candidate_id,
                "place": letters[candidate_id],
                "verdict": row.verdict,
                "score": score,
                "text": row.text[:SHOWN_COT],
            }
        )

    then = _margins_of(other, found.example_ids[chosen]) if other is not None else {}
    rows = []
    for at in chosen:
        example = examples[int(found.example_ids[at])]
        right, wrong = pairs[int(at)]
        rows.append(
            ViolationRow(
                example_id=example.id,
                position=example.position,
                question=example.question[:SHOWN_QUESTION],
                margin=float(made.worst[at]),
                margin_against=then.get(example.id),
                n_violated=int(made.n_violated[at]),
                n_pairs=int(made.n_pairs[at]),
                right=cot(right, float(found.scores[at, made.right[at]])),
                wrong=cot(wrong, float(found.scores[at, made.wrong[at]])),
            )
        )
    return rows


def _margins_of(found: ScoreArrays, example_ids: NDArray[np.int64]) -> dict[int, float]:
    places = np.flatnonzero(np.isin(found.example_ids, example_ids))
    part = score_arrays.some(found, places)
    worst_of = margins(part).worst
    return {
        int(example_id): float(value)
        for example_id, value in zip(part.example_ids, worst_of, strict=True)
        if np.isfinite(value)
    }


def _cursor(after: str) -> tuple[float, int]:
    margin, colon, example_id = after.partition(":")
    try:
        if not colon:
            raise ValueError
        return float(margin), int(example_id)
    except ValueError:
        raise Invalid(f"after is {after!r}.", remedy="Use next_after of the page before.", field="after") from None
