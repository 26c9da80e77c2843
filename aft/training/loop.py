"""Training one method: the loop, its schedule and its exact resume."""

import base64
import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from aft.config.training import TrainConfig
from aft.training.accumulation import add_step_gradient
from aft.training.batches import batch_indices, check_groups, collate_groups, steps_per_epoch
from aft.training.checkpoints import CheckpointStore, restore_training, training_tensors
from aft.training.gradients import BatchLoss
from aft.training.groups import Group
from aft.training.optimization import learning_rate, make_optimizer, update
from aft.training.sinks import MetricSink


@dataclass(frozen=True, slots=True)
class TrainResult:
    """How a training ended."""

    steps: int
    total_steps: int
    stopped: bool
    """True when ``should_stop`` ended it; a checkpoint to resume from was written."""
    resumed_from: int
    """The step this attempt started at."""
    final: Path | None
    """The finished model's directory, None when stopped."""
    best: "Best | None" = None
    """The best evaluation, None without one."""
    ended_early: bool = False
    """True when ``should_end`` ended it before the last step; the model is finished all the same."""


@dataclass(frozen=True, slots=True)
class Best:
    """The first evaluation with the highest validation task accuracy; its model is kept."""

    step: int
    task_accuracy: float


def train(
    config: TrainConfig,
    model: Any,
    tokenizer: Any,
    groups: Sequence[Group],
    *,
    sink: MetricSink,
    should_stop: Callable[[], bool],
    checkpoints: CheckpointStore,
    evaluate: Callable[[Any, int], Mapping[str, float]] | None = None,
    should_end: Callable[[], bool] = lambda: False,
    epochs: int,
) -> TrainResult:
    """Train ``model`` in place on batches of question groups; resume from the newest valid checkpoint.

    The result is a function of the arguments alone: on a CPU an interrupted and resumed training ends with the
    same bits as one left alone.

    Args:
        config: The method, the optimizer and the seed of the data order.
        model: The starting model; its dropout stays off.
        tokenizer: Saved beside the finished model.
        groups: Questions with references and, where the method needs them, rated candidates.
        sink: Receives ``train/...`` at every step and ``validation/...`` at every evaluation.
        should_stop: Asked before every step; True writes a checkpoint and returns.
        checkpoints: Where the run's state is kept.
        evaluate: Measures the model on validation questions; called ``config.evaluations_per_run`` times. Returns
            nothing when it was asked to stop; the evaluation is then made up for on resuming. The model with the
            best ``task_accuracy`` is kept beside the last one, and is the final one with ``config.keep = best``.
        should_end: Asked after every evaluation; True makes this step the last.
        epochs: Passes over the questions (``config.optimizer.epochs``; more for vft-continued).

    Raises:
        ValueError: If the groups cannot be trained on, a checkpoint belongs to another run, or the loss or its
            gradient is not finite.
    """
    window = getattr(model.config, "max_position_embeddings", None)
    check_groups(groups, config, vocabulary=model.get_input_embeddings().num_embeddings, window=window)
    if config.precision == "bfloat16":
        # Small updates vanish in bfloat16 weights: keep float32 ones and compute in bfloat16.
        model.float()
    model.eval()
    optimizer = make_optimizer(model, config.optimizer)
    total = epochs * steps_per_epoch(len(groups), config.optimizer.questions_per_step)
    fingerprint = run_fingerprint(config, groups, epochs)
    step, evaluated, best = _resume(checkpoints, model, optimizer, fingerprint)
    resumed_from, saved_at = step, time.monotonic()
    evaluation_steps = evaluation_schedule(total, config.evaluations_per_run if evaluate else 0)

    def save() -> None:
        state = {"fingerprint": fingerprint, "evaluated": evaluated, "rng": _random_state()}
        state["best"] = None if best is None else [best.step, best.task_accuracy]
        checkpoints.save(step, training_tensors(model, optimizer), state)
        # Only now does no resume point need an earlier best model any more.
        checkpoints.drop_best(but=best.step if best is not None else None)

    def evaluate_if_due() -> bool:
        nonlocal evaluated, best
        if evaluate is None or step not in evaluation_steps or evaluated >= step:
            return False
        values = evaluate(model, step)
        model.eval()
        if not values:
            return False
        sink.write(step, {f"validation/{name}": value for name, value in values.items()})
        accuracy = values.get("task_accuracy")
        if accuracy is not None and (best is None or accuracy > best.task_accuracy):
            checkpoints.save_best(model, tokenizer, step=step)
            best = Best(step, accuracy)
        evaluated = step
        return should_end()

    ended = evaluate_if_due()
    for indices in batch_indices(len(groups), config, epochs=epochs, start_step=step):
        if ended:
            break
        if should_stop():
            save()
            return TrainResult(step, total, stopped=True, resumed_from=resumed_from, final=None)
        started = time.perf_counter()
        rate = learning_rate(config.optimizer, step, total)
        batch = collate_groups([groups[index] for index in indices], config)
        try:
            loss = add_step_gradient(model, batch, config)
            norm = update(model, optimizer, rate, config.optimizer.max_grad_norm)
        except FloatingPointError as error:
            raise ValueError(f"Training failed at step {step + 1} of {total}: {error}. {_REMEDY}") from error
        step += 1
        seconds = time.perf_counter() - started
        sink.write(step, _metrics(loss, norm, rate, batch.groups_without_pairs, seconds))
        sink.progress(step, total, "training")
        ended = evaluate_if_due()
        if time.monotonic() - saved_at >= config.checkpoint_every_seconds and step < total and not ended:
            save()
            saved_at = time.monotonic()
    if step in evaluation_steps and evaluated < step and should_stop():
        save()
        return TrainResult(step, total, stopped=True, resumed_from=resumed_from, final=None)
    if best is not None and (config.keep == "best" or best.step == step):
        final = checkpoints.promote_best(best.step)
    else:
        final = checkpoints.save_final(model, tokenizer, step=step)
    checkpoints.drop_best(but=best.step if best is not None else None)
    return TrainResult(
        step,
        total,
        stopped=False,
        resumed_from=resumed_from,
        final=final,
        best=best,
        ended_early=step < total,
    )


