"""Scores against the model's own logits, whatever the batching and packing."""

import itertools
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import (
    CohereConfig,
    CohereForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    GraniteConfig,
    GraniteForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

import aft.scoring
from aft.losses import ranking_loss, score_gradient
from aft.scoring import (
    GroupIds,
    Packing,
    candidate_scores,
    microbatch_scores,
    microbatches,
    shares_prefix,
    token_logprobs,
)

VOCABULARY = 53
PACKINGS: tuple[Packing, ...] = ("packed", "separate", "auto")


def make_model(
    config_class: Any = LlamaConfig, model_class: Any = LlamaForCausalLM, **settings: Any
) -> PreTrainedModel:
    torch.manual_seed(0)
    config = config_class(
        **{
            "vocab_size": VOCABULARY,
            "hidden_size": 24,
            "intermediate_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "head_dim": 12,
            "max_position_embeddings": 96,
            "pad_token_id": 0,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "initializer_range": 0.3,
            **settings,
        }
    )
    model = model_class(config).eval()
    assert isinstance(model, PreTrainedModel)
    return model


def make_groups(counts: tuple[int, ...] = (3, 1, 0, 9, 2), seed: int = 0) -> list[GroupIds]:
    draw = random.Random(seed)

    def ids(shortest: int, longest: int) -> tuple[int, ...]:
        return tuple(draw.randrange(3, VOCABULARY) for _ in range(draw.randint(shortest, longest)))

    return [(ids(1, 12), [ids(1, 15) for _ in range(count)]) for count in counts]


def make_branches() -> list[GroupIds]:
    """Responses that part in the middle, after each other's branches, at once, never, or where another one ends."""
    a, b, c = (7, 8, 9, 10, 11), (12, 13, 14), (15, 16)
    parting = [(*a, *b, *c, 2), (*a, *b, 17, 2), (*a, 18), (*a[:2], 19, 20, 2), (*a, *b, 17, 21, 22), (*a[:2], 19, 23)]
    nested = [(5,), (5, 6), (5, 6, 7), (5, 6, 7), (6,), (5, 6, 8, 2)]
    return [((3, 4, 5), parting), ((30,), nested), ((31, 32), [(40, 41)]), ((33,), [])]


def plain_logprobs(model: PreTrainedModel, prompt: tuple[int, ...], response: tuple[int, ...]) -> Tensor:
    """One sequence at a time, from the model's own logits over all positions."""
    logits = model(input_ids=torch.tensor([[*prompt, *response]]), use_cache=False).logits[0].float()
    table = logits.log_softmax(dim=-1)
    return torch.stack([table[len(prompt) - 1 + offset, token] for offset, token in enumerate(response)])


def plain_scores(model: PreTrainedModel, groups: list[GroupIds]) -> list[Tensor]:
    return [
        torch.stack([plain_logprobs(model, tuple(prompt), tuple(response)).mean() for response in responses])
        if responses
        else torch.zeros(0)
        for prompt, responses in groups
    ]


@pytest.mark.parametrize("groups", [make_groups(), make_branches()], ids=["apart", "branches"])
@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("budget", [1, 14, 40, 4096])
def test_scores_are_the_mean_logprob_whatever_the_batching(
    groups: list[GroupIds], packing: Packing, budget: int
) -> None:
    model = make_model()
    with torch.no_grad():
        scores = candidate_scores(model, groups, tokens_per_microbatch=budget, packing=packing)
        expected = plain_scores(model, groups)
    for got, want in zip(scores, expected, strict=True):
        torch.testing.assert_close(got, want, rtol=0, atol=1e-5)


def test_known_logits_give_known_logprobs() -> None:
    model = make_model()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        (tokens,) = token_logprobs(model, [((5, 6), [(7, 8, 2)])])[0]
    torch.testing.assert_close(tokens, torch.full((3,), 1 / VOCABULARY).log())


@pytest.mark.parametrize("groups", [make_groups(), make_branches()], ids=["apart", "branches"])
@pytest.mark.parametrize("packing", PACKINGS)
def test_gradient_is_that_of_separate_sequences(groups: list[GroupIds], packing: Packing) -> None:
    model = make_model()

    def gradients(scores: list[Tensor]) -> list[Tensor]:
        weighted = sum((weight * score for weight, score in enumerate(torch.cat(scores), start=1)), torch.zeros(()))
        return list(torch.autograd.grad(weighted, list(model.parameters())))

    expected = gradients(plain_scores(model, groups))
    got = gradients(candidate_scores(model, groups, packing=packing, tokens_per_microbatch=100))
    scale = max(float(value.abs().max()) for value in expected)
    for ours, theirs in zip(got, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5 * scale)
        assert ours.isfinite().all()


@pytest.mark.parametrize("constraint", ["none", "detached", "boundary"])
def test_two_passes_give_the_gradient_of_one(constraint: str) -> None:
    model, groups = make_model(), make_groups((3, 3))
    ratings = torch.tensor([[1.0, 0.0, 0.0], [2.0, 1.0, 3.0]])
    joint = ranking_loss(torch.stack(candidate_scores(model, groups)), ratings, method="aft", constraint=constraint)
    expected = torch.autograd.grad(joint.mean(), list(model.parameters()))

    with torch.no_grad():
        scores = torch.stack(candidate_scores(model, groups))
    _, weights = score_gradient(scores, ratings, method="aft", constraint=constraint)
    plan = microbatches(groups, tokens_per_microbatch=30, share_prefix=shares_prefix(model))
    assert len(plan) > 1
    for microbatch in plan:
        wanted = torch.stack([weights[item] for item in microbatch.items]) / len(groups)
        (microbatch_scores(model, groups, microbatch) * wanted).sum().backward()  # type: ignore[no-untyped-call]
    for parameter, want in zip(model.parameters(), expected, strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad, want, rtol=1e-4, atol=1e-6)


def test_end_token_counts_where_it_is_present() -> None:
    model = make_model()
    with torch.no_grad():
        cut, ended = candidate_scores(model, [((5, 6, 7), [(8, 9), (8, 9, 2)])])[0]
        tokens = token_logprobs(model, [((5, 6, 7), [(8, 9, 2)])])[0][0]
    assert ended.item() == pytest.approx(tokens.mean().item(), abs=1e-6)
    assert cut.item() == pytest.approx(tokens[:2].mean().item(), abs=1e-6)


def test_scores_of_a_half_precision_model_are_float32() -> None:
    model = make_model().to(torch.bfloat16)  # type: ignore[arg-type]  # transformers' annotation of .to()
    with torch.no_grad():
        scores = candidate_scores(model, make_groups())
    assert {part.dtype for part in scores} == {torch.float32}


@pytest.mark.parametrize("grad", [False, True])
def test_bounded_projection_changes_nothing(monkeypatch: pytest.MonkeyPatch, grad: bool) -> None:
    model, groups = make_model(), make_groups()
    with torch.set_grad_enabled(grad):
        whole = torch.cat(candidate_scores(model, groups))
        monkeypatch.setattr(aft.scoring, "LOGITS_PER_CHUNK", 7 * VOCABULARY)
        chunked = torch.cat(candidate_scores(model, groups))
    torch.testing.assert_close(whole, chunked, rtol=0, atol=1e-6)
    if grad:
        parameters = list(model.parameters())
        for ours, theirs in zip(
            torch.autograd.grad(chunked.sum(), parameters), torch.autograd.grad(whole.sum(), parameters), strict=True
        ):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_only_positions_that_predict_a_response_reach_the_head() -> None:
    model = make_model()
    seen: list[int] = []
    head = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[0]))
    with torch.no_grad():
        candidate_scores(model, [((5,) * 20, [(6, 7), (8, 9, 10)])])
    assert seen == [5]


