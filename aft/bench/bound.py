"""The least a computation costs, and the rate this machine multiplies matrices at.

Operations count a multiplication with its addition as two. A product with a weight costs 2 operations a parameter and
token forwards and 4 backwards; attention 4 operations a layer, width and pair of tokens forwards and 8 backwards.
"""

from collections.abc import Sequence
from typing import Any

import torch

from aft.bench.turns import Timing, clock_of, synchronize
from aft.config.bench import BenchConfig
from aft.packing import GroupIds, build_tensors, microbatches
from aft.training.groups import Group

_TOKENS = 1024


def matrix_rate(model: Any, config: BenchConfig, *, rows: int = _TOKENS) -> float:
    """Operations a second of products of ``rows`` tokens with a matrix of the model's MLP, the best of five tries."""
    settings = model.config
    dtype = torch.bfloat16 if config.dtype == "bfloat16" else torch.float32
    left = torch.randn(rows, settings.hidden_size, device=model.device, dtype=dtype)
    right = torch.randn(settings.hidden_size, settings.intermediate_size, device=model.device, dtype=dtype)
    clock, repeats = clock_of(model.device), 20
    best = float("inf")
    for _ in range(5):
        synchronize(model.device)
        begun = clock()
        for _ in range(repeats):
            left @ right
        synchronize(model.device)
        best = min(best, clock() - begun)
    operations = 2.0 * rows * int(settings.hidden_size) * int(settings.intermediate_size)
    return operations * repeats / best


def forward_operations(model: Any, groups: Sequence[GroupIds]) -> float:
    """Operations to score every response once, each question and each common beginning read once."""
    settings = model.config
    head = settings.vocab_size * settings.hidden_size
    layers, width = settings.num_hidden_layers, settings.hidden_size
    keys_and_values = 2 * width * settings.num_key_value_heads * settings.head_dim
    operations = 0.0
    whole = sum(len(prompt) + sum(map(len, responses)) for prompt, responses in groups)
    for microbatch in microbatches(groups, tokens_per_microbatch=whole, share_prefix=True):
        tensors = build_tensors(groups, microbatch, torch.device("cpu"))
        operations += 2 * head * len(tensors.targets)
        for row in tensors.stream or ():
            # Causal attention looks at half of the pairs within a part, and at all pairs with what is before it.
            before = sum(each.length * (row.question + each.shared) for each in row.branches)
            pairs = row.question**2 / 2 + before + sum(each.length**2 / 2 for each in row.branches)
            operations += 2 * layer_parameters(model) * sum(row.sections) + 4 * layers * width * pairs
            # In the last layer a question's tokens before its last need keys and values only.
            operations -= 2 * (layer_parameters(model) / layers - keys_and_values) * (row.question - 1)
            operations -= 4 * width * (row.question**2 / 2 - row.question)
    return operations


def layer_parameters(model: Any) -> int:
    """Parameters of the layers, without the embedding and the projection to logits."""
    head = int(model.config.vocab_size * model.config.hidden_size)
    embeddings = head if model.config.tie_word_embeddings else 2 * head
    return sum(int(parameter.numel()) for parameter in model.parameters()) - embeddings


def share_of_matrix_rate(model: Any, config: BenchConfig, operations: float, timing: Timing) -> dict[str, Any]:
    """The least time at the machine's own matrix rate, and its share of the time measured."""
    rate = matrix_rate(model, config)
    least = operations / rate
    return {
        "operations": operations,
        "matrix_operations_per_second": rate,
        "least_seconds": least,
        "measured_seconds": timing.median_seconds,
        "share_of_matrix_rate": least / timing.median_seconds,
    }


def training_bound(model: Any, groups: Sequence[Group], config: BenchConfig, timing: Timing) -> dict[str, Any]:
    """The step at the machine's own matrix rate: forward once, backward at twice that, and the optimizer's bytes."""
    asked = [(group.prompt_ids, [group.reference_ids, *(each.ids for each in group.candidates)]) for group in groups]
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return {
        **share_of_matrix_rate(model, config, 3 * forward_operations(model, asked), timing),
        # Weights, gradient and both moments are read, weights and moments written; the clipping reads the gradient.
        "optimizer_bytes": 32 * parameters,
    }
