"""Batches of question groups: their order, and what each response of a group is there for."""

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from aft.config.method import RANKING_METHODS, method_label
from aft.config.training import TrainConfig
from aft.losses import vft_weights
from aft.training.groups import RATING_TOLERANCE, Group, has_pairs, is_lowest

TOP_RATING = 10.0
"""The judges' scale ends here; under ranking feedback RFT learns only candidates rated so."""


@dataclass(frozen=True, slots=True)
class Response:
    """One response of a batch and its part in the loss."""

    question: int
    """Row in the batch."""
    ids: tuple[int, ...]
    learned: bool
    """Whether the VFT term learns it."""
    column: int | None
    """Its candidate column in the ranking loss; None where it is not ranked."""
    constant: bool = False
    """The constraint leaves its score no gradient, so it needs no second pass."""
    vft_weight: float = 0.0
    """Its share of the step's VFT term: ``L_VFT`` is the sum of ``-vft_weight * log P``."""


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """The groups of one optimizer step, or a part of them: losses and gradients of the parts add up."""

    prompts: tuple[tuple[int, ...], ...]
    responses: tuple[Response, ...]
    ratings: Tensor
    """``[question, candidate]``, NaN where there is no candidate to rank."""
    reference_scores: Tensor | None
    """``[question, candidate]``; only for DPO."""
    groups_without_pairs: int
    questions_in_step: int
    """The step's questions, over which the ranking loss is averaged."""


def epoch_order(count: int, seed: int, epoch: int) -> list[int]:
    """The order of the questions in one epoch, a function of seed and epoch only."""
    key = np.frombuffer(hashlib.blake2b(f"order\0{seed}\0{epoch}".encode(), digest_size=16).digest(), dtype="<u8")
    return [int(index) for index in np.argsort(np.random.Philox(key=key).random_raw(count), kind="stable")]


def steps_per_epoch(count: int, questions_per_step: int) -> int:
    """Optimizer steps in one pass; the last one may be smaller."""
    return math.ceil(count / questions_per_step)


