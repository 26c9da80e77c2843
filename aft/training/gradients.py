"""The gradient of ``L_VFT + weight * L_rank`` over a batch of groups, in bounded memory.

Every ranking loss is a function of the candidates' scores, and the VFT term is linear in the log-likelihoods.
So the gradient of the whole loss is that of ``sum_r c_r * log P(r)`` with one constant ``c_r`` for each response,
known once the batch is scored. Where the batch fits the token budget its scores keep their graphs (joint pass, 3
units of work a token); otherwise as many as fit keep theirs, the others are scored without gradient first and those
with ``c_r != 0`` computed again, one micro-batch at a time (4 units). All give the same gradient. Dropout must be
off, or the two passes see different models.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from aft.config.method import RANKING_METHODS, MethodConfig
from aft.config.training import TrainConfig
from aft.losses import ranking_loss
from aft.scoring import GroupIds, Microbatch, microbatches
from aft.training.batches import TrainingBatch
from aft.training.passes import Passes

HowMany = Literal["auto", "joint", "two"]
"""auto: joint as far as the token budget goes. two: no graph is kept while others are scored."""


@dataclass(frozen=True, slots=True)
class BatchLoss:
    """Numbers of one batch, after its gradient was added to the parameters."""

    loss: float
    loss_vft: float
    loss_rank: float
    """Mean over the questions, without the method's weight."""
    push_up: float
    """Sum of ``|dL/ds|`` over the scores the ranking loss raises, in the loss as trained."""
    push_down: float
    """The same over the scores it lowers."""
    tokens: int
    """Tokens computed, each pass counted, without padding."""
    scored_only: int
    """Ranked candidates that needed no backward pass: their score has no gradient."""
    two_pass_questions: int
    """Questions whose candidates exceeded the token budget, so that some of them were computed twice."""


def add_batch_gradient(
    model: Any,
    batch: TrainingBatch,
    config: TrainConfig,
    *,
    passes: HowMany = "auto",
    computed_by: Passes | None = None,
) -> BatchLoss:
    """Add the gradient of the batch's loss to the parameters' ``grad``.

    Args:
        model: A causal language model in evaluation mode (no dropout).
        batch: The groups of one optimizer step.
        config: Method, reduction of the VFT term and token budget.
        passes: Forced by tests; a joint pass may exceed the budget.
        computed_by: Who computes the micro-batches; by default this process with the whole model.

    Raises:
        FloatingPointError: If the loss is not finite.
    """
    computed_by = computed_by or Passes(model, config)
    scorer = _Scorer(model, batch, computed_by)
    with_gradient = [index for index, response in enumerate(batch.responses) if not response.constant]
    budget = config.tokens_per_microbatch
    joint = passes == "joint" or (passes == "auto" and scorer.fits(with_gradient, budget))
    with_graph = with_gradient if joint else scorer.keepable(with_gradient, budget) if passes == "auto" else []
    sums = torch.zeros(len(batch.responses), dtype=scorer.dtype, device=model.device)
    kept: list[tuple[list[int], Tensor]] = []
    ranked = [index for index, response in enumerate(batch.responses) if response.column is not None]
    holding = set(with_graph)
    with torch.no_grad():
        for indices, values in scorer.log_likelihoods([index for index in ranked if index not in holding]):
            sums[indices] = values
    for indices, values in scorer.log_likelihoods(with_graph):
        sums[indices] = values.detach()
        kept.append((indices, values))
    if not bool(sums.isfinite().all()):
        raise FloatingPointError("a score is not finite")
    rank_loss, pushes = _ranking_gradient(batch, sums, config.method)
    shares = sums.new_tensor([response.vft_weight for response in batch.responses])
    coefficients = pushes - shares
    if kept:
        weights = [coefficients[indices].to(values) for indices, values in kept]
        computed_by.backward([values for _, values in kept], weights)
        # Their graphs make room for those of the others.
        kept.clear()
        del values
    again: list[int] = []
    if not joint:
        again = [index for index in coefficients.nonzero().flatten().tolist() if index not in holding]
        for indices, values in scorer.log_likelihoods(again):
            sums[indices] = values.detach()
            computed_by.backward([values], [coefficients[indices].to(values)])
    vft_loss = -float((shares * sums).sum())
    lengths = torch.tensor([len(response.ids) for response in batch.responses], device=sums.device)
    score_pushes = pushes * lengths
    result = BatchLoss(
        loss=vft_loss + config.method.weight * rank_loss,
        loss_vft=vft_loss,
        loss_rank=rank_loss,
        push_up=-float(score_pushes.clamp(max=0).sum()),
        push_down=float(score_pushes.clamp(min=0).sum()),
        tokens=scorer.tokens,
        scored_only=len(set(ranked).difference(with_graph, again)),
        two_pass_questions=0 if joint else len(batch.prompts),
    )
    if not math.isfinite(result.loss):
        raise FloatingPointError(f"the loss is {result.loss} (VFT {vft_loss}, ranking {rank_loss})")
    return result


