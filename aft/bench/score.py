"""Scoring candidates (Eq. 2): padded rows with logits everywhere, separate rows, and one copy of each question."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import torch
from torch import Tensor

from aft.bench.bound import forward_operations, share_of_matrix_rate
from aft.bench.padded import padded_scores
from aft.bench.report import BenchReport, Comparison
from aft.bench.turns import Measured, take_turns
from aft.bench.workload import build_model, make_groups
from aft.config.bench import BenchConfig
from aft.scoring import GroupIds, Packing, candidate_scores

LARGEST_DIFFERENCE: Final = {"float32": 1e-5, "bfloat16": 0.1}
"""Nats a token by which alternatives may differ; more means that they do not compute the same."""

_GPU_TOKENS = 16_384


def measure(config: BenchConfig) -> BenchReport:
    """Candidate tokens a second, without gradients.

    Raises:
        ValueError: If the alternatives' scores differ.
    """
    model, _ = build_model(config)
    groups = make_groups(config, model.get_input_embeddings().num_embeddings)
    asked: list[GroupIds] = [(group.prompt_ids, [each.ids for each in group.candidates]) for group in groups]
    tokens = float(sum(len(ids) for _, responses in asked for ids in responses))
    found: dict[str, Tensor] = {}

    def scoring(name: str, score: Callable[[], Sequence[Tensor]]) -> Measured:
        def once() -> float:
            with torch.no_grad(), torch.autocast(model.device.type, torch.bfloat16, config.dtype == "bfloat16"):
                found[name] = torch.cat(list(score())).float()
            return tokens

        return once

    def ours(packing: Packing) -> Callable[[], Sequence[Tensor]]:
        budget = 1024 if config.device == "cpu" else _GPU_TOKENS
        return lambda: candidate_scores(model, asked, tokens_per_microbatch=budget, packing=packing)

    alternatives = {
        "padded": scoring("padded", lambda: [_padded(model, group) for group in asked]),
        "separate rows": scoring("separate rows", ours("separate")),
        "ours": scoring("ours", ours("auto")),
    }
    timings = take_turns(alternatives, rounds=config.rounds, device=model.device)
    difference = max(float((found["ours"] - other).abs().max()) for other in found.values())
    if difference > LARGEST_DIFFERENCE[config.dtype]:
        raise ValueError(
            f"The alternatives' scores differ by {difference:.2g} nats a token: they compute other things."
        )
    comparisons = [
        Comparison("ours", "padded", "shared questions, no padding, logits of responses only"),
        Comparison("ours", "separate rows", "one copy of the question for all its candidates"),
    ]
    report = BenchReport.of(config, "candidate tokens", timings, comparisons)
    operations = forward_operations(model, [(prompt, list(responses)) for prompt, responses in asked])
    bound = share_of_matrix_rate(model, config, operations, timings["ours"])
    return replace(report, bound={**bound, "largest_score_difference": difference})


def _padded(model: Any, group: GroupIds) -> Tensor:
    prompt, responses = group
    return padded_scores(model, [(tuple(prompt), tuple(response)) for response in responses])