def batch_indices(count: int, config: TrainConfig, *, epochs: int, start_step: int = 0) -> Iterator[list[int]]:
    """Indices of the questions of each optimizer step, from ``start_step`` on."""
    size = config.optimizer.questions_per_step
    each = steps_per_epoch(count, size)
    for epoch in range(start_step // each, epochs):
        order = epoch_order(count, config.seed, epoch)
        first = start_step % each if epoch == start_step // each else 0
        for position in range(first, each):
            yield order[position * size : (position + 1) * size]


def collate_groups(groups: Sequence[Group], config: TrainConfig) -> TrainingBatch:
    """Decide for every response of the groups whether it is learned, ranked, or both.

    Candidates of a question without a pair have neither loss nor gradient and are left out.
    """
    ranks = config.method.name in RANKING_METHODS
    frees_lowest = config.method.constraint in {"detached", "detached-lowest"}
    responses: list[Response] = []
    ranked: list[Group | None] = []
    for row, group in enumerate(groups):
        learned = _learned_candidates(group, config)
        if config.method.sft_on == "reference" or config.method.name == "rft" or not learned:
            responses.append(Response(row, group.reference_ids, learned=True, column=None))
        pairs = ranks and has_pairs(group)
        ranked.append(group if pairs else None)
        for index, candidate in enumerate(group.candidates):
            if pairs:
                constant = frees_lowest and index not in learned and is_lowest(group, index)
                responses.append(Response(row, candidate.ids, index in learned, index, constant))
            elif index in learned:
                responses.append(Response(row, candidate.ids, learned=True, column=None))
    return TrainingBatch(
        prompts=tuple(group.prompt_ids for group in groups),
        responses=_weigh(responses, config),
        ratings=_table(ranked, "rating"),
        reference_scores=_table(ranked, "reference_score") if config.method.needs_reference_scores else None,
        groups_without_pairs=sum(group is None for group in ranked) if ranks else 0,
        questions_in_step=len(groups),
    )


def take_part(batch: TrainingBatch, questions: Sequence[int]) -> TrainingBatch:
    """Some questions of a step, each with all its responses and the weight it has in the whole step.

    Args:
        batch: The step.
        questions: Rows of the batch, each at most once.
    """
    rows = {question: row for row, question in enumerate(questions)}
    index = torch.tensor(list(questions), dtype=torch.long)
    ranked = {response.question for response in batch.responses if response.column is not None}
    return replace(
        batch,
        prompts=tuple(batch.prompts[question] for question in questions),
        responses=tuple(
            replace(response, question=rows[response.question])
            for response in batch.responses
            if response.question in rows
        ),
        ratings=batch.ratings[index],
        reference_scores=None if batch.reference_scores is None else batch.reference_scores[index],
        groups_without_pairs=sum(question not in ranked for question in questions) if batch.groups_without_pairs else 0,
    )


def _weigh(responses: Sequence[Response], config: TrainConfig) -> tuple[Response, ...]:
    """The responses with their weights in the VFT term."""
    lengths = torch.tensor([len(response.ids) for response in responses if response.learned], dtype=torch.long)
    weights = iter(vft_weights(lengths, config.vft_reduction).tolist())
    return tuple(
        replace(response, vft_weight=next(weights)) if response.learned else response for response in responses
    )


def _learned_candidates(group: Group, config: TrainConfig) -> frozenset[int]:
    """Candidates the VFT term learns."""
    complete = [index for index, candidate in enumerate(group.candidates) if not candidate.truncated]
    if config.method.name == "rft":
        # Binary feedback rates a right answer 1; a judge's lower ratings name a wrong step somewhere.
        threshold = 1.0 if config.feedback == "binary" else TOP_RATING
        return frozenset(i for i in complete if group.candidates[i].rating >= threshold - RATING_TOLERANCE)
    if config.method.sft_on == "best" and complete:
        return frozenset({max(complete, key=lambda index: group.candidates[index].rating)})
    return frozenset()


def _table(groups: Sequence[Group | None], field: str) -> Tensor:
    """One candidate field as ``[question, candidate]``, NaN where there is none."""
    width = max((len(group.candidates) for group in groups if group is not None), default=0)
    table = torch.full((len(groups), width), torch.nan, dtype=torch.float64)
    for row, group in enumerate(groups):
        if group is not None:
            values: list[Any] = [getattr(candidate, field) for candidate in group.candidates]
            table[row, : len(values)] = torch.tensor(values, dtype=torch.float64)
    return table


def check_groups(groups: Sequence[Group], config: TrainConfig, *, vocabulary: int, window: int | None) -> None:
    """Refuse before training what would fail in the middle of it.

    Args:
        groups: The training groups.
        config: What is trained.
        vocabulary: Rows of the model's embedding.
        window: Positions the model knows, None where it has no limit.

    Raises:
        ValueError: If there is nothing to train on, an example is too long, a token is not in the model's
            vocabulary, no two candidates differ in rating, or reference scores that the method needs are
            missing or not finite.
    """
    if not groups:
        raise ValueError("There is no question to train on. Choose a split whose training part is not empty.")
    for group in groups:
        _check_lengths(group, config, window)
        highest = max(max(ids) for ids in _all_ids(group))
        if highest >= vocabulary:
            msg = (
                f"Question '{group.question_id}' has token {highest}, but the model knows {vocabulary} tokens. "
                "Tokenise the data with this model's own tokenizer, and sample the candidates from this model's family."
            )
            raise ValueError(msg)
    if config.method.name not in RANKING_METHODS:
        return
    if not any(has_pairs(group) for group in groups):
        msg = (
            f"No question has two candidates with different ratings, so method '{config.method.name}' has nothing to "
            "rank. Sample more candidates, raise the temperature, or rate them more finely."
        )
        raise ValueError(msg)
    if config.method.needs_reference_scores:
        for group in groups:
            if any(candidate.reference_score is None for candidate in group.candidates):
                msg = (
                    f"A candidate of question '{group.question_id}' has no reference score, which "
                    f"{method_label(config.method)} needs. "
                    "Score the candidates under the reference model first."
                )
                raise ValueError(msg)
            for candidate in group.candidates:
                if not math.isfinite(candidate.reference_score or 0.0):
                    msg = (
                        f"A candidate of question '{group.question_id}' has the reference score "
                        f"{candidate.reference_score}. Score it again, or leave it out."
                    )
                    raise ValueError(msg)


def _all_ids(group: Group) -> list[tuple[int, ...]]:
    return [group.prompt_ids, group.reference_ids, *(candidate.ids for candidate in group.candidates)]


def _check_lengths(group: Group, config: TrainConfig, window: int | None) -> None:
    named = [("its reference", group.reference_ids), *(("a candidate", c.ids) for c in group.candidates)]
    for name, ids in named:
        total = len(group.prompt_ids) + len(ids)
        if window is not None and total > window:
            msg = (
                f"Question '{group.question_id}' with {name} has {total} tokens; the model's window is {window}. "
                "Leave the question out, or choose a model with a longer window."
            )
            raise ValueError(msg)
        if total > config.max_length:
            msg = (
                f"Question '{group.question_id}' with {name} has {total} tokens; max_length is {config.max_length}. "
                f"Raise max_length to at least {total}, or leave the question out."
            )
            raise ValueError(msg)
