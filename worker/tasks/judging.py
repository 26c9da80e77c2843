"""An LLM judge's run: every rating is stored within about a second, with its raw replies and what it has cost."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from pydantic import SecretStr
from sqlalchemy.orm import Session

from aft.config.judge import EndpointConfig, LlmJudgeConfig
from aft.endpoints import EndpointClient, EndpointError
from aft.judge import BudgetSpent, DirectoryCache, Judge, Judged, JudgeItem, Spending, Usage, judge_all
from backend.db.models import Result
from backend.db.session import reading
from backend.errors import AppError
from backend.services import judge_settings, judges, metrics, ratings
from backend.services.ratings import RatedRow
from worker.context import RunContext
from worker.failures import RunFailure

STORE_SECONDS = 1.0
_ROWS = 200
_PHASE = 80


def rate_by_llm(
    context: RunContext,
    config: LlmJudgeConfig,
    candidates_run_id: str,
    total: int,
    done: int,
    only: Sequence[int] | None = None,
) -> None:
    """Ask the judge about every candidate of the set, or of the selection, that has no rating yet.

    Raises:
        Stopped: If asked to stop; everything rated is stored.
        RunFailure: If the endpoint is gone or has another model, refuses, stays away or answers nonsense, or its
            budget is used up. A retry goes on where this ended.
    """
    endpoint, key = _endpoint(config)
    with reading() as session:
        earlier = session.get(Result, (context.run_id, judges.SPENDING))
        mine = judges.usage_of(earlier.details) if earlier is not None and earlier.details else Usage()
        before = judges.used(session, config.endpoint)
    spending = Spending(endpoint, before)
    with EndpointClient(endpoint, key, should_stop=context.should_stop) as client:
        store = _Store(context, config, client, spending, mine, total, done)
        judge = Judge(client, config, spending, DirectoryCache(judge_settings.cache_directory()))
        try:
            items = _items(context, candidates_run_id, only)
            for judged in judge_all(judge, items, should_stop=context.should_stop, idle=store.tell):
                store.add(judged)
        except (EndpointError, BudgetSpent) as error:
            raise RunFailure(
                "The judge could not go on",
                str(error),
                f"{store.done} of {total} candidates are rated and stored; a retry goes on from there.",
            ) from error
        finally:
            store.flush()
    context.stop_if_asked()
    if store.without_rating:
        raise RunFailure(
            f"{store.without_rating} of {total} candidates have no readable rating",
            f"The judge '{config.model}' answered in another form than asked, {config.tries} times each; "
            f"first: {store.first_problem}.",
            "Retry the run to ask about these again, or choose another judge or a larger max_tokens.",
        )


def _endpoint(config: LlmJudgeConfig) -> tuple[EndpointConfig, SecretStr | None]:
    try:
        endpoint, key = judge_settings.get(config.endpoint)
    except AppError as error:
        raise RunFailure(error.detail, "The run was made for this endpoint.", error.remedy) from error
    if endpoint.model != config.model:
        raise RunFailure(
            f"The judge endpoint '{config.endpoint}' has another model now",
            f"The run was made for '{config.model}', and the endpoint's model is '{endpoint.model}'.",
            "Start a new rating run, or set the endpoint's model back.",
        )
    return endpoint, key


def _items(context: RunContext, candidates_run_id: str, only: Sequence[int] | None) -> Iterator[JudgeItem]:
    after = 0
    while True:
        with reading() as session:
            found = ratings.unrated(session, context.run_id, candidates_run_id, after, _ROWS, only)
            items = [judges.item_of(candidate, example) for candidate, example in found]
            after = found[-1][0].id if found else after
        if not items:
            return
        yield from items


class _Store:
    """Ratings on their way to the database, with the running cost beside them."""

    def __init__(
        self,
        context: RunContext,
        config: LlmJudgeConfig,
        client: EndpointClient,
        spending: Spending,
        mine: Usage,
        total: int,
        done: int,
    ) -> None:
        self._context, self._config, self._client, self._spending = context, config, client, spending
        self._endpoint = client.config
        self._mine, self._total, self.done = mine, total, done
        self._rows: list[RatedRow] = []
        self._stored_at = time.monotonic()
        self.without_rating = 0
        self.first_problem = ""

    def add(self, judged: Judged) -> None:
        """Take a judged candidate."""
        rating = judged.rating
        if rating is None:
            self.without_rating += 1
            self.first_problem = self.first_problem or judged.replies[0].problem
        else:
            self._rows.append(RatedRow(int(judged.item.key), rating, judged.evidence(self._config)))
            self.done += 1
        self.tell()
        if time.monotonic() - self._stored_at >= STORE_SECONDS:
            self.flush()

    def tell(self) -> None:
        """Say how far it is, and what it waits for where the endpoint keeps it waiting."""
        self._context.sink.progress(self.done, self._total, self._phase())

    def flush(self) -> None:
        """Store what has gathered and what it has cost.

        Raises:
            LeaseLost: If the run belongs to somebody else by now.
        """
        rows, self._rows = self._rows, []
        usage = self._mine + self._spending.usage

        def write(session: Session) -> None:
            rater = f"judge:{self._config.endpoint}"[:80]
            ratings.record(session, run_id=self._context.run_id, rater=rater, rows=rows)
            details = {"endpoint": self._config.endpoint, "model": self._config.model, **asdict(usage)}
            cost = usage.usd(self._endpoint)
            metrics.record_result(session, self._context.claim, judges.SPENDING, cost, usage.requests, details)

        self._context.sink.flush(write)
        self._stored_at = time.monotonic()

    def _phase(self) -> str:
        usage = self._mine + self._spending.usage
        cost = usage.usd(self._endpoint)
        words = self._client.trouble or "asking the judge"
        return (words if cost is None else f"{words} · ${cost:.2f} so far")[:_PHASE]
