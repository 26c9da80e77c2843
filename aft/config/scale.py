"""Settings of how a training runs: which weights are trained, in how many processes, in how much memory."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from aft.config.base import Config

Strategy = Literal["none", "ddp", "zero1", "zero2", "zero3"]


class LoraConfig(Config):
    """Train low-rank factors beside frozen weights: LoRA, or QLoRA on a quantised base."""

    rank: int = Field(default=16, ge=1, le=1024)
    """Rank of the factors A and B."""
    alpha: float = Field(default=32.0, gt=0, le=8192)
    """The update is ``alpha / rank * B A``."""
    dropout: float = Field(default=0.0, ge=0, le=1)
    """Must be 0: scores and their gradient are computed in two passes, which have to see the same model."""
    target_modules: Literal["all-linear"] | tuple[str, ...] = "all-linear"
    """Layers that get factors, by the end of their names, such as ``q_proj``; by default every linear layer but the
    output."""
    quantize: Literal["none", "4bit"] = "none"
    """4bit keeps the frozen weights in NF4 (QLoRA); it needs the package bitsandbytes, and a GPU to be fast."""

    @field_validator("dropout")
    @classmethod
    def _no_dropout(cls, value: float) -> float:
        if value:
            msg = (
                f"dropout is {value}. Set it to 0: every candidate is scored twice in a step, and both passes must see "
                "the same model."
            )
            raise ValueError(msg)
        return value

    @field_validator("target_modules")
    @classmethod
    def _names_modules(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if isinstance(value, tuple) and (not value or any(not name.strip() for name in value)):
            msg = "target_modules names no layer. Use all-linear, or names such as q_proj and v_proj."
            raise ValueError(msg)
        return value


class ParallelConfig(Config):
    """How many processes share a training, and what each of them keeps."""

    processes: int = Field(default=1, ge=1, le=64)
    """Processes on one machine; with GPUs one for each."""
    strategy: Strategy = "none"
    """ddp: every process keeps everything. zero1, zero2, zero3 (DeepSpeed): the optimizer's state, also the gradients,
    also the weights are spread over the processes."""
    offload: bool = False
    """ZeRO only: keep the optimizer's state, and under zero3 the weights, in the machine's memory, not the GPU's."""

    @model_validator(mode="after")
    def _fits(self) -> "ParallelConfig":
        if self.processes > 1 and self.strategy == "none":
            msg = f"processes is {self.processes} with strategy none. Choose ddp, zero1, zero2 or zero3, or 1 process."
            raise ValueError(msg)
        if self.offload and not self.uses_zero:
            msg = f"offload is on with strategy {self.strategy}. Choose zero1, zero2 or zero3, or turn it off."
            raise ValueError(msg)
        return self

    @property
    def uses_zero(self) -> bool:
        """Whether DeepSpeed spreads the training's state."""
        return self.strategy.startswith("zero")


def check_scale(lora: LoraConfig | None, parallel: ParallelConfig) -> None:
    """Refuse what cannot run together.

    Raises:
        ValueError: If quantised weights would have to be spread over processes.
    """
    if lora is not None and lora.quantize != "none" and parallel.strategy == "zero3":
        msg = (
            f"quantize is {lora.quantize} with strategy zero3, which cannot spread quantised weights. "
            "Choose zero2 or ddp."
        )
        raise ValueError(msg)
