"""Which responses share a micro-batch, and the tensors of one micro-batch.

Where the model's attention allows it, a question is computed once for all of its responses, and a beginning that
responses have in common once for all of those: a micro-batch is then one stream of tokens without padding,
``question response response ... question response ...``, in which a response begins where it leaves the one before.
Responses come in the order of their ids, so none has more in common with any earlier one. Positions go on behind
what is shared, and the first token of each response is predicted at its question's last position; who sees whom is
``aft.shared_attention``'s business. For other models a micro-batch is a rectangle of ordinary rows, ``question
response``, padded on the right. A response's last token is predicted and never read: no position that predicts
anything looks at it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from aft.shared_attention import Branch, StreamRow

GroupIds = tuple[Sequence[int], Sequence[Sequence[int]]]
"""A question's prompt ids and the ids of each of its responses, EOS included where there is one."""


@dataclass(frozen=True, slots=True)
class Row:
    """Responses of one question that are computed behind one copy of it."""

    group: int
    responses: tuple[int, ...]
    shared: tuple[int, ...]
    """How many of each response's tokens are computed as the beginning of the response before it."""
    length: int
    """Tokens of the question and of all its responses here, what is shared counted once."""


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
        """Tokens of questions and responses, what is shared counted once, without padding."""
        return sum(row.length for row in self.rows)

    @property
    def padded_tokens(self) -> int:
        """Tokens of the forward pass, padding included."""
        return self.tokens if self.shared else len(self.rows) * max(row.length for row in self.rows)


@dataclass(frozen=True, slots=True)
class MicrobatchTensors:
    """What one forward pass reads. ``prediction`` runs over a micro-batch's predicted tokens, what is shared once."""

    input_ids: Int[Tensor, "row token"]
    """One row where the micro-batch is a stream."""
    position_ids: Int[Tensor, "row token"] | None
    """None for ordinary rows: ordinary positions."""
    stream: tuple[StreamRow, ...] | None
    """The structure of a stream. None for ordinary rows, where causal attention never looks at padding on the right."""
    predicted_at: Int[Tensor, " prediction"]
    """Index into the flattened ``row x token`` of the position that predicts each token."""
    targets: Int[Tensor, " prediction"]
    predictions: Int[Tensor, " response_token"]
    """Index of each response token's prediction, response after response in the order of ``Microbatch.items``."""
    lengths: tuple[int, ...]
    """Tokens of each response in that order."""


def microbatches(groups: Sequence[GroupIds], *, tokens_per_microbatch: int, share_prefix: bool) -> list[Microbatch]:
    """Plan the forward passes over all responses of all groups: longest rows first, little or no padding.

    A pure function of the ids, so a trainer can walk the same plan twice.

    Args:
        groups: Prompt and response ids of each question; a group may have no response.
        tokens_per_microbatch: Most tokens of a forward pass, padding included. A single response that
            is longer gets a pass of its own.
        share_prefix: Whether the responses of a question share one copy of it, and of their own beginnings.

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
        if share_prefix:
            rows += _shared_rows(group, len(prompt), responses, tokens_per_microbatch)
        else:
            rows += [Row(group, (index,), (0,), len(prompt) + len(ids)) for index, ids in enumerate(responses)]
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


def _shared_rows(group: int, prompt: int, responses: Sequence[Sequence[int]], longest: int) -> list[Row]:
    """A group's responses over rows of at most ``longest`` tokens, in the order of their ids."""
    rows: list[Row] = []
    before: Sequence[int] = ()
    for index in sorted(range(len(responses)), key=lambda index: (tuple(responses[index]), index)):
        ids = responses[index]
        shared = min(_common(before, ids), len(ids) - 1, len(before) - 1) if rows else 0
        if rows and rows[-1].length + len(ids) - shared <= longest:
            last = rows[-1]
            length = last.length + len(ids) - shared
            rows[-1] = Row(group, (*last.responses, index), (*last.shared, shared), length)
        else:
            rows.append(Row(group, (index,), (0,), prompt + len(ids)))
        before = ids
    return rows


def _common(left: Sequence[int], right: Sequence[int]) -> int:
    """Tokens at the beginning in which both agree."""
    return next(
        (place for place, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right))
    )


def build_tensors(groups: Sequence[GroupIds], microbatch: Microbatch, device: torch.device) -> MicrobatchTensors:
    """Lay out one micro-batch: ids, positions, what is shared, and where every response token is predicted."""
    # A row of one response is read without its last token.
    width = max(row.length for row in microbatch.rows) - 1
    ids: list[int] = []
    positions: list[int] = []
    stream: list[StreamRow] = []
    numbers: dict[tuple[int, int], int] = {}
    predictions: list[int] = []
    for row in microbatch.rows:
        prompt, responses = groups[row.group]
        first = len(ids)
        ids += prompt
        positions += range(len(prompt))
        branches: list[Branch] = []
        read_at: list[int] = []
        path: tuple[tuple[int, int], ...] = ()
        for index, shared in zip(row.responses, row.shared, strict=True):
            response = responses[index]
            own = len(response) - 1 - shared
            path = _beginning(path, shared)
            read_at = [*read_at[:shared], *range(len(ids), len(ids) + own)]
            if own:
                branches.append(Branch(own, path))
                path = (*path, (len(branches) - 1, own))
            ids += response[shared:-1]
            positions += range(len(prompt) + shared, len(prompt) + shared + own)
            # Where responses part, one position predicts a token of each.
            places = zip([first + len(prompt) - 1, *read_at], response, strict=True)
            predictions += [numbers.setdefault(place, len(numbers)) for place in places]
        stream.append(StreamRow(len(prompt), tuple(branches)))
        if not microbatch.shared:
            ids += [0] * (width - (len(ids) - first))
    predicted_at, targets = zip(*numbers, strict=True)
    return MicrobatchTensors(
        input_ids=torch.tensor(ids, device=device).view(1 if microbatch.shared else len(microbatch.rows), -1),
        position_ids=torch.tensor([positions], device=device) if microbatch.shared else None,
        stream=tuple(stream) if microbatch.shared else None,
        predicted_at=torch.tensor(predicted_at, device=device),
        targets=torch.tensor(targets, device=device),
        predictions=torch.tensor(predictions, device=device),
        lengths=tuple(len(groups[group][1][response]) for group, response in microbatch.items),
    )


def _beginning(path: tuple[tuple[int, int], ...], tokens: int) -> tuple[tuple[int, int], ...]:
    """The first tokens of a path."""
    taken: list[tuple[int, int]] = []
    for branch, length in path:
        if not tokens:
            break
        taken.append((branch, min(length, tokens)))
        tokens -= taken[-1][1]
    return tuple(taken)
