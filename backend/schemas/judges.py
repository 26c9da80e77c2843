"""Judge endpoints: settings, trying one, rating with one."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, SecretStr, StringConstraints, model_validator

from aft.config.judge import BaseUrl
from backend.schemas.candidates import Verdict
from backend.schemas.common import Schema
from backend.schemas.reviews import RowId

MOST_SELECTED = 10_000
"""COTs of a selection; a whole candidate set may have more."""
JudgeName = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$")]


class JudgeUsage(Schema):
    """What all runs with an endpoint have used together."""

    requests: int
    cached: int
    """Replies that were known already and cost nothing."""
    unreadable: int
    """Replies that had not the form asked for and were asked again."""
    prompt_tokens: int
    completion_tokens: int
    usd: float | None
    """None while the prices are not known."""


class JudgeRead(Schema):
    """An endpoint as stored. The key is never sent: ``has_key`` says that there is one."""

    name: str
    base_url: str
    model: str
    has_key: bool
    timeout_seconds: float
    concurrency: int
    requests_per_minute: float | None
    max_retries: int
    usd_per_million_input: float | None
    usd_per_million_output: float | None
    budget_usd: float | None
    budget_requests: int | None
    used: JudgeUsage


class JudgeList(Schema):
    """Every endpoint, by name."""

    items: list[JudgeRead]


class JudgeWrite(Schema):
    """Store an endpoint. Without ``api_key`` the stored key stays, as long as the server is the same one."""

    base_url: BaseUrl
    model: str = Field(min_length=1, max_length=200)
    api_key: SecretStr | None = Field(default=None)
    """Write-only. Empty removes the key; left out keeps it, unless scheme, host or port change."""
    timeout_seconds: float = Field(default=120.0, gt=0, le=3600)
    concurrency: int = Field(default=8, ge=1, le=256)
    requests_per_minute: float | None = Field(default=None, gt=0, le=1_000_000)
    max_retries: int = Field(default=6, ge=0, le=20)
    usd_per_million_input: float | None = Field(default=None, ge=0, le=100_000)
    usd_per_million_output: float | None = Field(default=None, ge=0, le=100_000)
    budget_usd: float | None = Field(default=None, gt=0)
    budget_requests: int | None = Field(default=None, ge=1)


class JudgeTest(Schema):
    """Ask a judge about a few candidates; nothing is stored."""

    candidates_run_id: str | None = Field(default=None, max_length=32)
    """A candidate set to take COTs from, one a question; by default ten of the built-in task are made."""
    queue_id: str | None = Field(default=None, max_length=32)
    """Or a review queue."""
    n: int = Field(default=10, ge=1, le=10)
    samples: int = Field(default=1, ge=1, le=3)
    """Replies asked for each."""


class JudgeTestReply(Schema):
    """One reply as it came."""

    raw: str
    rating: int | None
    problem: str
    """Why it could not be read; empty otherwise."""


class JudgeTestItem(Schema):
    """A candidate and what the judge says about it."""

    question: str
    reference: str
    answer: str
    candidate: str
    rating: float | None
    """Mean of the readable replies; None without one."""
    expected: float | None
    """The oracle's rating, for candidates of the arithmetic task."""
    wrong_steps: list[list[int]]
    """Character spans of the candidate."""
    replies: list[JudgeTestReply]


class JudgeTestResult(Schema):
    """What came back."""

    items: list[JudgeTestItem]
    problem: str
    """Why it ended early, in words; empty when every candidate was asked about."""
    used: JudgeUsage
    """What this test has used."""


class JudgeRunCreate(Schema):
    """Rate COTs with this judge: a candidate set, a part of it, or the COTs of a review queue."""

    candidates_run_id: str | None = Field(default=None, max_length=32)
    """The candidate set."""
    queue_id: str | None = Field(default=None, max_length=32)
    """Or a review queue, whose COTs are rated."""
    candidate_ids: list[RowId] = Field(default=[], max_length=MOST_SELECTED)
    """Of the set: only these."""
    verdict: Verdict | None = None
    """Of the set: only COTs of this verdict."""
    n: int | None = Field(default=None, ge=1, le=MOST_SELECTED)
    """Of those: so many, drawn at random by the seed."""
    seed: int = Field(default=0, ge=0, lt=2**31)
    samples: int = Field(default=3, ge=1, le=20)
    temperature: float = Field(default=1.0, ge=0, le=2)
    max_tokens: int = Field(default=1024, ge=32, le=32_768)
    repeat: bool = False
    """Ask again even if a finished run has rated these candidates in the same way; cached replies are used."""

    @model_validator(mode="after")
    def _is_one_source(self) -> "JudgeRunCreate":
        if (self.candidates_run_id is None) == (self.queue_id is None):
            msg = "give either candidates_run_id (a candidate set) or queue_id (a review queue)"
            raise ValueError(msg)
        return self


class JudgeRunPreview(Schema):
    """What a run would ask."""

    n_candidates: int
    n_requests: int
    """Replies asked for, cached ones included."""


class JudgeRunRead(Schema):
    """A rating run of this judge."""

    run_id: str
    name: str
    state: str
    done: int
    total: int | None
    phase: str
    title: str
    """What went wrong, in short; empty where nothing did."""
    problem: str
    """Why it failed; empty otherwise."""
    remedy: str
    """What to do about it, and what is kept."""
    used: JudgeUsage
    """What this run has used."""
    queue_id: str | None
    created_at: datetime


class JudgeRunList(Schema):
    """Rating runs, newest first."""

    items: list[JudgeRunRead]


class JudgeRunStarted(Schema):
    """The rating run."""

    run_id: str
    reused: bool
    config: dict[str, Any]
