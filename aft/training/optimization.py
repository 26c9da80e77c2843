"""AdamW, its schedule and one clipped update: shared by pre-training and alignment."""

import math
from typing import Any

import torch

from aft.config.training import OptimizerConfig


def make_optimizer(model: Any, config: OptimizerConfig) -> torch.optim.AdamW:
    """AdamW over all trainable parameters, in one fused kernel a step."""
    return torch.optim.AdamW(
        [parameter for parameter in model.parameters() if parameter.requires_grad],
        lr=config.learning_rate,
        betas=(config.adam_beta1, config.adam_beta2),
        weight_decay=config.weight_decay,
        fused=True,
    )


def learning_rate(config: OptimizerConfig, step: int, total: int) -> float:
    """Rate of the step with this index: linear warm-up to the peak, then linear decay towards 0.

    No step is wasted at a rate of 0: the first is at ``peak / warm-up steps``, the last above 0.
    """
    warmup = math.ceil(config.warmup_fraction * total)
    if step < warmup:
        return config.learning_rate * (step + 1) / warmup
    return config.learning_rate * (total - step) / max(1, total - warmup)


def update(model: Any, optimizer: torch.optim.Optimizer, rate: float, max_grad_norm: float) -> float:
    """Clip the gradients, take one optimizer step, clear them, and return the norm before clipping.

    Raises:
        FloatingPointError: If the gradient is not finite; the weights are then as before.
    """
    norm = float(torch.nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm, foreach=True))
    if not math.isfinite(norm):
        optimizer.zero_grad(set_to_none=True)
        raise FloatingPointError(f"the gradient's norm is {norm}")
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return norm
