"""Settings of the tiny model: what any data set can be tried on without fetching anything."""

from typing import Literal

from pydantic import Field, RootModel, model_validator

from aft.config.base import Config
from aft.config.training import BuiltinModelConfig

SMALLEST_VOCABULARY = 261
"""The 256 bytes and five special tokens."""


class TinySizes(Config):
    """Sizes of a tiny Llama."""

    hidden_size: int = Field(default=64, ge=16, le=4096)
    layers: int = Field(default=2, ge=1, le=64)
    heads: int = Field(default=2, ge=1, le=64)
    mlp_size: int = Field(default=192, ge=16, le=16_384)
    vocab_size: int = Field(default=2048, ge=SMALLEST_VOCABULARY, le=65_536)
    """Upper bound; few texts give fewer tokens."""
    window: int = Field(default=1024, ge=64, le=131_072)
    """Longest question plus response, in tokens."""
    seed: int = Field(default=0, ge=0, lt=2**31)

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> "TinySizes":
        if self.hidden_size % (2 * self.heads):
            msg = (
                f"hidden_size {self.hidden_size} does not split into {self.heads} heads of an even size. "
                f"Use a multiple of {2 * self.heads}."
            )
            raise ValueError(msg)
        return self


class TinyModelConfig(TinySizes):
    """A Llama with random weights and a tokenizer trained on the training questions of a split.

    It has learned nothing: it proves that data go through every step, and its accuracy stays near zero.
    """

    kind: Literal["pretrain"] = "pretrain"
    dataset_version_id: str
    split_id: str
    """The tokenizer sees the train part of this split alone."""


MadeModelConfig = BuiltinModelConfig | TinyModelConfig
"""Models that a run of this product makes."""


class MakingConfig(RootModel[MadeModelConfig]):
    """Configuration of a run that makes a base model; only the tiny model's names a split."""
