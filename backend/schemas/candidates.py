"""Candidate COTs as the API shows them."""

from datetime import datetime
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
    is_reencoded: bool
    """Its ids were made from the text of a server that gives none."""
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
    external_id: str
    question: str
    """Its first characters."""
    n_candidates: int
    n_right: int
    n_wrong: int
    n_unparsed: int
    n_truncated: int
    n_duplicate: int
    min_tokens: int
    max_tokens: int
    n_rated: int
    rating: float | None
    """Mean over its rated COTs, on 0 to 1."""
    rating_spread: float | None
    """Largest difference between two raters of one COT, on 0 to 1."""
    n_violated: int | None
    """Violated pairs under the chosen model; None without one."""
    margin: float | None
    """Lowest score of a right COT less the highest of a wrong one, nats a token."""


class CandidateRow(Schema):
    """A COT in the list."""

    id: int
    example_id: int
    sample_index: int
    position: int
    question: str
    """Its first characters."""
    excerpt: str
    """The COT's first characters."""
    verdict: Verdict
    answer: str | None
    n_tokens: int
    is_duplicate: bool
    model: str | None
    """The model that an imported file names."""
    score: float | None
    """Under the chosen model, nats a token."""
    rating: float | None
    spread: float | None


class CandidateIds(Schema):
    """All COTs that pass a filter, as ids."""

    ids: list[int]
    """In the order of questions; at most 10,000."""
    is_complete: bool


class SetModel(Schema):
    """A model that scored a set."""

    model_run_id: str
    model: str
    """The method's label and the seed."""
    score: float
    """Mean, nats a token."""
    n_scored: int
    n_violated: int
    """Violated pairs."""
    n_questions_violated: int


class CandidateSet(Schema):
    """A run whose candidates can be looked at: sampled, evaluated or imported."""

    run_id: str
    name: str
    kind: Literal["sample", "evaluate", "import-cots"]
    purpose: str
    """training, assessment, evaluation, greedy or imported."""
    seed: int | None
    method: str | None
    dataset_version_id: str | None
    created_at: datetime
    counts: dict[str, int]
    """Candidates per verdict, and all, questions, duplicate, rated, disagreed."""
    sources: dict[str, int]
    """Candidates by the model that an imported file names."""
    models: list[SetModel]
    """Models that scored this set."""


class CandidateSets(Schema):
    """What an experiment offers to look at."""

    sets: list[CandidateSet]
