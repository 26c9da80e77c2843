"""vLLM's offline engine, played by a module that samples with the model in this process."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from aft.config.sampling import SampleConfig
from aft.engines import BuiltinEngine, EngineFailed, VllmEngine
from aft.engines.vllm_offline import is_installed
from aft.sampling import Prompt, Sampled, sample_cots
from tests.aft.engines.conftest import Tiny

CONFIG = SampleConfig(k=3, max_new_tokens=8, seed=5)


class FakeVllm(ModuleType):
    """``LLM`` and ``SamplingParams`` with the arguments that all versions share, and nothing more."""

    def __init__(self, tiny: Tiny) -> None:
        super().__init__("vllm")
        self.loaded: list[dict[str, Any]] = []
        self.batches: list[int] = []
        self.broken: Callable[[], None] = lambda: None
        fake = self

        class SamplingParams:
            def __init__(self, *, n: int, temperature: float, top_p: float, max_tokens: int) -> None:
                self.n, self.temperature, self.top_p, self.max_tokens = n, temperature, top_p, max_tokens

        class LLM:
            def __init__(self, *, model: str, dtype: str, seed: int) -> None:
                fake.loaded.append({"model": model, "dtype": dtype, "seed": seed})
                self.seed = seed

            def generate(self, prompts: list[dict[str, Any]], params: list[Any], *, use_tqdm: bool) -> list[Any]:
                fake.batches.append(len(prompts))
                fake.broken()
                assert not use_tqdm
                return [
                    self._answer(prompt["prompt_token_ids"], each) for prompt, each in zip(prompts, params, strict=True)
                ]

            def _answer(self, ids: list[int], params: Any) -> Any:
                found: list[Sampled] = []
                config = SampleConfig(
                    k=params.n, temperature=params.temperature, max_new_tokens=params.max_tokens, seed=self.seed
                )
                name = " ".join(map(str, ids))
                sample_cots(tiny.model, tiny.tokenizer, [Prompt(name, tuple(ids))], config, on_done=found.extend)
                outputs = [
                    SimpleNamespace(index=each.sample_index, token_ids=each.token_ids, finish_reason=each.finish_reason)
                    for each in reversed(found)
                ]
                return SimpleNamespace(outputs=outputs)

        self.LLM, self.SamplingParams = LLM, SamplingParams


@pytest.fixture
def vllm(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> FakeVllm:
    fake = FakeVllm(tiny)
    monkeypatch.setitem(sys.modules, "vllm", fake)
    return fake


def engine_of(tiny: Tiny, **options: Any) -> VllmEngine:
    return VllmEngine(tiny.directory, tiny.tokenizer, tiny.end_ids, **options)


def sampled(engine: Any, prompts: list[Prompt], config: SampleConfig = CONFIG, **options: Any) -> list[Sampled]:
    found: list[Sampled] = []
    assert engine.sample(prompts, config, on_done=found.extend, **options)
    return found


def test_the_checkpoint_is_loaded_once_and_asked_in_batches(vllm: FakeVllm, tiny: Tiny, prompts: list[Prompt]) -> None:
    engine = engine_of(tiny, rows_at_once=6)
    found = sampled(engine, prompts)
    assert {(each.question_id, each.sample_index) for each in found} == {
        (prompt.question_id, index) for prompt in prompts for index in range(3)
    }
    assert vllm.batches == [2, 2, 1]
    assert [(each["model"], each["dtype"]) for each in vllm.loaded] == [(str(tiny.directory), "float32")]
    assert all(not each.reencoded for each in found)


def test_greedy_is_the_built_in_engines(vllm: FakeVllm, tiny: Tiny, prompts: list[Prompt]) -> None:
    greedy = SampleConfig(k=1, temperature=0, max_new_tokens=12)
    expected = sampled(BuiltinEngine(tiny.model, tiny.tokenizer), prompts, greedy)
    found = sampled(engine_of(tiny), prompts, greedy)
    assert {each.question_id: each for each in found} == {each.question_id: each for each in expected}


def test_the_rest_of_a_question_has_another_seed(vllm: FakeVllm, tiny: Tiny, prompts: list[Prompt]) -> None:
    sampled(engine_of(tiny), prompts)
    sampled(engine_of(tiny), prompts, wanted={("q0", 2)})
    sampled(engine_of(tiny), prompts)
    first, second, third = (each["seed"] for each in vllm.loaded)
    assert first != second
    assert first == third


def test_a_dead_engine_is_started_again_and_the_batch_repeated(
    vllm: FakeVllm, tiny: Tiny, prompts: list[Prompt]
) -> None:
    deaths = iter([RuntimeError("EngineCore encountered an issue")])

    def once() -> None:
        for error in deaths:
            raise error

    vllm.broken = once
    assert len(sampled(engine_of(tiny), prompts)) == 15
    assert len(vllm.loaded) == 2


def test_an_engine_that_dies_twice_on_a_batch_is_given_up(vllm: FakeVllm, tiny: Tiny, prompts: list[Prompt]) -> None:
    def always() -> None:
        raise RuntimeError("CPU Generator does not use offset")

    vllm.broken = always
    with pytest.raises(EngineFailed, match=r"failed twice.*CPU Generator does not use offset"):
        sampled(engine_of(tiny), prompts)


def test_between_batches_it_can_be_stopped(vllm: FakeVllm, tiny: Tiny, prompts: list[Prompt]) -> None:
    looks = iter([False, True])
    found: list[Sampled] = []
    engine = engine_of(tiny, rows_at_once=3)
    assert not engine.sample(prompts, CONFIG, on_done=found.extend, should_stop=lambda: next(looks))
    assert len(found) == 3


def test_without_vllm_the_remedy_is_named(tiny: Tiny, prompts: list[Prompt], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(EngineFailed, match=r"vLLM is not installed.*pip install 'aft-workbench\[vllm\]'"):
        sampled(engine_of(tiny), prompts)


def test_a_build_for_other_hardware_is_named(
    tiny: Tiny, prompts: list[Prompt], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vllm.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "vllm", raising=False)
    assert is_installed()
    with pytest.raises(EngineFailed, match=r"cannot be imported.*torchvision::nms"):
        sampled(engine_of(tiny), prompts)
