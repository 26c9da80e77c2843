"""Settings that vary inside an experiment: k, noise in negatives, and β chosen on validation questions."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from backend.db.models import Candidate, Result, Run
from backend.db.session import reading, transaction
from backend.services.candidates import unpack_ids
from tests.factories import train_config
from tests.worker.computing import compute
from tests.worker.test_tasks import SAMPLING, Chain, candidates, weights
from worker.failures import RunFailure
from worker.tasks import groups

BOUNDARY = {"name": "aft", "constraint": "boundary"}


@pytest.fixture
def chain(data_directory: Path) -> Chain:
    return Chain()


def records(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, method: dict[str, Any], sampled: str, **more: Any
) -> list[Any]:
    """What training reads, with words for ids."""
    run_id = chain.new("train", train_config(method) | more, start=chain.base, candidates=sampled)
    seen: list[Any] = []
    original = groups.question_records

    def spy(*arguments: Any) -> Any:
        seen.extend(original(*arguments))
        return seen

    monkeypatch.setattr("worker.tasks.training.question_records", spy)
    compute(run_id)
    return seen


def sampled_with_pairs(chain: Chain) -> str:
    """Candidates of which the first of each question counts as right; the tiny model answers nothing."""
    sampled = chain.made("sample", SAMPLING, checkpoint=chain.vft)
    with transaction() as session:
        for row in session.scalars(select(Candidate).where(Candidate.run_id == sampled)):
            row.verdict = "right" if row.sample_index == 0 else "wrong"
    return sampled


def test_k_takes_the_first_samples_of_each_question(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    sampled = chain.made("sample", SAMPLING, checkpoint=chain.vft)
    found = records(chain, monkeypatch, {"name": "rft", "k": 2}, sampled)
    texts = {(example, index): text for example, index, text, _ in candidates(sampled)}
    with reading() as session:
        run = session.get_one(Run, sampled)
    assert run.config["k"] == 3
    assert len(found) == 12
    expected = sorted(text for (_, index), text in texts.items() if index < 2)
    assert sorted(c.text for question in found for c in question.candidates) == expected


def test_noisy_references_are_trained_on_and_nothing_else_changes(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampled = sampled_with_pairs(chain)
    clean = records(chain, monkeypatch, {"name": "aft"}, sampled)
    noisy = records(chain, monkeypatch, {"name": "aft"}, sampled, reference_noise=0.5)
    changed = sum(a.reference_ids != b.reference_ids for a, b in zip(clean, noisy, strict=True))
    assert 0 < changed <= len(clean) / 2
    assert [one.candidates for one in clean] == [one.candidates for one in noisy]


def test_noise_changes_wrong_candidates_only(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    sampled = sampled_with_pairs(chain)
    before = {(text, index == 0): tuple(unpack_ids(ids)) for _, index, text, ids in candidates(sampled)}
    clean = records(chain, monkeypatch, {"name": "aft", "negative_noise": 0}, sampled)
    noisy = records(chain, monkeypatch, {"name": "aft", "negative_noise": 0.6}, sampled)
    again = records(chain, monkeypatch, {"name": "aft", "negative_noise": 0.6}, sampled)
    changed = 0
    for one, other, repeated in zip(clean, noisy, again, strict=True):
        for a, b, c in zip(one.candidates, other.candidates, repeated.candidates, strict=True):
            assert tuple(a.token_ids) == before[a.text, a.rating == 1]
            assert tuple(b.token_ids) == tuple(c.token_ids)
            if a.rating == 1:
                assert tuple(a.token_ids) == tuple(b.token_ids)
            changed += tuple(a.token_ids) != tuple(b.token_ids)
    assert changed > 12


def test_beta_is_chosen_by_validation_accuracy_and_trained_with(chain: Chain) -> None:
    sampled = sampled_with_pairs(chain)
    parents = {"start": chain.base, "candidates": sampled}
    looked = {}
    for place, beta in enumerate((0.0, 0.3)):
        trained = chain.made("train", train_config({**BOUNDARY, "boundary_beta": beta}), **parents)
        looked[f"{place}/1"] = chain.made(
            "evaluate", {"kind": "evaluate", "part": "validation", "max_new_tokens": 20}, checkpoint=trained
        )
    # Two values that tie at 0 would say nothing about the choice.
    with transaction() as session:
        for role, value in (("0/1", 0.25), ("1/1", 0.5)):
            result = session.get_one(Result, (looked[role], "task_accuracy"))
            assert result.n == 4
            result.value = value
    search = chain.made("search", {"kind": "search", "betas": [0.0, 0.3], "seeds": [1]}, **looked)
    with reading() as session:
        chosen = session.get_one(Result, (search, "chosen_beta"))
    assert chosen.value == 0.3
    assert chosen.details is not None
    assert [point["accuracy"] for point in chosen.details["curve"]] == [0.25, 0.5]
    trained = chain.made("train", train_config({**BOUNDARY, "boundary_search": True}), **parents, search=search)
    given = chain.made("train", train_config({**BOUNDARY, "boundary_beta": 0.3}, seed=1), **parents)
    assert weights(trained) == weights(given)


def test_a_search_on_test_questions_fails(chain: Chain) -> None:
    looked = chain.made("evaluate", {"kind": "evaluate", "max_new_tokens": 20}, checkpoint=chain.vft)
    run_id = chain.new("search", {"kind": "search", "betas": [0.0], "seeds": [1]}, **{"0/1": looked})
    with pytest.raises(RunFailure, match="other than validation"):
        compute(run_id)
