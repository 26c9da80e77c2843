"""What an experiment will cost, before it starts: its operations over a rate.

A run's floating-point operations are 6 per parameter and token of a forward and backward pass, 2 of a forward pass.
The rate is what finished runs of the kind, with a model of about the size, reach on this installation (`pace`), or,
where there are none, a fixed one of a CPU core.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from aft.config.experiment import ExperimentSpec
from aft.config.tiny import MadeModelConfig, TinyModelConfig
from aft.config.training import BuiltinModelConfig, TrainConfig
from backend.services.planning import PlannedRun

DEFAULT_RATES = {"train": 25e9, "pretrain": 30e9, "sample": 6e9, "evaluate": 11e9, "rate": 1e9}
"""Operations a second of one CPU core, by kind of run."""
OTHER_RATE = 10e9
SIMILAR_SIZE = 3.0
"""Models within this factor of each other's parameters reach about the same rate; overhead grows below."""
START_SECONDS = 0.5
"""A run's own overhead: fork, load, save."""
CHARACTERS_PER_TOKEN = 4.0
_PARAMETERS_OF_WIDTH_ONE = 384
"""12 a layer for each squared width, and 32 layers."""
_BYTES_OF_4_BITS = 0.6


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the data and the model bring."""

    parameters: int
    train_questions: int
    validation_questions: int
    test_questions: int
    question_tokens: float
    reference_tokens: float


def llama_parameters(config: MadeModelConfig, vocabulary: int = 107) -> int:
    """Parameters of a Llama with tied embeddings; the built-in model's vocabulary has 107 words."""
    hidden, mlp = config.hidden_size, config.mlp_size
    layer = 4 * hidden * hidden + 3 * hidden * mlp + 2 * hidden
    return vocabulary * hidden + config.layers * layer + hidden


@dataclass(frozen=True, slots=True)
class Rates:
    """Operations a second."""

    measured: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)
    """Kind of run -> parameters and rate of each finished run."""

    def of(self, kind: str, parameters: int) -> float:
        """The median of finished runs with a model of about the size, else the fixed rate."""
        known = [
            rate
            for size, rate in self.measured.get(kind, ())
            if parameters / SIMILAR_SIZE <= size <= parameters * SIMILAR_SIZE
        ]
        return median(known) if known else DEFAULT_RATES.get(kind, OTHER_RATE)


FIXED_RATES = Rates()


def run_seconds(item: PlannedRun, spec: ExperimentSpec, sizes: Sizes, rates: Rates = FIXED_RATES) -> float:
    """Seconds on one slot."""
    return START_SECONDS + operations(item, spec, sizes) / rates.of(item.kind, sizes.parameters)


def operations(item: PlannedRun, spec: ExperimentSpec, sizes: Sizes) -> float:
    """Floating-point operations of a run; 0 for what takes next to none."""
    prompt, response = sizes.question_tokens, sizes.reference_tokens
    questions = min(spec.train_questions or sizes.train_questions, sizes.train_questions)
    assessed = min(spec.assessment_questions, questions)
    forward = 2.0 * sizes.parameters
    config = item.config
    if isinstance(config, BuiltinModelConfig):
        return 3 * forward * config.steps * config.rows_per_step * 55
    if isinstance(config, TinyModelConfig):
        return 0.0
    if isinstance(config, TrainConfig):
        candidates = 0.0
        used = config.method.k or spec.sampled_k
        name, constraint = config.method.name, config.method.constraint
        if name == "rft":
            candidates = 0.25 * used
        elif name in {"aft", "rrhf", "pro", "dpo"}:
            candidates = used * (0.55 if constraint == "detached" else 1.0)
        tokens = prompt + response + candidates * response
        looked = config.evaluations_per_run * min(config.validation_questions, sizes.validation_questions)
        if "assessment" in item.parents:
            looked += config.evaluations_per_run * 2 * spec.candidates_per_side * min(config.watch_questions, assessed)
        # Frozen weights need no gradient of their own; activations that were not kept are computed again.
        passes = (3 if config.lora is None else 2) + config.activation_checkpointing
        trained = passes * forward * config.optimizer.epochs * questions * tokens
        return trained / config.parallel.processes + forward * looked * (prompt + response)
    if item.stage == "sample":
        return forward * questions * (prompt + spec.sampled_k * response)
    if item.stage == "assessment-sample":
        return forward * assessed * (prompt + spec.assessment_samples * response)
    tested = min(spec.test_questions or sizes.test_questions, sizes.test_questions)
    if item.stage == "paths":
        paths = max((*spec.self_consistency, *spec.pass_at_k), default=0)
        return forward * tested * (prompt + paths * response)
    if item.kind == "search":
        return 0.0
    if item.stage == "validate":
        validated = min(spec.beta_search.questions or sizes.validation_questions, sizes.validation_questions)
        return forward * validated * (prompt + response)
    if item.kind == "evaluate":
        scored = assessed * 2 * spec.candidates_per_side if "assessment" in item.parents else 0
        return forward * (tested * (prompt + response) + scored * (prompt + response))
    return float(questions * spec.sampled_k * 1e4)


