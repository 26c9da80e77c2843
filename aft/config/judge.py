"""Settings of an OpenAI-compatible endpoint and of the judge that asks it."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from aft.config.base import Config

TemplateName = Literal["steps-1"]


def _checked_url(value: str) -> str:
    value = value.strip().rstrip("/")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        msg = f"base URL {value[:200]!r} cannot be read ({error}). Write it like http://127.0.0.1:8000/v1."
        raise ValueError(msg) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        msg = f"base URL {value[:200]!r} is no http or https address. Write it like http://127.0.0.1:8000/v1."
        raise ValueError(msg)
    if parts.username or parts.password:
        msg = "The base URL contains a user name or password. Give the secret as the key instead."
        raise ValueError(msg)
    if parts.query or parts.fragment:
        msg = f"base URL {value[:200]!r} has a query or fragment. Give the address up to /v1 only."
        raise ValueError(msg)
    return value


BaseUrl = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_checked_url)]


class EndpointConfig(Config):
    """An OpenAI-compatible endpoint: where it is, and how hard it may be used. The key is kept apart."""

    base_url: BaseUrl
    """Address up to ``/v1``; ``/chat/completions`` and ``/completions`` are asked below it."""
    model: str = Field(min_length=1, max_length=200)
    """The model's name as the endpoint knows it."""
    timeout_seconds: float = Field(default=120.0, gt=0, le=3600)
    """Longest wait for one answer."""
    concurrency: int = Field(default=8, ge=1, le=256)
    """Requests under way at the same time."""
    requests_per_minute: float | None = Field(default=None, gt=0, le=1_000_000)
    """Requests are spread to stay below this; none leaves the pace to the endpoint's own limits."""
    max_retries: int = Field(default=6, ge=0, le=20)
    """Further tries after a timeout, a lost connection, 429 or a server error."""
    usd_per_million_input: float | None = Field(default=None, ge=0, le=100_000)
    """Price of a million prompt tokens."""
    usd_per_million_output: float | None = Field(default=None, ge=0, le=100_000)
    """Price of a million answer tokens."""
    budget_usd: float | None = Field(default=None, gt=0)
    """Most that all runs together may spend; needs both prices."""
    budget_requests: int | None = Field(default=None, ge=1)
    """Most requests that all runs together may send."""

    @model_validator(mode="after")
    def _budget_has_prices(self) -> "EndpointConfig":
        priced = self.usd_per_million_input is not None and self.usd_per_million_output is not None
        if self.budget_usd is not None and not priced:
            msg = (
                f"budget_usd is {self.budget_usd:g} and the prices are not known. Give usd_per_million_input and "
                "usd_per_million_output, or use budget_requests."
            )
            raise ValueError(msg)
        return self


EndpointName = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$")]
"""Name of an endpoint in the settings."""


class LlmJudgeConfig(Config):
    """How an LLM judge rates: the paper's protocol by default, three ratings of 1 to 10, averaged."""

    endpoint: EndpointName
    """Name of the endpoint in the settings."""
    model: str = Field(default="", max_length=200)
    """The endpoint's model, filled in when the run is made: another model is another run."""
    samples: int = Field(default=3, ge=1, le=20)
    """Ratings asked for each candidate; their mean counts."""
    temperature: float = Field(default=1.0, ge=0, le=2)
    max_tokens: int = Field(default=1024, ge=32, le=32_768)
    """Longest reply."""
    template: TemplateName = "steps-1"
    """The wording; a changed wording has another name."""
    tries: int = Field(default=3, ge=1, le=10)
    """Replies asked for until one can be read."""
