"""Rating candidates with an LLM judge: several replies each, in parallel, from the cache where they are known."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Final

from aft.config.judge import LlmJudgeConfig
from aft.endpoints import EndpointClient, EndpointError, Interrupted
from aft.judge.cache import NoCache, ReplyCache, key_of
from aft.judge.reply import Unreadable, Verdict, find_step, parse_reply
from aft.judge.spending import Spending, Usage
from aft.judge.template import Message, again, messages

MOST_UNREADABLE_IN_A_ROW: Final = 10
"""So many candidates without a readable reply, one after the other: the endpoint is no judge."""
IDLE_SECONDS: Final = 1.0
_RAW_KEPT: Final = 20_000
_NOTE_KEPT: Final = 2000


@dataclass(frozen=True, slots=True)
class JudgeItem:
    """A candidate to rate."""

    key: str
    """The caller's name for it."""
    question: str
    reference: str
    answer: str
    candidate: str
    choices: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class JudgeReply:
    """One reply as it came."""

    raw: str
    verdict: Verdict | None
    """None where it could not be read."""
    problem: str
    """Why it could not be read; empty otherwise."""
    finish_reason: str
    cached: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """All replies about one candidate."""

    item: JudgeItem
    replies: tuple[JudgeReply, ...]

    @property
    def ratings(self) -> list[int]:
        """The ratings that could be read."""
        return [reply.verdict.rating for reply in self.replies if reply.verdict is not None]

    @property
    def rating(self) -> float | None:
        """Their mean; None where no reply could be read."""
        return fmean(self.ratings) if self.ratings else None

    @property
    def wrong_steps(self) -> list[tuple[int, int]]:
        """Spans in the candidate that more than half of the readable replies quote as wrong, in order."""
        votes: Counter[tuple[int, int]] = Counter()
        for reply in self.replies:
            if reply.verdict is not None:
                spans = {find_step(step, self.item.candidate) for step in reply.verdict.wrong_steps}
                votes.update(span for span in spans if span is not None)
        return sorted(span for span, count in votes.items() if 2 * count > len(self.ratings))

    def evidence(self, config: LlmJudgeConfig) -> dict[str, Any]:
        """What is stored beside the rating: every raw reply, and what was read from it."""
        return {
            "judge": {"endpoint": config.endpoint, "model": config.model, "template": config.template},
            "wrong_steps": [list(span) for span in self.wrong_steps],
            "note": next((reply.verdict.evidence for reply in self.replies if reply.verdict), "")[:_NOTE_KEPT],
            "ratings": self.ratings,
            "replies": [
                {
                    "raw": reply.raw[:_RAW_KEPT].replace("\x00", "\ufffd"),
                    "rating": reply.verdict.rating if reply.verdict else None,
                    "problem": reply.problem,
                    "finish_reason": reply.finish_reason,
                }
                for reply in self.replies
            ],
        }


class Judge:
    """Asks one endpoint about candidates.

    Args:
        client: The endpoint.
        config: Samples, temperature, template.
        spending: Counts requests and tokens, and ends when the budget is used up.
        cache: Where readable replies are kept.
    """

    def __init__(
        self, client: EndpointClient, config: LlmJudgeConfig, spending: Spending, cache: ReplyCache | None = None
    ) -> None:
        self.client, self.config, self.spending = client, config, spending
        self._cache = cache or NoCache()

    def judge(self, item: JudgeItem) -> Judged:
        """Ask for every rating of one candidate.

        Raises:
            EndpointError: If the endpoint refuses or stays away.
            BudgetSpent: If the budget is used up.
            Interrupted: If asked to stop.
        """
        asked = messages(
            self.config.template,
            question=item.question,
            reference=item.reference,
            answer=item.answer,
            candidate=item.candidate,
            choices=item.choices,
        )
        replies: list[JudgeReply] = []
        for sample in range(self.config.samples):
            replies += self._sample(asked, sample)
        return Judged(item, tuple(replies))

    def _sample(self, asked: list[Message], sample: int) -> list[JudgeReply]:
        """Ask until one reply can be read; keeps the others too."""
        body = {
            "model": self.config.model,
            "messages": asked,
            "temperature": self.config.temperature,
            "max_tokens": self.config.max_tokens,
        }
        key = key_of({"url": self.client.config.base_url, "sample": sample, **body})
        known = self._cache.get(key)
        if known is not None and (reply := _from_cache(known)) is not None:
            self.spending.add(Usage(cached=1))
            return [reply]
        replies: list[JudgeReply] = []
        turns = asked
        for _ in range(self.config.tries):
            reply = self._ask({**body, "messages": turns})
            replies.append(reply)
            if reply.verdict is not None:
                self._cache.put(key, {"raw": reply.raw, "finish_reason": reply.finish_reason})
                break
            self.spending.add(Usage(unreadable=1))
            turns = again(asked, reply.raw[:4000], reply.problem)
        return replies

    def _ask(self, body: dict[str, Any]) -> JudgeReply:
        self.spending.start_request()
        answer = self.client.post("chat/completions", body)
        usage = answer.get("usage")
        if isinstance(usage, dict):
            self.spending.add(
                Usage(
                    prompt_tokens=_count(usage, "prompt_tokens"), completion_tokens=_count(usage, "completion_tokens")
                )
            )
        text, reason = _text(answer)
        verdict, problem = _read(text, reason)
        return JudgeReply(text, verdict, problem, reason, cached=False)


