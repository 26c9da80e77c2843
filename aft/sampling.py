"""Sampling COTs: a batched decoder of our own on the key/value cache of any causal language model.

A sample's random stream is a function of ``(seed, question id, sample index)`` and nothing else, and the
batches are a function of the whole request, not of what is still missing. So neither an interruption nor the
order in which samples are asked for changes a token.
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from aft.config.sampling import SampleConfig
from aft.decoding import Forward, new_forward
from aft.encoding import decode, end_token_id, padding_token_id

FinishReason = Literal["stop", "length"]

_MAX_ROWS = 256
_CACHE_BUDGET_BYTES = 2 * 1024**3
_UNIFORM_BLOCK = 64
_COMPACT_BELOW = 0.8
_WIDEST_FLOAT64_BLOCK = 2**24


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question as the model reads it."""

    question_id: str
    prompt_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sampled:
    """One sampled response; ``token_ids`` keep the end token where the model emitted it."""

    question_id: str
    sample_index: int
    token_ids: tuple[int, ...]
    text: str
    finish_reason: FinishReason
    reencoded: bool = False
    """Whether the ids were made from the text of a server that gives none: not those that were sampled."""


@torch.inference_mode()
def sample_cots(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Prompt],
    config: SampleConfig,
    *,
    wanted: Iterable[tuple[str, int]] | None = None,
    on_done: Callable[[list[Sampled]], None],
    should_stop: Callable[[], bool] = lambda: False,
    rows_per_batch: int | None = None,
) -> bool:
    """Sample ``config.k`` responses for every prompt.

    Args:
        model: A causal language model of transformers, in evaluation mode.
        tokenizer: Its tokenizer; gives the end token and the text of the response.
        prompts: Every question of the request, also those already answered.
        config: Temperature (0 is greedy), top_p, length limit, k and seed.
        wanted: The ``(question_id, sample_index)`` pairs still missing; by default all of them. A batch with
            any missing pair is decoded whole, so that floating point sees the same batch as without a restart.
        on_done: Receives finished wanted samples, several times a batch.
        should_stop: Asked before every token.
        rows_per_batch: Sequences decoded together; by default what a cache of 2 GiB holds, at most 256.

    Returns:
        True when everything wanted was sampled, False when ``should_stop`` ended it.

    Raises:
        ValueError: If a prompt is empty, repeated or leaves no room in the model's window, if a wanted pair does
            not belong to the request, or if the model's output is not finite.
    """
    missing = _missing_pairs(prompts, config, wanted)
    if not missing:
        return True
    _check_prompts(model, prompts, config.max_new_tokens)
    was_training = model.training
    model.eval()
    decoder = _Decoder(model, tokenizer, config, missing, on_done, should_stop)
    rows = rows_per_batch or _rows_that_fit(model, prompts, config.max_new_tokens)
    try:
        return all(decoder.decode(batch) for batch in _plan_batches(prompts, config.k, rows) if decoder.wants(batch))
    finally:
        model.train(was_training)


def end_token_ids(model: Any, tokenizer: Any) -> tuple[int, ...]:
    """Tokens that end a response: the tokenizer's end token and the model's own list of them."""
    found = [end_token_id(tokenizer)]
    generation = getattr(model, "generation_config", None)
    listed = getattr(generation, "eos_token_id", None)
    for token in listed if isinstance(listed, list | tuple) else [listed]:
        if token is not None and int(token) not in found:
            found.append(int(token))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Row:
    prompt: Prompt
    sample_index: int


def _missing_pairs(
    prompts: Sequence[Prompt], config: SampleConfig, wanted: Iterable[tuple[str, int]] | None
) -> set[tuple[str, int]]:
    ids = {prompt.question_id for prompt in prompts}
    if len(ids) != len(prompts):
        seen: set[str] = set()
        repeated = next(p.question_id for p in prompts if p.question_id in seen or seen.add(p.question_id))  # type: ignore[func-returns-value]
        raise ValueError(f"Question '{repeated}' is asked for twice. Give each question once; k sets its samples.")
    if wanted is None:
        return {(question_id, index) for question_id in ids for index in range(config.k)}
    missing = set(wanted)
    for question_id, index in missing:
        if question_id not in ids or not 0 <= index < config.k:
            msg = (
                f"Sample {index} of question '{question_id}' is not part of this request of "
                f"{len(ids)} questions with k = {config.k}."
            )
            raise ValueError(msg)
    return missing


