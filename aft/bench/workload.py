"""What is measured on: a random Llama, and question groups with the lengths of GSM8K."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final

import numpy as np
import torch

from aft.arithmetic import VOCABULARY
from aft.config.bench import BenchConfig, BenchModelName
from aft.config.training import BuiltinModelConfig
from aft.models import build_llama, build_tokenizer
from aft.training.groups import Group, TrainingCandidate

VOCAB_SIZE: Final = 4096


@dataclass(frozen=True, slots=True)
class Sizes:
    """A Llama's sizes."""

    hidden_size: int
    layers: int
    heads: int
    mlp_size: int
    vocab_size: int = VOCAB_SIZE


SIZES: Final[dict[BenchModelName, Sizes]] = {
    "5m": Sizes(256, 4, 4, 688),
    "100m": Sizes(768, 12, 12, 2048, 32_000),
    "300m": Sizes(1024, 20, 16, 2816, 32_000),
}

# Tokens of GSM8K's training part under a byte-level BPE of 4,096 tokens trained on it: prompts with our template have
# a median of 81 and a mean of 86, references 91 and 99; the logarithms are close to normal and correlate at 0.5.
_PROMPT, _RESPONSE = (math.log(81), 0.27), (math.log(91), 0.43)
_CORRELATION = 0.5
# Responses of one model to one question differ less than questions do.
_WITHIN_QUESTION = 0.25
_SHORTEST, _LONGEST = 16, 480


def build_model(config: BenchConfig) -> tuple[Any, Any]:
    """The model on its device, in evaluation mode, with a tokenizer of as many words."""
    if config.model == "builtin":
        sizes: Any = BuiltinModelConfig()
        tokenizer = build_tokenizer(VOCABULARY)
    else:
        sizes = SIZES[config.model]
        tokenizer = build_tokenizer([f"w{number}" for number in range(sizes.vocab_size - 5)])
    model: Any = build_llama(sizes, tokenizer, seed=config.seed)
    return model.to(torch.device(config.device)).eval(), tokenizer


def make_groups(config: BenchConfig, vocabulary: int) -> list[Group]:
    """Question groups of random tokens: a reference and ``k`` candidates each, the first half of them right."""
    rng = np.random.default_rng(config.seed)
    groups = []
    for number, (common, own) in enumerate(
        zip(*(_spread_normal(rng, config.questions) for _ in range(2)), strict=True)
    ):
        mixed = _CORRELATION * common + math.sqrt(1 - _CORRELATION**2) * own
        prompt = _length(_PROMPT[0] + _PROMPT[1] * common)
        centre = _RESPONSE[0] + _RESPONSE[1] * mixed
        lengths = [_length(centre + _WITHIN_QUESTION * rng.standard_normal()) for _ in range(config.k + 1)]
        ids = [tuple(int(token) for token in rng.integers(5, vocabulary, length)) for length in (prompt, *lengths)]
        for place in range(3, len(ids)):
            shared = round(config.overlap * len(ids[place]))
            ids[place] = (*ids[place - 1][:shared], *ids[place][min(shared, len(ids[place - 1])) :])
        candidates = tuple(
            TrainingCandidate(each, rating=float(place < config.k // 2)) for place, each in enumerate(ids[2:])
        )
        groups.append(Group(f"q{number}", ids[0], ids[1], candidates))
    return groups


def _spread_normal(rng: np.random.Generator, count: int) -> list[float]:
    """Normal numbers, one from each of ``count`` equally likely ranges: few questions are as mixed as many."""
    ranks = (rng.permutation(count) + rng.random(count)) / count
    return [NormalDist().inv_cdf(min(max(float(rank), 1e-9), 1 - 1e-9)) for rank in ranks]


def _length(logarithm: float) -> int:
    return min(_LONGEST, max(_SHORTEST, round(math.exp(logarithm))))


def response_tokens(groups: list[Group]) -> int:
    """Tokens of all references and candidates: what a step learns from or ranks."""
    return sum(len(group.reference_ids) + sum(len(each.ids) for each in group.candidates) for group in groups)
