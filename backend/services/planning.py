"""From an experiment's specification to the runs it needs: a pure function of its arguments.

Per seed one VFT model and one sampling feed every method; a run's cell names its place:
``seed 1/AFT · boundary/train``.
"""

from dataclasses import dataclass, field
from typing import Any

from aft.config.base import Config
from aft.config.experiment import ExperimentSpec
from aft.config.method import RANKING_METHODS, MethodConfig, method_label
from aft.config.sampling import EvaluateConfig, RateConfig, SampleConfig
from aft.config.tiny import MadeModelConfig, TinyModelConfig
from aft.config.training import TrainConfig

VFT = MethodConfig(name="vft")


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One run, its parents named by cell."""

    cell: str
    kind: str
    stage: str
    name: str
    method: str | None
    seed: int | None
    config: Config
    inputs: dict[str, Any]
    parents: dict[str, str] = field(default_factory=dict)
    """Role -> cell."""
    priority: int = 0


def effective_feedback(spec: ExperimentSpec, method: MethodConfig) -> str:
    """What a method trains on: its own setting, or the experiment's."""
    return method.feedback or spec.feedback


def needs_ratings(spec: ExperimentSpec) -> bool:
    """Whether any method uses a judge's ratings rather than right or wrong."""
    return spec.judge != "answer" and any(
        method.name in RANKING_METHODS and effective_feedback(spec, method) == "ranking" for method in spec.methods
    )


def plan_runs(spec: ExperimentSpec, made_model: MadeModelConfig | None) -> list[PlannedRun]:
    """All runs of the experiment, parents before children.

    Args:
        spec: The specification, ids resolved.
        made_model: The base model's configuration when it has to be made here, else None.
    """
    runs: list[PlannedRun] = []
    if made_model is not None:
        runs.append(making_run(spec.base_model_id, made_model))
    for order, seed in enumerate(spec.seeds):
        runs += _seed_runs(spec, seed, 100 * (order + 1), has_base=made_model is not None)
    return runs


def making_run(base_model_id: str, config: MadeModelConfig) -> PlannedRun:
    """The run that makes a base model; the same whoever asks for it, so that it is made once."""
    inputs: dict[str, Any] = {"base_model_id": base_model_id}
    name = "Make the built-in model"
    if isinstance(config, TinyModelConfig):
        inputs |= {"dataset_version_id": config.dataset_version_id, "split_id": config.split_id}
        name = "Make a tiny model"
    return PlannedRun("base", "pretrain", "base", name, None, config.seed, config, inputs)


def _seed_runs(spec: ExperimentSpec, seed: int, priority: int, *, has_base: bool) -> list[PlannedRun]:
    inputs: dict[str, Any] = {
        "dataset_version_id": spec.dataset_version_id,
        "split_id": spec.split_id,
        "base_model_id": spec.base_model_id,
        "train_questions": spec.train_questions,
        "question_seed": seed,
    }
    start = {"start": "base"} if has_base else {}
    at = f"seed {seed}"
    vft, sampled, rated, fresh = f"{at}/VFT/train", f"{at}/candidates", f"{at}/ratings", f"{at}/assessment candidates"
    sampling = SampleConfig(
        k=spec.k,
        temperature=spec.temperature,
        max_new_tokens=spec.max_new_tokens,
        precision=spec.precision,
        seed=seed,
    )
    assessment = sampling.model_copy(
        update={"purpose": "assessment", "k": spec.assessment_samples, "max_questions": spec.assessment_questions}
    )
    runs = [
        PlannedRun(
            vft, "train", "vft", f"Train VFT · {at}", "VFT", seed, _train(spec, VFT, seed), inputs, start, priority
        ),
        PlannedRun(
            sampled, "sample", "sample", f"Sample {spec.k} COTs a question · {at}", None, seed, sampling, inputs,
            {"checkpoint": vft}, priority + 1,
        ),
        PlannedRun(
            fresh, "sample", "assessment-sample", f"Sample fresh COTs for assessment · {at}", None, seed, assessment,
            inputs, {"checkpoint": vft, "training": sampled}, priority + 3,
        ),
    ]  # fmt: skip
    if needs_ratings(spec):
        rate = RateConfig(judge=spec.judge, llm=spec.llm_judge)
        runs.append(
            PlannedRun(
                rated, "rate", "rate", f"Rate the COTs · {at}", None, seed, rate, inputs, {"candidates": sampled},
                priority + 2,
            )
        )  # fmt: skip
    for method in spec.methods:
        runs += _method_runs(spec, method, seed, inputs, start, priority + 4)
    return runs


