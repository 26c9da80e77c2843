"""Servers that can less, break, or answer nonsense."""

from typing import Any

import pytest

from aft.config.sampling import SampleConfig
from aft.encoding import encode_response
from aft.endpoints import EndpointError, EndpointUnavailable
from aft.engines import EngineFailed
from aft.engines.server import Answered
from aft.sampling import Prompt, Sampled
from tests.aft.engines.conftest import Served, Tiny, connect
from tests.stub_endpoint import Answer

CONFIG = SampleConfig(k=3, max_new_tokens=8)


def sampled(served: Served, prompts: list[Prompt], config: SampleConfig = CONFIG) -> list[Sampled]:
    found: list[Sampled] = []
    assert served.engine.sample(prompts, config, on_done=found.extend)
    return found


def test_text_is_encoded_once_and_marked(fake: Served, tiny: Tiny, prompts: list[Prompt]) -> None:
    assert fake.fake is not None
    fake.fake.gives_ids = False
    assert fake.engine.mode(prompts[0]) == "ids in, text out"
    found = sampled(fake, prompts, SampleConfig(k=20, max_new_tokens=25))
    assert {each.finish_reason for each in found} == {"stop", "length"}
    for each in found:
        assert each.reencoded
        ids = encode_response(tiny.tokenizer, each.text)
        assert each.token_ids == (ids if each.finish_reason == "stop" else ids[:-1])


def test_arguments_that_a_server_refuses_are_left_out(fake: Served, prompts: list[Prompt]) -> None:
    assert fake.fake is not None
    assert fake.stub is not None
    fake.fake.strict, fake.fake.gives_ids = True, False
    assert fake.engine.mode(prompts[0]) == "ids in, text out"
    sampled(fake, prompts)
    assert fake.fake.refused == ["Unrecognized request argument: return_token_ids"]
    assert not {"return_token_ids", "seed"} & set().union(*(asked.body for asked in fake.stub.asked[2:]))
    # Log-probabilities then come through the API's own way.
    assert fake.engine.prompt_logprobs(prompts[0].prompt_ids) is not None


def test_a_server_without_ids_gets_the_text(fake: Served, prompts: list[Prompt]) -> None:
    assert fake.fake is not None
    fake.fake.takes_ids = False
    assert fake.engine.mode(prompts[0]) == "text"
    assert all(each.reencoded for each in sampled(fake, prompts))


def test_a_server_that_tells_no_logprobs_is_not_compared(fake: Served, prompts: list[Prompt]) -> None:
    assert fake.fake is not None
    fake.fake.knows_prompt_logprobs = fake.fake.knows_echo = False
    assert fake.engine.prompt_logprobs(prompts[0].prompt_ids) is None


def test_a_server_that_dies_and_comes_back_is_asked_again(fake: Served, prompts: list[Prompt]) -> None:
    assert fake.fake is not None
    fake.engine.mode(prompts[0])
    dying = iter([Answer({"error": {"message": "EngineDeadError"}}, status=500)] * 2)
    fake.fake.interfere = lambda body, number: next(dying, None)
    assert len(sampled(fake, prompts)) == 15


def test_a_server_that_stays_away_keeps_what_was_sampled(fake: Served, tiny: Tiny, prompts: list[Prompt]) -> None:
    assert fake.fake is not None
    client, engine = connect(fake.url, tiny, concurrency=1, max_retries=1)
    gone = Answer({"error": "gone"}, status=503, headers={"Retry-After": "0"})
    fake.fake.interfere = lambda body, number: gone if number > 3 else None
    found: list[Sampled] = []
    with client, pytest.raises(EndpointUnavailable, match="failed 2 times"):
        engine.sample(prompts, CONFIG, on_done=found.extend)
    assert len(found) == 9


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ([], "0 samples where 3"),
        ([{"index": i, "token_ids": [5], "finish_reason": "content_filter"} for i in range(3)], "content_filter"),
        ([{"index": i, "token_ids": [10**6], "finish_reason": "stop"} for i in range(3)], "token 1000000"),
        ([{"index": i, "text": "a", "finish_reason": "stop"} for i in range(3)], "left out the token ids"),
        ("nonsense", "0 samples where 3"),
    ],
)
def test_nonsense_is_asked_again_three_times_and_then_named(
    fake: Served, prompts: list[Prompt], choices: Any, message: str
) -> None:
    assert fake.fake is not None
    fake.engine.mode(prompts[0])
    asked = []

    def answer(body: dict[str, Any], number: int) -> Answer:
        asked.append(number)
        return Answer({"choices": choices})

    fake.fake.interfere = answer
    with pytest.raises(EngineFailed, match=message):
        sampled(fake, prompts[:1])
    assert len(asked) == 3


def test_a_sample_that_the_servers_window_cut_is_no_candidate(fake: Served, prompts: list[Prompt]) -> None:
    assert fake.fake is not None
    # As vLLM does near the end of its window: it asks for less than it was asked for.
    fake.fake.interfere = lambda body, number: body.update(max_tokens=min(3, body["max_tokens"]))
    with pytest.raises(EngineFailed, match=r"after 3 of 8 tokens: its window holds \d+\. Lower max_new_tokens"):
        sampled(fake, prompts, CONFIG.model_copy(update={"k": 20}))


def test_requests_run_side_by_side_and_stop_when_asked(fake: Served, prompts: list[Prompt]) -> None:
    assert fake.stub is not None
    looks = iter([False, False, True])
    found: list[Sampled] = []
    done = fake.engine.sample(prompts, CONFIG, on_done=found.extend, should_stop=lambda: next(looks, True))
    assert not done
    assert len(found) == 6
    assert fake.stub.most_at_once <= 3


def test_a_budget_stops_before_the_request(fake: Served, tiny: Tiny, prompts: list[Prompt]) -> None:
    class Spent(Exception):
        """No money left."""

    used: list[Answered] = []

    def before() -> None:
        if len(used) > 2:
            raise Spent

    fake.engine._before, fake.engine._after = before, used.append
    with pytest.raises(Spent):
        fake.engine.sample(prompts, SampleConfig(k=1, max_new_tokens=2), on_done=lambda done: None)
    assert used[0] == Answered(len(prompts[0].prompt_ids), 1)


def test_a_wrong_key_is_no_reason_to_try_another_way(fake: Served, prompts: list[Prompt]) -> None:
    assert fake.fake is not None
    assert fake.stub is not None
    fake.fake.interfere = lambda body, number: Answer({"error": {"message": "no"}}, status=401)
    with pytest.raises(EndpointError, match="refuses the key"):
        fake.engine.mode(prompts[0])
    assert len(fake.stub.asked) == 1


def test_many_samples_are_asked_for_in_several_requests(fake: Served, prompts: list[Prompt]) -> None:
    assert fake.stub is not None
    assert len(sampled(fake, prompts[:1], SampleConfig(k=70, max_new_tokens=2))) == 70
    assert sorted(asked.body["n"] for asked in fake.stub.asked[1:]) == [6, 32, 32]