def _ranking_gradient(batch: TrainingBatch, sums: Tensor, method: MethodConfig) -> tuple[float, Tensor]:
    """The ranking loss (mean over questions) and the derivative of its weighted form by each log-likelihood."""
    pushes = torch.zeros_like(sums)
    if method.name not in RANKING_METHODS or batch.ratings.shape[1] == 0:
        return 0.0, pushes
    ranked = [index for index, response in enumerate(batch.responses) if response.column is not None]
    rows = [batch.responses[index].question for index in ranked]
    columns = [batch.responses[index].column for index in ranked]
    lengths = torch.tensor([len(batch.responses[index].ids) for index in ranked]).to(sums)
    scores = torch.zeros(batch.ratings.shape).to(sums)
    scores[rows, columns] = sums[ranked] / lengths
    scores.requires_grad_()
    with torch.enable_grad():
        loss = (
            ranking_loss(
                scores,
                batch.ratings.to(scores),
                method=method.name,
                constraint=method.constraint,
                temperature=method.temperature,
                reference_scores=None if batch.reference_scores is None else batch.reference_scores.to(scores),
                beta=method.beta,
                boundary_beta=method.boundary_beta,
                boundary_rule=method.boundary_rule,
            ).sum()
            / batch.questions_in_step
        )
    (gradient,) = torch.autograd.grad(method.weight * loss, scores)
    pushes[ranked] = gradient[rows, columns] / lengths
    return loss.item(), pushes


def fits_budget(model: Any, batch: TrainingBatch, config: TrainConfig, computed_by: Passes | None = None) -> bool:
    """Whether the forward passes that keep their graphs hold no more tokens than a micro-batch may."""
    with_gradient = [index for index, response in enumerate(batch.responses) if not response.constant]
    scorer = _Scorer(model, batch, computed_by or Passes(model, config))
    return scorer.fits(with_gradient, config.tokens_per_microbatch)


class _Scorer:
    """Log-likelihoods of a batch's responses, micro-batch by micro-batch."""

    def __init__(self, model: Any, batch: TrainingBatch, computed_by: Passes) -> None:
        self.batch, self._passes = batch, computed_by
        self.tokens = 0
        self.dtype = torch.float64 if next(model.parameters()).dtype == torch.float64 else torch.float32
        self._share_prefix = computed_by.shares_prefix

    def fits(self, indices: Sequence[int], budget: int) -> bool:
        """Whether the graphs of these responses' forward passes may be kept at the same time."""
        plan, most = self._plan(indices)[2], self._passes.most_kept
        return (most is None or len(plan) <= most) and sum(part.padded_tokens for part in plan) <= budget

    def keepable(self, indices: Sequence[int], budget: int) -> list[int]:
        """Those of the responses whose graphs may be kept together, whole micro-batches of them; the longest first."""
        if self._passes.most_kept is not None:
            # Processes in lockstep make their passes in pairs of forward and backward.
            return []
        _, numbers, plan = self._plan(indices)
        found: list[int] = []
        for part in plan:
            if part.padded_tokens <= budget:
                budget -= part.padded_tokens
                found += [numbers[item] for item in part.items]
        return sorted(found)

    def log_likelihoods(self, indices: Sequence[int]) -> Iterable[tuple[list[int], Tensor]]:
        """Yield response numbers and the sum of their token log-probabilities, one micro-batch at a time."""
        groups, numbers, plan = self._plan(indices)
        for microbatch in plan:
            tokens = self._passes.forward(groups, microbatch)
            self.tokens += microbatch.tokens
            yield [numbers[item] for item in microbatch.items], torch.stack([each.sum() for each in tokens])

    def _plan(self, indices: Sequence[int]) -> tuple[list[GroupIds], dict[tuple[int, int], int], list[Microbatch]]:
        groups: list[tuple[tuple[int, ...], list[tuple[int, ...]]]] = [(prompt, []) for prompt in self.batch.prompts]
        numbers: dict[tuple[int, int], int] = {}
        for index in indices:
            response = self.batch.responses[index]
            members = groups[response.question][1]
            numbers[response.question, len(members)] = index
            members.append(response.ids)
        plan = microbatches(groups, tokens_per_microbatch=self._passes.tokens_per_pass, share_prefix=self._share_prefix)
        return list(groups), numbers, plan
