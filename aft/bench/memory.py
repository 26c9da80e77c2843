"""Memory of a training step's activations by the number of candidates: ours, and the padded joint implementation.

Counted are the bytes that live at the same time during the gradient of a step, beyond the weights, the parameters'
gradients and the batch, which are there before. On a CPU each allocation and release is recorded by torch's profiler;
no clock is involved, so a busy machine changes nothing.
"""

from collections.abc import Callable
from typing import Any, Final

import torch
from torch.profiler import ProfilerActivity, profile

from aft.bench.padded import add_padded_gradient
from aft.bench.report import BenchReport
from aft.bench.train import BOUNDARY, train_config
from aft.bench.workload import build_model, make_groups
from aft.config.bench import BenchConfig
from aft.training.accumulation import add_step_gradient
from aft.training.batches import collate_groups

FEWEST: Final = 2
"""Candidates a question with which the memory is compared."""

PADDED_MOST: Final = 8
"""Candidates a question up to which the padded implementation is measured: its memory grows with every one."""


def measure(config: BenchConfig) -> BenchReport:
    """Peak bytes of a step of ``questions`` with 2 candidates each, and with ``k``."""
    model, _ = build_model(config)
    vocabulary = model.get_input_embeddings().num_embeddings
    settings = train_config(config, BOUNDARY)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    peaks: dict[str, int] = {}
    few, many = f"ours, k = {FEWEST}", f"ours, k = {config.k}"
    for k, name in ((FEWEST, few), (config.k, many)):
        batch = collate_groups(make_groups(config.model_copy(update={"k": k}), vocabulary), settings)
        peaks[name] = peak_bytes(model, lambda batch=batch: add_step_gradient(model, batch, settings))  # type: ignore[misc]
    padded_most = min(config.k, PADDED_MOST)
    for k in (FEWEST, padded_most):
        groups = make_groups(config.model_copy(update={"k": k}), vocabulary)
        peaks[f"padded, k = {k}"] = peak_bytes(
            model,
            lambda groups=groups: add_padded_gradient(model, groups, settings, 1),  # type: ignore[misc]
        )
    pairs = [(many, few, "candidates cost time, not memory")]
    if padded_most > FEWEST:
        pairs.append((f"padded, k = {padded_most}", f"padded, k = {FEWEST}", "one question in one joint graph"))
    return BenchReport(
        config,
        "bytes",
        {name: {"peak_bytes": peak} for name, peak in peaks.items()},
        [
            {"name": name, "against": against, "what": what, "median": peaks[name] / peaks[against]}
            for name, against, what in pairs
        ],
        bound={"tokens_with_graphs": settings.tokens_per_microbatch, "bytes_a_token": bytes_a_token(model)},
    )


def peak_bytes(model: Any, compute: Callable[[], Any]) -> int:
    """Most bytes beyond those at the start that tensors hold at once while it computes."""
    if model.device.type == "cuda":
        torch.cuda.synchronize(model.device)
        before = torch.cuda.memory_allocated(model.device)
        torch.cuda.reset_peak_memory_stats(model.device)
        compute()
        torch.cuda.synchronize(model.device)
        return int(torch.cuda.max_memory_allocated(model.device) - before)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        compute()
    recorded = profiler.profiler
    if recorded is None or recorded.kineto_results is None:
        raise RuntimeError("torch's profiler recorded nothing.")
    changes = [event for event in recorded.kineto_results.events() if event.name() == "[memory]"]
    held = peak = 0
    for event in sorted(changes, key=lambda event: event.start_ns()):
        held += event.nbytes()
        peak = max(peak, held)
    return peak


def bytes_a_token(model: Any) -> int:
    """What the graph of one token cannot do without: each product's input, and the logits' probabilities.

    In a layer these are the inputs of the norms, of the projections, of attention, of the activation and of the last
    product; the rest could be computed again from them.
    """
    settings = model.config
    layer = 7 * settings.hidden_size + 3 * settings.intermediate_size
    numbers = settings.num_hidden_layers * layer + 2 * settings.hidden_size + settings.vocab_size
    return int(next(model.parameters()).element_size() * numbers)
