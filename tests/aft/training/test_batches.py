"""The order of the questions and the part of each response in the loss."""

import dataclasses

import pytest
import torch

from aft.config.training import OptimizerConfig, TrainConfig
from aft.training.batches import batch_indices, check_groups, collate_groups, epoch_order
from aft.training.groups import Group, TrainingCandidate

RATED = Group(
    "q",
    (1, 2),
    (3, 4),
    (
        TrainingCandidate((5,), 1.0, -0.1),
        TrainingCandidate((6,), 0.0, -0.2),
        TrainingCandidate((7, 7), 1.0, -0.3, truncated=True),
        TrainingCandidate((8,), 1.0, -0.4),
    ),
)
TIED = Group("tied", (1,), (2,), (TrainingCandidate((5,), 1.0, 0.0), TrainingCandidate((6,), 1.0, 0.0)))


def config(questions_per_step: int = 4, seed: int = 0, feedback: str = "binary", **method: object) -> TrainConfig:
    return TrainConfig.model_validate(
        {
            "method": method or {"name": "vft"},
            "feedback": feedback,
            "optimizer": OptimizerConfig(questions_per_step=questions_per_step),
            "seed": seed,
        }
    )


def test_order_depends_on_seed_and_epoch_only() -> None:
    assert sorted(epoch_order(50, 1, 0)) == list(range(50))
    assert epoch_order(50, 1, 0) == epoch_order(50, 1, 0)
    assert len({tuple(epoch_order(50, seed, epoch)) for seed in (1, 2) for epoch in (0, 1)}) == 4


def test_order_is_the_same_in_every_release() -> None:
    assert epoch_order(8, 3, 1) == [4, 3, 0, 6, 2, 5, 1, 7]


def test_every_epoch_sees_every_question_once() -> None:
    batches = list(batch_indices(10, config(4), epochs=3))
    assert [len(batch) for batch in batches] == [4, 4, 2] * 3
    for epoch in range(3):
        seen = [index for batch in batches[3 * epoch : 3 * epoch + 3] for index in batch]
        assert sorted(seen) == list(range(10))


@pytest.mark.parametrize("start", [0, 1, 3, 5, 8, 9])
def test_batches_go_on_where_they_were(start: int) -> None:
    everything = list(batch_indices(10, config(4), epochs=3))
    assert list(batch_indices(10, config(4), epochs=3, start_step=start)) == everything[start:]


def test_vft_sees_references_only() -> None:
    batch = collate_groups([RATED, TIED], config())
    assert [(r.question, r.ids, r.learned, r.column) for r in batch.responses] == [
        (0, (3, 4), True, None),
        (1, (2,), True, None),
    ]
    assert batch.groups_without_pairs == 0


def test_rft_adds_right_and_complete_candidates() -> None:
    batch = collate_groups([RATED], config(name="rft"))
    assert [response.ids for response in batch.responses] == [(3, 4), (5,), (8,)]
    assert all(response.learned and response.column is None for response in batch.responses)


def test_rft_under_ranking_feedback_adds_the_top_of_the_scale_only() -> None:
    group = Group("q", (1,), (2,), (TrainingCandidate((5,), 10.0), TrainingCandidate((6,), 9.0)))
    batch = collate_groups([group], config(feedback="ranking", name="rft"))
    assert [response.ids for response in batch.responses] == [(2,), (5,)]


def test_ranking_methods_rank_groups_with_pairs() -> None:
    batch = collate_groups([RATED, TIED], config(name="aft", constraint="detached"))
    assert [(r.ids, r.learned, r.column, r.constant) for r in batch.responses] == [
        ((3, 4), True, None, False),
        ((5,), False, 0, False),
        ((6,), False, 1, True),
        ((7, 7), False, 2, False),
        ((8,), False, 3, False),
        ((2,), True, None, False),
    ]
    torch.testing.assert_close(
        batch.ratings,
        torch.tensor([[1.0, 0.0, 1.0, 1.0], [torch.nan] * 4], dtype=torch.float64),
        equal_nan=True,
    )
    assert batch.groups_without_pairs == 1


def test_sft_on_best_learns_the_best_complete_candidate() -> None:
    batch = collate_groups([RATED], config(name="rrhf", sft_on="best"))
    assert [(r.ids, r.learned) for r in batch.responses] == [
        ((5,), True),
        ((6,), False),
        ((7, 7), False),
        ((8,), False),
    ]
    lonely = Group("lonely", (1,), (2,), (TrainingCandidate((5,), 1.0, truncated=True),))
    (response,) = collate_groups([lonely], config(name="rrhf", sft_on="best")).responses
    assert response.ids == (2,)


def test_dpo_carries_reference_scores() -> None:
    batch = collate_groups([RATED], config(name="dpo"))
    assert batch.reference_scores is not None
    assert batch.reference_scores.tolist() == [[-0.1, -0.2, -0.3, -0.4]]
    assert collate_groups([RATED], config(name="pro")).reference_scores is None


LONG = dataclasses.replace(RATED, question_id="long", reference_ids=(3,) * 40)
BROKEN = dataclasses.replace(
    RATED, candidates=(TrainingCandidate((5,), 1.0, -0.5), TrainingCandidate((6,), 0.0, float("nan")))
)
UNSCORED = dataclasses.replace(RATED, candidates=(TrainingCandidate((5,), 1.0), TrainingCandidate((6,), 0.0)))


@pytest.mark.parametrize(
    ("groups", "settings", "message"),
    [
        ([], config(), "There is no question to train on"),
        ([LONG], config(), "'long' with its reference has 42 tokens; the model's window is 32"),
        ([RATED], config().model_copy(update={"max_length": 3}), "has 4 tokens; max_length is 3.*to at least 4"),
        ([dataclasses.replace(RATED, prompt_ids=(1, 99))], config(), "'q' has token 99, but the model knows 20 tokens"),
        ([TIED], config(name="aft"), "No question has two candidates with different ratings"),
        ([UNSCORED], config(name="dpo"), "'q' has no reference score, which DPO · none needs"),
        ([BROKEN], config(name="dpo"), "'q' has the reference score nan. Score it again"),
    ],
)  # fmt: skip
def test_impossible_training_is_refused_before_it_starts(
    groups: list[Group], settings: TrainConfig, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        check_groups(groups, settings, vocabulary=20, window=32)


def test_possible_training_is_not_refused() -> None:
    check_groups([RATED, TIED], config(name="dpo"), vocabulary=20, window=None)
