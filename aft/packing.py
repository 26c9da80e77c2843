"""Which responses share a row and a micro-batch, and the tensors of one micro-batch.

A packed row is ``[question | response | response | ...]``: every response sees the question and
itself, and its positions restart behind the question, so the question is computed once. The first
token of each response is predicted at the question's last position. A row with a single response
is an ordinary sequence.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

MAX_RESPONSES_PER_ROW = 8

GroupIds = tuple[Sequence[int], Sequence[Sequence[int]]]
"""A question's prompt ids and the ids of each of its responses, EOS included where there is one."""


@dataclass(frozen=True, slots=True)
class Row:
    """Responses of one question that are computed in one row."""

    group: int
    responses: tuple[int, ...]
    length: int
    """Tokens of the question and of all its responses here."""


@dataclass(frozen=True, slots=True)
class Microbatch:
    """Rows computed in one forward pass, padded to the longest of them."""

    rows: tuple[Row, ...]

    @property
    def items(self) -> tuple[tuple[int, int], ...]:
        """``(group, response)`` of every score of this micro-batch, in order."""
        return tuple((row.group, response) for row in self.rows for response in row.responses)

    @property
    def packed(self) -> bool:
        """True when a row holds more than one response, which needs a mask of its own."""
        return any(len(row.responses) > 1 for row in self.rows)

    @property
    def padded_tokens(self) -> int:
        """Tokens of the forward pass, padding included."""
        return len(self.rows) * max(row.length for row in self.rows)


@dataclass(frozen=True, slots=True)
class MicrobatchTensors:
    """What one forward pass reads. ``response_token`` runs over all response tokens of the micro-batch."""

    input_ids: Int[Tensor, "row token"]
    position_ids: Int[Tensor, "row token"] | None
    """None for rows of one response: ordinary positions."""
    attention_mask: Bool[Tensor, "row 1 token token"] | None
    """None for rows of one response: causal attention never looks at padding on the right."""
    predicted_at: Int[Tensor, " response_token"]
    """Index into the flattened ``row x token`` of the position that predicts each token."""
    targets: Int[Tensor, " response_token"]
    lengths: tuple[int, ...]
    """Tokens of each response, in the order of ``Microbatch.items``."""


def microbatches(
    groups: Sequence[GroupIds], *, tokens_per_microbatch: int, packing_cost: float | None
) -> list[Microbatch]:
    """Plan the forward passes over all responses of all groups: longest rows first, little padding.

    A pure function of the lengths, so a trainer can walk the same plan twice.

    Args:
        groups: Prompt and response ids of each question; a group may have no response.
        tokens_per_microbatch: Most tokens of a forward pass, padding included. A single response that
            is longer gets a pass of its own.
        packing_cost: Cost of attention per token and token of a row, as a multiple of the cost of all
            else per token; packing a group is chosen where it is cheaper. None never packs.

    Raises:
        ValueError: If a prompt or a response is empty, or the budget is not positive.
    """
    if tokens_per_microbatch < 1:
        msg = f"tokens_per_microbatch {tokens_per_microbatch} must be at least 1."
        raise ValueError(msg)
    rows: list[Row] = []
    for group, (prompt, responses) in enumerate(groups):
        if not len(prompt):
            msg = f"Group {group} has an empty prompt: nothing predicts its first response token."
            raise ValueError(msg)
        for index, response in enumerate(responses):
            if not len(response):
                msg = f"Response {index} of group {group} has no tokens, so it has no score. Leave it out."
                raise ValueError(msg)
        lengths = [len(response) for response in responses]
        rows += _rows(group, len(prompt), lengths, tokens_per_microbatch, packing_cost)
    rows.sort(key=lambda row: (-row.length, row.group, row.responses))
    plan: list[Microbatch] = []
    start = 0
    while start < len(rows):
        stop = start + max(1, tokens_per_microbatch // rows[start].length)
        plan.append(Microbatch(tuple(rows[start:stop])))
        start = stop
    return plan


def _rows(group: int, prompt: int, lengths: list[int], budget: int, packing_cost: float | None) -> list[Row]:
    """The cheapest way to spread a group's responses over rows."""
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    best = [Row(group, (index,), prompt + lengths[index]) for index in order]
    if packing_cost is None or not order:
        return best
    cost = sum(_cost(row, packing_cost) for row in best)
    fewest = -(-len(order) // MAX_RESPONSES_PER_ROW)
    for count in range(fewest, len(order)):
        rows = []
        for part in range(count):
            members = order[part * len(order) // count : (part + 1) * len(order) // count]
            rows.append(Row(group, tuple(members), prompt + sum(lengths[index] for index in members)))
        packed_cost = sum(_cost(row, packing_cost) for row in rows)
        if packed_cost < cost and max(row.length for row in rows) <= budget:
            best, cost = rows, packed_cost
    return best


def _cost(row: Row, packing_cost: float) -> float:
    return row.length * (1 + packing_cost * row.length)


def build_tensors(groups: Sequence[GroupIds], microbatch: Microbatch, device: torch.device) -> MicrobatchTensors:
    """Lay out one micro-batch: ids, positions, mask and where every response token is predicted."""
    width = max(row.length for row in microbatch.rows)
    ids: list[list[int]] = []
    positions: list[list[int]] = []
    segments: list[list[int]] = []
    predicted_at: list[int] = []
    targets: list[int] = []
    lengths: list[int] = []
    for number, row in enumerate(microbatch.rows):
        prompt, responses = groups[row.group]
        row_ids, row_positions, row_segments = list(prompt), list(range(len(prompt))), [0] * len(prompt)
        for segment, index in enumerate(row.responses, start=1):
            response = responses[index]
            first = number * width + len(row_ids)
            predicted_at.append(number * width + len(prompt) - 1)
            predicted_at.extend(range(first, first + len(response) - 1))
            targets.extend(response)
            lengths.append(len(response))
            row_ids.extend(response)
            row_positions.extend(range(len(prompt), len(prompt) + len(response)))
            row_segments.extend([segment] * len(response))
        padding = width - len(row_ids)
        # Padding is a segment of its own: it still attends to something, so no softmax is empty (NaN).
        ids.append(row_ids + [0] * padding)
        positions.append(row_positions + [0] * padding)
        segments.append(row_segments + [-1] * padding)
    packed = microbatch.packed
    return MicrobatchTensors(
        input_ids=torch.tensor(ids, device=device),
        position_ids=torch.tensor(positions, device=device) if packed else None,
        attention_mask=_shared_prefix_mask(torch.tensor(segments, device=device)) if packed else None,
        predicted_at=torch.tensor(predicted_at, device=device),
        targets=torch.tensor(targets, device=device),
        lengths=tuple(lengths),
    )


def _shared_prefix_mask(segments: Int[Tensor, "row token"]) -> Bool[Tensor, "row 1 token token"]:
    """True where a token may look: back, at the question (segment 0) and at its own response."""
    looking, seen = segments[:, :, None], segments[:, None, :]
    allowed = ((seen == 0) | (seen == looking)).tril()
    return allowed[:, None]
