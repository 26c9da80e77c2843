"""What every completions server must do for us: the same tests for the fake one and for a real vLLM."""

from typing import Any

import pytest

from aft.config.sampling import SampleConfig
from aft.encoding import decode
from aft.engines import BuiltinEngine, Disagreement, check_agreement
from aft.models import build_llama
from aft.sampling import Prompt, Sampled
from tests.aft.engines.conftest import SIZES, Served, Tiny, connect

CONFIG = SampleConfig(k=4, max_new_tokens=12)


def sampled(engine: Any, prompts: list[Prompt], config: SampleConfig, **options: Any) -> dict[tuple[str, int], Sampled]:
    found: list[Sampled] = []
    assert engine.sample(prompts, config, on_done=found.extend, **options)
    by_pair = {(each.question_id, each.sample_index): each for each in found}
    assert len(by_pair) == len(found)
    return by_pair


def test_token_ids_go_there_and_come_back(served: Served, tiny: Tiny, prompts: list[Prompt]) -> None:
    assert served.engine.mode(prompts[0]) == "ids"
    found = sampled(served.engine, prompts, CONFIG)
    assert found.keys() == {(prompt.question_id, index) for prompt in prompts for index in range(4)}
    for each in found.values():
        stopped = each.finish_reason == "stop"
        assert not each.reencoded
        assert (each.token_ids[-1] in tiny.end_ids) == stopped
        assert not set(each.token_ids[:-1]) & set(tiny.end_ids)
        assert stopped or len(each.token_ids) == 12
        assert each.text == decode(tiny.tokenizer, each.token_ids[:-1] if stopped else each.token_ids)
    assert len({each.token_ids for each in found.values()}) > 10


def test_both_ends_of_a_sample_occur(served: Served, prompts: list[Prompt]) -> None:
    found = sampled(served.engine, prompts, SampleConfig(k=40, max_new_tokens=30))
    assert {each.finish_reason for each in found.values()} == {"stop", "length"}


def test_greedy_is_the_built_in_engines(served: Served, tiny: Tiny, prompts: list[Prompt]) -> None:
    greedy = SampleConfig(k=1, temperature=0, max_new_tokens=12)
    expected = sampled(BuiltinEngine(tiny.model, tiny.tokenizer), prompts, greedy)
    found = sampled(served.engine, prompts, greedy)
    assert {pair: each.token_ids for pair, each in found.items()} == {
        pair: each.token_ids for pair, each in expected.items()
    }


def test_only_what_is_missing_is_asked_for(served: Served, prompts: list[Prompt]) -> None:
    wanted = {("q1", 2), ("q1", 3), ("q4", 0)}
    assert sampled(served.engine, prompts, CONFIG, wanted=wanted).keys() == wanted


def test_the_same_model_agrees_and_another_does_not(served: Served, tiny: Tiny, prompts: list[Prompt]) -> None:
    ids = [*prompts[0].prompt_ids, *prompts[1].prompt_ids]
    agreement = check_agreement(tiny.model, ids, served.engine.prompt_logprobs)
    assert agreement is not None
    assert agreement.largest_gap < 1e-4
    assert agreement.tokens == len(ids) - 1
    other: Any = build_llama(SIZES, tiny.tokenizer, seed=1, window=256)
    with pytest.raises(Disagreement, match="serves another model"):
        check_agreement(other.eval(), ids, served.engine.prompt_logprobs)


@pytest.mark.engine
@pytest.mark.parametrize(("length", "message"), [(300, "refuses the request"), (250, "after 6 of 12 tokens")])
def test_a_prompt_beyond_the_window_is_refused_in_words(vllm_url: str, tiny: Tiny, length: int, message: str) -> None:
    client, engine = connect(vllm_url, tiny)
    with client, pytest.raises(ValueError, match=message):
        # Many samples, so that not all of them end by themselves before the window does.
        sampled(engine, [Prompt("long", (7,) * length)], CONFIG.model_copy(update={"k": 16}))