def _method_runs(
    spec: ExperimentSpec, method: MethodConfig, seed: int, inputs: dict[str, Any], start: dict[str, str], priority: int
) -> list[PlannedRun]:
    at, label = f"seed {seed}", method_label(method)
    vft, sampled = f"{at}/VFT/train", f"{at}/candidates"
    trained = vft if _is_plain_vft(method) else f"{at}/{label}/train"
    runs = []
    if trained != vft:
        parents = {"start": vft} if spec.start_from == "vft" else dict(start)
        if method.name != "vft-continued":
            parents["candidates"] = sampled
            if spec.judge != "answer" and effective_feedback(spec, method) == "ranking" and _ranks(method):
                parents["ratings"] = f"{at}/ratings"
        if method.needs_reference_scores:
            parents["reference"] = vft
        runs.append(
            PlannedRun(
                trained, "train", "train", f"Train {label} · {at}", label, seed, _train(spec, method, seed), inputs,
                parents, priority,
            )
        )  # fmt: skip
    parents = {"checkpoint": trained, "assessment": f"{at}/assessment candidates"}
    n_paths = max((*spec.self_consistency, *spec.pass_at_k), default=0)
    if n_paths:
        parents["paths"] = f"{at}/{label}/paths"
        paths = SampleConfig(
            part="test",
            purpose="evaluation",
            k=n_paths,
            temperature=spec.path_temperature,
            max_new_tokens=spec.max_new_tokens,
            max_questions=spec.test_questions,
            precision=spec.precision,
            seed=seed,
        )
        name = f"Sample {n_paths} paths a test question · {label} · {at}"
        runs.append(
            PlannedRun(
                parents["paths"], "sample", "paths", name, label, seed, paths, inputs, {"checkpoint": trained}, priority
            )
        )
    evaluate = EvaluateConfig(
        max_questions=spec.test_questions,
        max_new_tokens=spec.max_new_tokens,
        candidates_per_side=spec.candidates_per_side,
        self_consistency=spec.self_consistency,
        pass_at_k=spec.pass_at_k,
        choice_likelihood=spec.choice_likelihood,
        precision=spec.precision,
        seed=seed,
    )
    runs.append(
        PlannedRun(
            f"{at}/{label}/evaluate", "evaluate", "evaluate", f"Evaluate {label} · {at}", label, seed, evaluate,
            inputs, parents, priority,
        )
    )  # fmt: skip
    return runs


def _is_plain_vft(method: MethodConfig) -> bool:
    return method.name == "vft" and method.sft_on == "reference"


def _ranks(method: MethodConfig) -> bool:
    return method.name in RANKING_METHODS


def _train(spec: ExperimentSpec, method: MethodConfig, seed: int) -> TrainConfig:
    optimizer = spec.optimizer
    # The control has as many epochs as a method that starts from the VFT model's last step had in all.
    if method.name == "vft-continued" and spec.start_from == "base":
        optimizer = optimizer.model_copy(update={"epochs": 2 * optimizer.epochs})
    is_vft = _is_plain_vft(method)
    return TrainConfig(
        # A label of one's own must not make a second training run of the same content.
        method=method.model_copy(update={"label": None, "feedback": None}),
        feedback="binary" if not _ranks(method) else effective_feedback(spec, method),  # type: ignore[arg-type]
        start_from="base" if is_vft else spec.start_from,
        optimizer=optimizer,
        vft_reduction=spec.vft_reduction,
        max_length=spec.max_length,
        tokens_per_microbatch=spec.tokens_per_microbatch,
        precision=spec.precision,
        validation_questions=spec.validation_questions,
        evaluations_per_run=spec.evaluations_per_run,
        seed=seed,
    )
