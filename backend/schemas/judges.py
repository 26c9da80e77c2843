"""Judge endpoints: settings, trying one, rating with one."""

from typing import Annotated, Any

from pydantic import Field, SecretStr, StringConstraints

from aft.config.judge import BaseUrl
from backend.schemas.common import Schema

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
    """A sampling run to take candidates from, one a question; by default ten of the built-in task are made."""
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
    """Rate a sampling run's candidates with this judge."""

    candidates_run_id: str = Field(max_length=32)
    samples: int = Field(default=3, ge=1, le=20)
    temperature: float = Field(default=1.0, ge=0, le=2)
    max_tokens: int = Field(default=1024, ge=32, le=32_768)
    repeat: bool = False
    """Ask again even if a finished run has rated these candidates in the same way; cached replies are used."""


class JudgeRunStarted(Schema):
    """The rating run."""

    run_id: str
    reused: bool
    config: dict[str, Any]
