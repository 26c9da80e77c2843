"""What will go wrong with an experiment, said before anything starts."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from aft.config.experiment import ExperimentSpec
from aft.config.method import RANKING_METHODS, method_label
from backend.services.estimates import Sizes
from backend.services.planning import effective_feedback, needs_ratings
from backend.settings import get_settings

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; an error prevents the start."""

    level: Level
    field: str | None
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the check needs to know beyond the specification."""

    task: str
    sizes: Sizes
    window: int | None
    """Longest sequence of the base model, in tokens."""
    longest_question_tokens: float
    workers_alive: int
    disk_free_bytes: int
    disk_needed_bytes: int


def check(spec: ExperimentSpec, around: Surroundings) -> list[Finding]:
    """Every finding, errors first."""
    found = [
        *_data(spec, around),
        *_methods(spec),
        *_lengths(spec, around),
        *_statistics(spec),
        *_trackers(spec),
        *_packages(spec),
        *_machine(around),
    ]
    if spec.judge == "oracle" and around.task != "arithmetic":
        found.append(
            Finding(
                "error",
                "judge",
                "The oracle judge checks the steps of the arithmetic task only; "
                f"this data set's task is '{around.task}'.",
                "Set the judge to answer.",
            )
        )
    if spec.llm_judge is not None and needs_ratings(spec):
        questions = min(spec.train_questions or around.sizes.train_questions, around.sizes.train_questions)
        requests = questions * spec.sampled_k * spec.llm_judge.samples * len(spec.seeds)
        found.append(
            Finding(
                "note",
                "llm_judge",
                f"The judge '{spec.llm_judge.endpoint}' will be asked about {requests:,} times.",
                "Set a budget for the endpoint, or rate fewer questions, candidates or samples.",
            )
        )
    return sorted_findings(found)


def check_tested(spec: ExperimentSpec, around: Surroundings) -> list[Finding]:
    """Findings about a data set whose test questions are answered without training on it."""
    found = _lengths(spec, around)
    if around.sizes.test_questions == 0:
        found.append(
            Finding(
                "error",
                "also_test_on",
                "The split has no test questions.",
                "Choose a data set whose split has a test part, or take it out of also_test_on.",
            )
        )
    return sorted_findings(found)


def sorted_findings(found: list[Finding]) -> list[Finding]:
    """Errors first."""
    return sorted(found, key=lambda item: ("error", "warning", "note").index(item.level))


def _data(spec: ExperimentSpec, around: Surroundings) -> list[Finding]:
    found = []
    for part, n in (("train", around.sizes.train_questions), ("test", around.sizes.test_questions)):
        if n == 0:
            found.append(
                Finding(
                    "error",
                    "split_id",
                    f"The split has no {part} questions.",
                    f"Choose or make a split with a {part} part.",
                )
            )
    if around.sizes.validation_questions == 0 and any(method.boundary_search for method in spec.methods):
        found.append(
            Finding(
                "error",
                "split_id",
                "β is to be chosen on validation questions, and the split has none.",
                "Make a split with a validation part, or give boundary_beta.",
            )
        )
    if around.sizes.validation_questions == 0 and spec.validation_questions > 0:
        found.append(
            Finding(
                "note",
                "validation_questions",
                "The split has no validation questions, so nothing is measured during training.",
                "Make a split with a validation part to see task accuracy while a run trains.",
            )
        )
    if spec.train_questions and spec.train_questions > around.sizes.train_questions > 0:
        found.append(
            Finding(
                "warning",
                "train_questions",
                f"train_questions is {spec.train_questions}, the split has {around.sizes.train_questions}: all are "
                "used.",
                f"Set it to {around.sizes.train_questions} or less.",
            )
        )
    if spec.train_questions is not None and spec.assessment_questions > spec.train_questions:
        found.append(
            Finding(
                "note",
                "assessment_questions",
                f"assessment_questions is {spec.assessment_questions}; only the {spec.train_questions} training "
                "questions are assessed.",
                "",
            )
        )
    return found


def _methods(spec: ExperimentSpec) -> list[Finding]:
    found = []
    names = [method.name for method in spec.methods]
    unconstrained = [method_label(m) for m in spec.methods if m.name in RANKING_METHODS and m.constraint == "none"]
    if unconstrained:
        found.append(
            Finding(
                "warning",
                "methods",
                f"No constraint on {', '.join(unconstrained)}: expect degradation, task accuracy falls and perplexity "
                "rises.",
                "Keep it to see the effect, and compare with the detached or boundary form.",
            )
        )
    if "vft" not in names:
        found.append(
            Finding(
                "warning",
                "methods",
                "VFT is not among the methods, so there is no baseline to compare with.",
                "Add VFT.",
            )
        )
    elif "vft-continued" not in names and len(names) > 1:
        found.append(
            Finding(
                "note",
                "methods",
                "The methods see more training than VFT, and no equal-epoch control is among them.",
                "Add vft-continued, VFT with the same number of further epochs, before concluding anything.",
            )
        )
    if any(method.boundary_search for method in spec.methods):
        trainings = len(spec.beta_search.betas) * len(spec.beta_search.seeds)
        found.append(
            Finding(
                "note",
                "beta_search",
                f"β is chosen among {len(spec.beta_search.betas)} values by task accuracy on validation questions: "
                f"{trainings} further training runs for each method that searches, on seeds of their own.",
                "",
            )
        )
    ranked = [m for m in spec.methods if m.name in RANKING_METHODS and effective_feedback(spec, m) == "ranking"]
    if ranked and spec.judge == "answer":
        found.append(
            Finding(
                "warning",
                "judge",
                "Ranking feedback with the answer judge has two levels only, right and wrong: it is binary feedback.",
                "Choose a judge that gives ratings, or binary feedback.",
            )
        )
    return found


def _lengths(spec: ExperimentSpec, around: Surroundings) -> list[Finding]:
    found = []
    if around.window is not None and spec.max_length > around.window:
        found.append(
            Finding(
                "error",
                "max_length",
                f"max_length is {spec.max_length}, the model's window is {around.window} tokens.",
                f"Set max_length to {around.window} or less.",
            )
        )
    longest = around.longest_question_tokens + spec.max_new_tokens
    if around.window is not None and longest > around.window:
        found.append(
            Finding(
                "error",
                "max_new_tokens",
                f"The longest question has about {around.longest_question_tokens:.0f} tokens; with "
                f"{spec.max_new_tokens} new ones it exceeds the model's window of {around.window}.",
                f"Set max_new_tokens to {max(1, int(around.window - around.longest_question_tokens))} or less.",
            )
        )
    if spec.max_new_tokens < around.sizes.reference_tokens:
        found.append(
            Finding(
                "warning",
                "max_new_tokens",
                f"References have about {around.sizes.reference_tokens:.0f} tokens on average; {spec.max_new_tokens} "
                "new tokens will cut many candidates, and a cut candidate is never right.",
                f"Set it to {int(4 * around.sizes.reference_tokens)}.",
            )
        )
    return found


def _statistics(spec: ExperimentSpec) -> list[Finding]:
    if len(spec.seeds) >= 3:
        return []
    return [
        Finding(
            "warning" if len(spec.seeds) == 1 else "note",
            "seeds",
            f"With {len(spec.seeds)} seed{'s' if len(spec.seeds) > 1 else ''} a difference between methods can hardly "
            "be told from chance.",
            "Use at least 3 seeds, as the paper does.",
        )
    ]


def _trackers(spec: ExperimentSpec) -> list[Finding]:
    return [
        Finding(
            "warning",
            "trackers",
            f"The package '{name}' is not installed on this machine: runs computed here are not logged to it.",
            f"Install it (`pip install {name}`) or take it out; the runs themselves do not need it.",
        )
        for name in dict.fromkeys([*spec.trackers, *get_settings().tracker_names])
        if find_spec(name) is None
    ]


def _packages(spec: ExperimentSpec) -> list[Finding]:
    """What a run would only say when its turn comes, which for sampling is after the first training."""
    quantised = spec.lora is not None and spec.lora.quantize != "none"
    wanted = [
        (spec.sampling_engine == "vllm", "vllm", "sampling_engine", "aft-workbench[vllm]", "the built-in engine"),
        (spec.parallel.uses_zero, "deepspeed", "parallel.strategy", "deepspeed>=0.19.8", "data-parallel"),
        (quantised, "bitsandbytes", "lora.quantize", "bitsandbytes>=0.50", "frozen weights as loaded"),
    ]
    return [
        Finding(
            "warning",
            field,
            f"The package '{name}' is not installed on this machine: runs that need it will fail here.",
            f"Install it where the workers run (`pip install '{requirement}'`), or choose {instead}.",
        )
        for is_wanted, name, field, requirement, instead in wanted
        if is_wanted and find_spec(name) is None
    ]


def _machine(around: Surroundings) -> list[Finding]:
    found = []
    if around.workers_alive == 0:
        found.append(
            Finding(
                "warning",
                None,
                "No worker is running: runs will wait in the queue.",
                "Start one with `aft up` or `aft worker`.",
            )
        )
    if around.disk_needed_bytes > around.disk_free_bytes:
        found.append(
            Finding(
                "error",
                None,
                f"The experiment needs about {around.disk_needed_bytes / 1e9:.1f} GB; "
                f"{around.disk_free_bytes / 1e9:.1f} GB are free.",
                "Free space on the data directory's disk, or use fewer seeds.",
            )
        )
    return found