SHARING = [
    (LlamaConfig, LlamaForCausalLM, {}),
    (MistralConfig, MistralForCausalLM, {"sliding_window": None}),
    (Qwen2Config, Qwen2ForCausalLM, {}),
    (Qwen3Config, Qwen3ForCausalLM, {}),
]


@pytest.mark.parametrize(("config_class", "model_class", "settings"), SHARING)
def test_architectures_that_share_a_prefix_score_as_separate_rows(
    config_class: Any, model_class: Any, settings: dict[str, Any]
) -> None:
    model = make_model(config_class, model_class, **settings)
    groups = [*make_groups(), *make_branches()]
    assert shares_prefix(model)
    with torch.no_grad():
        packed = candidate_scores(model, groups, packing="packed")
    for got, want in zip(packed, plain_scores(model, groups), strict=True):
        torch.testing.assert_close(got, want, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("config_class", "model_class", "settings"),
    [
        (LlamaConfig, LlamaForCausalLM, {"attn_implementation": "eager"}),
        (MistralConfig, MistralForCausalLM, {"sliding_window": 4}),
        (Gemma2Config, Gemma2ForCausalLM, {"final_logit_softcapping": 2.0}),
        (CohereConfig, CohereForCausalLM, {"logit_scale": 0.25}),
        (GraniteConfig, GraniteForCausalLM, {"logits_scaling": 3.0}),
    ],
)
def test_other_models_are_scored_separately_and_exactly(
    config_class: Any, model_class: Any, settings: dict[str, Any]
) -> None:
    model, groups = make_model(config_class, model_class, **settings), make_groups()
    assert not shares_prefix(model)
    with torch.no_grad():
        scores = candidate_scores(model, groups)
        expected = plain_scores(model, groups)
    for got, want in zip(scores, expected, strict=True):
        torch.testing.assert_close(got, want, rtol=0, atol=1e-5)
    with pytest.raises(ValueError, match="cannot share a question"):
        candidate_scores(model, groups, packing="packed")


