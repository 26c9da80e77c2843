"""Base models and checkpoints as the API shows them."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from aft.config.tiny import MadeModelConfig, TinySizes
from backend.schemas.common import Schema
from backend.schemas.datasets import UsedBy
from backend.schemas.runs import RunKind, RunProgress, RunState

ModelSource = Literal["builtin", "tiny", "local", "hub"]


class ModelFacts(Schema):
    """What a model's files say about it, read without loading it."""

    architecture: str
    model_type: str
    parameters: int
    window: int | None
    """Longest question plus response in tokens; None where the model names no limit."""
    vocab_size: int | None
    hidden_size: int | None
    layers: int | None
    dtype: str
    size_bytes: int
    eos_token: str
    weight_files: list[str]


class MakingRun(Schema):
    """The run that makes a model of our own."""

    run_id: str
    state: RunState
    progress: RunProgress


class ModelSummary(Schema):
    """A row of the model list."""

    id: str
    name: str
    source: ModelSource
    location: str
    """Directory or hub id; empty for models made here."""
    config: MadeModelConfig | None
    facts: ModelFacts | None
    """None until inspected; a hub model is inspected on the machine that runs it."""
    available: bool
    """Whether an experiment can start without making or fetching the model first."""
    making: MakingRun | None
    """Models made here only: the newest run that makes it."""
    created_at: datetime


class ModelCreate(Schema):
    """Register a base model."""

    name: str = Field(min_length=1, max_length=120)
    source: Literal["hub", "local"]
    location: str = Field(min_length=1, max_length=4096)
    """A directory below an allowed root with safetensors weights, or a hub id such as Qwen/Qwen3-0.6B."""


class InspectRequest(Schema):
    """Look at a model before registering it."""

    source: Literal["hub", "local"]
    location: str = Field(min_length=1, max_length=4096)


class ModelInspection(Schema):
    """What a look at the files found."""

    location: str
    facts: ModelFacts | None
    problem: str | None
    """Why it cannot be used, and what to do."""


ExportForm = Literal["whole", "adapter", "merged"]


class CheckpointLine(Schema):
    """A checkpoint in the list, with its lineage."""

    id: str
    run_id: str
    run_name: str
    run_kind: RunKind
    run_state: RunState
    method: str | None
    seed: int | None
    purpose: Literal["resume", "best", "final"]
    step: int
    size_bytes: int
    sha256: str
    created_at: datetime
    base_model_id: str | None
    base_model_name: str | None
    started_from_run_id: str | None
    """The run whose final model this training started from; None when it started from the base model's files."""
    exports: list[ExportForm]
    """How it can be exported: as it is, or, where it is an adapter, alone, or merged into its base model."""
    used_by: list[UsedBy]
    """Runs that read this model."""


class ModelRead(ModelSummary):
    """Everything about one base model."""

    used_by: list[UsedBy]
    checkpoints: list[CheckpointLine]
    """Final models made from it, newest first, at most 200."""


class ModelRoots(Schema):
    """Where local models may lie."""

    roots: list[str]


class TinyModelCreate(Schema):
    """A tiny Llama with random weights, and a tokenizer trained on a data set's training questions."""

    name: str = Field(min_length=1, max_length=120)
    dataset_version_id: str
    split_id: str | None = None
    """By default the version's newest split."""
    sizes: TinySizes = TinySizes()


class ModelMaking(Schema):
    """The run that makes a model; the same one however often it is asked for."""

    run_id: str
    model_id: str
    already_there: bool
