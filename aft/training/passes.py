"""One forward or backward pass over a micro-batch, by a process that holds the whole model."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from aft.config.training import TrainConfig
from aft.scoring import GroupIds, Microbatch, Packing, microbatch_token_logprobs, shares_prefix

_CPU_TOKENS_PER_PASS = 1024
"""A CPU gains nothing from larger passes, and rows of unlike length pad each other less in smaller ones."""


class Passes:
    """How the gradient of a step computes its micro-batches."""

    most_kept: int | None = None
    """Forward passes whose graphs may wait for a backward pass; None is any number."""

    def __init__(self, model: Any, config: TrainConfig, *, packing: Packing = "auto") -> None:
        self._model = model
        self.shares_prefix = shares_prefix(model, packing)
        self._bfloat16 = config.precision == "bfloat16"
        budget = config.tokens_per_microbatch
        self.tokens_per_pass = min(budget, _CPU_TOKENS_PER_PASS) if model.device.type == "cpu" else budget

    def forward(self, groups: Sequence[GroupIds], microbatch: Microbatch) -> tuple[Tensor, ...]:
        """Token log-probabilities of each response of the micro-batch, with graphs where gradients are enabled."""
        with torch.autocast(self._model.device.type, torch.bfloat16, enabled=self._bfloat16):
            return microbatch_token_logprobs(self._model, groups, microbatch)

    def backward(self, values: Sequence[Tensor], weights: Sequence[Tensor]) -> None:
        """Add the gradient of ``sum(weight * value)`` to the parameters."""
        torch.autograd.backward(values, weights)
