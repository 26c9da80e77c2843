"""Each benchmark's smallest form gives the documented report, and what it counts is right."""

import itertools
import json
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from aft.bench import dpo, memory, score, train
from aft.bench.bound import forward_operations
from aft.bench.dpo import pairs_of, with_reference_scores
from aft.bench.measuring import MEASURES
from aft.bench.workload import build_model, make_groups
from aft.config.bench import BenchConfig, BenchName
from tests.aft.training.test_gradients import token_logprobs

SMALL: dict[str, Any] = {"model": "builtin", "questions": 2, "k": 4, "rounds": 1, "max_new_tokens": 8}
KEYS = {"config", "machine", "clock", "unit", "alternatives", "ratios", "bound", "notes"}


def measured(name: BenchName, **settings: Any) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(MEASURES[name](BenchConfig(name=name, **{**SMALL, **settings})).as_json())
    assert report.keys() == KEYS
    return report


def test_scores_agree_before_their_speed_is_compared() -> None:
    report = measured("score")
    assert report["alternatives"].keys() == {"padded", "separate rows", "ours"}
    assert len({found["work"] for found in report["alternatives"].values()}) == 1
    assert report["bound"]["largest_score_difference"] < 1e-5


def test_scores_that_differ_are_no_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score, "_padded", lambda model, group: torch.zeros(len(group[1])))
    with pytest.raises(ValueError, match="differ by"):
        measured("score")


def test_sampling_counts_the_tokens_of_both_sides() -> None:
    report = measured("sample")
    assert report["alternatives"].keys() == {"generate", "ours"}
    # 2 questions, 4 samples of at most 8 tokens; only an early end makes one shorter.
    assert all(40 < found["work"] <= 64 for found in report["alternatives"].values())
    assert report["bound"]["least_seconds"] < report["bound"]["measured_seconds"]


def test_peak_memory_is_that_of_what_lives_at_once() -> None:
    model, _ = build_model(BenchConfig(name="memory", model="builtin"))

    def hold(count: int) -> None:
        kept = [torch.zeros(1000, 1000) for _ in range(count)]
        del kept
        torch.zeros(500, 1000)

    for count in (1, 3):
        assert memory.peak_bytes(model, lambda count=count: hold(count)) == pytest.approx(count * 4e6, rel=0.01)  # type: ignore[misc]


def test_memory_of_many_candidates_is_compared_with_that_of_few() -> None:
    report = measured("memory", k=6)
    assert report["alternatives"].keys() == {"ours, k = 2", "ours, k = 6", "padded, k = 2", "padded, k = 6"}
    assert [(each["name"], each["against"]) for each in report["ratios"]] == [
        ("ours, k = 6", "ours, k = 2"),
        ("padded, k = 6", "padded, k = 2"),
    ]
    assert report["ratios"][1]["median"] > 1.5


def test_operations_are_twice_the_parameters_a_token_and_attention() -> None:
    model, _ = build_model(BenchConfig(name="train", model="builtin"))
    width, layers = model.config.hidden_size, model.config.num_hidden_layers
    head = model.config.vocab_size * width
    layer = sum(parameter.numel() for parameter in model.parameters() if parameter.numel() != head) / layers
    # A question of 10 tokens and two responses of 4, of which the last token is not read.
    responses = 2 * (3 * 10 + 3**2 / 2)
    attention = 4 * width * (layers * responses + (layers - 1) * 10**2 / 2 + 10)
    last = layer * (1 + 6) + 2 * width**2 * 9
    expected = 2 * layer * (layers - 1) * 16 + 2 * last + 2 * head * 8 + attention
    assert forward_operations(model, [((1,) * 10, [(1,) * 4, (2,) * 4])]) == pytest.approx(expected, rel=1e-12)
    # One of 5 tokens that shares two of them: 4 read after 10, and 2 of its own after 12; 8 predictions.
    pairs = 4 * 10 + 4**2 / 2 + 2 * 12 + 2**2 / 2
    attention = 4 * width * (layers * pairs + (layers - 1) * 10**2 / 2 + 10)
    last = layer * (1 + 6) + 2 * width**2 * 9
    expected = 2 * layer * (layers - 1) * 16 + 2 * last + 2 * head * 8 + attention
    shared = [((1,) * 10, [(1, 1, 2, 2, 2), (1, 1, 3, 3, 3)])]
    assert forward_operations(model, shared) == pytest.approx(expected, rel=1e-12)


def test_overlapping_candidates_begin_alike_and_keep_their_lengths() -> None:
    apart, alike = (
        make_groups(BenchConfig(name="train", **{**SMALL, "k": 6}, overlap=overlap), 4096) for overlap in (0.0, 0.5)
    )
    for group, other in zip(alike, apart, strict=True):
        ids = [each.ids for each in group.candidates]
        assert [len(each) for each in ids] == [len(each.ids) for each in other.candidates]
        for before, each in itertools.pairwise(ids):
            half = min(len(before), round(len(each) / 2))
            assert each[:half] == before[:half]


def test_pairs_are_those_of_the_groups() -> None:
    config = BenchConfig(name="train", **{**SMALL, "k": 6})
    model, _ = build_model(config)
    groups = make_groups(config, model.config.vocab_size)
    pairs = pairs_of(groups)
    assert len(pairs) == 2 * 9
    assert pairs[0]["chosen_ids"] == list(groups[0].candidates[0].ids)
    assert pairs[0]["rejected_ids"] == list(groups[0].candidates[3].ids)
    first = with_reference_scores(model, groups)[0]
    with torch.no_grad():
        expected = token_logprobs(model, first.prompt_ids, first.candidates[5].ids).mean().item()
    assert first.candidates[5].reference_score == pytest.approx(expected, abs=1e-5)


def test_a_missing_trl_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dpo, "importlib", SimpleNamespace(util=SimpleNamespace(find_spec=lambda name: None)))
    with pytest.raises(ValueError, match=r"pip install 'aft-workbench\[bench\]'"):
        train.measure(BenchConfig(name="train", trl=True, **SMALL))
