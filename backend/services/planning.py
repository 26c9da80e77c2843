"""From an experiment's specification to the runs it needs: a pure function of its arguments.

Per seed one VFT model and one sampling feed every method; a run's cell names its place:
``seed 1/AFT · boundary/train``. Where β of the boundary is searched for, the same stages run before on the search's own
seeds, and a run that looks at validation questions only chooses.
"""

from dataclasses import dataclass, field
from typing import Any

from aft.config.base import Config
from aft.config.experiment import ExperimentSpec
from aft.config.grid import FIRST_BLOCK
from aft.config.method import DEFAULT_BOUNDARY_BETA, DEFAULT_EPOCHS_FACTOR, RANKING_METHODS, MethodConfig, method_label
from aft.config.sampling import EvaluateConfig, RateConfig, SampleConfig
from aft.config.search import SearchConfig
from aft.config.tiny import MadeModelConfig, TinyModelConfig
from aft.config.training import TrainConfig

VFT = MethodConfig(name="vft")
_SEARCH_PRIORITY = 50
"""After the base model, before every seed that is reported."""


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
    outside: dict[str, str] = field(default_factory=dict)
    """Role -> id of a run that exists and is none of the plan's."""
    block: str = FIRST_BLOCK


def effective_feedback(spec: ExperimentSpec, method: MethodConfig) -> str:
    """What a method trains on: its own setting, or the experiment's."""
    return method.feedback or spec.feedback


def needs_ratings(spec: ExperimentSpec) -> bool:
    """Whether any method uses a judge's ratings rather than right or wrong."""
    return spec.judge != "answer" and any(
        method.name in RANKING_METHODS and effective_feedback(spec, method) == "ranking" for method in spec.methods
    )


def plan_runs(spec: ExperimentSpec, made_model: MadeModelConfig | None) -> list[PlannedRun]:
    """All runs of an experiment of one block, parents before children; `block_plans` puts several together.

    Args:
        spec: The specification, ids resolved.
        made_model: The base model's configuration when it has to be made here, else None.
    """
    runs: list[PlannedRun] = []
    if made_model is not None:
        runs.append(making_run(spec.base_model_id, made_model))
    has_base = made_model is not None
    searching = [method for method in spec.methods if method.boundary_search]
    if searching:
        runs += _search_runs(spec, searching, has_base=has_base)
    for order, seed in enumerate(spec.seeds):
        priority = 100 * (order + 1)
        runs += _shared_runs(spec, seed, priority, has_base=has_base)
        runs.append(_fresh_samples(spec, seed, priority + 3))
        for method in spec.methods:
            runs += _method_runs(spec, method, seed, priority + 4, has_base=has_base)
    return runs


def making_run(base_model_id: str, config: MadeModelConfig) -> PlannedRun:
    """The run that makes a base model; the same whoever asks for it, so that it is made once."""
    inputs: dict[str, Any] = {"base_model_id": base_model_id}
    name = "Make the built-in model"
    if isinstance(config, TinyModelConfig):
        inputs |= {"dataset_version_id": config.dataset_version_id, "split_id": config.split_id}
        name = "Make a tiny model"
    return PlannedRun("base", "pretrain", "base", name, None, config.seed, config, inputs)


