"""Attention in which the responses of a question share one copy of it, and of the beginnings they have in common.

The layers see one stream of tokens, ``question response response ... question response ...``, so every product with
a weight is computed for exactly the tokens there are. Only attention knows the structure: a question attends to
itself, a response to its question, to what it shares with responses before it, and to itself. Done response by
response this costs ``P^2 + sum C_i (P + S_i + C_i)`` products for a question of P tokens and responses of C_i tokens
of their own behind S_i shared ones; a dense mask over the row would cost ``(P + sum C_i)^2``, and copies of the
question ``sum (P + S_i + C_i)^2``.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "aft_shared_prefix"
"""The attention's name in transformers. Without ``stream`` it is transformers' ``sdpa``."""

# Full attention with rotary positions, checked by a test of each against separate rows.
_SHARES_PREFIX = frozenset({"llama", "mistral", "qwen2", "qwen3"})


@dataclass(frozen=True, slots=True)
class Branch:
    """A response in the stream: tokens of its own behind those it shares with earlier responses."""

    length: int
    """Its own tokens that are read, at least one."""
    path: tuple[tuple[int, int], ...] = ()
    """What lies between the question and its own tokens, in order: an earlier branch of the row, and how many of that
    one's first tokens."""

    @property
    def shared(self) -> int:
        """Tokens on the path."""
        return sum(tokens for _, tokens in self.path)


@dataclass(frozen=True, slots=True)
class StreamRow:
    """A question in the stream and what stands behind it."""

    question: int
    """Its tokens."""
    branches: tuple[Branch, ...]

    @property
    def sections(self) -> tuple[int, ...]:
        """Tokens of the question and of each branch, in the order of the stream."""
        return (self.question, *(branch.length for branch in self.branches))


def can_share_prefix(model: PreTrainedModel) -> bool:
    """True when every layer of the model attends to everything before a token, through sdpa."""
    config = model.config
    windows = getattr(config, "sliding_window", None) if getattr(config, "use_sliding_window", True) else None
    return (
        config.model_type in _SHARES_PREFIX
        and config._attn_implementation in {"sdpa", NAME}
        and windows is None
        and set(getattr(config, "layer_types", None) or ["full_attention"]) == {"full_attention"}
    )


def use_shared_prefix(model: PreTrainedModel) -> None:
    """Let the model's layers take ``stream``; what they compute without is unchanged.

    Set for good, not for one call: activation checkpointing calls the layers again in the backward pass.
    """
    config: Any = model.config
    if config._attn_implementation != NAME:
        config._attn_implementation = NAME


def shared_prefix_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    stream: tuple[StreamRow, ...] | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attention over one stream of rows.

    Args:
        module: The layer that attends.
        query: ``[1, head, token, width]``.
        key: The same with the key heads.
        value: The same with the key heads.
        attention_mask: Used only without ``stream``.
        stream: The stream's rows; their sections add up to its length. None: transformers' own attention.
        options: Scaling and dropout, as transformers passes them.

    Returns:
        ``[1, token, head, width]`` and, in place of attention weights, None.
    """
    if stream is None:
        output, _ = sdpa_attention_forward(module, query, key, value, attention_mask, **options)
        return output, None
    return stream_attention(module, query, key, value, stream, **options), None


def stream_attention(
    module: Any, query: Tensor, key: Tensor, value: Tensor, stream: tuple[StreamRow, ...], **options: Any
) -> Tensor:
    """``shared_prefix_attention`` of a stream, also where only the last token of each question asks.

    Args:
        module: The layer that attends.
        query: ``[1, head, token, width]``, of all tokens or of all but those of each question before its last.
        key: ``[1, head, token, width]`` of all tokens, with the key heads.
        value: The same.
        stream: The stream's rows.
        options: Scaling and dropout, as transformers passes them.

    Returns:
        ``[1, token, head, width]`` for the tokens of ``query``.
    """
    sections = [length for row in stream for length in row.sections]
    whole = query.shape[2] == key.shape[2]
    asking = sections if whole else [length for row in stream for length in (1, *row.sections[1:])]
    # split's gradient is one concatenation; that of slices would be a stream of zeros for each.
    queries = torch.split(query, asking, dim=2)
    keys, values = (torch.split(each, sections, dim=2) for each in (key, value))
    # Every response's mask is a window of one triangle.
    longest = max(row.question + max((b.shared + b.length for b in row.branches), default=0) for row in stream)
    hidden = torch.full((longest, longest), -torch.inf, dtype=query.dtype, device=query.device).triu(1)[None, None]
    outputs: list[Tensor] = []
    for row in stream:
        first = len(outputs)
        # A single query looks at everything, which is_causal would not let it.
        own, _ = sdpa_attention_forward(
            module, queries[first], keys[first], values[first], None, is_causal=whole, **options
        )
        outputs.append(own)
        for at, branch in enumerate(row.branches, start=first + 1):
            begin = row.question + branch.shared
            end = begin + branch.length
            seen = hidden[:, :, begin:end, :end]
            looked_at = [(first, row.question), *((first + 1 + b, n) for b, n in branch.path), (at, branch.length)]
            own, _ = sdpa_attention_forward(
                module,
                queries[at],
                torch.cat([_first(keys[section], tokens) for section, tokens in looked_at], dim=2),
                torch.cat([_first(values[section], tokens) for section, tokens in looked_at], dim=2),
                # Kernels of a GPU are particular about a mask's strides; a CPU's read the window as it is.
                seen if seen.device.type == "cpu" else seen.contiguous(),
                **options,
            )
            outputs.append(own)
    return torch.cat(outputs, dim=1)


def _first(states: Tensor, tokens: int) -> Tensor:
    """The first tokens' states; all of them without a slice, whose gradient would be another copy."""
    return states if tokens == states.shape[2] else states[:, :, :tokens]


AttentionInterface.register(NAME, shared_prefix_attention)
AttentionMaskInterface.register(NAME, sdpa_mask)
