"""Making the built-in base model: a small Llama that can write and calculate, but not yet solve."""

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from aft.arithmetic import BOS, EOS, VOCABULARY, pretraining_rows
from aft.config.training import BuiltinModelConfig, OptimizerConfig
from aft.models import build_llama, build_tokenizer
from aft.training.checkpoints import CheckpointStore, restore_training, training_tensors
from aft.training.optimization import learning_rate, make_optimizer, update
from aft.training.sinks import MetricSink

WARMUP_STEPS = 50
_STEPS_PER_POINT = 10


@dataclass(frozen=True, slots=True)
class PretrainResult:
    """How making the base model ended."""

    steps: int
    stopped: bool
    """True when ``should_stop`` ended it; a checkpoint to resume from was written."""
    final: Path | None
    """The model's directory, None when stopped."""


def pretrain(
    config: BuiltinModelConfig,
    out: Path | None,
    sink: MetricSink,
    should_stop: Callable[[], bool],
    checkpoints: CheckpointStore,
) -> PretrainResult:
    """Train the built-in model from random weights; resume from the newest valid checkpoint.

    Args:
        config: Sizes, corpus and seed.
        out: The directory of the finished model; by default ``final`` beside the checkpoints.
        sink: Receives the loss, every 10 steps.
        should_stop: Asked before every step; True writes a checkpoint and returns.
        checkpoints: Where the run's state is kept.

    Raises:
        ValueError: If the sizes do not fit each other, a checkpoint belongs to another configuration, or the loss
            is not finite.
    """
    tokenizer = build_tokenizer(VOCABULARY)
    model: Any = build_llama(config, tokenizer, seed=config.seed)
    model.eval()
    settings = OptimizerConfig(
        learning_rate=config.learning_rate,
        warmup_fraction=min(1.0, WARMUP_STEPS / config.steps),
        weight_decay=0.01,
        adam_beta2=0.98,
    )
    optimizer = make_optimizer(model, settings)
    plain = config.model_dump(mode="json", exclude_defaults=True)  # a setting added since does not stop a resume
    fingerprint = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
    step = _resume(checkpoints, model, optimizer, fingerprint)
    rows = pretraining_rows(config.seed, corrupted_share=config.corruption, slip_share=config.slip)
    corpus = islice(rows, step * config.rows_per_step, None)
    words = tokenizer.get_vocab()
    saved_at = time.monotonic()

    def save() -> None:
        checkpoints.save(step, training_tensors(model, optimizer), {"fingerprint": fingerprint})

    while step < config.steps:
        if should_stop():
            save()
            return PretrainResult(step, stopped=True, final=None)
        started = time.perf_counter()
        rate = learning_rate(settings, step, config.steps)
        batch = [_row_ids(words, text) for text in islice(corpus, config.rows_per_step)]
        loss = corpus_loss(model, batch, pad=tokenizer.pad_token_id)
        torch.autograd.backward([loss])
        if not math.isfinite(loss.item()):
            raise ValueError(f"Pre-training failed at step {step + 1}: the loss is {loss.item()}. Lower learning_rate.")
        norm = update(model, optimizer, rate, settings.max_grad_norm)
        step += 1
        if step % _STEPS_PER_POINT == 0 or step == config.steps:
            speed = sum(map(len, batch)) / max(time.perf_counter() - started, 1e-9)
            sink.write(
                step,
                {
                    "train/loss": loss.item(),
                    "train/grad_norm": norm,
                    "train/learning_rate": rate,
                    "train/tokens_per_second": speed,
                },
            )
            sink.progress(step, config.steps, "pre-training")
        if time.monotonic() - saved_at >= config.checkpoint_every_seconds and step < config.steps:
            save()
            saved_at = time.monotonic()
    return PretrainResult(step, stopped=False, final=checkpoints.save_final(model, tokenizer, step=step, target=out))


def corpus_loss(model: Any, rows: Sequence[Sequence[int]], *, pad: int) -> Tensor:
    """Mean negative log-likelihood of all tokens but the first of each row."""
    width = max(map(len, rows))
    input_ids = torch.tensor([[*row, *[pad] * (width - len(row))] for row in rows], device=model.device)
    lengths = torch.tensor([len(row) for row in rows], device=model.device)
    # Padding is on the right, where causal attention never looks.
    hidden = model.get_decoder()(input_ids=input_ids, use_cache=False).last_hidden_state
    predicts = torch.arange(width - 1, device=model.device) < lengths[:, None] - 1
    logits = model.get_output_embeddings()(hidden[:, :-1][predicts])
    return functional.cross_entropy(logits.float(), input_ids[:, 1:][predicts])


def _row_ids(words: Mapping[str, int], text: str) -> list[int]:
    """What the word-level tokenizer gives, at a twentieth of its time a row."""
    return [words[BOS], *(words[word] for word in text.split()), words[EOS]]


def _resume(checkpoints: CheckpointStore, model: Any, optimizer: torch.optim.Optimizer, fingerprint: str) -> int:
    checkpoints.begin(fingerprint)
    loaded = checkpoints.latest()
    if loaded is None:
        return 0
    if loaded.state["fingerprint"] != fingerprint:
        msg = f"Checkpoint {loaded.path.name} was written with other settings. Give this run a directory of its own."
        raise ValueError(msg)
    restore_training(loaded, model, optimizer)
    return loaded.step
