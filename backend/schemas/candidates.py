"""Candidate COTs as the API shows them."""

from typing import Literal

from backend.schemas.common import Schema

Verdict = Literal["right", "wrong", "unparsed", "truncated"]


class Span(Schema):
    """Characters of a text, the end not included."""

    start: int
    end: int


class CandidateScore(Schema):
    """A score under one model."""

    model_run_id: str
    model: str
    """The method's label."""
    score: float
    """Nats a token."""


class CandidateRating(Schema):
    """A rating from outside."""

    rater: str
    value: float
    wrong_steps: list[Span]
    """Steps marked wrong."""
    note: str


class CandidateLabel(Schema):
    """A person's label, beside the automatic one."""

    label: Literal["right", "wrong", "unparsed"]
    reason: str
    person: str


class CandidateRead(Schema):
    """One sampled response."""

    id: int
    run_id: str
    example_id: int
    sample_index: int
    text: str
    text_truncated: bool
    """True when only the first part of a very long text is sent; /candidates/{id}/text has all."""
    n_tokens: int
    finish_reason: Literal["stop", "length"]
    answer: str | None
    answer_span: Span | None
    answer_rule: str | None
    verdict: Verdict
    why: str
    """Why it counts so, in words: 'read 18 by the rule [ANS]; gold is 18'."""
    is_duplicate: bool
    label: CandidateLabel | None
    scores: list[CandidateScore]
    ratings: list[CandidateRating]


class ViolatedPair(Schema):
    """A wrong COT that outscores a right one under a model."""

    model_run_id: str
    right_id: int
    wrong_id: int
    margin: float
    """score(right) - score(wrong): negative."""


class QuestionGroup(Schema):
    """A question with its candidates."""

    example_id: int
    position: int
    external_id: str
    question: str
    reference: str
    answer: str
    choices: list[str] | None
    task: str
    candidates: list[CandidateRead]
    violated_pairs: list[ViolatedPair]


class QuestionRow(Schema):
    """A question in the list, with what its candidates look like."""

    example_id: int
    position: int
    question: str
    n_candidates: int
    n_right: int
    n_wrong: int
    n_unparsed: int
    n_truncated: int
    n_violated: int | None
    """Violated pairs under the chosen model; None without one."""


class CandidateSet(Schema):
    """A sampling or evaluation run whose candidates can be looked at."""

    run_id: str
    name: str
    purpose: str
    """training, assessment or greedy."""
    seed: int | None
    method: str | None
    counts: dict[str, int]
    """Candidates per verdict, and 'all', 'questions'."""
    models: list[CandidateScore]
    """Models that scored this set, score being the mean."""


class CandidateSets(Schema):
    """What an experiment offers to look at."""

    sets: list[CandidateSet]
