"""The usual implementation, to compare with: padded rows, logits everywhere, one joint graph.

This is how the published trainers of RRHF and of the AFT paper compute a group: every candidate is a row of question
and response, padded to the longest one, the model gives logits at all positions, and the loss is differentiated
through all of them at once. The loss itself is ours, so that only the computation differs.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from aft.config.training import TrainConfig
from aft.losses import ranking_loss
from aft.training.groups import Group

Sequences = Sequence[tuple[tuple[int, ...], tuple[int, ...]]]
"""Prompt and response of each row."""


def padded_scores(model: Any, rows: Sequences) -> Tensor:
    """Mean token log-probability of each row's response (Eq. 2): ``[row]``, with a graph where gradients are on."""
    width = max(len(prompt) + len(response) for prompt, response in rows)
    ids = torch.zeros((len(rows), width), dtype=torch.long)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, -100)
    for row, (prompt, response) in enumerate(rows):
        end = len(prompt) + len(response)
        ids[row, :end] = torch.tensor([*prompt, *response])
        mask[row, :end] = 1
        labels[row, len(prompt) : end] = torch.tensor(response)
    ids, mask, labels = (each.to(model.device) for each in (ids, mask, labels))
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1].float()
    labels = labels[:, 1:]
    counted = labels != -100
    chosen = logits.log_softmax(dim=-1).gather(-1, labels.clamp(min=0)[..., None]).squeeze(-1)
    scores: Tensor = (chosen * counted).sum(dim=-1) / counted.sum(dim=-1)
    return scores


def add_padded_gradient(model: Any, groups: Sequence[Group], config: TrainConfig, questions_per_pass: int) -> float:
    """Add the gradient of ``L_VFT + weight * L_rank`` over the groups to the parameters; returns the loss.

    Args:
        model: A causal language model without dropout.
        groups: The step's questions, each with equally many candidates.
        config: Method and precision; the VFT term is the mean over each reference's tokens.
        questions_per_pass: Questions whose rows are one padded batch.
    """
    total, method = 0.0, config.method
    for start in range(0, len(groups), questions_per_pass):
        members = groups[start : start + questions_per_pass]
        rows = [(g.prompt_ids, ids) for g in members for ids in (g.reference_ids, *(c.ids for c in g.candidates))]
        with torch.autocast(model.device.type, torch.bfloat16, enabled=config.precision == "bfloat16"):
            scores = padded_scores(model, rows).view(len(members), -1)
        ratings = torch.tensor([[each.rating for each in group.candidates] for group in members]).to(scores)
        ranked = ranking_loss(
            scores[:, 1:],
            ratings,
            method=method.name,
            constraint=method.constraint,
            beta=method.beta,
            boundary_beta=method.boundary_beta,
            boundary_rule=method.boundary_rule,
        )
        loss = (method.weight * ranked.sum() - scores[:, 0].sum()) / len(groups)
        torch.autograd.backward([loss])
        total += float(loss.detach())
    return total