def _search_runs(spec: ExperimentSpec, methods: list[MethodConfig], *, has_base: bool) -> list[PlannedRun]:
    """Every β on the search's seeds, measured on validation questions, and a run that chooses for each method."""
    search = spec.beta_search
    runs: list[PlannedRun] = []
    for seed in search.seeds:
        runs += _shared_runs(spec, seed, _SEARCH_PRIORITY, has_base=has_base)
    for method in methods:
        parents: dict[str, str] = {}
        for place, beta in enumerate(search.betas):
            tried = method.model_copy(update={"boundary_search": False, "boundary_beta": beta, "label": None})
            label = method_label(tried) if beta != DEFAULT_BOUNDARY_BETA else f"{method_label(tried)} · β {beta:g}"
            for seed in search.seeds:
                training = _training_run(spec, tried, label, seed, _SEARCH_PRIORITY + 1, has_base=has_base)
                looked = f"seed {seed}/{label}/validate"
                config = EvaluateConfig(
                    part="validation",
                    max_questions=search.questions,
                    max_new_tokens=spec.max_new_tokens,
                    precision=spec.precision,
                    seed=seed,
                )
                validation = PlannedRun(
                    looked, "evaluate", "validate", f"Validate {label} · seed {seed}", label, seed, config,
                    _inputs(spec, seed), {"checkpoint": training.cell}, _SEARCH_PRIORITY + 1,
                )  # fmt: skip
                runs += [training, validation]
                parents[SearchConfig.role(place, seed)] = looked
        chosen = SearchConfig(betas=search.betas, seeds=search.seeds)
        runs.append(
            PlannedRun(
                _search_cell(method), "search", "search", f"Choose β of {method_label(method)}", method_label(method),
                None, chosen, {}, parents, _SEARCH_PRIORITY + 2,
            )
        )  # fmt: skip
    # Two methods that differ in nothing but their label would try the same.
    return list({run.cell: run for run in runs}.values())


def _search_cell(method: MethodConfig) -> str:
    return f"{method_label(method)}/search"


def _inputs(spec: ExperimentSpec, seed: int) -> dict[str, Any]:
    return {
        "dataset_version_id": spec.dataset_version_id,
        "split_id": spec.split_id,
        "base_model_id": spec.base_model_id,
        "train_questions": spec.train_questions,
        "question_seed": seed,
    }


def _training_samples(spec: ExperimentSpec, seed: int) -> SampleConfig:
    return SampleConfig(
        engine=spec.sampling_engine,
        endpoint=spec.sampling_endpoint,
        endpoint_model=spec.sampling_model,
        k=spec.sampled_k,
        temperature=spec.temperature,
        max_new_tokens=spec.max_new_tokens,
        precision=spec.precision,
        seed=seed,
    )


def _shared_runs(spec: ExperimentSpec, seed: int, priority: int, *, has_base: bool) -> list[PlannedRun]:
    """What every method of a seed builds on: the VFT model, the candidates and their ratings."""
    at, inputs = f"seed {seed}", _inputs(spec, seed)
    start = {"start": "base"} if has_base else {}
    vft, sampled = f"{at}/VFT/train", f"{at}/candidates"
    runs = [
        PlannedRun(
            vft, "train", "vft", f"Train VFT · {at}", "VFT", seed, _train(spec, VFT, seed), inputs, start, priority
        ),
        PlannedRun(
            sampled, "sample", "sample", f"Sample {spec.sampled_k} COTs a question · {at}", None, seed,
            _training_samples(spec, seed), inputs, {"checkpoint": vft}, priority + 1,
        ),
    ]  # fmt: skip
    if needs_ratings(spec):
        rate = RateConfig(judge=spec.judge, llm=spec.llm_judge)
        runs.append(
            PlannedRun(
                f"{at}/ratings", "rate", "rate", f"Rate the COTs · {at}", None, seed, rate, inputs,
                {"candidates": sampled}, priority + 2,
            )
        )  # fmt: skip
    return runs


def _fresh_samples(spec: ExperimentSpec, seed: int, priority: int) -> PlannedRun:
    at = f"seed {seed}"
    config = _training_samples(spec, seed).model_copy(
        update={"purpose": "assessment", "k": spec.assessment_samples, "max_questions": spec.assessment_questions}
    )
    return PlannedRun(
        f"{at}/assessment candidates", "sample", "assessment-sample", f"Sample fresh COTs for assessment · {at}", None,
        seed, config, _inputs(spec, seed), {"checkpoint": f"{at}/VFT/train", "training": f"{at}/candidates"}, priority,
    )  # fmt: skip


