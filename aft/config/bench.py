"""Settings of the benchmarks."""

from typing import Literal

from pydantic import Field

from aft.config.base import Config

BenchName = Literal["train", "score", "sample", "memory"]
BenchModelName = Literal["builtin", "5m", "100m", "300m"]


class BenchConfig(Config):
    """One benchmark: alternatives measured in turn inside one process, compared by the medians of their times."""

    name: BenchName
    model: BenchModelName = "5m"
    """A Llama with random weights: the built-in model's sizes, or about so many parameters."""
    device: str = Field(default="cpu", pattern=r"^(cpu|cuda(:\d+)?)$")
    dtype: Literal["float32", "bfloat16"] = "float32"
    threads: int = Field(default=1, ge=1, le=1024)
    """Threads of a computation on the CPU."""
    rounds: int = Field(default=5, ge=1, le=1000)
    """How often each alternative is measured; their medians count. One round more comes first and is left out."""
    questions: int = Field(default=8, ge=1, le=4096)
    """Questions of one step (train, memory), or of the whole measurement (score, sample)."""
    k: int = Field(default=6, ge=2, le=1024)
    """Candidates of each question, half of them right."""
    overlap: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Share of a candidate's tokens at its beginning that another candidate of the question begins with, too."""
    max_new_tokens: int = Field(default=96, ge=1, le=4096)
    """Tokens sampled for each candidate (sample)."""
    trl: bool = False
    """train: also TRL's DPOTrainer on the same model and pairs; needs the package trl."""
    seed: int = Field(default=0, ge=0, lt=2**31)
