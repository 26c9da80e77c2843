"""Settings of sampling, rating and scoring."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from aft.config.base import Config
from aft.config.judge import EndpointName, LlmJudgeConfig

EngineName = Literal["builtin", "vllm", "openai"]
"""Who samples: aft.sampling, vLLM in the run's own process, or an OpenAI-compatible server."""


def _renamed(value: Any) -> Any:
    # Runs stored before there were other engines name it so.
    return "builtin" if value == "transformers" else value


PathCount = Annotated[int, Field(ge=1, le=1024)]


class SampleConfig(Config):
    """Sample candidate COTs from one checkpoint."""

    kind: Literal["sample"] = "sample"
    part: Literal["train", "validation", "test"] = "train"
    """The part of the split whose questions are answered."""
    purpose: Literal["training", "assessment", "evaluation"] = "training"
    """training: k candidates a question. assessment: fresh ones, texts of the training candidates dropped.
    evaluation: sampled paths of test questions, for self-consistency and pass@k."""
    k: int = Field(default=6, ge=1, le=1024)
    """Candidates drawn for each question."""
    temperature: float = Field(default=1.0, ge=0, le=10)
    """Sampling temperature; 0 is greedy."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_new_tokens: int = Field(default=256, ge=1, le=131_072)
    """A candidate cut at this length is marked truncated and never positive."""
    max_questions: int | None = Field(default=None, ge=1)
    """Only the first so many questions of the part; none means all."""
    engine: Annotated[EngineName, BeforeValidator(_renamed)] = "builtin"
    """builtin: every sample is a function of seed, question and index. vllm: seeded as a whole. openai: not seeded."""
    endpoint: EndpointName | None = None
    """Name of the endpoint in the settings that serves the checkpoint; with engine = openai only."""
    endpoint_model: str = Field(default="", max_length=200)
    """The endpoint's model, filled in when the run is made: another model is another run."""
    precision: Literal["float32", "bfloat16"] = "float32"
    seed: int = Field(default=0, ge=0, lt=2**31)

    @model_validator(mode="after")
    def _endpoint_belongs_to_the_engine(self) -> "SampleConfig":
        if (self.engine == "openai") != (self.endpoint is not None):
            state = "given" if self.endpoint else "missing"
            raise ValueError(
                f"engine is '{self.engine}' and endpoint is {state}. Give endpoint with engine = openai only."
            )
        return self


class RateConfig(Config):
    """Rate the candidates of a sampling run."""

    kind: Literal["rate"] = "rate"
    judge: Literal["answer", "oracle", "llm"] = "answer"
    """answer: 1 when the answer is right, else 0. oracle: the arithmetic task's step checker. llm: an LLM judge."""
    llm: LlmJudgeConfig | None = None
    """The LLM judge's settings; with judge = llm only."""

    @model_validator(mode="after")
    def _llm_belongs_to_the_judge(self) -> "RateConfig":
        if (self.judge == "llm") != (self.llm is not None):
            state = "given" if self.llm else "missing"
            raise ValueError(f"judge is '{self.judge}' and llm is {state}. Give llm with judge = llm only.")
        return self


class ScoreConfig(Config):
    """Score stored candidates under a checkpoint (Eq. 2)."""

    kind: Literal["score"] = "score"
    token_logprobs: bool = False
    """Keep every token's log-probability beside the score; a score that is there already stays as it is."""
    example_ids: tuple[int, ...] | None = Field(default=None, min_length=1, max_length=200)
    """Only the candidates of these questions; none means all."""
    references: bool = False
    """Score the reference COTs of the questions, too; with token_logprobs only."""
    precision: Literal["float32", "bfloat16"] = "float32"

    @model_validator(mode="after")
    def _references_have_tokens(self) -> "ScoreConfig":
        if self.references and not self.token_logprobs:
            raise ValueError("references is on and token_logprobs is off. Turn token_logprobs on.")
        return self


class RegradeConfig(Config):
    """Read and grade the answers of stored candidates anew, without sampling."""

    kind: Literal["regrade"] = "regrade"
    extractor_version: int = Field(ge=1)
    """The extractor asked for; a worker with another one refuses."""


class EvaluateConfig(Config):
    """Measure one checkpoint: task accuracy, assessment accuracy and positive perplexity."""

    kind: Literal["evaluate"] = "evaluate"
    part: Literal["validation", "test"] = "test"
    max_questions: int | None = Field(default=None, ge=1)
    max_new_tokens: int = Field(default=256, ge=1, le=131_072)
    candidates_per_side: int = Field(default=3, ge=1, le=64)
    """Positives and negatives compared for each question (the paper: three of each)."""
    self_consistency: tuple[PathCount, ...] = ()
    """Majority vote over the first n sampled paths, for each n; needs the input run ``paths``."""
    pass_at_k: tuple[PathCount, ...] = ()
    """Chance that one of k sampled paths is right, for each k; needs the input run ``paths``."""
    choice_likelihood: bool = False
    """For tasks with choices: also take the letter that is likeliest as a direct answer, without a COT."""
    precision: Literal["float32", "bfloat16"] = "float32"
    seed: int = Field(default=0, ge=0, lt=2**31)
