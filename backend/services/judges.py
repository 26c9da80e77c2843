"""LLM judges: their endpoints, trying one, rating a sampling run with one."""

from collections.abc import Sequence
from dataclasses import asdict
from random import Random
from typing import Final
from urllib.parse import urlsplit

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.arithmetic import make_examples, oracle_rating
from aft.config.judge import EndpointConfig, LlmJudgeConfig
from aft.data.prompts import response_text
from aft.endpoints import AddressRefused, EndpointClient, EndpointError, check_address
from aft.judge import BudgetSpent, Judge, Judged, JudgeItem, Spending, Usage, judge_all
from backend.db.models import Candidate, Example, Result
from backend.db.session import reading
from backend.errors import Invalid, NotFound
from backend.schemas.judges import (
    JudgeRead,
    JudgeTest,
    JudgeTestItem,
    JudgeTestReply,
    JudgeTestResult,
    JudgeUsage,
    JudgeWrite,
)
from backend.services import judge_selection, judge_settings

SPENDING: Final = "judge_spending"
"""The result of a rating run that says what it has used; its details name the endpoint."""
TEST_TIMEOUT_SECONDS: Final = 60.0
TEST_PAUSE_SECONDS: Final = 10.0
_SHOWN: Final = 20_000


def read(session: Session, name: str) -> JudgeRead:
    """An endpoint without its key, with what it has cost."""
    config, key = judge_settings.get(name)
    return JudgeRead(
        name=name, has_key=key is not None, used=as_read(used(session, name), config), **config.model_dump()
    )


def write(session: Session, name: str, body: JudgeWrite) -> JudgeRead:
    """Store an endpoint.

    Raises:
        Invalid: If its address or a setting cannot work.
    """
    try:
        config = EndpointConfig.model_validate(body.model_dump(exclude={"api_key"}))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "budget_usd"
        raise Invalid(str(first["msg"]).removeprefix("Value error, "), field=field) from None
    _require_allowed(config)
    judge_settings.put(name, config, body.api_key)
    return read(session, name)


def used(session: Session, name: str, *, without_run: str | None = None) -> Usage:
    """What all rating runs with an endpoint have used together."""
    query = select(Result.details).where(Result.metric == SPENDING)
    if without_run is not None:
        query = query.where(Result.run_id != without_run)
    whole = Usage()
    for details in session.scalars(query):
        if details and details.get("endpoint") == name:
            whole += usage_of(details)
    return whole


def usage_of(details: dict[str, object]) -> Usage:
    """Usage as a result's details store it."""
    return Usage(**{field: value for field in asdict(Usage()) if isinstance(value := details.get(field), int)})


def as_read(usage: Usage, config: EndpointConfig) -> JudgeUsage:
    """Usage with its price."""
    return JudgeUsage(**asdict(usage), usd=usage.usd(config))


def config_of(name: str, samples: int = 3, temperature: float = 1.0, max_tokens: int = 1024) -> LlmJudgeConfig:
    """The judge's part of a run's configuration, with the model that the endpoint has now."""
    endpoint, _ = judge_settings.get(name)
    return LlmJudgeConfig(
        endpoint=name, model=endpoint.model, samples=samples, temperature=temperature, max_tokens=max_tokens
    )


def resolve(config: LlmJudgeConfig) -> LlmJudgeConfig:
    """The judge of an experiment, with the model that the endpoint has now.

    Raises:
        Invalid: If the endpoint does not exist, or has another model than was asked for.
    """
    try:
        endpoint, _ = judge_settings.get(config.endpoint)
    except NotFound as error:
        raise Invalid(error.detail, remedy=error.remedy, field="llm_judge.endpoint") from None
    if config.model not in {"", endpoint.model}:
        raise Invalid(
            f"The endpoint '{config.endpoint}' has model '{endpoint.model}'; asked for is '{config.model}'.",
            remedy="Leave the model out to take the endpoint's, or change the endpoint's model.",
            field="llm_judge.model",
        )
    return config.model_copy(update={"model": endpoint.model})