def _check_prompts(model: Any, prompts: Sequence[Prompt], max_new_tokens: int) -> None:
    window = getattr(model.config, "max_position_embeddings", None)
    for prompt in prompts:
        length = len(prompt.prompt_ids)
        if length == 0:
            raise ValueError(f"Question '{prompt.question_id}' has an empty prompt. Remove it or fix its text.")
        if window is not None and length + max_new_tokens > window:
            room = window - length
            remedy = f"Lower max_new_tokens to {room} or less." if room > 0 else "Remove the question."
            msg = (
                f"Question '{prompt.question_id}' has {length} prompt tokens; with max_new_tokens "
                f"{max_new_tokens} it would pass the model's window of {window} tokens. {remedy}"
            )
            raise ValueError(msg)


def _rows_that_fit(model: Any, prompts: Sequence[Prompt], max_new_tokens: int) -> int:
    config = model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    token_bytes: int = 2 * config.num_hidden_layers * heads * width * next(model.parameters()).element_size()
    longest = max(len(prompt.prompt_ids) for prompt in prompts) + max_new_tokens
    return max(1, min(_MAX_ROWS, _CACHE_BUDGET_BYTES // (token_bytes * longest)))


def _plan_batches(prompts: Sequence[Prompt], k: int, rows: int) -> list[list[_Row]]:
    """Prompts of similar length share a batch, which keeps left padding short."""
    ordered = sorted(prompts, key=lambda prompt: len(prompt.prompt_ids))
    plan = [_Row(prompt, index) for prompt in ordered for index in range(k)]
    return [plan[start : start + rows] for start in range(0, len(plan), rows)]


class _Uniforms:
    """The random stream of one sample: uniform number ``t`` decides token ``t``.

    Philox' raw output is fixed for all versions of numpy, unlike the methods of ``numpy.random.Generator``.
    """

    def __init__(self, seed: int, question_id: str, sample_index: int) -> None:
        name = f"{seed}\0{sample_index}\0{question_id}".encode()
        key = np.frombuffer(hashlib.blake2b(name, digest_size=16).digest(), dtype="<u8")
        self._bits = np.random.Philox(key=key)

    def block(self, count: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The next ``count`` numbers, in [0, 1)."""
        return (self._bits.random_raw(count) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def choose_tokens(logits: Tensor, uniforms: Tensor | None, temperature: float, top_p: float) -> Tensor:
    """Pick one token a row by inverting the cumulative distribution.

    Args:
        logits: ``[row, vocab]``, any floating dtype.
        uniforms: ``[row]`` float64 in [0, 1); None is greedy.
        temperature: Divides the logits; unused when greedy.
        top_p: Only the likeliest tokens that together reach this probability can be picked.

    Returns:
        ``[row]`` token ids.
    """
    logits = logits.float()
    if uniforms is None:
        return logits.argmax(dim=-1)
    block = max(1, _WIDEST_FLOAT64_BLOCK // logits.shape[-1])
    if len(logits) > block:
        pieces = zip(torch.split(logits, block), torch.split(uniforms, block), strict=True)
        return torch.cat([choose_tokens(rows, draws, temperature, top_p) for rows, draws in pieces])
    probabilities = torch.softmax(logits / temperature, dim=-1).double()
    if top_p < 1.0:
        ordered, order = probabilities.sort(dim=-1, descending=True, stable=True)
        outside = ordered.cumsum(dim=-1) - ordered >= top_p
        probabilities = probabilities.masked_fill(outside.gather(-1, order.argsort(dim=-1)), 0.0)
    cumulative = probabilities.cumsum(dim=-1)
    total = cumulative[:, -1:]
    # u * total may round up to the total, beyond the last token.
    target = torch.minimum(uniforms[:, None] * total, torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(cumulative, target, right=True).squeeze(-1)


class _Decoder:
    """Decodes planned batches and hands over what is wanted of them."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        config: SampleConfig,
        missing: set[tuple[str, int]],
        on_done: Callable[[list[Sampled]], None],
        should_stop: Callable[[], bool],
    ) -> None:
        self.model, self.tokenizer, self.config = model, tokenizer, config
        self.missing, self.on_done, self.should_stop = missing, on_done, should_stop
        self.device = next(model.parameters()).device
        self.end_ids = end_token_ids(model, tokenizer)

    def wants(self, batch: Sequence[_Row]) -> bool:
        return any((row.prompt.question_id, row.sample_index) in self.missing for row in batch)

    def decode(self, batch: Sequence[_Row]) -> bool:
        """Decode one batch to its end; False when asked to stop."""
        if self.should_stop():
            return False
        forward = new_forward(self.model)
        logits = self._prefill(forward, batch)
        ends = torch.tensor(self.end_ids, device=self.device)
        # tokens[i] and live[i] belong to row i of the cache; batch positions are looked up through `rows`.
        rows = np.arange(len(batch))
        tokens = np.zeros((len(batch), self.config.max_new_tokens), dtype=np.int64)
        lengths = np.zeros(len(batch), dtype=np.int64)
        streams = self._streams(batch)
        block = np.empty((0, 0))
        finished = np.zeros(len(batch), dtype=bool)
        for step in range(self.config.max_new_tokens):
            if streams is not None and step % _UNIFORM_BLOCK == 0:
                block = np.stack([streams[row].block(_UNIFORM_BLOCK) for row in rows])
            self._check_finite(logits, batch, rows, finished)
            draws = torch.from_numpy(block[:, step % _UNIFORM_BLOCK].copy()).to(self.device) if block.size else None
            chosen = choose_tokens(logits, draws, self.config.temperature, self.config.top_p)
            ended = torch.isin(chosen, ends).cpu().numpy()
            tokens[rows, step] = chosen.cpu().numpy()
            lengths[rows[~finished]] = step + 1
            finished |= ended
            if finished.all() or step + 1 == self.config.max_new_tokens:
                break
            if finished.mean() > 1 - _COMPACT_BELOW:
                self._hand_over(batch, rows[finished], tokens, lengths)
                keep = np.flatnonzero(~finished)
                index = torch.from_numpy(keep).to(self.device)
                forward.keep(index)
                chosen = chosen[index]
                rows, finished = rows[keep], finished[keep]
                block = block[keep] if block.size else block
            if self.should_stop():
                self._hand_over(batch, rows[finished], tokens, lengths)
                return False
            logits = forward.step(chosen)
        self._hand_over(batch, rows, tokens, lengths)
        return True

    def _streams(self, batch: Sequence[_Row]) -> list[_Uniforms] | None:
        if self.config.temperature == 0:
            return None
        return [_Uniforms(self.config.seed, row.prompt.question_id, row.sample_index) for row in batch]

    def _prefill(self, forward: Forward, batch: Sequence[_Row]) -> Tensor:
        """Read each prompt once, for all of its samples."""
        prompts = list(dict.fromkeys(row.prompt for row in batch))
        width = max(len(prompt.prompt_ids) for prompt in prompts)
        input_ids = torch.full((len(prompts), width), padding_token_id(self.tokenizer), dtype=torch.long)
        mask = torch.zeros((len(prompts), width), dtype=torch.long)
        for number, prompt in enumerate(prompts):
            input_ids[number, width - len(prompt.prompt_ids) :] = torch.tensor(prompt.prompt_ids)
            mask[number, width - len(prompt.prompt_ids) :] = 1
        order = {prompt: number for number, prompt in enumerate(prompts)}
        index = torch.tensor([order[row.prompt] for row in batch])
        return forward.prefill(input_ids.to(self.device), mask.to(self.device), index.to(self.device))

    def _check_finite(self, logits: Tensor, batch: Sequence[_Row], rows: Any, finished: Any) -> None:
        if math.isfinite(logits.sum().item()):
            return
        # A model may mask tokens it never emits with -inf; that is no fault.
        bad = (logits.isnan() | logits.isposinf()).any(dim=-1).cpu().numpy() & ~finished
        if bad.any():
            question = batch[rows[np.flatnonzero(bad)[0]]].prompt.question_id
            msg = f"The model's output for question '{question}' is not finite. Its weights may have diverged."
            raise ValueError(msg)

    def _hand_over(self, batch: Sequence[_Row], rows: Any, tokens: Any, lengths: Any) -> None:
        done = []
        for row in rows.tolist():
            question_id, index = batch[row].prompt.question_id, batch[row].sample_index
            if (question_id, index) not in self.missing:
                continue
            ids = tuple(tokens[row, : lengths[row]].tolist())
            stopped = ids[-1] in self.end_ids
            body = ids[:-1] if stopped else ids
            reason: FinishReason = "stop" if stopped else "length"
            done.append(Sampled(question_id, index, ids, decode(self.tokenizer, body), reason))
        if done:
            self.on_done(done)