def judge_all(
    judge: Judge,
    items: Iterable[JudgeItem],
    *,
    should_stop: Callable[[], bool] = lambda: False,
    most_unreadable: int | None = MOST_UNREADABLE_IN_A_ROW,
    idle: Callable[[], None] = lambda: None,
) -> Iterator[Judged]:
    """Judge candidates, as many at a time as the endpoint's ``concurrency``, in the order they are finished.

    Stops handing out work when ``should_stop`` says so; what is under way is finished or given up.

    Args:
        judge: Asks about one candidate.
        items: Candidates.
        should_stop: Asked before each candidate is handed out.
        most_unreadable: So many candidates in a row without a readable reply end it; None for no end.
        idle: Called about every second in which no candidate is finished.

    Raises:
        EndpointError: If the endpoint refuses, stays away, or has given nothing readable for some time.
        BudgetSpent: If the budget is used up; what was judged by then has been handed over.
    """
    waiting = iter(items)
    concurrency = judge.client.config.concurrency
    under_way: set[Future[Judged]] = set()
    failure: Exception | None = None
    in_a_row = 0
    with ThreadPoolExecutor(concurrency, thread_name_prefix="judge") as pool:
        while True:
            while failure is None and not should_stop() and len(under_way) < concurrency:
                item = next(waiting, None)
                if item is None:
                    break
                under_way.add(pool.submit(judge.judge, item))
            if not under_way:
                break
            done, under_way = wait(under_way, timeout=IDLE_SECONDS, return_when=FIRST_COMPLETED)
            if not done:
                idle()
            for future in done:
                error = future.exception()
                if error is None:
                    judged = future.result()
                    in_a_row = 0 if judged.ratings else in_a_row + 1
                    yield judged
                elif not isinstance(error, Exception):
                    raise error
                elif not isinstance(error, Interrupted):
                    failure = failure or error
            if most_unreadable is not None and in_a_row >= most_unreadable and failure is None:
                failure = EndpointError(
                    f"The judge '{judge.config.model}' gave no readable rating for {in_a_row} candidates in a row. "
                    "Look at its replies with the test button; choose another model or raise max_tokens."
                )
    if failure is not None:
        raise failure


def _from_cache(known: dict[str, Any]) -> JudgeReply | None:
    raw, reason = known.get("raw"), str(known.get("finish_reason"))
    if not isinstance(raw, str):
        return None
    verdict, problem = _read(raw, reason)
    return JudgeReply(raw, verdict, problem, reason, cached=True) if verdict is not None else None


def _read(text: str, finish_reason: str) -> tuple[Verdict | None, str]:
    try:
        return parse_reply(text), ""
    except Unreadable as error:
        cut = " (it was cut at max_tokens)" if finish_reason == "length" else ""
        return None, f"{error}{cut}"


def _text(answer: dict[str, Any]) -> tuple[str, str]:
    """Text and finish reason of the first choice; a reply without text is an empty one."""
    choices = answer.get("choices")
    first = choices[0] if isinstance(choices, Sequence) and choices else None
    if not isinstance(first, dict):
        return "", "none"
    message = first.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    return content if isinstance(content, str) else "", str(first.get("finish_reason") or "none")[:40]


def _count(usage: dict[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) and value > 0 else 0
