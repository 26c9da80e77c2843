"""Models and token ids: what the tasks that compute read."""

from functools import partial
from typing import Any

import torch
from transformers.utils.logging import disable_progress_bar

from aft.config.training import Precision, TrainConfig
from aft.data.prompts import prompt_text, response_text
from aft.encoding import encode_prompt, encode_response
from aft.models import load_model
from aft.training.ranks import Ranks, join
from backend.db.models import BaseModelEntry, Candidate, Example
from backend.db.session import reading
from backend.services.candidates import unpack_ids
from worker.context import RunContext
from worker.failures import RunFailure
from worker.tasks.questions import as_question


def use_device(context: RunContext) -> None:
    """Take the slot's share of the machine; before the first tensor operation."""
    torch.set_num_threads(context.threads)
    # A progress bar is for a terminal; the run's log is a file.
    disable_progress_bar()  # type: ignore[no-untyped-call]


def join_ranks(context: RunContext) -> Ranks:
    """Meet the run's other processes, if there are any; before the first tensor goes to a GPU."""
    member = context.member
    if member.processes == 1:
        return Ranks(device=torch.device(context.device))
    names = {"RANK": member.rank, "LOCAL_RANK": member.rank, "WORLD_SIZE": member.processes}
    return join({name: str(value) for name, value in names.items()}, rendezvous=member.meeting)


def encode_question(tokenizer: Any, example: Example, task: str) -> tuple[int, ...]:
    """Prompt ids of a question."""
    return encode_prompt(tokenizer, prompt_text(as_question(example, task)))


def encode_reference(tokenizer: Any, example: Example, task: str, *, cot: str | None = None) -> tuple[int, ...]:
    """Response ids of the reference COT, or of another one, with the question's answer and end token."""
    question = as_question(example, task)
    reference = question.reference if cot is None else cot
    return encode_response(tokenizer, response_text(reference, question.answer, question.task, question.choices))


def candidate_ids(tokenizer: Any, candidate: Candidate) -> list[int]:
    """A candidate's ids as sampled; an imported one, which has none, is encoded by this model's tokenizer."""
    if candidate.token_ids or not candidate.text:
        return unpack_ids(candidate.token_ids)
    ids = list(encode_response(tokenizer, candidate.text))
    return ids[:-1] if candidate.finish_reason == "length" else ids


def load_checkpoint(context: RunContext, role: str, precision: Precision) -> tuple[Any, Any]:
    """Model and tokenizer of an input run."""
    context.sink.progress(0, None, "loading the model")
    return load_model(context.model_directory(role), precision=precision, device=context.device)


def load_start(context: RunContext, config: TrainConfig) -> tuple[Any, Any]:
    """The model that training starts from: an input run's, or a registered base model."""
    load = partial(
        load_model,
        precision=config.precision,
        # Weights that will be spread need not fit one GPU.
        device="cpu" if config.parallel.strategy == "zero3" else context.device,
        quantize=config.lora.quantize if config.lora is not None else "none",
    )
    if "start" in context.claim.parents:
        context.sink.progress(0, None, "loading the model")
        return load(context.model_directory("start"))
    context.sink.progress(0, None, "loading the model")
    model_id = context.input("base_model_id")
    with reading() as session:
        entry = session.get(BaseModelEntry, model_id)
    if entry is None or not entry.location:
        raise RunFailure(
            "The base model is missing",
            f"No weights are known for base model {model_id}.",
            "Register the model again, or start from an experiment, which makes the built-in model first.",
        )
    return load(entry.location)
