"""Settings of training: one method on one model."""

from typing import Literal

from pydantic import Field, model_validator

from aft.config.base import Config
from aft.config.method import MethodConfig
from aft.config.scale import LoraConfig, ParallelConfig, check_scale

Precision = Literal["float32", "bfloat16"]
VftReduction = Literal["token-mean", "token-sum", "batch-token-mean"]
Keep = Literal["last", "best"]
OnDegradation = Literal["warn", "stop"]


class OptimizerConfig(Config):
    """AdamW with linear warm-up and linear decay. Defaults are the paper's."""

    learning_rate: float = Field(default=2e-5, gt=0, le=1)
    """Peak learning rate."""
    epochs: int = Field(default=3, ge=1, le=1000)
    """Passes over the training questions. An experiment gives vft-continued twice as many from the base model."""
    questions_per_step: int = Field(default=8, ge=1, le=4096)
    """Question groups in one optimizer step, over all devices."""
    warmup_fraction: float = Field(default=0.03, ge=0, le=1)
    """Share of the steps in which the learning rate rises linearly."""
    weight_decay: float = Field(default=0.0, ge=0, le=1)
    """AdamW's decoupled weight decay."""
    adam_beta1: float = Field(default=0.9, ge=0, lt=1)
    adam_beta2: float = Field(default=0.999, ge=0, lt=1)
    max_grad_norm: float = Field(default=1.0, gt=0)
    """Gradients are clipped to this norm."""


class TrainConfig(Config):
    """Train one method. The data, the starting model and the candidates are the run's parents."""

    kind: Literal["train"] = "train"
    method: MethodConfig
    feedback: Literal["binary", "ranking"] = "binary"
    """binary: a candidate is right or wrong; ranking: the ratings of the rate run."""
    labels: Literal["sampled", "corrected"] = "sampled"
    """Which labels binary feedback counts: as the COTs were sampled, or with the newest re-grade and people's
    overrides in their place. Evaluation always counts them as sampled."""
    reference_noise: float | None = Field(default=None, gt=0, le=1)
    """Share of references whose steps are made wrong while their answer stays right; none by default."""
    start_from: Literal["base", "vft"] = "base"
    """Where methods other than VFT start: the base model (the paper's choice) or the VFT model."""
    optimizer: OptimizerConfig = OptimizerConfig()
    vft_reduction: VftReduction = "token-mean"
    """Eq. 1 as a mean over each reference, as the sum it is written as, or with every token of a step alike."""
    max_length: int = Field(default=512, ge=8, le=131_072)
    """Longest question plus response, in tokens; longer examples are refused before training."""
    tokens_per_microbatch: int = Field(default=2048, ge=64)
    """Memory budget: tokens in one forward and backward pass."""
    precision: Precision = "float32"
    activation_checkpointing: bool = False
    """Keep only each layer's input for the backward pass and compute the rest again: less memory, a third more time."""
    lora: LoraConfig | None = None
    """Train low-rank factors instead of all weights."""
    parallel: ParallelConfig = ParallelConfig()
    deduplicate: bool = True
    """Count candidates of a question with equal text once."""
    validation_questions: int = Field(default=200, ge=0)
    """Validation questions decoded greedily at each evaluation; 0 turns it off."""
    evaluations_per_run: int = Field(default=4, ge=0, le=1000)
    """How many times the validation split is looked at during training."""
    watch_questions: int = Field(default=100, ge=0, le=100_000)
    """Assessment questions whose fresh candidates are scored at each evaluation, for the degradation alarm; 0 turns it
    off."""
    on_degradation: OnDegradation = "warn"
    """What an alarm does: assessment accuracy up, task accuracy down and perplexity up (Table 4)."""
    keep: Keep = "last"
    """The final model: the last step's (the paper's), or the one with the best validation task accuracy."""
    checkpoint_every_seconds: float = Field(default=60.0, gt=0)
    """A resumable checkpoint is written about this often, and when the run is stopped."""
    seed: int = Field(default=0, ge=0, lt=2**31)

    @model_validator(mode="after")
    def _scale_fits(self) -> "TrainConfig":
        check_scale(self.lora, self.parallel)
        return self


class BuiltinModelConfig(Config):
    """The built-in small model: a Llama made on this machine for the arithmetic task.

    The defaults are the configuration that shows the paper's effects on a CPU within minutes.
    """

    kind: Literal["pretrain"] = "pretrain"
    hidden_size: int = Field(default=96, ge=16, le=4096)
    layers: int = Field(default=3, ge=1, le=64)
    heads: int = Field(default=3, ge=1, le=64)
    mlp_size: int = Field(default=256, ge=16, le=16_384)
    steps: int = Field(default=1600, ge=1, le=1_000_000)
    rows_per_step: int = Field(default=32, ge=1)
    learning_rate: float = Field(default=4e-3, gt=0, le=1)
    corruption: float = Field(default=0.85, ge=0, le=1)
    """Probability that a step of a pretraining COT uses random operands or operator (arithmetic stays true)."""
    slip: float = Field(default=0.05, ge=0, le=1)
    """Probability that a pretraining step has an arithmetic slip."""
    checkpoint_every_seconds: float = Field(default=60.0, gt=0)
    seed: int = Field(default=0, ge=0, lt=2**31)
