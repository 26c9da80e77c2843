"""An experiment: methods x models x data sets x seeds."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from aft.config.base import Config
from aft.config.grid import Block, DataChoice, grid_blocks
from aft.config.judge import EndpointName, LlmJudgeConfig
from aft.config.method import MethodConfig, method_label
from aft.config.sampling import EngineName, PathCount
from aft.config.scale import LoraConfig, ParallelConfig, check_scale
from aft.config.trackers import TrackerName
from aft.config.training import Keep, OnDegradation, OptimizerConfig, Precision, VftReduction


class BetaSearch(Config):
    """How β of the boundary is chosen for methods with ``boundary_search``: by task accuracy on validation questions.

    Test questions are never looked at, and the seeds are none of those reported.
    """

    betas: tuple[Annotated[float, Field(ge=-5, le=5)], ...] = Field(
        default=tuple(round(0.05 * step, 2) for step in range(11)), min_length=2, max_length=50
    )
    """The values tried, in nats a token; by default the paper's grid, 0 to 0.5 in steps of 0.05."""
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**31)], ...] = Field(default=(0,), min_length=1, max_length=10)
    """Seeds of the trainings that choose; disjoint from the experiment's."""
    questions: int | None = Field(default=None, ge=1)
    """Validation questions decoded for each; none means all."""

    @model_validator(mode="after")
    def _values_are_distinct(self) -> "BetaSearch":
        for name, values in (("betas", self.betas), ("seeds", self.seeds)):
            if len(set(values)) != len(values):
                raise ValueError(f"{name} {list(values)} repeat a value. Remove the duplicates.")
        return self


