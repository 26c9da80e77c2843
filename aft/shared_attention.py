"""Attention in which the responses of a question share one copy of it.

The layers see one stream of tokens, ``question response response ... question response ...``, so every product with
a weight is computed for exactly the tokens there are. Only attention knows the structure: a question attends to
itself, a response to its question and to itself. Done response by response this costs
``P^2 + sum C_i (P + C_i)`` products for a question of P and responses of C_i tokens; a dense mask over the row would
cost ``(P + sum C_i)^2``, and copies of the question ``sum (P + C_i)^2``.
"""

from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "aft_shared_prefix"
"""The attention's name in transformers. Without ``row_lengths`` it is transformers' ``sdpa``."""

# Full attention with rotary positions, checked by a test of each against separate rows.
_SHARES_PREFIX = frozenset({"llama", "mistral", "qwen2", "qwen3"})

RowLengths = tuple[tuple[int, ...], ...]
"""Tokens of each question in the stream, followed by those of each of its responses."""


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
    """Let the model's layers take ``row_lengths``; what they compute without is unchanged.

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
    row_lengths: RowLengths | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attention over one stream of rows.

    Args:
        module: The layer that attends.
        query: ``[1, head, token, width]``.
        key: The same with the key heads.
        value: The same with the key heads.
        attention_mask: Used only without ``row_lengths``.
        row_lengths: The structure of the stream; their sum is its length. None: transformers' own attention.
        options: Scaling and dropout, as transformers passes them.

    Returns:
        ``[1, token, head, width]`` and, in place of attention weights, None.
    """
    if row_lengths is None:
        output, _ = sdpa_attention_forward(module, query, key, value, attention_mask, **options)
        return output, None
    return stream_attention(module, query, key, value, row_lengths, **options), None


def stream_attention(
    module: Any, query: Tensor, key: Tensor, value: Tensor, row_lengths: RowLengths, **options: Any
) -> Tensor:
    """``shared_prefix_attention`` of a stream, also where only the last token of each question asks.

    Args:
        module: The layer that attends.
        query: ``[1, head, token, width]``, of all tokens or of all but those of each question before its last.
        key: ``[1, head, token, width]`` of all tokens, with the key heads.
        value: The same.
        row_lengths: The structure of the stream.
        options: Scaling and dropout, as transformers passes them.

    Returns:
        ``[1, token, head, width]`` for the tokens of ``query``.
    """
    sections = [length for row in row_lengths for length in row]
    whole = query.shape[2] == key.shape[2]
    asking = sections if whole else [length for _, *responses in row_lengths for length in (1, *responses)]
    # split's gradient is one concatenation; that of slices would be a stream of zeros for each.
    queries = torch.split(query, asking, dim=2)
    keys, values = (torch.split(each, sections, dim=2) for each in (key, value))
    # Every response's mask is a window of one triangle.
    longest = max(question + max(responses, default=0) for question, *responses in row_lengths)
    hidden = torch.full((longest, longest), -torch.inf, dtype=query.dtype, device=query.device).triu(1)[None, None]
    outputs: list[Tensor] = []
    for question, *responses in row_lengths:
        first = len(outputs)
        # A single query looks at everything, which is_causal would not let it.
        own, _ = sdpa_attention_forward(
            module, queries[first], keys[first], values[first], None, is_causal=whole, **options
        )
        outputs.append(own)
        for at, response in enumerate(responses, start=first + 1):
            end = question + response
            seen = hidden[:, :, question:end, :end]
            own, _ = sdpa_attention_forward(
                module,
                queries[at],
                torch.cat([keys[first], keys[at]], dim=2),
                torch.cat([values[first], values[at]], dim=2),
                # Kernels of a GPU are particular about a mask's strides; a CPU's read the window as it is.
                seen if seen.device.type == "cpu" else seen.contiguous(),
                **options,
            )
            outputs.append(own)
    return torch.cat(outputs, dim=1)


AttentionInterface.register(NAME, shared_prefix_attention)
AttentionMaskInterface.register(NAME, sdpa_mask)
