"""Sampling: the same tokens whatever the batch, the order and the interruptions."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

import aft.sampling
from aft.arithmetic import VOCABULARY
from aft.config.sampling import SampleConfig
from aft.config.training import BuiltinModelConfig
from aft.decoding import CachedForward, LlamaForward, is_plain_llama
from aft.models import build_llama, build_tokenizer
from aft.sampling import Prompt, Sampled, choose_tokens, sample_cots
from aft.scoring import token_logprobs

SIZES = BuiltinModelConfig(hidden_size=32, layers=2, heads=2, mlp_size=48)
Tokens = dict[tuple[str, int], tuple[int, ...]]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return build_tokenizer(VOCABULARY)


@pytest.fixture(scope="module")
def model(tokenizer: Any) -> Any:
    return build_llama(SIZES, tokenizer, seed=0)


@pytest.fixture(scope="module")
def prompts() -> list[Prompt]:
    rng = np.random.default_rng(0)
    return [
        Prompt(f"q{number}", tuple(int(token) for token in rng.integers(5, len(VOCABULARY), rng.integers(2, 12))))
        for number in range(9)
    ]


def sample(model: Any, tokenizer: Any, prompts: list[Prompt], config: SampleConfig, **options: Any) -> Tokens:
    found: list[Sampled] = []
    assert sample_cots(model, tokenizer, prompts, config, on_done=found.extend, **options)
    tokens = {(sampled.question_id, sampled.sample_index): sampled.token_ids for sampled in found}
    assert len(tokens) == len(found)
    return tokens


CONFIG = SampleConfig(k=5, max_new_tokens=12, seed=3)


def test_batch_size_changes_no_token(model: Any, tokenizer: Any, prompts: list[Prompt]) -> None:
    expected = sample(model, tokenizer, prompts, CONFIG, rows_per_batch=1)
    assert expected.keys() == {(prompt.question_id, index) for prompt in prompts for index in range(5)}
    for rows in (2, 7, 45, 256):
        assert sample(model, tokenizer, prompts, CONFIG, rows_per_batch=rows) == expected


def test_order_of_questions_changes_no_token(model: Any, tokenizer: Any, prompts: list[Prompt]) -> None:
    expected = sample(model, tokenizer, prompts, CONFIG)
    assert sample(model, tokenizer, prompts[::-1], CONFIG) == expected


def test_more_samples_keep_the_first_ones(model: Any, tokenizer: Any, prompts: list[Prompt]) -> None:
    few = sample(model, tokenizer, prompts, CONFIG)
    many = sample(model, tokenizer, prompts, CONFIG.model_copy(update={"k": 8}))
    assert {pair: many[pair] for pair in few} == few


def test_seeds_questions_and_indices_have_streams_of_their_own(model: Any, tokenizer: Any) -> None:
    twins = [Prompt("a", (5, 6, 7)), Prompt("b", (5, 6, 7))]
    one = sample(model, tokenizer, twins, CONFIG)
    other = sample(model, tokenizer, twins, CONFIG.model_copy(update={"seed": 4}))
    assert len({*one.values(), *other.values()}) > 15


@pytest.mark.parametrize("stop_after", [1, 9, 25])
def test_resuming_after_a_stop_changes_no_token(
    model: Any, tokenizer: Any, prompts: list[Prompt], stop_after: int
) -> None:
    expected = sample(model, tokenizer, prompts, CONFIG, rows_per_batch=8)
    calls = 0

    def stop() -> bool:
        nonlocal calls
        calls += 1
        return calls > stop_after

    first: list[Sampled] = []
    complete = sample_cots(model, tokenizer, prompts, CONFIG, on_done=first.extend, should_stop=stop, rows_per_batch=8)
    assert not complete
    done = {(s.question_id, s.sample_index): s.token_ids for s in first}
    missing = expected.keys() - done.keys()
    assert missing
    rest = sample(model, tokenizer, prompts, CONFIG, rows_per_batch=8, wanted=missing)
    assert rest.keys() == missing
    assert {**done, **rest} == expected


def test_both_forward_passes_choose_the_same_tokens(
    model: Any, tokenizer: Any, prompts: list[Prompt], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = sample(model, tokenizer, prompts, CONFIG)
    monkeypatch.setattr(aft.sampling, "new_forward", CachedForward)
    assert sample(model, tokenizer, prompts, CONFIG) == expected


def test_logprobs_of_sampled_tokens_are_the_models(
    model: Any, tokenizer: Any, prompts: list[Prompt], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows_of: list[torch.Tensor] = []

    def recording(logits: torch.Tensor, *rest: Any) -> torch.Tensor:
        chosen = choose_tokens(logits, *rest)
        rows_of.append(logits.log_softmax(dim=-1).gather(1, chosen[:, None]).squeeze(1))
        return chosen

    monkeypatch.setattr(aft.sampling, "choose_tokens", recording)
    # Without an end token no row leaves, so every step has all rows in the order of the plan.
    monkeypatch.setattr(aft.sampling, "end_token_ids", lambda model, tokenizer: (-1,))
    tokens = sample(model, tokenizer, prompts, CONFIG)
    ordered = sorted(prompts, key=lambda prompt: len(prompt.prompt_ids))
    sampled = torch.stack(rows_of, dim=1)
    with torch.no_grad():
        groups = [(p.prompt_ids, [tokens[p.question_id, index] for index in range(CONFIG.k)]) for p in ordered]
        expected = torch.stack([each for group in token_logprobs(model, groups) for each in group])
    assert sampled.shape == (len(prompts) * CONFIG.k, CONFIG.max_new_tokens)
    torch.testing.assert_close(sampled, expected, atol=1e-5, rtol=0)


def test_finished_sequences_leave_the_batch(
    model: Any, tokenizer: Any, prompts: list[Prompt], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[int] = []
    step = LlamaForward.step

    def counting(forward: LlamaForward, tokens: torch.Tensor) -> torch.Tensor:
        rows.append(len(tokens))
        return step(forward, tokens)

    monkeypatch.setattr(LlamaForward, "step", counting)
    config = SampleConfig(k=20, max_new_tokens=200, seed=1)
    found = sample(model, tokenizer, prompts, config, rows_per_batch=180)
    lengths = sorted(len(ids) for ids in found.values())
    assert rows[0] > rows[-1]
    for number, count in enumerate(rows, start=1):
        alive = sum(length > number for length in lengths)
        # Rows are taken out once a fifth of them have finished.
        assert alive <= count <= alive / 0.8 + 1


@pytest.mark.parametrize("rope", [{"rope_type": "default"}, {"rope_type": "linear", "factor": 2.0}])
@pytest.mark.parametrize("kv_heads", [1, 2, 4])
@pytest.mark.parametrize("prompt_of", [(0, 1, 1), (1, 0, 1), (0, 1)])
def test_short_forward_pass_gives_the_logits_of_the_model(
    prompt_of: tuple[int, ...], kv_heads: int, rope: dict[str, Any]
) -> None:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=50, hidden_size=32, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=kv_heads, attention_bias=True, mlp_bias=True, tie_word_embeddings=False,
        rope_parameters={"rope_theta": 10000.0, **rope}, initializer_range=0.3,
    )  # fmt: skip
    model: Any = LlamaForCausalLM(config)
    model.eval()
    assert is_plain_llama(model)
    prompts = [[7, 8, 9, 10], [11, 12]]
    texts = [[*prompts[of], *([5, 6, 7, 8] * 20)[row : row + 70]] for row, of in enumerate(prompt_of)]
    forward = LlamaForward(model)
    with torch.inference_mode():
        full = [model(torch.tensor([text])).logits[0] for text in texts]
        ids, mask = torch.tensor([[7, 8, 9, 10], [0, 0, 11, 12]]), torch.tensor([[1, 1, 1, 1], [0, 0, 1, 1]])
        logits = forward.prefill(ids, mask, torch.tensor(prompt_of))
        rows = list(range(len(prompt_of)))
        for step in range(69):
            for row, found in zip(rows, logits, strict=True):
                position = len(prompts[prompt_of[row]]) - 1 + step
                torch.testing.assert_close(found, full[row][position], atol=1e-4, rtol=1e-4)
            if step == 30:
                forward.keep(torch.arange(1, len(rows)))
                rows = rows[1:]
            logits = forward.step(torch.tensor([texts[row][len(prompts[prompt_of[row]]) + step] for row in rows]))


def test_altered_layers_go_through_the_model(model: Any, tokenizer: Any) -> None:
    assert is_plain_llama(model)
    altered: Any = build_llama(SIZES, tokenizer, seed=0)

    class Adapter(torch.nn.Linear):
        """A linear layer with something added."""

    altered.model.layers[0].self_attn.q_proj = Adapter(32, 32)
    assert not is_plain_llama(altered)
    assert not is_plain_llama(build_llama(SIZES, tokenizer, seed=0).double())


def test_greedy_decoding_is_that_of_generate(model: Any, tokenizer: Any, prompts: list[Prompt]) -> None:
    config = SampleConfig(k=1, temperature=0, max_new_tokens=12)
    found = sample(model, tokenizer, prompts, config)
    for prompt in prompts:
        ids = torch.tensor([prompt.prompt_ids])
        generated = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False)
        assert found[prompt.question_id, 0] == tuple(generated[0, len(prompt.prompt_ids) :].tolist())


def test_end_token_is_kept_and_named(model: Any, tokenizer: Any, prompts: list[Prompt]) -> None:
    found: list[Sampled] = []
    sample_cots(model, tokenizer, prompts, SampleConfig(k=40, max_new_tokens=30, seed=1), on_done=found.extend)
    assert {sampled.finish_reason for sampled in found} == {"stop", "length"}
    for sampled in found:
        stopped = sampled.finish_reason == "stop"
        assert (sampled.token_ids[-1] == tokenizer.eos_token_id) == stopped
        assert tokenizer.eos_token_id not in sampled.token_ids[:-1]
        assert stopped or len(sampled.token_ids) == 30
        assert "<eos>" not in sampled.text


def test_frequencies_are_the_models_probabilities() -> None:
    logits = torch.tensor([1.0, 0.0, -1.0, 2.0]).expand(20_000, 4)
    uniforms = torch.from_numpy((np.arange(20_000) + 0.5) / 20_000)
    for temperature in (0.5, 1.0, 3.0):
        chosen = choose_tokens(logits, uniforms, temperature, 1.0)
        expected = torch.softmax(logits[0].double() / temperature, dim=-1)
        torch.testing.assert_close(torch.bincount(chosen, minlength=4) / 20_000, expected.float(), atol=1e-4, rtol=0)


def test_top_p_keeps_the_smallest_set_that_reaches_it() -> None:
    logits = torch.tensor([0.1, 0.5, 0.25, 0.15]).log().expand(1000, 4)
    uniforms = torch.from_numpy((np.arange(1000) + 0.5) / 1000)
    for top_p, kept in ((0.4, {1}), (0.6, {1, 2}), (0.8, {1, 2, 3}), (1.0, {0, 1, 2, 3})):
        assert set(choose_tokens(logits, uniforms, 1.0, top_p).tolist()) == kept


def test_impossible_tokens_are_never_chosen() -> None:
    logits = torch.tensor([[-torch.inf, 0.0, -torch.inf, 0.0, -torch.inf]]).expand(3, 5)
    uniforms = torch.tensor([0.0, 0.5, 1 - 2.0**-53], dtype=torch.float64)
    assert choose_tokens(logits, uniforms, 1.0, 1.0).tolist() == [1, 3, 3]


def test_nothing_wanted_asks_the_model_for_nothing(tokenizer: Any, prompts: list[Prompt]) -> None:
    assert sample_cots(None, tokenizer, prompts, CONFIG, wanted=[], on_done=lambda done: pytest.fail("nothing is due"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda prompts: [*prompts, prompts[0]], "'q0' is asked for twice"),
        (lambda prompts: [Prompt("empty", ())], "'empty' has an empty prompt"),
        (lambda prompts: [Prompt("long", (5,) * 1020)], "'long' has 1020 prompt tokens.*Lower max_new_tokens to 4"),
        (lambda prompts: [Prompt("huge", (5,) * 2000)], "'huge' has 2000 prompt tokens.*Remove the question"),
    ],
)
def test_impossible_requests_name_the_question(
    model: Any, tokenizer: Any, prompts: list[Prompt], change: Callable[[list[Prompt]], list[Prompt]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        sample_cots(model, tokenizer, change(prompts), CONFIG, on_done=lambda done: None)


def test_a_sample_outside_the_request_is_refused(model: Any, tokenizer: Any, prompts: list[Prompt]) -> None:
    with pytest.raises(ValueError, match="Sample 5 of question 'q0' is not part"):
        sample_cots(model, tokenizer, prompts, CONFIG, wanted=[("q0", 5)], on_done=lambda done: None)


def test_broken_weights_are_reported(tokenizer: Any, prompts: list[Prompt]) -> None:
    broken: Any = build_llama(SIZES, tokenizer, seed=0)
    torch.nn.init.constant_(broken.model.norm.weight, float("nan"))
    with pytest.raises(ValueError, match="not finite"):
        sample_cots(broken, tokenizer, prompts, CONFIG, on_done=lambda done: None)