def test(name: str, body: JudgeTest) -> JudgeTestResult:
    """Ask the judge about a few candidates; holds no transaction while it waits.

    Raises:
        Conflict: If the sampling run has no candidates.
    """
    config, key = judge_settings.get(name)
    with reading() as session:
        before = used(session, name)
        items = _items(session, body) or _made_up(body.n)
    # A person waits for this: few tries, and not for long.
    hurried = config.model_copy(
        update={"timeout_seconds": min(config.timeout_seconds, TEST_TIMEOUT_SECONDS), "max_retries": 1}
    )
    llm = config_of(name, samples=body.samples).model_copy(update={"tries": 1})
    spending = Spending(hurried, before)
    found: dict[str, Judged] = {}
    problem = ""
    with EndpointClient(hurried, key, longest_pause_seconds=TEST_PAUSE_SECONDS) as client:
        try:
            # One by one: what came back before an error is shown, and so is every reply that cannot be read.
            for judged in judge_all(Judge(client, llm, spending), items, most_unreadable=None):
                found[judged.item.key] = judged
        except (EndpointError, BudgetSpent) as error:
            problem = str(error)
    shown = [_shown(item, found.get(item.key)) for item in items if item.key in found or not problem]
    return JudgeTestResult(items=shown, problem=problem, used=as_read(spending.usage, config))


def _require_allowed(config: EndpointConfig) -> None:
    parts = urlsplit(config.base_url)
    try:
        check_address(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    except AddressRefused as error:
        raise Invalid(str(error), field="base_url") from None


def item_of(candidate: Candidate, example: Example) -> JudgeItem:
    """A stored candidate as the judge gets it."""
    choices = tuple(str(choice) for choice in example.choices) if example.choices else None
    return JudgeItem(str(candidate.id), example.question, example.reference, example.answer, candidate.text, choices)


def _items(session: Session, body: JudgeTest) -> list[JudgeItem]:
    if body.candidates_run_id is None and body.queue_id is None:
        return []
    ids = judge_selection.one_a_question(session, body.candidates_run_id, body.queue_id, body.n)
    query = select(Candidate, Example).join(Example, Example.id == Candidate.example_id).where(Candidate.id.in_(ids))
    return [item_of(candidate, example) for candidate, example in session.execute(query.order_by(Candidate.id))]


def _made_up(n: int) -> list[JudgeItem]:
    """Candidates of the built-in task, every other one with one number changed."""
    rng = Random(5)
    items = []
    for index, example in enumerate(make_examples("validation", n, 0)):
        text = response_text(example.reference, example.answer, example.task)
        if index % 2:
            words = text.split()
            results = [place for place, word in enumerate(words) if place and words[place - 1] == "="]
            spot = rng.choice(results)
            words[spot] = str(int(words[spot]) + rng.randint(1, 3))
            text = " ".join(words)
        items.append(JudgeItem(str(index), example.question, example.reference, example.answer, text))
    return items


def _expected(item: JudgeItem) -> float | None:
    try:
        return float(oracle_rating(item.question, item.candidate).rating)
    except ValueError:
        return None  # a question of another task


def _shown(item: JudgeItem, judged: Judged | None) -> JudgeTestItem:
    replies: Sequence[JudgeTestReply] = []
    if judged is not None:
        replies = [
            JudgeTestReply(
                raw=reply.raw[:_SHOWN], rating=reply.verdict.rating if reply.verdict else None, problem=reply.problem
            )
            for reply in judged.replies
        ]
    return JudgeTestItem(
        question=item.question[:_SHOWN],
        reference=item.reference[:_SHOWN],
        answer=item.answer,
        candidate=item.candidate[:_SHOWN],
        rating=judged.rating if judged else None,
        expected=_expected(item),
        wrong_steps=[list(span) for span in judged.wrong_steps] if judged else [],
        replies=list(replies),
    )
