"""The gradient of a whole optimizer step, gathered from parts that fit the token budget.

Each part holds whole questions and the weights they have in the step, so the parts' losses and gradients add up to
the step's, however it is cut. A part within the budget is computed in one pass with its graphs kept (3 units of
work a token); of a single question beyond it the candidates that do not fit are computed twice (4 units).
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from aft.config.training import TrainConfig
from aft.training.batches import TrainingBatch, take_part
from aft.training.gradients import BatchLoss, add_batch_gradient, fits_budget
from aft.training.passes import Passes


def add_step_gradient(
    model: Any, batch: TrainingBatch, config: TrainConfig, computed_by: Passes | None = None
) -> BatchLoss:
    """Add the gradient of the step's loss to the parameters' ``grad``.

    Args:
        model: A causal language model without dropout.
        batch: The step, or one process's share of it; nothing is added for an empty share.
        config: Method, reduction of the VFT term and token budget.
        computed_by: Who computes the micro-batches; by default this process with the whole model.

    Returns:
        The sums over all parts.

    Raises:
        FloatingPointError: If the loss is not finite.
    """
    passes = computed_by or Passes(model, config)
    return total_loss(
        add_batch_gradient(model, part, config, computed_by=passes) for part in parts(model, batch, config, passes)
    )


def parts(
    model: Any, batch: TrainingBatch, config: TrainConfig, computed_by: Passes | None = None
) -> Iterator[TrainingBatch]:
    """Halve the step until each part fits the token budget or holds a single question."""
    questions = len(batch.prompts)
    if not questions:
        return
    if questions == 1 or fits_budget(model, batch, config, computed_by):
        yield batch
        return
    # Questions of like length share micro-batches, so that little is padding.
    tokens = _tokens(batch)
    order = sorted(range(questions), key=lambda question: (-tokens[question], question))
    half = _half(tokens, order)
    yield from parts(model, take_part(batch, order[:half]), config, computed_by)
    yield from parts(model, take_part(batch, order[half:]), config, computed_by)


def share_of(batch: TrainingBatch, rank: int, processes: int) -> TrainingBatch:
    """One process's questions of a step: together all of them, with tokens spread evenly.

    Args:
        batch: The whole step; the same in every process.
        rank: This process, from 0.
        processes: How many there are.
    """
    tokens = _tokens(batch)
    loads = [0] * processes
    mine = []
    for question in sorted(range(len(tokens)), key=lambda question: (-tokens[question], question)):
        lightest = loads.index(min(loads))
        loads[lightest] += tokens[question]
        if lightest == rank:
            mine.append(question)
    return take_part(batch, sorted(mine))


def total_loss(losses: Iterator[BatchLoss]) -> BatchLoss:
    """The sum of the parts' numbers, field by field; all 0 without parts."""
    found = [_NOTHING, *losses]
    return BatchLoss(*(sum(values) for values in zip(*map(_numbers, found), strict=True)))


_NOTHING = BatchLoss(
    loss=0.0, loss_vft=0.0, loss_rank=0.0, push_up=0.0, push_down=0.0, tokens=0, scored_only=0, two_pass_questions=0
)


def _numbers(loss: BatchLoss) -> tuple[Any, ...]:
    return tuple(getattr(loss, field.name) for field in fields(loss))


def _tokens(batch: TrainingBatch) -> list[int]:
    """Tokens of each question with its responses, the question counted once."""
    tokens = [len(prompt) for prompt in batch.prompts]
    for response in batch.responses:
        tokens[response.question] += len(response.ids)
    return tokens


def _half(tokens: Sequence[int], order: Sequence[int]) -> int:
    """How many of the ordered questions make up about half of the tokens: at least one, and not all."""
    taken, total = 0, sum(tokens)
    for count, question in enumerate(order, start=1):
        taken += tokens[question]
        if 2 * taken >= total:
            return min(count, len(order) - 1)
    return len(order) - 1
