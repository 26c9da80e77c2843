"""Which responses share a micro-batch, and the tensors of one micro-batch.

Where the model's attention allows it, a question is computed once for all of its responses: a micro-batch is then
one stream of tokens without padding, ``question response response ... question response ...``. Positions restart
behind each question and the first token of each response is predicted at its question's last position; who sees
whom is ``aft.shared_attention``'s business. For other models a micro-batch is a rectangle of ordinary rows,
``question response``, padded on the right. A response's last token is predicted and never read: no position that
predicts anything looks at it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from jaxtyping import Int
from torch import Tensor

GroupIds = tuple[Sequence[int], Sequence[Sequence[int]]]
"""A question's prompt ids and the ids of each of its responses, EOS included where there is one."""


@dataclass(frozen=True, slots=True)
class Row:
    """Responses of one question that are computed behind one copy of it."""

    group: int
    responses: tuple[int, ...]
    length: int
    """Tokens of the question and of all its responses here."""


@dataclass(frozen=True, slots=True)
class Microbatch:
    """Rows computed in one forward pass."""

    rows: tuple[Row, ...]
    shared: bool
    """True for one stream without padding, False for rows of one response padded to the longest of them."""

    @property
    def items(self) -> tuple[tuple[int, int], ...]:
        """``(group, response)`` of every score of this micro-batch, in order."""
        return tuple((row.group, response) for row in self.rows for response in row.responses)

    @property
    def tokens(self) -> int:
        """Tokens of questions and responses, without padding."""
        return sum(row.length for row in self.rows)

    @property
    def padded_tokens(self) -> int:
        """Tokens of the forward pass, padding included."""
        return self.tokens if self.shared else len(self.rows) * max(row.length for row in self.rows)


@dataclass(frozen=True, slots=True)
class MicrobatchTensors:
    """What one forward pass reads. ``response_token`` runs over all response tokens of the micro-batch."""

    input_ids: Int[Tensor, "row token"]
    """One row where the micro-batch is a stream."""
    position_ids: Int[Tensor, "row token"] | None
    """None for ordinary rows: ordinary positions."""
    row_lengths: tuple[tuple[int, ...], ...] | None
    """Of a stream: the tokens read of each question and of each response behind it, where any are. None for ordinary
    rows, where causal attention never looks at padding on the right."""
    predicted_at: Int[Tensor, " response_token"]
    """Index into the flattened ``row x token`` of the position that predicts each token."""
    targets: Int[Tensor, " response_token"]
    lengths: tuple[int, ...]
    """Tokens of each response, in the order of ``Microbatch.items``."""


def microbatches(groups: Sequence[GroupIds], *, tokens_per_microbatch: int, share_prefix: bool) -> list[Microbatch]:
    """Plan the forward passes over all responses of all groups: longest rows first, little or no padding.

    A pure function of the lengths, so a trainer can walk the same plan twice.

    Args:
        groups: Prompt and response ids of each question; a group may have no response.
        tokens_per_microbatch: Most tokens of a forward pass, padding included. A single response that
            is longer gets a pass of its own.
        share_prefix: Whether the responses of a question share one copy of it.

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
        rows += _rows(group, len(prompt), lengths, tokens_per_microbatch if share_prefix else 0)
    rows.sort(key=lambda row: (-row.length, row.group, row.responses))
    plan: list[list[Row]] = []
    for row in rows:
        if plan and _fits(plan[-1], row, tokens_per_microbatch, share_prefix):
            plan[-1].append(row)
        else:
            plan.append([row])
    return [Microbatch(tuple(members), share_prefix) for members in plan]


def _fits(members: list[Row], row: Row, budget: int, share_prefix: bool) -> bool:
    if share_prefix:
        return sum(member.length for member in members) + row.length <= budget
    return (len(members) + 1) * members[0].length <= budget


def _rows(group: int, prompt: int, lengths: list[int], longest: int) -> list[Row]:
    """A group's responses over as few rows of ``longest`` tokens as in order of length they fill."""
    rows: list[Row] = []
    for index in sorted(range(len(lengths)), key=lambda index: (-lengths[index], index)):
        if rows and rows[-1].length + lengths[index] <= longest:
            rows[-1] = Row(group, (*rows[-1].responses, index), rows[-1].length + lengths[index])
        else:
            rows.append(Row(group, (index,), prompt + lengths[index]))
    return rows


def build_tensors(groups: Sequence[GroupIds], microbatch: Microbatch, device: torch.device) -> MicrobatchTensors:
    """Lay out one micro-batch: ids, positions, attention and where every response token is predicted."""
    # A row of one response is read without its last token.
    width = max(row.length for row in microbatch.rows) - 1
    ids: list[list[int]] = []
    positions: list[int] = []
    predicted_at: list[int] = []
    targets: list[int] = []
    row_lengths: list[tuple[int, ...]] = []
    start = 0
    for number, row in enumerate(microbatch.rows):
        prompt, members = groups[row.group][0], [groups[row.group][1][index] for index in row.responses]
        start = start if microbatch.shared else number * width
        positions.extend(range(len(prompt)))
        behind = start + len(prompt)
        for response in members:
            predicted_at.append(start + len(prompt) - 1)
            read = len(response) - 1
            predicted_at.extend(range(behind, behind + read))
            targets.extend(response)
            positions.extend(range(len(prompt), len(prompt) + read))
            behind += read
        padding = 0 if microbatch.shared else width - (behind - start)
        ids.append([*prompt, *chain.from_iterable(response[:-1] for response in members), *[0] * padding])
        row_lengths.append((len(prompt), *(len(response) - 1 for response in members if len(response) > 1)))
        start = behind
    return MicrobatchTensors(
        input_ids=torch.tensor([list(chain.from_iterable(ids))] if microbatch.shared else ids, device=device),
        position_ids=torch.tensor([positions], device=device) if microbatch.shared else None,
        row_lengths=tuple(row_lengths) if microbatch.shared else None,
        predicted_at=torch.tensor(predicted_at, device=device),
        targets=torch.tensor(targets, device=device),
        lengths=tuple(len(groups[group][1][response]) for group, response in microbatch.items),
    )