_REMEDY = "Lower the learning rate, or use a constraint: unconstrained ranking losses can push scores without end."


def evaluation_schedule(total: int, count: int) -> frozenset[int]:
    """Steps after which the validation questions are decoded: evenly spread, the last step included."""
    parts = min(count, total)
    return frozenset(math.ceil(total * part / parts) for part in range(1, parts + 1))


def run_fingerprint(config: TrainConfig, groups: Sequence[Group], epochs: int) -> str:
    """What a checkpoint must agree on to be resumed: configuration, epochs and every token and rating."""
    digest = hashlib.sha256(json.dumps([config.model_dump(mode="json"), epochs], sort_keys=True).encode())
    for group in groups:
        digest.update(repr(group).encode())
    return digest.hexdigest()


def _resume(
    checkpoints: CheckpointStore, model: Any, optimizer: torch.optim.Optimizer, fingerprint: str
) -> tuple[int, int, Best | None]:
    """Restore the newest valid checkpoint; returns its step, the last step evaluated and the best evaluation."""
    loaded = checkpoints.latest()
    if loaded is None:
        return 0, 0, None
    if loaded.state["fingerprint"] != fingerprint:
        msg = (
            f"Checkpoint {loaded.path.name} was written with another configuration or other data. "
            "Start this run with a directory of its own."
        )
        raise ValueError(msg)
    restore_training(loaded, model, optimizer)
    torch.set_rng_state(torch.frombuffer(bytearray(base64.b64decode(loaded.state["rng"])), dtype=torch.uint8))
    best = loaded.state.get("best")
    return loaded.step, int(loaded.state["evaluated"]), None if best is None else Best(int(best[0]), float(best[1]))


def _random_state() -> str:
    return base64.b64encode(torch.get_rng_state().numpy().tobytes()).decode()


def _metrics(loss: BatchLoss, norm: float, rate: float, groups_without_pairs: int, seconds: float) -> dict[str, float]:
    return {
        "train/loss": loss.loss,
        "train/loss_vft": loss.loss_vft,
        "train/loss_rank": loss.loss_rank,
        "train/push_up": loss.push_up,
        "train/push_down": loss.push_down,
        "train/grad_norm": norm,
        "train/learning_rate": rate,
        "train/groups_without_pairs": float(groups_without_pairs),
        "train/scored_only": float(loss.scored_only),
        "train/two_pass_questions": float(loss.two_pass_questions),
        "train/tokens_per_second": loss.tokens / max(seconds, 1e-9),
    }
