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
from aft.training.batches import batch_indices, check_groups, collate_groups, steps_per_epoch
from aft.training.checkpoints import CheckpointStore, LoadedCheckpoint
from aft.training.gradients import BatchLoss
from aft.training.groups import Group
from aft.training.optimization import learning_rate
from aft.training.ranks import ALONE, Ranks
from aft.training.setup import put_in_training_form, put_in_training_mode, starting_digest
from aft.training.sinks import MetricSink, NullSink
from aft.training.strategies import make_strategy


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
    ranks: Ranks = ALONE,
) -> TrainResult:
    """Train ``model`` in place on batches of question groups; resume from the newest valid checkpoint.

    The result is a function of the arguments alone: on a CPU an interrupted and resumed training ends with the
    same bits as one left alone. Several processes call this with the same arguments, but ``ranks``: each computes
    its share of every step, and the first alone evaluates and writes metrics and checkpoints.

    Args:
        config: The method, the optimizer and the seed of the data order.
        model: The starting model; its dropout stays off. It gets the factors of ``config.lora``.
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
        ranks: This process among those that share the training.

    Raises:
        ValueError: If the groups cannot be trained on, a checkpoint belongs to another run, the loss or its gradient
            is not finite, or the model or this machine cannot do what the configuration asks.
    """
    window = getattr(model.config, "max_position_embeddings", None)
    check_groups(groups, config, vocabulary=model.get_input_embeddings().num_embeddings, window=window)
    put_in_training_form(model, config)
    put_in_training_mode(model)
    fingerprint = run_fingerprint(config, groups, epochs) + starting_digest(model)
    strategy = make_strategy(model, config, ranks)
    sink = sink if ranks.is_first else NullSink()
    total = epochs * steps_per_epoch(len(groups), config.optimizer.questions_per_step)
    step, evaluated, best = 0, 0, None
    if ranks.is_first:
        checkpoints.begin(fingerprint)
    loaded = _newest(checkpoints, fingerprint, ranks)
    if loaded is not None:
        strategy.restore(loaded)
        _set_random_state(loaded.state["rng"])
        step, evaluated, best = loaded.step, int(loaded.state["evaluated"]), _best_of(loaded)
    resumed_from, saved_at = step, time.monotonic()
    evaluation_steps = evaluation_schedule(total, config.evaluations_per_run if evaluate else 0)

    def save() -> None:
        tensors = strategy.tensors()
        if ranks.is_first:
            state = {"fingerprint": fingerprint, "evaluated": evaluated, "rng": _random_state()}
            state["best"] = None if best is None else [best.step, best.task_accuracy]
            checkpoints.save(step, tensors, state)
            # Only now does no resume point need an earlier best model any more.
            checkpoints.drop_best(but=best.step if best is not None else None)
        # Nobody leaves before it is written.
        ranks.wait()

    def evaluate_if_due() -> bool:
        nonlocal evaluated, best
        if evaluate is None or step not in evaluation_steps or evaluated >= step:
            return False
        with strategy.whole_model() as whole:
            values: dict[str, float] = ranks.from_first(lambda: dict(evaluate(whole, step)))
            if values:
                sink.write(step, {f"validation/{name}": value for name, value in values.items()})
            accuracy = values.get("task_accuracy")
            if accuracy is not None and (best is None or accuracy > best.task_accuracy):
                best = Best(step, accuracy)
                if ranks.is_first:
                    checkpoints.save_best(whole, tokenizer, step=step)
        put_in_training_mode(model)
        if not values:
            return False
        evaluated = step
        return bool(ranks.from_first(should_end))

    ended = evaluate_if_due()
    for indices in batch_indices(len(groups), config, epochs=epochs, start_step=step):
        if ended:
            break
        is_old = time.monotonic() - saved_at >= config.checkpoint_every_seconds
        stops, saves = ranks.any(should_stop(), is_old and ranks.is_first)
        if stops or saves:
            save()
            saved_at = time.monotonic()
        if stops:
            return TrainResult(step, total, stopped=True, resumed_from=resumed_from, final=None)
        started = time.perf_counter()
        rate = learning_rate(config.optimizer, step, total)
        batch = collate_groups([groups[index] for index in indices], config)
        try:
            loss = strategy.add_gradient(batch)
            norm = strategy.update(rate)
        except FloatingPointError as error:
            raise ValueError(f"Training failed at step {step + 1} of {total}: {error}. {_REMEDY}") from error
        step += 1
        seconds = time.perf_counter() - started
        sink.write(step, _metrics(loss, norm, rate, batch.groups_without_pairs, seconds))
        sink.progress(step, total, "training")
        ended = evaluate_if_due()
    if step in evaluation_steps and evaluated < step and any(ranks.any(should_stop())):
        save()
        return TrainResult(step, total, stopped=True, resumed_from=resumed_from, final=None)

    def finish(whole: Any) -> str:
        if best is not None and (config.keep == "best" or best.step == step):
            final = checkpoints.promote_best(best.step)
        else:
            final = checkpoints.save_final(whole, tokenizer, step=step)
        checkpoints.drop_best(but=best.step if best is not None else None)
        return str(final)

    with strategy.whole_model() as whole:
        final = Path(ranks.from_first(lambda: finish(whole)))
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
    # Processes only differ in rounding: a run may go on with more or fewer of them.
    # Without defaults, a run that a newer version goes on with is not another one for a setting it never knew.
    plain = config.model_dump(mode="json", exclude={"parallel"}, exclude_defaults=True)
    digest = hashlib.sha256(json.dumps([plain, epochs], sort_keys=True).encode())
    for group in groups:
        digest.update(repr(group).encode())
    return digest.hexdigest()


def _newest(checkpoints: CheckpointStore, fingerprint: str, ranks: Ranks) -> LoadedCheckpoint | None:
    """The newest valid checkpoint, which the first process chooses for all."""
    loaded = checkpoints.latest() if ranks.is_first else None
    name = ranks.from_first(lambda: loaded and loaded.path.name)
    if name is None:
        return None
    loaded = loaded or checkpoints.read(name)
    if loaded.state["fingerprint"] != fingerprint:
        msg = (
            f"Checkpoint {loaded.path.name} was written with another configuration or other data, or on another base "
            "model. Start this run with a directory of its own."
        )
        raise ValueError(msg)
    return loaded


def _best_of(loaded: LoadedCheckpoint) -> Best | None:
    best = loaded.state.get("best")
    return None if best is None else Best(int(best[0]), float(best[1]))


def _set_random_state(text: str) -> None:
    torch.set_rng_state(torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.uint8))


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
