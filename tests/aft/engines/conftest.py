"""A tiny model in a directory, served by a fake completions server and, marked ``engine``, by a real vLLM."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import torch

from aft.arithmetic import VOCABULARY
from aft.config.judge import EndpointConfig
from aft.config.training import BuiltinModelConfig
from aft.endpoints import EndpointClient
from aft.engines import ServerEngine
from aft.models import build_llama, build_tokenizer
from aft.sampling import Prompt, end_token_ids
from tests.completions import Completions
from tests.stub_endpoint import StubEndpoint

ENGINE_VENV = Path(os.environ.get("AFT_ENGINE_VENV", Path(__file__).parents[3] / ".engine"))
"""Made by scripts/engine.sh."""
START_SECONDS = float(os.environ.get("AFT_ENGINE_START_SECONDS", "300"))
"""Half a minute on a free core."""
# vLLM's attention on a CPU has kernels for heads of 32 and 64 and a few other widths.
SIZES = BuiltinModelConfig(hidden_size=128, layers=2, heads=2, mlp_size=128)


@dataclass(frozen=True)
class Tiny:
    """The model, its tokenizer and where both are saved."""

    model: Any
    tokenizer: Any
    directory: Path

    @property
    def end_ids(self) -> tuple[int, ...]:
        """Tokens that end a response."""
        return end_token_ids(self.model, self.tokenizer)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    tokenizer = build_tokenizer(VOCABULARY)
    model: Any = build_llama(SIZES, tokenizer, seed=0, window=256)
    model.eval()
    directory = tmp_path_factory.mktemp("tiny")
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return Tiny(model, tokenizer, directory)


@pytest.fixture(scope="session")
def prompts() -> list[Prompt]:
    rng = np.random.default_rng(0)
    return [
        Prompt(f"q{number}", tuple(int(token) for token in rng.integers(5, len(VOCABULARY), rng.integers(3, 12))))
        for number in range(5)
    ]


@dataclass
class Served:
    """A running server and an engine that asks it."""

    url: str
    model: str
    engine: ServerEngine
    fake: Completions | None = None
    stub: StubEndpoint | None = None


def connect(url: str, tiny: Tiny, **settings: Any) -> tuple[EndpointClient, ServerEngine]:
    values = {"base_url": url, "model": "tiny", "concurrency": 3, "timeout_seconds": 60, "max_retries": 2, **settings}
    client = EndpointClient(EndpointConfig.model_validate(values), sleep=lambda seconds: None)
    return client, ServerEngine(client, tiny.tokenizer, tiny.end_ids, model="tiny")


@pytest.fixture
def fake(tiny: Tiny) -> Iterator[Served]:
    completions = Completions(tiny.model, tiny.tokenizer)
    stub = StubEndpoint(completions)
    client, engine = connect(stub.url, tiny)
    yield Served(stub.url, "tiny", engine, completions, stub)
    client.close()
    stub.close()


@pytest.fixture(scope="session")
def vllm_url(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real vLLM server on the CPU."""
    python = ENGINE_VENV / "bin" / "python"
    if not python.is_file():
        pytest.skip(f"There is no vLLM in {ENGINE_VENV}; `make engine` makes it and runs these tests.")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
    }
    command = [
        str(python), "-m", "vllm.entrypoints.openai.api_server", "--model", str(tiny.directory),
        "--served-model-name", "tiny", "--host", "127.0.0.1", "--port", str(port), "--dtype", "float32",
        "--enforce-eager", "--max-model-len", "256", "--seed", "0",
    ]  # fmt: skip
    place = tmp_path_factory.mktemp("vllm") / "log"
    with place.open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=place.parent)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _is_healthy(port):
            assert server.poll() is None, place.read_text()[-5000:]
            assert time.monotonic() < deadline, place.read_text()[-5000:]
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        try:
            server.wait(timeout=60)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _is_healthy(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(params=["fake", pytest.param("vllm", marks=pytest.mark.engine)])
def served(request: pytest.FixtureRequest, tiny: Tiny) -> Iterator[Served]:
    """The contract's two sides."""
    if request.param == "fake":
        yield request.getfixturevalue("fake")
        return
    url = request.getfixturevalue("vllm_url")
    # The first request for log-probabilities compiles a kernel.
    client, engine = connect(url, tiny, timeout_seconds=START_SECONDS)
    yield Served(url, "tiny", engine)
    client.close()
