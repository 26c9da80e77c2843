"""Endpoints that sample: the same settings as the judges', looked up, and asked before anything starts."""

import importlib.util

from pydantic import SecretStr

from aft.config.experiment import ExperimentSpec
from aft.config.judge import EndpointConfig
from aft.config.sampling import SampleConfig
from aft.endpoints import EndpointClient, EndpointError
from backend.errors import Conflict, Invalid, NotFound
from backend.services import judge_settings

ANSWER_SECONDS = 5.0


def resolve(spec: ExperimentSpec) -> dict[str, str]:
    """The experiment's changes: the model that its endpoint has now; nothing for other engines.

    Raises:
        Invalid: If the endpoint does not exist, or has another model than was asked for.
    """
    if spec.sampling_endpoint is None:
        return {}
    try:
        endpoint, _ = judge_settings.get(spec.sampling_endpoint)
    except NotFound:
        raise Invalid(
            f"There is no endpoint '{spec.sampling_endpoint}' to sample from.",
            remedy="Add it in the settings, or with `aft judge set`.",
            field="sampling_endpoint",
        ) from None
    if spec.sampling_model not in {"", endpoint.model}:
        raise Invalid(
            f"The endpoint '{spec.sampling_endpoint}' has model '{endpoint.model}'; asked for is "
            f"'{spec.sampling_model}'.",
            remedy="Leave the model out to take the endpoint's, or change the endpoint's model.",
            field="sampling_model",
        )
    return {"sampling_model": endpoint.model}


def get(config: SampleConfig) -> tuple[EndpointConfig, SecretStr | None]:
    """The endpoint of a run.

    Raises:
        NotFound: If it is gone.
        Conflict: If it has another model than the run was made for.
    """
    endpoint, key = judge_settings.get(config.endpoint or "")
    if endpoint.model != config.endpoint_model:
        raise Conflict(
            f"The run was made for model '{config.endpoint_model}' of endpoint '{config.endpoint}', which has "
            f"'{endpoint.model}' now.",
            remedy="Set the endpoint's model back, or start a new experiment.",
        )
    return endpoint, key


def require_engine(spec: ExperimentSpec) -> None:
    """Refuse an engine that is not installed or does not answer; asks the endpoint for its models.

    To be called before a transaction is open: it waits for the network.

    Raises:
        Invalid: If so, beside the field.
    """
    if spec.sampling_engine == "vllm" and importlib.util.find_spec("vllm") is None:
        raise Invalid(
            "vLLM is not installed.",
            remedy="Install it on a machine with a GPU (`pip install 'aft-workbench[vllm]'`), or choose the built-in "
            "engine.",
            field="sampling_engine",
        )
    if spec.sampling_endpoint is None or spec.sampling_endpoint not in judge_settings.names():
        return
    config, key = judge_settings.get(spec.sampling_endpoint)
    seconds = min(ANSWER_SECONDS, config.timeout_seconds)
    hurried = config.model_copy(update={"timeout_seconds": seconds, "max_retries": 0})
    with EndpointClient(hurried, key) as client:
        try:
            client.get("models")
        except EndpointError as error:
            if error.status in {404, 405}:
                return  # not every completions server lists its models; it did answer
            remedy = "Start the server, or correct the endpoint."
            raise Invalid(str(error), remedy=remedy, field="sampling_endpoint") from None