@pytest.mark.parametrize("share_prefix", [False, True])
@pytest.mark.parametrize("budget", [1, 25, 60, 500])
def test_plan_covers_every_response_once_within_the_budget(share_prefix: bool, budget: int) -> None:
    groups = [*make_groups((3, 1, 0, 17, 2, 8), seed=3), *make_branches()]
    plan = microbatches(groups, tokens_per_microbatch=budget, share_prefix=share_prefix)
    items = list(itertools.chain.from_iterable(microbatch.items for microbatch in plan))
    assert sorted(items) == [(g, r) for g, (_, responses) in enumerate(groups) for r in range(len(responses))]
    for microbatch in plan:
        alone = len(microbatch.rows) == 1 and len(microbatch.rows[0].responses) == 1
        assert microbatch.padded_tokens <= budget or alone
    lengths = [row.length for microbatch in plan for row in microbatch.rows]
    assert lengths == sorted(lengths, reverse=True)


def test_a_shared_question_is_computed_once_and_nothing_is_padded() -> None:
    groups: list[GroupIds] = [((5,) * 20, [(6,) * 9, (7,) * 4, (8,) * 6])]
    (shared,) = microbatches(groups, tokens_per_microbatch=64, share_prefix=True)
    assert (shared.tokens, shared.padded_tokens) == (39, 39)
    separate = microbatches(groups, tokens_per_microbatch=64, share_prefix=False)
    assert [each.tokens for each in separate] == [55, 24]
    assert [each.padded_tokens for each in separate] == [58, 24]


def test_what_responses_have_in_common_is_computed_once() -> None:
    groups: list[GroupIds] = [((5,) * 20, [(6, 7, 8, 9, 2), (6, 7, 8, 10, 11, 2), (6, 7, 12), (6, 7, 8, 9, 2), (13,)])]
    (shared,) = microbatches(groups, tokens_per_microbatch=64, share_prefix=True)
    # 6 7 8 9 2, of its copy the end, 10 11 2 of the next, 12 and 13.
    assert shared.tokens == 20 + 5 + 1 + 3 + 1 + 1
    read: list[int] = []
    logits: list[int] = []
    model = make_model()
    model.get_input_embeddings().register_forward_pre_hook(lambda _, inputs: read.append(inputs[0].numel()))
    model.get_output_embeddings().register_forward_pre_hook(  # type: ignore[no-untyped-call]
        lambda _, inputs: logits.append(inputs[0].shape[0])
    )
    with torch.no_grad():
        candidate_scores(model, groups)
    # Without the last tokens: 6 7 8 9, nothing of its copy, 10 11. Predicted are as many as there are, the copy's none.
    assert read == [20 + 4 + 2]
    assert logits == [5 + 3 + 1 + 1]


def test_sharing_survives_activation_checkpointing() -> None:
    groups = [*make_groups((3, 2)), *make_branches()]

    def gradients(model: PreTrainedModel) -> list[Tensor]:
        total = torch.cat(candidate_scores(model, groups, packing="packed")).sum()
        return list(torch.autograd.grad(total, list(model.parameters())))

    expected = gradients(make_model())
    model = make_model().train()
    model.activation_checkpointing_enable()
    for ours, theirs in zip(gradients(model), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


def test_a_model_that_shared_a_question_still_answers_and_saves_as_before(tmp_path: Path) -> None:
    model, groups = make_model(), make_groups()
    tokens = torch.tensor([[3, 4, 5, 6], [0, 7, 8, 9]])
    mask = torch.tensor([[1, 1, 1, 1], [0, 1, 1, 1]])
    with torch.no_grad():
        before = model(input_ids=tokens, attention_mask=mask).logits
        candidate_scores(model, groups)
        after = model(input_ids=tokens, attention_mask=mask).logits
    assert torch.equal(before, after)
    model.save_pretrained(tmp_path)
    assert "aft_shared_prefix" not in (tmp_path / "config.json").read_text()


@pytest.mark.parametrize(
    ("group", "message"),
    [
        (((), [(5,)]), "Group 0 has an empty prompt"),
        (((5,), [(6,), ()]), "Response 1 of group 0 has no tokens"),
        (
            ((5,), [(6,), (7, VOCABULARY)]),
            "Response 1 of group 0 has token 53, with its question, but the model knows 53",
        ),
        (((VOCABULARY + 9,), [(6,)]), "has token 62"),
        (((5,) * 90, [(6,) * 7]), "has 97 tokens with its question, the model's window 96"),
    ],
)
def test_sequences_that_have_no_score_are_refused(group: GroupIds, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        candidate_scores(make_model(), [group])


def test_budget_must_be_positive() -> None:
    with pytest.raises(ValueError, match="tokens_per_microbatch 0 must be at least 1"):
        candidate_scores(make_model(), make_groups(), tokens_per_microbatch=0)
