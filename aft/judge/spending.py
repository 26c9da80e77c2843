"""What an endpoint has cost so far, and where it has to stop."""

import threading
from dataclasses import asdict, dataclass

from aft.config.judge import EndpointConfig


class BudgetSpent(Exception):
    """The endpoint's budget is used up."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Requests and tokens; answers from the cache cost nothing and are counted apart."""

    requests: int = 0
    cached: int = 0
    unreadable: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        mine, theirs = asdict(self), asdict(other)
        return Usage(**{name: mine[name] + theirs[name] for name in mine})

    def usd(self, config: EndpointConfig) -> float | None:
        """The cost; None where the prices are not known."""
        if config.usd_per_million_input is None or config.usd_per_million_output is None:
            return None
        cost = (
            self.prompt_tokens * config.usd_per_million_input + self.completion_tokens * config.usd_per_million_output
        )
        return cost / 1e6


class Spending:
    """A running count shared by threads.

    Args:
        config: Prices and budget.
        before: What was used before this run, by all runs of the endpoint.
    """

    def __init__(self, config: EndpointConfig, before: Usage | None = None) -> None:
        self._config = config
        self._before = before or Usage()
        self._usage = Usage()
        self._lock = threading.Lock()

    @property
    def usage(self) -> Usage:
        """What this run has used."""
        with self._lock:
            return self._usage

    def start_request(self) -> None:
        """Count a request before it is sent.

        Requests under way have not been paid yet, so the dollars may pass the budget by what ``concurrency``
        requests cost; the number of requests never passes it.

        Raises:
            BudgetSpent: If the budget is used up.
        """
        with self._lock:
            whole = self._before + self._usage
            most, limit = self._config.budget_requests, self._config.budget_usd
            if most is not None and whole.requests >= most:
                spent = f"The endpoint's budget of {most} requests is used up."
                raise BudgetSpent(f"{spent} Raise it in the settings, then go on.")
            cost = whole.usd(self._config)
            if limit is not None and cost is not None and cost >= limit:
                msg = (
                    f"The endpoint's budget of ${limit:g} is used up (${cost:.4f} spent). Raise it in the settings, "
                    "then go on."
                )
                raise BudgetSpent(msg)
            self._usage += Usage(requests=1)

    def add(self, usage: Usage) -> None:
        """Count tokens, cached answers or unreadable ones."""
        with self._lock:
            self._usage += usage