def wall_seconds(seconds: dict[str, float], planned: list[PlannedRun], slots: int) -> float:
    """Length of a greedy schedule of the runs on ``slots`` workers, parents first."""
    ready_at: dict[str, float] = {}
    free = [0.0] * max(1, slots)
    for item in sorted(planned, key=lambda run: run.priority):
        if item.cell not in seconds:
            ready_at[item.cell] = 0.0
            continue
        slot = min(range(len(free)), key=lambda index: free[index])
        begin = max(free[slot], max((ready_at.get(cell, 0.0) for cell in item.parents.values()), default=0.0))
        free[slot] = ready_at[item.cell] = begin + seconds[item.cell]
    return max(ready_at.values(), default=0.0)


def disk_bytes(planned: Sequence[PlannedRun], new: set[str], spec: ExperimentSpec, sizes: Sizes) -> int:
    """Final weights and those of the best evaluation (float32), two resume checkpoints while training, candidates."""
    trained = sum(1 for item in planned if item.cell in new and item.kind in {"train", "pretrain"})
    questions = min(spec.train_questions or sizes.train_questions, sizes.train_questions)
    rows = len(spec.seeds) * (
        questions * spec.sampled_k
        + min(spec.assessment_questions, questions) * spec.assessment_samples
        + len(spec.methods) * (spec.test_questions or sizes.test_questions)
    )
    row_bytes = _row_bytes(sizes)
    weights = trained_parameters(spec, sizes)
    return int(trained * 2 * 4 * weights + 2 * 12 * weights + rows * row_bytes)


def tested_bytes(spec: ExperimentSpec, sizes: Sizes) -> int:
    """Answers to the test questions of a data set that is not trained on."""
    questions = min(spec.test_questions or sizes.test_questions, sizes.test_questions)
    return int(len(spec.seeds) * len(spec.methods) * questions * _row_bytes(sizes))


def _row_bytes(sizes: Sizes) -> float:
    return 600 + 8 * sizes.reference_tokens


def trained_parameters(spec: ExperimentSpec, sizes: Sizes) -> float:
    """All of them, or those of the low-rank factors (rough: a width is guessed from the model's size)."""
    if spec.lora is None:
        return float(sizes.parameters)
    width = math.sqrt(sizes.parameters / _PARAMETERS_OF_WIDTH_ONE)
    return sizes.parameters * min(1.0, 2 * spec.lora.rank / max(width, 1.0))


def memory_bytes(spec: ExperimentSpec, sizes: Sizes) -> int:
    """Weights, gradients, AdamW's moments and activations of one micro-batch, over all processes of a training (rough).

    ZeRO 1 spreads the moments, 2 also the gradients, 3 also the weights; otherwise every process has its own.
    """
    parallel, n, trained = spec.parallel, spec.parallel.processes, trained_parameters(spec, sizes)
    # Float32 is kept of weights that are trained, unless ZeRO keeps it beside bfloat16 ones.
    halved = spec.precision == "bfloat16" and (parallel.uses_zero or spec.lora is not None)
    weight = _BYTES_OF_4_BITS if spec.lora is not None and spec.lora.quantize == "4bit" else 2.0 if halved else 4.0
    stage = int(parallel.strategy[-1]) if parallel.uses_zero else 0
    state = trained * (12.0 if halved and parallel.uses_zero else 8.0) * (1 if stage >= 1 else n)
    gradients = trained * 4.0 * (1 if stage >= 2 else n)
    weights = sizes.parameters * weight * (1 if stage >= 3 else n)
    activations = (1000 if spec.activation_checkpointing else 4000) * spec.tokens_per_microbatch
    return int(weights + gradients + state + n * (activations + 600 * 2**20))
