"""What can be known before a run computes anything: minutes of looking, not hours of computing."""

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

from aft import quantization
from aft.adapters import adapter_chain
from aft.config.training import TrainConfig
from aft.model_files import inspect_model_directory
from backend import storage
from backend.db.models import BaseModelEntry, Run, Split
from backend.db.session import reading
from backend.services import checkpoints, runs
from backend.services.workers import cpu_count
from worker.context import RunContext
from worker.failures import RunFailure

LEAST_FREE_BYTES = 200 * 2**20
_MODEL_ROLES = frozenset({"start", "checkpoint", "reference"})
_MEGABYTE = 10**6


def check(context: RunContext) -> None:
    """Refuse a run that cannot end well.

    Raises:
        RunFailure: If the disk is nearly full, an input run or its files are missing or the split is, the slot has too
            few devices, a package is not installed, or the candidates belong to another tokenizer.
        ValueError: If a model's directory is damaged, or its tokenizer has no end token.
    """
    if isinstance(context.config, TrainConfig):
        _check_scale(context, context.config)
    free = storage.free_bytes()
    if free < LEAST_FREE_BYTES:
        raise RunFailure(
            "The disk is nearly full",
            f"{free // _MEGABYTE} MB are free where the data directory lies; a run needs at least "
            f"{LEAST_FREE_BYTES // _MEGABYTE} MB.",
            "Free some space, then retry the run.",
        )
    with reading() as session:
        for role, parent_id in context.claim.parents.items():
            parent = session.get(Run, parent_id)
            if parent is None or parent.state != "succeeded":
                raise RunFailure(
                    f"The input run '{role}' is not finished",
                    f"Run {parent_id} is {parent.state if parent else 'deleted'}.",
                    "Retry that run; this one then follows.",
                )
            if role in _MODEL_ROLES and checkpoints.final_directory(session, parent_id) is None:
                raise RunFailure(
                    f"The model of input run '{parent.name}' is gone",
                    "Its final checkpoint is not on the disk any more.",
                    "Retry that run, then this one.",
                )
        split_id = context.claim.inputs.get("split_id")
        if split_id is not None and session.get(Split, split_id) is None:
            raise RunFailure(
                "The split is gone",
                f"Split {split_id} was deleted after the run was made.",
                "Start a new run with an existing split.",
            )
    _check_models(context)


def _check_scale(context: RunContext, config: TrainConfig) -> None:
    """Devices and packages of a training in several processes or with quantised weights."""
    processes = config.parallel.processes
    if context.device.startswith("cuda"):
        gpus = len([item for item in os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",") if item.strip()])
        if processes > gpus:
            raise RunFailure(
                f"The training wants {processes} processes, and this slot has {gpus} GPU{'s' if gpus > 1 else ''}",
                "With GPUs every process needs one of its own.",
                f"Start the worker with AFT_GPUS_PER_SLOT={processes}, or set Processes a training to {gpus}.",
            )
    elif processes > cpu_count():
        raise RunFailure(
            f"The training wants {processes} processes, and this machine has {cpu_count()} cores",
            "More processes than cores only wait for each other.",
            f"Set Processes a training to {cpu_count()} at most.",
        )
    if config.parallel.uses_zero and importlib.util.find_spec("deepspeed") is None:
        raise RunFailure(
            "DeepSpeed is not installed",
            f"Strategy {config.parallel.strategy} is DeepSpeed's.",
            "Install it beside the worker: pip install 'deepspeed>=0.19.8'; or choose data-parallel.",
        )
    quantised = config.lora is not None and config.lora.quantize != "none"
    if quantised and (found := quantization.obstacle(context.device)) is not None:
        raise RunFailure(found.title, found.detail, found.remedy)


def _check_models(context: RunContext) -> None:
    """Files, end token and tokenizer of every model the run reads."""
    places = _model_places(context)
    for place in places.values():
        base, _ = adapter_chain(place)
        if Path(base).is_dir():
            inspect_model_directory(base)
    candidates = context.claim.parents.get("candidates")
    if candidates is None:
        return
    with reading() as session:
        sampler = runs.parents_of(session, candidates).get("checkpoint")
        sampled_by = checkpoints.final_directory(session, sampler.id) if sampler is not None else None
    if sampled_by is None:
        return
    theirs = _words_of(sampled_by)
    for role, place in places.items():
        ours = _words_of(place)
        if ours is not None and theirs is not None and ours != theirs:
            raise RunFailure(
                f"The candidates' token ids belong to another tokenizer than that of the model '{role}'",
                "The same ids would be read as other words.",
                "Sample the candidates with a model of the same family, or start from the model that sampled them.",
            )


def _model_places(context: RunContext) -> dict[str, Path]:
    """Directories of the models the run reads, by role; a model on the hub has none yet."""
    places: dict[str, Path] = {}
    with reading() as session:
        for role in _MODEL_ROLES & context.claim.parents.keys():
            place = checkpoints.final_directory(session, context.claim.parents[role])
            if place is not None:
                places[role] = place
        model = session.get(BaseModelEntry, context.claim.inputs.get("base_model_id", ""))
    if "start" not in places and isinstance(context.config, TrainConfig) and model is not None and model.location:
        place = Path(model.location)
        if model.source == "local" and place.is_dir():
            places["base"] = place
    return places


def _words_of(place: Path) -> list[Any] | None:
    """The words of a fast tokenizer in the order of their ids; None where its file does not say."""
    try:
        words = json.loads((place / "tokenizer.json").read_bytes())["model"]["vocab"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # Unigram models list their words with their weights, the others map words to ids.
    return sorted(words, key=words.__getitem__) if isinstance(words, dict) else [word for word, *_ in words]
