"""Right COTs against wrong ones over a candidate set."""

from backend.schemas.candidates import Verdict
from backend.schemas.common import Schema


class ViolatedCot(Schema):
    """One side of the worst pair."""

    candidate_id: int
    place: int
    """Among the question's COTs, from 0."""
    verdict: Verdict
    score: float
    """Nats a token."""
    text: str
    """Its first characters."""


class ViolationRow(Schema):
    """A question with a wrong COT that is at least as likely as a right one."""

    example_id: int
    position: int
    question: str
    margin: float
    """Score of the right COT less that of the wrong one, of the worst pair, nats a token."""
    margin_against: float | None
    """The worst margin of this question under the second model."""
    n_violated: int
    n_pairs: int
    right: ViolatedCot
    wrong: ViolatedCot


class Violations(Schema):
    """A page of the worst misjudgements, with the set's totals."""

    items: list[ViolationRow]
    next_after: str | None
    n_questions: int
    """Questions with a pair."""
    n_questions_violated: int
    n_pairs: int
    n_violated: int
