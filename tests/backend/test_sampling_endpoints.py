"""The sampling engine of an experiment: resolved, refused beside its field, given to the runs it is for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from aft.config.experiment import ExperimentSpec
from aft.config.judge import EndpointConfig
from aft.config.method import MethodConfig
from aft.config.sampling import SampleConfig
from backend.errors import Invalid
from backend.services import judge_settings, sampling_endpoints
from backend.services.planning import plan_runs
from tests.stub_endpoint import Answer, StubEndpoint


def spec(**changes: Any) -> ExperimentSpec:
    values: dict[str, Any] = {
        "name": "n", "dataset_version_id": "v", "split_id": "s", "base_model_id": "m", "seeds": (1,),
        "methods": (MethodConfig(name="vft"), MethodConfig(name="aft")), "self_consistency": (4,),
    }  # fmt: skip
    return ExperimentSpec.model_validate({**values, **changes})


@pytest.fixture
def stub(data_directory: Path) -> Iterator[StubEndpoint]:
    server = StubEndpoint(lambda asked, number: Answer({"object": "list", "data": []}))
    judge_settings.put("main", EndpointConfig(base_url=server.url, model="tiny"), None)
    yield server
    server.close()


def test_runs_that_sample_the_shared_model_get_the_endpoint_and_paths_do_not() -> None:
    planned = plan_runs(spec(sampling_engine="openai", sampling_endpoint="main", sampling_model="tiny"), None)
    engines = {run.stage: run.config.engine for run in planned if isinstance(run.config, SampleConfig)}
    assert engines == {"sample": "openai", "assessment-sample": "openai", "paths": "builtin"}
    sampled = next(run.config for run in planned if run.stage == "sample")
    assert isinstance(sampled, SampleConfig)
    assert (sampled.endpoint, sampled.endpoint_model) == ("main", "tiny")


def test_vllm_samples_the_paths_too() -> None:
    planned = plan_runs(spec(sampling_engine="vllm"), None)
    assert {run.config.engine for run in planned if isinstance(run.config, SampleConfig)} == {"vllm"}


def test_settings_that_do_not_fit_the_engine_are_refused() -> None:
    with pytest.raises(ValidationError, match="sampling_endpoint is missing"):
        spec(sampling_engine="openai")
    with pytest.raises(ValidationError, match="sampling_endpoint is given"):
        spec(sampling_endpoint="main")
    with pytest.raises(ValidationError, match="endpoint is missing"):
        SampleConfig(engine="openai")


def test_runs_stored_under_the_engines_former_name_can_still_be_read() -> None:
    assert SampleConfig.model_validate({"kind": "sample", "engine": "transformers"}).engine == "builtin"


def test_the_endpoints_model_becomes_part_of_the_experiment(stub: StubEndpoint) -> None:
    asked = spec(sampling_engine="openai", sampling_endpoint="main")
    assert sampling_endpoints.resolve(asked) == {"sampling_model": "tiny"}
    assert sampling_endpoints.resolve(spec()) == {}
    with pytest.raises(Invalid, match="There is no endpoint 'gone'"):
        sampling_endpoints.resolve(spec(sampling_engine="openai", sampling_endpoint="gone"))
    with pytest.raises(Invalid, match="asked for is 'other'"):
        sampling_endpoints.resolve(asked.model_copy(update={"sampling_model": "other"}))


def test_an_engine_that_is_not_there_prevents_the_start(stub: StubEndpoint) -> None:
    asked = spec(sampling_engine="openai", sampling_endpoint="main")
    sampling_endpoints.require_engine(asked)
    assert [each.path for each in stub.asked] == ["/v1/models"]
    judge_settings.put("main", EndpointConfig(base_url="http://127.0.0.1:9/v1", model="tiny"), None)
    with pytest.raises(Invalid, match="connection failed") as refused:
        sampling_endpoints.require_engine(asked)
    assert refused.value.field == "sampling_endpoint"
    with pytest.raises(Invalid, match="vLLM is not installed") as refused:
        sampling_endpoints.require_engine(spec(sampling_engine="vllm"))
    assert "pip install 'aft-workbench[vllm]'" in refused.value.remedy
