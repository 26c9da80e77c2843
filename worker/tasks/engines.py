"""The engine of a sampling run, opened and checked before the first sample."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session

from aft.adapters import is_adapter
from aft.config.sampling import SampleConfig
from aft.endpoints import EndpointClient, EndpointError
from aft.engines import BuiltinEngine, EngineFailed, SamplingEngine, ServerEngine, VllmEngine, check_agreement
from aft.engines.server import Answered
from aft.judge import BudgetSpent, Spending, Usage
from aft.models import load_tokenizer
from aft.sampling import Prompt
from backend.db.models import Result
from backend.db.session import reading
from backend.services import judges, metrics, sampling_endpoints
from worker.context import RunContext
from worker.failures import RunFailure
from worker.tasks.inputs import load_checkpoint

ENGINE = "sampling_engine"
"""The result of a sampling run that says who sampled, and how closely a server agreed with the checkpoint."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An engine and the tokenizer of its checkpoint."""

    engine: SamplingEngine
    tokenizer: Any


@contextmanager
def open_engine(context: RunContext) -> Iterator[Opened]:
    """The run's engine; failures of it become plain words, and what it used is stored.

    Raises:
        RunFailure: If it is not installed, does not answer, or fails for good. A retry goes on where this ended.
    """
    config: SampleConfig = context.config
    try:
        match config.engine:
            case "builtin":
                model, tokenizer = load_checkpoint(context, "checkpoint", config.precision)
                yield Opened(BuiltinEngine(model, tokenizer), tokenizer)
            case "vllm":
                yield _offline(context)
            case "openai":
                with _server(context) as opened:
                    yield opened
    except (EngineFailed, EndpointError, BudgetSpent) as error:
        raise RunFailure(
            "The sampling engine could not go on",
            str(error),
            f"{_serve_it(context)}Finished samples are stored; a retry of the run goes on from there.",
        ) from error


def check_server(context: RunContext, opened: Opened, prompts: Sequence[Prompt]) -> None:
    """Find out how a server is asked, and that it serves the run's checkpoint; nothing to do for other engines.

    Raises:
        RunFailure: If it serves another model. Through ``open_engine``: if it does not answer.
    """
    engine = opened.engine
    if not isinstance(engine, ServerEngine) or not prompts:
        return
    context.sink.progress(0, None, "asking the server")
    mode = engine.mode(prompts[0])
    agreement = None
    if mode != "text":
        model, _ = load_checkpoint(context, "checkpoint", context.config.precision)
        # Any text will do that both sides read alike; a prompt with a prompt behind it is long enough to tell.
        ids = [*prompts[0].prompt_ids, *prompts[-1].prompt_ids]
        window = getattr(model.config, "max_position_embeddings", None) or len(ids)
        agreement = check_agreement(model, ids[: min(len(ids), window - 1)], engine.prompt_logprobs)
    details = {"engine": "openai", "mode": mode, "agreement": None if agreement is None else asdict(agreement)}

    gap, n = (None, 0) if agreement is None else (agreement.mean_gap, agreement.tokens)

    def write(session: Session) -> None:
        metrics.record_result(session, context.claim, ENGINE, gap, n, details)

    context.sink.flush(write)


def _offline(context: RunContext) -> Opened:
    directory = context.model_directory("checkpoint")
    if is_adapter(directory):
        msg = "The checkpoint is a LoRA adapter, which the vLLM engine does not load. Choose the built-in engine."
        raise EngineFailed(msg)
    tokenizer, ends = load_tokenizer(directory)
    return Opened(VllmEngine(directory, tokenizer, ends, precision=context.config.precision), tokenizer)


@contextmanager
def _server(context: RunContext) -> Iterator[Opened]:
    config: SampleConfig = context.config
    endpoint, key = sampling_endpoints.get(config)
    tokenizer, ends = load_tokenizer(context.model_directory("checkpoint"))
    with reading() as session:
        earlier = session.get(Result, (context.run_id, judges.SPENDING))
        mine = judges.usage_of(earlier.details) if earlier is not None and earlier.details else Usage()
        before = judges.used(session, config.endpoint or "")
    spending = Spending(endpoint, before)

    def note() -> None:
        usage = mine + spending.usage
        details = {"endpoint": config.endpoint, "model": config.endpoint_model, **asdict(usage)}
        context.sink.flush(
            lambda session: metrics.record_result(
                session, context.claim, judges.SPENDING, usage.usd(endpoint), usage.requests, details
            )
        )

    def count(answered: Answered) -> None:
        spending.add(Usage(prompt_tokens=answered.prompt_tokens, completion_tokens=answered.completion_tokens))

    with EndpointClient(endpoint, key, should_stop=context.should_stop) as client:
        engine = ServerEngine(
            client, tokenizer, ends, model=endpoint.model, before_request=spending.start_request, after_request=count
        )
        try:
            yield Opened(engine, tokenizer)
        finally:
            note()


def _serve_it(context: RunContext) -> str:
    """What a person has to do so that a server has the right model."""
    if context.config.engine != "openai":
        return ""
    return (
        f"Serve the checkpoint under the name '{context.config.endpoint_model}', for example with "
        f"`python -m vllm.entrypoints.openai.api_server --model {context.model_directory('checkpoint')} "
        f"--served-model-name {context.config.endpoint_model}`. "
    )
