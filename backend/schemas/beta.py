"""What a β would do, before anything is trained."""

from typing import Literal

from backend.schemas.candidates import Verdict
from backend.schemas.common import Schema

ConstraintName = Literal["none", "detached", "boundary"]


class ConstraintEffect(Schema):
    """What a constraint does to the worse COTs of a set at one β."""

    constraint: ConstraintName
    pushed_down: float | None
    """Share of the worse COTs whose score a step lowers; None without pairs."""
    pulled_up: float | None
    push: float | None
    """Mean of the positive coefficients' sum over questions with pairs."""
    pull: float | None
    """Mean of the worse COTs' negative coefficients' sum over questions with pairs, as a positive number."""


class BetaOverview(Schema):
    """A set's scores under one model, at one β."""

    beta: float
    n_questions: int
    n_with_pairs: int
    """Questions with a better and a worse COT; the others train through VFT only."""
    n_worse: int
    """COTs with a better one."""
    n_under: int
    """Worse COTs under their boundary."""
    effects: list[ConstraintEffect]
    median_gap: float | None
    """Median of ``s_j - s_j*`` over the worse COTs, nats a token."""


class BetaCandidate(Schema):
    """A COT of a question with what each constraint does to it."""

    candidate_id: int
    place: int
    """Among the question's COTs, from 0."""
    verdict: Verdict
    score: float
    rating: float
    lowest_better: float | None
    """``s_j*``, nats a token; None where no COT is better."""
    coefficients: dict[ConstraintName, float]
    """``dL/ds``: positive pushes the score down, negative pulls it up."""


class BetaQuestion(Schema):
    """A question of the set."""

    example_id: int
    position: int
    question: str
    n_under: int
    losses: dict[ConstraintName, float]
    candidates: list[BetaCandidate]


class FeedbackChoice(Schema):
    """What can make the pairs: right and wrong, or ratings of a rate run or a file."""

    value: str
    """``binary``, the rate run's id, or that of the file's import."""
    label: str


class ModelChoice(Schema):
    """A model that scored the set."""

    model_run_id: str
    model: str


class BetaChoices(Schema):
    """What can be explored on a set."""

    models: list[ModelChoice]
    feedback: list[FeedbackChoice]
