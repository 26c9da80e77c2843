"""What looking closely at a COT asks and answers: tokens, how the answer was read, labels, re-grades."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from backend.schemas.candidates import Span, Verdict
from backend.schemas.common import Schema
from backend.schemas.runs import RunProgress, RunState

Label = Literal["right", "wrong", "unparsed"]
RequestId = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


class CheckpointChoice(Schema):
    """A finished model that can score COTs."""

    model_run_id: str
    model: str
    """The method's label and the seed."""
    kind: Literal["train", "pretrain"]
    seed: int | None


class TokensUnderModel(Schema):
    """A COT's tokens under one checkpoint."""

    model_run_id: str
    score: float | None
    """Nats a token; None where it is not scored."""
    logprobs: list[float] | None
    """One for each token, nats; None where not computed."""


class TokenLine(Schema):
    """A COT in tokens."""

    candidate_id: int | None
    """None for the reference."""
    sample_index: int | None
    verdict: Verdict | None
    text: str
    """Its first characters, as many as are shown."""
    n_tokens: int
    ends: list[int]
    """Where each token ends in the text, in characters; empty when not computed."""
    models: list[TokensUnderModel]


class PendingScore(Schema):
    """A run that computes token log-probabilities of a question or scores of a set, or failed to."""

    model_run_id: str
    run_id: str
    state: RunState
    progress: RunProgress
    problem: str | None
    """Why it failed."""


class QuestionTokens(Schema):
    """A question's reference and COTs, token by token."""

    lines: list[TokenLine]
    pending: list[PendingScore]


class TokensRequest(Schema):
    """Compute the token log-probabilities of a question, or the scores of a set, under a checkpoint."""

    model_run_id: str = Field(max_length=32)


class RequestedRun(Schema):
    """A run that was asked for."""

    run_id: str
    state: RunState
    reused: bool
    """It was there already."""


class Excerpt(Schema):
    """A place in a text with what stands around it."""

    start: int
    end: int
    before: str
    text: str
    after: str


class ExtractionAttempt(Schema):
    """One rule at one place."""

    rule: str
    rule_words: str
    marker: Span | None
    excerpt: Excerpt
    """What the rule looked at."""
    answer: str | None
    answer_span: Span | None
    outcome: Literal["read", "concluded", "nothing", "skipped"]
    decides: bool
    """This attempt gave the label; those behind it do not count."""


class LabelRead(Schema):
    """A person's label."""

    id: int
    label: Label | None
    """None: withdrawn."""
    reason: str
    person: str
    created_at: datetime


class Extraction(Schema):
    """How a COT's answer is read and graded, and what people say about that."""

    candidate_id: int
    gold: str
    verdict: Verdict
    """As it was sampled."""
    answer: str | None
    answer_rule: str | None
    extractor_version: int
    present_version: int
    present_verdict: Verdict
    """By the present extractor."""
    is_truncated: bool
    cut_at: int | None
    """Where the response ends for the extractor; None when nothing is cut."""
    attempts: list[ExtractionAttempt]
    steps: list[str]
    """Why it is right or wrong, one sentence each."""
    label: LabelRead | None
    """The person's label that counts now."""
    history: list[LabelRead]


class LabelWrite(Schema):
    """Give a COT a label of one's own, or withdraw it."""

    request_id: RequestId
    label: Label | None
    reason: str = Field(default="", max_length=2000)
    person: str = Field(default="", max_length=200)
    """Left empty, the reviewer who is signed in at this browser."""


class RegradeRead(Schema):
    """A labelling of a candidate set by a later extractor."""

    run_id: str
    state: RunState
    progress: RunProgress
    extractor_version: int
    created_at: datetime
    n_candidates: int | None
    """None until it is finished."""
    n_changed: int | None
    """Answer, span, rule or verdict differs."""
    flips: dict[str, int]
    """COTs by ``before>after``."""
    problem: str | None


class Labellings(Schema):
    """The labellings of a candidate set."""

    counts: dict[str, int]
    """COTs per verdict, as sampled."""
    n_labelled: int
    """COTs with a person's label."""
    present_version: int
    versions: list[int]
    """Extractors that the stored labels come from."""
    regrades: list[RegradeRead]


class RegradeRow(Schema):
    """A COT that a re-grade reads or grades differently."""

    candidate_id: int
    example_id: int
    position: int
    question: str
    gold: str
    verdict_before: Verdict
    verdict: Verdict
    answer_before: str | None
    answer: str | None
    rule_before: str | None
    rule: str | None
    excerpt: Excerpt | None
    """Where the new answer stands."""
    label: Label | None
    """A person's label, which stays whatever the re-grade says."""
