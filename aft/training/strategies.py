"""How the processes of a training share its work: what the loop asks, and the answer where each keeps everything."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import fields
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from aft.config.training import TrainConfig
from aft.training.accumulation import add_step_gradient, share_of
from aft.training.batches import TrainingBatch
from aft.training.checkpoints import LoadedCheckpoint, restore_training, training_tensors
from aft.training.gradients import BatchLoss
from aft.training.optimization import make_optimizer, update
from aft.training.ranks import Ranks

BUCKET_NUMBERS = 2**24
"""Gradients are summed over the processes in pieces of at most so many numbers, unless one parameter has more."""


@runtime_checkable
class Strategy(Protocol):
    """What the loop needs of however many processes."""

    def add_gradient(self, batch: TrainingBatch) -> BatchLoss:
        """Compute this process's share of a step; returns the numbers of the whole step.

        Raises:
            FloatingPointError: In every process, if a score or a loss is not finite in any.
        """
        ...

    def update(self, rate: float) -> float:
        """Take one clipped optimizer step with the whole step's gradient; returns its norm before clipping.

        Raises:
            FloatingPointError: If the gradient is not finite.
        """
        ...

    def tensors(self) -> Mapping[str, Mapping[str, Tensor]]:
        """The training's state for a checkpoint, the same for every strategy; empty in all but the first process."""
        ...

    def restore(self, loaded: LoadedCheckpoint) -> None:
        """Put a checkpoint's state back.

        Raises:
            ValueError: If the checkpoint belongs to another model.
        """
        ...

    def whole_model(self) -> AbstractContextManager[Any]:
        """The model to evaluate or save in the first process, None in the others; all of them enter."""
        ...


class Replicas:
    """Every process holds the model and the optimizer's state; one sum of the gradients a step."""

    def __init__(self, model: Any, config: TrainConfig, ranks: Ranks) -> None:
        self._model, self._config, self._ranks = model, config, ranks
        self._optimizer = make_optimizer(model, config.optimizer)

    def add_gradient(self, batch: TrainingBatch) -> BatchLoss:
        """See ``Strategy``."""
        ranks = self._ranks
        if ranks.processes == 1:
            return add_step_gradient(self._model, batch, self._config)
        share = share_of(batch, ranks.rank, ranks.processes)
        loss: BatchLoss | None = None
        try:
            loss = add_step_gradient(self._model, share, self._config)
        except FloatingPointError as error:
            whole = sum_over(ranks, None, str(error))
        else:
            whole = sum_over(ranks, loss)
        self._sum_gradients()
        return whole

    def update(self, rate: float) -> float:
        """See ``Strategy``."""
        return update(self._model, self._optimizer, rate, self._config.optimizer.max_grad_norm)

    def tensors(self) -> Mapping[str, Mapping[str, Tensor]]:
        """See ``Strategy``."""
        return training_tensors(self._model, self._optimizer) if self._ranks.is_first else {}

    def restore(self, loaded: LoadedCheckpoint) -> None:
        """See ``Strategy``."""
        restore_training(loaded, self._model, self._optimizer)

    @contextmanager
    def whole_model(self) -> Iterator[Any]:
        """See ``Strategy``."""
        yield self._model if self._ranks.is_first else None

    def _sum_gradients(self) -> None:
        """Replace each gradient by its sum over the processes, once a step and in few pieces."""
        parameters = [parameter for parameter in self._model.parameters() if parameter.requires_grad]
        for parameter in parameters:
            if parameter.grad is None:
                # A process without a question still takes part in the sum.
                parameter.grad = torch.zeros_like(parameter)
        bucket: list[Tensor] = []
        numbers = 0
        for parameter in parameters:
            gradient = parameter.grad
            assert gradient is not None
            if bucket and (numbers + gradient.numel() > BUCKET_NUMBERS or gradient.dtype != bucket[0].dtype):
                self._sum_bucket(bucket)
                bucket, numbers = [], 0
            bucket.append(gradient)
            numbers += gradient.numel()
        if bucket:
            self._sum_bucket(bucket)

    def _sum_bucket(self, gradients: list[Tensor]) -> None:
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        self._ranks.add_up(flat)
        for gradient, part in zip(gradients, torch.split(flat, [each.numel() for each in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))


def sum_over(ranks: Ranks, loss: BatchLoss | None, problem: str = "") -> BatchLoss:
    """The step's numbers from those of all processes' shares.

    Args:
        ranks: The processes.
        loss: This process's numbers; None where they are not finite.
        problem: What is not finite here.

    Raises:
        FloatingPointError: In every process, if any has a problem.
    """
    names = [field.name for field in fields(BatchLoss)]
    # Added to the numbers, so that the processes talk once.
    own = [0.0] * len(names) if loss is None else [float(getattr(loss, name)) for name in names]
    *numbers, failed = ranks.sum([*own, float(loss is None)])
    if failed:
        raise FloatingPointError(problem or "a score or the loss of another process is not finite")
    kinds = {"tokens", "scored_only", "two_pass_questions"}
    values: dict[str, Any] = {
        name: int(number) if name in kinds else number for name, number in zip(names, numbers, strict=True)
    }
    return BatchLoss(**values)


def make_strategy(model: Any, config: TrainConfig, ranks: Ranks) -> Strategy:
    """The strategy of a configuration.

    Raises:
        ValueError: If another number of processes runs than configured, or DeepSpeed is not installed.
    """
    parallel = config.parallel
    if parallel.processes != ranks.processes:
        msg = (
            f"The training is configured for {parallel.processes} process(es), and {ranks.processes} are running. "
            f"Start it with torchrun --nproc-per-node {parallel.processes}, or set parallel.processes to "
            f"{ranks.processes}; a checkpoint can be resumed with either."
        )
        raise ValueError(msg)
    if parallel.uses_zero:
        from aft.training.zero import ZeroStrategy

        return ZeroStrategy(model, config, ranks)
    return Replicas(model, config, ranks)
