"""What every sampling engine does, and what they share: pending samples, and the shape of a finished one."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from transformers import PreTrainedTokenizerBase

from aft.config.sampling import SampleConfig
from aft.encoding import decode
from aft.sampling import FinishReason, Prompt, Sampled

Wanted = Iterable[tuple[str, int]]
"""``(question_id, sample_index)`` pairs still missing."""


class EngineFailed(ValueError):
    """The engine is not there, died again after a restart, or answers what cannot be used."""


class SamplingEngine(Protocol):
    """Samples ``config.k`` responses a question."""

    def sample(
        self,
        prompts: Sequence[Prompt],
        config: SampleConfig,
        *,
        wanted: Wanted | None = None,
        on_done: Callable[[list[Sampled]], None],
        should_stop: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Sample what is wanted; by default every pair of the request.

        Args:
            prompts: Every question of the request, also those already answered.
            config: k, temperature, top_p, length limit and seed.
            wanted: The pairs still missing.
            on_done: Receives finished wanted samples as they come, from one thread at a time.
            should_stop: Asked often.

        Returns:
            True when everything wanted was sampled, False when ``should_stop`` ended it.

        Raises:
            EngineFailed: If the engine cannot go on; what was handed over stays good.
            ValueError: If the request itself cannot work.
        """
        ...


def pending(
    prompts: Sequence[Prompt], config: SampleConfig, wanted: Wanted | None
) -> list[tuple[Prompt, tuple[int, ...]]]:
    """Each question that misses samples, with their indices in order."""
    known = {prompt.question_id for prompt in prompts}
    missing: dict[str, list[int]] = {}
    for question_id, index in (
        ((prompt.question_id, index) for prompt in prompts for index in range(config.k)) if wanted is None else wanted
    ):
        if question_id not in known or not 0 <= index < config.k:
            msg = f"Sample {index} of question '{question_id}' is not part of this request with k = {config.k}."
            raise ValueError(msg)
        missing.setdefault(question_id, []).append(index)
    return [(prompt, tuple(sorted(missing[prompt.question_id]))) for prompt in prompts if prompt.question_id in missing]


def from_ids(
    tokenizer: PreTrainedTokenizerBase,
    end_ids: Sequence[int],
    question_id: str,
    sample_index: int,
    token_ids: Sequence[int],
    finish_reason: str,
) -> Sampled:
    """A sample from the ids an engine emitted: up to the first end token, which it keeps as the built-in engine does.

    Raises:
        EngineFailed: If the engine ended it for another reason than an end token or the length limit, or gave an id
            that the tokenizer does not know.
    """
    ids = [int(token) for token in token_ids]
    unknown = next((token for token in ids if not 0 <= token < len(tokenizer)), None)
    if unknown is not None:
        msg = (
            f"The engine emitted token {unknown}, and the run's tokenizer has {len(tokenizer)} tokens: it serves "
            "another model. Serve the run's own checkpoint."
        )
        raise EngineFailed(msg)
    reason = checked_reason(finish_reason)
    for place, token in enumerate(ids):
        if token in end_ids:
            ids, reason = ids[: place + 1], "stop"
            break
    else:
        if reason == "stop":
            ids.append(end_ids[0])  # some engines leave the end token out
    body = ids[:-1] if reason == "stop" else ids
    return Sampled(question_id, sample_index, tuple(ids), decode(tokenizer, body), reason)


def checked_reason(finish_reason: str) -> FinishReason:
    """``stop`` or ``length``.

    Raises:
        EngineFailed: If it is another one, such as a content filter's.
    """
    if finish_reason == "stop":
        return "stop"
    if finish_reason == "length":
        return "length"
    msg = (
        f"The engine ended a sample with the reason {finish_reason!r}; only 'stop' and 'length' are candidates. "
        "Look at the engine's log."
    )
    raise EngineFailed(msg)
