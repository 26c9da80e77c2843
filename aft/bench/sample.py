"""Sampling k COTs a question: ``model.generate``, and the built-in engine."""

from dataclasses import replace
from typing import Any

import torch

from aft.bench.bound import layer_parameters, matrix_rate
from aft.bench.report import BenchReport, Comparison
from aft.bench.turns import Measured, Timing, take_turns
from aft.bench.workload import build_model, make_groups
from aft.config.bench import BenchConfig
from aft.config.sampling import SampleConfig
from aft.sampling import Prompt, Sampled, sample_cots


def measure(config: BenchConfig) -> BenchReport:
    """Sampled tokens a second at temperature 1, all questions in one batch on both sides.

    A model with random weights ends a response by chance alone, once in as many tokens as its vocabulary has: nearly
    every sequence of a large vocabulary runs to ``max_new_tokens``, and of the built-in model about half of them end.
    """
    model, tokenizer = build_model(config)
    groups = make_groups(config, model.get_input_embeddings().num_embeddings)
    prompts = [Prompt(group.question_id, group.prompt_ids) for group in groups]
    settings = SampleConfig(k=config.k, max_new_tokens=config.max_new_tokens, seed=config.seed)
    steps: dict[str, int] = {}

    def ours() -> float:
        found: list[Sampled] = []
        with torch.autocast(model.device.type, torch.bfloat16, config.dtype == "bfloat16"):
            sample_cots(model, tokenizer, prompts, settings, on_done=found.extend)
        steps["ours"] = max(len(sample.token_ids) for sample in found)
        return float(sum(len(sample.token_ids) for sample in found))

    timings = take_turns(
        {"generate": generating(model, tokenizer, prompts, config), "ours": ours},
        rounds=config.rounds,
        device=model.device,
    )
    comparisons = [Comparison("ours", "generate", "each prompt read once, finished sequences leave, less per step")]
    report = BenchReport.of(config, "sampled tokens", timings, comparisons)
    return replace(report, bound=sampling_bound(model, prompts, config, timings["ours"], steps["ours"]))


def generating(model: Any, tokenizer: Any, prompts: list[Prompt], config: BenchConfig) -> Measured:
    """``model.generate`` on the same prompts, padded on the left as it asks for, without anything but the sampling."""
    width = max(len(prompt.prompt_ids) for prompt in prompts)
    ids = torch.full((len(prompts), width), int(tokenizer.pad_token_id))
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt.prompt_ids) :] = torch.tensor(prompt.prompt_ids)
        mask[row, width - len(prompt.prompt_ids) :] = 1
    ids, mask = ids.to(model.device), mask.to(model.device)
    end = int(tokenizer.eos_token_id)

    def once() -> float:
        torch.manual_seed(config.seed)
        with torch.inference_mode(), torch.autocast(model.device.type, torch.bfloat16, config.dtype == "bfloat16"):
            output = model.generate(
                ids,
                attention_mask=mask,
                do_sample=True,
                temperature=1.0,
                top_k=0,
                top_p=1.0,
                num_return_sequences=config.k,
                max_new_tokens=config.max_new_tokens,
                pad_token_id=int(tokenizer.pad_token_id),
                eos_token_id=end,
            )[:, width:]
        # The tokens up to and with the first end; what follows it is padding.
        before = (output == end).cumsum(dim=1) - (output == end).long() == 0
        return float(before.sum())

    return once


def sampling_bound(
    model: Any, prompts: list[Prompt], config: BenchConfig, timing: Timing, steps: int
) -> dict[str, Any]:
    """The products with the weights at the rate of this batch's own width, and the bytes a step cannot do without."""
    settings = model.config
    rows = len(prompts) * config.k
    parameters = layer_parameters(model) + settings.vocab_size * settings.hidden_size
    prompt_tokens = sum(len(prompt.prompt_ids) for prompt in prompts)
    # Keys and values of everything before a token are read for it: on average the question and half of the response.
    before = prompt_tokens / len(prompts) + timing.work / rows / 2
    attention = 4 * settings.num_hidden_layers * settings.hidden_size * before
    operations = (2 * parameters + attention) * timing.work + 2 * layer_parameters(model) * prompt_tokens
    rate = matrix_rate(model, config, rows=rows)
    element = next(model.parameters()).element_size()
    cache = 2 * settings.num_hidden_layers * settings.num_key_value_heads * settings.head_dim * before * element
    return {
        "operations": operations,
        "matrix_operations_per_second": rate,
        "bytes_read": steps * parameters * element + cache * timing.work,
        "least_seconds": operations / rate,
        "measured_seconds": timing.median_seconds,
        "share_of_matrix_rate": operations / rate / timing.median_seconds,
    }