class ExperimentSpec(Config):
    """Everything that decides an experiment's runs. The YAML of ``aft experiments start``."""

    name: str = Field(min_length=1, max_length=120)
    dataset_version_id: str
    """Id of a data set version, or ``builtin:arithmetic``."""
    split_id: str | None = None
    """Id of a split of that version; by default its newest one."""
    base_model_id: str
    """Id of a base model, or ``builtin:arithmetic``."""
    more_datasets: tuple[DataChoice, ...] = Field(default=(), max_length=20)
    """Further data sets: every method is trained, under every seed, on each of them as well."""
    more_models: tuple[Annotated[str, Field(max_length=64)], ...] = Field(default=(), max_length=20)
    """Further base models: everything is repeated from each of them, on each data set."""
    also_test_on: tuple[DataChoice, ...] = Field(default=(), max_length=20)
    """Data sets whose test questions every trained model answers too, without training on them (Table 5)."""
    methods: tuple[MethodConfig, ...] = Field(min_length=1, max_length=40)
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**31)], ...] = Field(default=(1, 2, 3), min_length=1, max_length=50)
    feedback: Literal["binary", "ranking"] = "binary"
    """What the ranking methods train on: right or wrong, or the judge's ratings. A method may say otherwise."""
    labels: Literal["sampled", "corrected"] = "sampled"
    """Which labels binary feedback trains on: as sampled, or with the newest re-grade and people's overrides."""
    judge: Literal["answer", "oracle", "llm"] = "answer"
    """Who rates for ranking feedback: right or wrong, the arithmetic task's oracle, or an LLM."""
    llm_judge: LlmJudgeConfig | None = None
    """The LLM judge's endpoint and settings; with judge = llm only."""
    ranking_set_id: str | None = Field(default=None, max_length=32)
    """Ranking set whose candidates and qualities are trained on, instead of sampling and rating anew."""
    agreement_set_id: str | None = Field(default=None, max_length=32)
    """Ranking set whose order of COTs every evaluation compares the model's scores with; best one not trained on."""
    candidates_from: str | None = Field(default=None, max_length=32)
    """Candidate set, imported or sampled, whose COTs are trained on instead of sampling anew; all of them are used."""
    train_questions: int | None = Field(default=None, ge=1)
    """Training questions used, drawn by seed; none means all."""
    reference_noise: float | None = Field(default=None, gt=0, le=1)
    """Share of training references whose steps are made wrong while their answer stays right, drawn by seed: how much a
    method depends on clean references. None trains on them as they are."""
    k: int = Field(default=6, ge=2, le=1024)
    """Candidate COTs sampled for each training question."""
    temperature: float = Field(default=1.0, gt=0, le=10)
    max_new_tokens: int = Field(default=256, ge=1, le=131_072)
    beta_search: BetaSearch = BetaSearch()
    """Used when a method has ``boundary_search``."""
    sampling_engine: EngineName = "builtin"
    """Who samples the candidates: the built-in engine, vLLM, or a server that you start yourself (openai)."""
    sampling_endpoint: EndpointName | None = None
    """Name of the endpoint that serves each seed's VFT model; with sampling_engine = openai only. Sampled paths of the
    trained models are then left to the built-in engine: one server serves one model."""
    sampling_model: str = Field(default="", max_length=200)
    """The endpoint's model, filled in when the experiment is made."""
    start_from: Literal["base", "vft"] = "base"
    optimizer: OptimizerConfig = OptimizerConfig()
    vft_reduction: VftReduction = "token-mean"
    max_length: int = Field(default=512, ge=8, le=131_072)
    tokens_per_microbatch: int = Field(default=2048, ge=64)
    precision: Precision = "float32"
    activation_checkpointing: bool = False
    """Trainings keep only each layer's input for the backward pass: less memory, a third more time."""
    lora: LoraConfig | None = None
    """Every training trains low-rank factors instead of all weights."""
    parallel: ParallelConfig = ParallelConfig()
    """Processes that share each training; sampling and evaluation have one."""
    validation_questions: int = Field(default=200, ge=0)
    evaluations_per_run: int = Field(default=4, ge=0, le=1000)
    watch_questions: int = Field(default=100, ge=0, le=100_000)
    """Assessment questions scored at each evaluation during training, for the degradation alarm; 0 turns it off."""
    on_degradation: OnDegradation = "warn"
    """Whether an alarm only warns or ends the run's training."""
    keep: Keep = "last"
    """The final model of every training: the last step's, or the best by validation task accuracy."""
    test_questions: int | None = Field(default=None, ge=1)
    """Test questions decoded for task accuracy; none means all."""
    assessment_questions: int = Field(default=300, ge=1)
    """Training questions with freshly sampled candidates for assessment accuracy."""
    assessment_samples: int = Field(default=20, ge=2, le=1024)
    """Fresh candidates drawn for each of them."""
    self_consistency: tuple[PathCount, ...] = Field(default=(), max_length=20)
    """Values of n for majority votes over sampled paths (Figure 2d); none means no such paths are sampled."""
    pass_at_k: tuple[PathCount, ...] = Field(default=(), max_length=20)
    """Values of k for pass@k, from the same paths."""
    path_temperature: float = Field(default=1.0, gt=0, le=10)
    """Temperature of the sampled paths."""
    choice_likelihood: bool = False
    """For tasks with choices: also measure the likeliest letter without a COT, as MMLU is often reported."""
    trackers: tuple[TrackerName, ...] = ()
    """Where else training curves and results go, beside this product: TensorBoard, MLflow, Weights & Biases."""
    candidates_per_side: int = Field(default=3, ge=1, le=64)
    """Positives and negatives compared for each question."""

    @model_validator(mode="after")
    def _scale_fits(self) -> "ExperimentSpec":
        check_scale(self.lora, self.parallel)
        return self

    @model_validator(mode="after")
    def _methods_and_seeds_are_distinct(self) -> "ExperimentSpec":
        labels = [method_label(method) for method in self.methods]
        for label in labels:
            if labels.count(label) > 1:
                msg = f"method '{label}' appears {labels.count(label)} times. Remove one, or give it a label."
                raise ValueError(msg)
        if (self.judge == "llm") != (self.llm_judge is not None):
            msg = (
                f"judge is '{self.judge}' and llm_judge is {'given' if self.llm_judge else 'missing'}. "
                "Give llm_judge with judge = llm only."
            )
            raise ValueError(msg)
        if self.ranking_set_id is not None and self.judge != "answer":
            msg = (
                f"judge is '{self.judge}' and ranking_set_id is given, which has its ratings. Set the judge to answer."
            )
            raise ValueError(msg)
        if self.candidates_from is not None and self.ranking_set_id is not None:
            msg = (
                f"candidates_from is '{self.candidates_from}' and ranking_set_id is given, which has its own "
                "candidates. Give one of them."
            )
            raise ValueError(msg)
        self._require_one_data_set()
        if (self.sampling_engine == "openai") != (self.sampling_endpoint is not None):
            msg = (
                f"sampling_engine is '{self.sampling_engine}' and sampling_endpoint is "
                f"{'given' if self.sampling_endpoint else 'missing'}. Give it with sampling_engine = openai only."
            )
            raise ValueError(msg)
        if len(set(self.seeds)) != len(self.seeds):
            msg = f"seeds {list(self.seeds)} repeat a value. Each seed is one repetition; remove the duplicates."
            raise ValueError(msg)
        reported = sorted(set(self.seeds) & set(self.beta_search.seeds))
        if reported and any(method.boundary_search for method in self.methods):
            msg = (
                f"beta_search's seeds {list(self.beta_search.seeds)} and the experiment's {list(self.seeds)} have "
                f"{reported} in common, so β would be chosen on what is reported. Choose others for one of them."
            )
            raise ValueError(msg)
        return self

    def _require_one_data_set(self) -> None:
        for name in ("ranking_set_id", "agreement_set_id", "candidates_from"):
            if self.more_datasets and getattr(self, name) is not None:
                msg = (
                    f"{name} is given, whose COTs answer the questions of one data set, and more_datasets names "
                    f"{len(self.more_datasets)} more. Remove one of the two."
                )
                raise ValueError(msg)

    @property
    def blocks(self) -> list[Block]:
        """The experiment's data sets times its models, in a fixed order; the first is `grid.FIRST_BLOCK`."""
        first = DataChoice(dataset_version_id=self.dataset_version_id, split_id=self.split_id)
        return grid_blocks((first, *self.more_datasets), (self.base_model_id, *self.more_models), self.also_test_on)

    def of_block(self, block: Block) -> "ExperimentSpec":
        """The experiment as if it had this block only."""
        alone = {
            "dataset_version_id": block.dataset_version_id,
            "split_id": block.split_id,
            "base_model_id": block.base_model_id,
            "more_datasets": (),
            "more_models": (),
            "also_test_on": (),
        }
        return self.model_copy(update=alone)

    @property
    def sampled_k(self) -> int:
        """Candidates sampled for each question: what the method that uses most of them needs."""
        return max(self.k, *(method.k or 0 for method in self.methods))
