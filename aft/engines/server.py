"""An OpenAI-compatible completions server: token ids in, token ids out where it can, else text.

What the server can do is found out by asking, once. Its text is encoded once, here, and such samples are marked: they
may differ from what was sampled in how words were cut into tokens. No seed is sent: servers treat it differently, and
vLLM on a CPU dies of it.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Final, Literal

from aft.config.sampling import SampleConfig
from aft.encoding import decode
from aft.endpoints import EndpointClient, EndpointError, Interrupted
from aft.engines.engine import EngineFailed, Wanted, checked_reason, from_ids, pending
from aft.sampling import Prompt, Sampled

Mode = Literal["ids", "ids in, text out", "text"]
"""How prompts go there and samples come back."""

_MOST_AT_ONCE: Final = 32
_TRIES: Final = 3
_REFUSED: Final = frozenset({400, 404, 405, 422, 501})


@dataclass(frozen=True, slots=True)
class Answered:
    """What one request brought, for the budget."""

    prompt_tokens: int
    completion_tokens: int


class ServerEngine:
    """Samples from a server that somebody else runs.

    Args:
        client: The endpoint; its settings bound concurrency, rate, timeouts and retries.
        tokenizer: The checkpoint's tokenizer.
        end_ids: Tokens that end a response.
        model: The model's name there.
        before_request: Called before each request; may raise to stop everything, as a budget does.
        after_request: Told what each request used.
    """

    def __init__(
        self,
        client: EndpointClient,
        tokenizer: Any,
        end_ids: Sequence[int],
        *,
        model: str,
        before_request: Callable[[], None] = lambda: None,
        after_request: Callable[[Answered], None] = lambda answered: None,
    ) -> None:
        self._client, self._tokenizer, self._end_ids, self._model = client, tokenizer, tuple(end_ids), model
        self._before, self._after = before_request, after_request
        self._mode: Mode | None = None
        self._lock = threading.Lock()

    def mode(self, prompt: Prompt) -> Mode:
        """How this server is asked; found out with one token behind a prompt.

        Raises:
            EndpointError: If it refuses every way, or stays away.
        """
        with self._lock:
            if self._mode is None:
                self._mode = self._find_mode(prompt)
            return self._mode

    def _find_mode(self, prompt: Prompt) -> Mode:
        brief = {"max_tokens": 1, "temperature": 0}
        try:
            answer = self._ask({**brief, "prompt": list(prompt.prompt_ids), "return_token_ids": True})
        except EndpointError as error:
            if error.status not in _REFUSED:
                raise
        else:
            choice = _choices(answer, 1)[0]
            if _ids(choice.get("token_ids")) is not None:
                return "ids"
            return "ids in, text out"
        try:
            self._ask({**brief, "prompt": list(prompt.prompt_ids)})
        except EndpointError as error:
            if error.status not in _REFUSED:
                raise
        else:
            return "ids in, text out"
        self._ask({**brief, "prompt": decode(self._tokenizer, prompt.prompt_ids)})
        return "text"

    def prompt_logprobs(self, token_ids: Sequence[int]) -> list[float] | None:
        """Log-probabilities of all tokens but the first under the server's model; None where it cannot tell.

        Raises:
            EndpointError: If the server stays away or refuses for another reason than not knowing how.
        """
        ids = list(token_ids)
        ways: tuple[dict[str, Any], ...] = (
            {"prompt_logprobs": 0, "max_tokens": 1},
            {"echo": True, "logprobs": 0, "max_tokens": 1},
        )
        for way in ways:
            try:
                choice = _choices(self._ask({"prompt": ids, "temperature": 0, **way}), 1)[0]
            except EndpointError as error:
                if error.status not in _REFUSED:
                    raise
                continue
            found = _from_prompt_logprobs(choice, ids) or _from_echo(choice, len(ids))
            if found is not None:
                return found
        return None

    def sample(
        self,
        prompts: Sequence[Prompt],
        config: SampleConfig,
        *,
        wanted: Wanted | None = None,
        on_done: Callable[[list[Sampled]], None],
        should_stop: Callable[[], bool] = lambda: False,
    ) -> bool:
        """See ``SamplingEngine.sample``. A question whose answer cannot be used is asked again, three times at most.

        Raises:
            EndpointError: If the server refuses, or stays away for all the client's retries.
            EngineFailed: If its answers cannot be used.
        """
        missing = pending(prompts, config, wanted)
        if not missing:
            return True
        mode = self.mode(missing[0][0])
        jobs = iter(
            (prompt, indices[start : start + _MOST_AT_ONCE])
            for prompt, indices in missing
            for start in range(0, len(indices), _MOST_AT_ONCE)
        )
        concurrency = self._client.config.concurrency
        under_way: set[Future[list[Sampled]]] = set()
        failure: Exception | None = None
        interrupted = False
        with ThreadPoolExecutor(concurrency, thread_name_prefix="sample") as pool:
            while True:
                while failure is None and not interrupted and len(under_way) < concurrency:
                    if should_stop():
                        interrupted = True
                        break
                    job = next(jobs, None)
                    if job is None:
                        break
                    under_way.add(pool.submit(self._question, mode, *job, config))
                if not under_way:
                    break
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    error = future.exception()
                    if error is None:
                        on_done(future.result())
                    elif isinstance(error, Interrupted):
                        interrupted = True
                    elif isinstance(error, Exception):
                        failure = failure or error
                    else:
                        raise error
        if failure is not None:
            raise failure
        return not interrupted

    def _question(self, mode: Mode, prompt: Prompt, indices: tuple[int, ...], config: SampleConfig) -> list[Sampled]:
        body = {
            "prompt": decode(self._tokenizer, prompt.prompt_ids) if mode == "text" else list(prompt.prompt_ids),
            "n": len(indices),
            "max_tokens": config.max_new_tokens,
            "temperature": config.temperature,
            "top_p": config.top_p,
        }
        if mode == "ids":
            body["return_token_ids"] = True
        for attempt in range(_TRIES):
            try:
                choices = _choices(self._ask(body), len(indices))
                found = [
                    self._sampled(mode, prompt.question_id, index, choice)
                    for index, choice in zip(indices, choices, strict=True)
                ]
                _check_window(found, prompt, config.max_new_tokens)
                return found
            except EngineFailed:
                if attempt + 1 == _TRIES:
                    raise
        raise AssertionError("unreachable")

    def _sampled(self, mode: Mode, question_id: str, index: int, choice: Mapping[str, Any]) -> Sampled:
        reason = str(choice.get("finish_reason"))
        if mode == "ids":
            ids = _ids(choice.get("token_ids"))
            if ids is None:
                raise EngineFailed("The server left out the token ids it gave before. Retry the run.")
            return from_ids(self._tokenizer, self._end_ids, question_id, index, ids, reason)
        text = choice.get("text")
        if not isinstance(text, str):
            raise EngineFailed("The server's answer has no text. Is it a completions server?")
        checked = checked_reason(reason)
        ids = [int(token) for token in self._tokenizer.encode(text, add_special_tokens=False)]
        if checked == "stop":
            ids.append(self._end_ids[0])
        if not ids:
            raise EngineFailed("The server gave an empty sample that its length limit ended.")
        return Sampled(question_id, index, tuple(ids), text, checked, reencoded=True)

    def _ask(self, body: Mapping[str, Any]) -> dict[str, Any]:
        self._before()
        answer = self._client.post("completions", {"model": self._model, **body})
        usage = answer.get("usage")
        if isinstance(usage, dict):
            self._after(Answered(_count(usage, "prompt_tokens"), _count(usage, "completion_tokens")))
        return answer


def _check_window(found: Sequence[Sampled], prompt: Prompt, max_new_tokens: int) -> None:
    """Refuse samples that the server's window cut; vLLM lowers max_tokens to what is left of it without a word.

    Raises:
        EngineFailed: If a sample that did not end is shorter than asked for. Ids made from text may differ in number.
    """
    for sample in found:
        if sample.finish_reason == "length" and not sample.reencoded and len(sample.token_ids) < max_new_tokens:
            window = len(prompt.prompt_ids) + len(sample.token_ids)
            msg = (
                f"The server cut a sample of question '{prompt.question_id}' after {len(sample.token_ids)} of "
                f"{max_new_tokens} tokens: its window holds {window}. Lower max_new_tokens, or serve the model with a "
                "longer window."
            )
            raise EngineFailed(msg)


def _choices(answer: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
    found = answer.get("choices")
    choices = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    if len(choices) != count:
        msg = (
            f"The server answered with {len(choices)} samples where {count} were asked for. It must be a completions "
            "server that knows n."
        )
        raise EngineFailed(msg)
    return sorted(choices, key=lambda choice: choice["index"] if isinstance(choice.get("index"), int) else 0)


def _ids(value: Any) -> list[int] | None:
    if not isinstance(value, list) or not value:
        return None
    plain = all(isinstance(token, int) and not isinstance(token, bool) for token in value)
    return value if plain else None


def _from_prompt_logprobs(choice: Mapping[str, Any], ids: Sequence[int]) -> list[float] | None:
    """The form of vLLM: for each prompt token a table by token id; the first token has none."""
    entries = choice.get("prompt_logprobs")
    if not isinstance(entries, list) or len(entries) != len(ids):
        return None
    found: list[float] = []
    for token, entry in zip(ids[1:], entries[1:], strict=True):
        own = entry.get(str(token)) if isinstance(entry, dict) else None
        value = own.get("logprob") if isinstance(own, dict) else None
        if not isinstance(value, int | float):
            return None
        found.append(float(value))
    return found


def _from_echo(choice: Mapping[str, Any], count: int) -> list[float] | None:
    """The completions API's own form; one entry more for the token that was generated."""
    logprobs = choice.get("logprobs")
    values = logprobs.get("token_logprobs") if isinstance(logprobs, dict) else None
    if not isinstance(values, list) or len(values) not in {count, count + 1}:
        return None
    found = values[1:count]
    return [float(value) for value in found] if all(isinstance(value, int | float) for value in found) else None


def _count(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) and value > 0 else 0
