"""A tiny seeded model and random groups for the training tests."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from transformers.models.llama.modeling_llama import LlamaRMSNorm

from aft.arithmetic import VOCABULARY
from aft.config.training import BuiltinModelConfig
from aft.models import build_llama, build_tokenizer
from aft.training.groups import Group, TrainingCandidate

TINY = BuiltinModelConfig(hidden_size=16, layers=2, heads=2, mlp_size=32)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    return build_tokenizer(VOCABULARY)


@pytest.fixture
def make_model(tokenizer: Any) -> Callable[[], Any]:
    return lambda: build_llama(TINY, tokenizer, seed=0)


@pytest.fixture
def groups() -> list[Group]:
    """Eleven questions with 0 to 6 candidates on up to three levels; one has no pair."""
    rng = np.random.default_rng(0)

    def ids(shortest: int, longest: int) -> tuple[int, ...]:
        return tuple(int(token) for token in rng.integers(5, len(VOCABULARY), rng.integers(shortest, longest)))

    found = []
    for number in range(11):
        ratings = rng.choice([0.0, 1.0, 2.0], size=number % 7)
        candidates = tuple(
            TrainingCandidate(ids(3, 12), float(rating), reference_score=-float(rng.random())) for rating in ratings
        )
        found.append(Group(f"q{number}", ids(4, 15), ids(3, 12), candidates))
    return found


@pytest.fixture
def norm_in_the_models_own_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Llama's norm computes in float32 even in a float64 model, which would hide differences below 1e-8."""

    def forward(self: LlamaRMSNorm, hidden: torch.Tensor) -> torch.Tensor:
        return self.weight * hidden * torch.rsqrt(hidden.pow(2).mean(-1, keepdim=True) + self.variance_epsilon)

    monkeypatch.setattr(LlamaRMSNorm, "forward", forward)
