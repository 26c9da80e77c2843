"""A training step: the usual padded implementation, ours, its parts switched off one at a time; or TRL's."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aft.bench import dpo
from aft.bench.bound import training_bound
from aft.bench.padded import add_padded_gradient
from aft.bench.report import BenchReport, Comparison
from aft.bench.turns import Measured, take_turns
from aft.bench.workload import VOCAB_SIZE, build_model, make_groups, response_tokens
from aft.config.bench import BenchConfig
from aft.config.method import MethodConfig
from aft.config.training import TrainConfig
from aft.scoring import Packing
from aft.training.accumulation import add_step_gradient, parts
from aft.training.batches import TrainingBatch, collate_groups
from aft.training.gradients import HowMany, add_batch_gradient
from aft.training.groups import Group
from aft.training.optimization import make_optimizer, update
from aft.training.passes import Passes

BOUNDARY = MethodConfig(name="aft", constraint="boundary")
DETACHED = MethodConfig(name="aft", constraint="detached")
_GPU_TOKENS = 16_384


def measure(config: BenchConfig) -> BenchReport:
    """Response tokens a second of one optimizer step, forward, backward and update; with ``trl`` pairs a second.

    Raises:
        ValueError: If TRL is asked for and not installed.
    """
    if config.trl:
        settings = train_config(config, BOUNDARY)
        at_once = questions_per_pass(config, make_groups(config, VOCAB_SIZE))
        return dpo.measure(config, settings, at_once)
    model, _ = build_model(config)
    vocabulary = model.get_input_embeddings().num_embeddings
    groups = make_groups(config, vocabulary)
    boundary, detached = train_config(config, BOUNDARY), train_config(config, DETACHED)
    optimizer = make_optimizer(model, boundary.optimizer)
    tokens = float(response_tokens(groups))

    def step(add_gradient: Callable[[], Any]) -> Measured:
        def once() -> float:
            add_gradient()
            update(model, optimizer, 1e-6, 1.0)
            return tokens

        return once

    def ours(settings: TrainConfig, passes: HowMany = "auto", *, share: bool = True, skip: bool = True) -> Measured:
        batch = collate_groups(groups, settings)
        if not skip:
            batch = without_skip(batch)
        packing: Packing = "auto" if share else "separate"
        if passes == "auto":
            return step(lambda: add_step_gradient(model, batch, settings, Passes(model, settings, packing=packing)))
        pieces = list(parts(model, batch, settings))
        return step(lambda: [add_batch_gradient(model, piece, settings, passes=passes) for piece in pieces])

    at_once = questions_per_pass(config, groups)
    alternatives: dict[str, Measured] = {
        "padded": step(lambda: add_padded_gradient(model, groups, boundary, at_once)),
        "separate rows": ours(boundary, share=False),
        "ours": ours(boundary),
        "ours, two passes": ours(boundary, "two"),
        "detached": ours(detached),
        "detached without skip": ours(detached, skip=False),
        "detached, two passes": ours(detached, "two"),
    }
    timings = take_turns(alternatives, rounds=config.rounds, device=model.device)
    comparisons = [
        Comparison("ours", "padded", "shared questions, no padding, logits of responses only"),
        Comparison("ours", "separate rows", "one copy of the question for all its responses"),
        Comparison("ours", "ours, two passes", "one pass with graphs against scoring first"),
        Comparison("detached", "padded", "the same with detached worse scores"),
        Comparison("detached", "detached without skip", "worse candidates scored without a graph"),
        Comparison("detached, two passes", "ours, two passes", "second pass of the better candidates only"),
    ]
    report = BenchReport.of(config, "response tokens", timings, comparisons)
    return replace(report, bound=training_bound(model, groups, config, timings["ours"]))


def train_config(config: BenchConfig, method: MethodConfig) -> TrainConfig:
    """The defaults of training, with room for the device's passes."""
    budget = _GPU_TOKENS if config.device != "cpu" else 2048
    return TrainConfig(method=method, precision=config.dtype, max_length=1024, tokens_per_microbatch=budget)


def questions_per_pass(config: BenchConfig, groups: list[Group]) -> int:
    """Questions in a padded batch: one on a CPU, where more only pad each other; on a GPU what the budget holds."""
    if config.device == "cpu":
        return 1
    widest = max(len(g.prompt_ids) + max(len(c.ids) for c in g.candidates) for g in groups)
    return max(1, _GPU_TOKENS // (widest * (config.k + 1)))


def without_skip(batch: TrainingBatch) -> TrainingBatch:
    """The batch as if nobody knew that some scores have no gradient."""
    return replace(batch, responses=tuple(replace(response, constant=False) for response in batch.responses))