def _training_run(
    spec: ExperimentSpec, method: MethodConfig, label: str, seed: int, priority: int, *, has_base: bool
) -> PlannedRun:
    """The training of any method but plain VFT."""
    at = f"seed {seed}"
    vft = f"{at}/VFT/train"
    parents = {"start": vft} if spec.start_from == "vft" else {"start": "base"} if has_base else {}
    if method.uses_candidates:
        parents["candidates"] = f"{at}/candidates"
        if spec.judge != "answer" and effective_feedback(spec, method) == "ranking" and _ranks(method):
            parents["ratings"] = f"{at}/ratings"
    if method.needs_reference_scores:
        parents["reference"] = vft
    if method.boundary_search:
        parents["search"] = _search_cell(method)
    return PlannedRun(
        f"{at}/{label}/train", "train", "train", f"Train {label} · {at}", label, seed, _train(spec, method, seed),
        _inputs(spec, seed), parents, priority,
    )  # fmt: skip


def _method_runs(
    spec: ExperimentSpec, method: MethodConfig, seed: int, priority: int, *, has_base: bool
) -> list[PlannedRun]:
    at, label, inputs = f"seed {seed}", method_label(method), _inputs(spec, seed)
    runs = []
    trained = f"{at}/VFT/train"
    if not is_plain_vft(method):
        training = _training_run(spec, method, label, seed, priority, has_base=has_base)
        if _is_watched(spec):
            training.parents["assessment"] = f"{at}/assessment candidates"
        runs.append(training)
        trained = training.cell
    parents = {"checkpoint": trained, "assessment": f"{at}/assessment candidates"}
    n_paths = max((*spec.self_consistency, *spec.pass_at_k), default=0)
    if n_paths:
        parents["paths"] = f"{at}/{label}/paths"
        paths = SampleConfig(
            # A server serves one model; each of the trained ones would have to be put there by hand.
            engine="builtin" if spec.sampling_engine == "openai" else spec.sampling_engine,
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


def is_plain_vft(method: MethodConfig) -> bool:
    """Whether the method's model is the one that samples the candidates."""
    return method.name == "vft" and method.sft_on == "reference"


def _counts_labels(spec: ExperimentSpec, method: MethodConfig) -> bool:
    """Whether right and wrong of the candidates decide what the method trains on."""
    by_rating = _ranks(method) and effective_feedback(spec, method) == "ranking" and spec.judge != "answer"
    return method.name in {"rft", *RANKING_METHODS} and not by_rating


def _ranks(method: MethodConfig) -> bool:
    return method.name in RANKING_METHODS


def _is_watched(spec: ExperimentSpec) -> bool:
    """Whether training looks out for degradation, on the fresh candidates that the evaluations use as well."""
    return min(spec.watch_questions, spec.validation_questions, spec.evaluations_per_run) > 0


def _train(spec: ExperimentSpec, method: MethodConfig, seed: int) -> TrainConfig:
    optimizer = spec.optimizer
    # The control has as many epochs as a method that starts from the VFT model's last step had in all.
    if method.name == "vft-continued":
        factor = (method.epochs_factor or DEFAULT_EPOCHS_FACTOR) - (spec.start_from == "vft")
        optimizer = optimizer.model_copy(update={"epochs": factor * optimizer.epochs})
    is_vft = is_plain_vft(method)
    # What says the same in other words must not make a second training run of the same content.
    plain: dict[str, Any] = {"label": None, "feedback": None, "negative_noise": method.negative_noise or None}
    plain["epochs_factor"] = None
    if method.uses_candidates:
        used = method.k or spec.k
        plain["k"] = used if used < spec.sampled_k else None
    return TrainConfig(
        method=method.model_copy(update=plain),
        feedback="binary" if not _ranks(method) else effective_feedback(spec, method),  # type: ignore[arg-type]
        labels=spec.labels if _counts_labels(spec, method) else "sampled",
        reference_noise=spec.reference_noise,
        start_from="base" if is_vft else spec.start_from,
        optimizer=optimizer,
        vft_reduction=spec.vft_reduction,
        max_length=spec.max_length,
        tokens_per_microbatch=spec.tokens_per_microbatch,
        precision=spec.precision,
        activation_checkpointing=spec.activation_checkpointing,
        lora=spec.lora,
        parallel=spec.parallel,
        validation_questions=spec.validation_questions,
        evaluations_per_run=spec.evaluations_per_run,
        watch_questions=spec.watch_questions,
        on_degradation=spec.on_degradation,
        keep=spec.keep,
        seed=seed,
    )
