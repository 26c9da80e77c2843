"""A decoder's last hidden states of a stream, for the positions that predict a token and no others.

The last layer's output at a question's positions is read by nobody, except at its last one: later tokens look at the
question's keys and values, which come from the layer's input. So the last layer computes keys and values of all tokens
and the rest for those that predict one.
"""

from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers.models.llama import modeling_llama as llama
from transformers.models.mistral import modeling_mistral as mistral
from transformers.models.qwen2 import modeling_qwen2 as qwen2
from transformers.models.qwen3 import modeling_qwen3 as qwen3

from aft.packing import MicrobatchTensors
from aft.shared_attention import StreamRow, stream_attention

# Whose forward passes `_predicting_layer` and `_cut_short` repeat, checked by a test of each.
_KNOWN: dict[type[nn.Module], tuple[type[nn.Module], type[nn.Module]]] = {
    llama.LlamaModel: (llama.LlamaDecoderLayer, llama.LlamaAttention),
    mistral.MistralModel: (mistral.MistralDecoderLayer, mistral.MistralAttention),
    qwen2.Qwen2Model: (qwen2.Qwen2DecoderLayer, qwen2.Qwen2Attention),
    qwen3.Qwen3Model: (qwen3.Qwen3DecoderLayer, qwen3.Qwen3Attention),
}


def stream_hidden(
    decoder: Any, tensors: MicrobatchTensors, stream: tuple[StreamRow, ...]
) -> Float[Tensor, "prediction hidden"]:
    """The hidden state behind each prediction, in the order of ``tensors.targets``.

    Args:
        decoder: A decoder whose attention is ``aft.shared_attention``'s.
        tensors: A micro-batch that is a stream.
        stream: Its rows.
    """
    if can_cut_short(decoder):
        positions, places = torch.unique(tensors.predicted_at, return_inverse=True)
        return _cut_short(decoder, tensors, stream, positions).index_select(0, places)
    # A mask of four axes is passed on as it is; without one transformers would make a dense one.
    ignored = torch.ones(1, 1, 1, 1, dtype=torch.bool, device=tensors.input_ids.device)
    hidden: Tensor = decoder(
        input_ids=tensors.input_ids,
        use_cache=False,
        stream=stream,
        position_ids=tensors.position_ids,
        attention_mask=ignored,
    ).last_hidden_state
    return hidden.flatten(0, 1).index_select(0, tensors.predicted_at)


def can_cut_short(decoder: nn.Module) -> bool:
    """Whether the decoder and its last layer compute what their classes say: nothing wraps, hooks or replaces them."""
    known = _KNOWN.get(type(decoder))
    if known is None or not _is_plain(decoder):
        return False
    layer: Any = _layers(decoder)[-1]
    return (type(layer), type(layer.self_attn)) == known and _is_plain(layer) and _is_plain(layer.self_attn)


def _is_plain(module: nn.Module) -> bool:
    hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
    return not any(hooks) and "forward" not in vars(module)


def _layers(decoder: Any) -> list[Any]:
    return list(decoder.layers[: decoder.config.num_hidden_layers])


def _cut_short(
    decoder: Any, tensors: MicrobatchTensors, stream: tuple[StreamRow, ...], positions: Tensor
) -> Float[Tensor, "position hidden"]:
    """The decoder's forward pass, with an output only at some positions of the stream."""
    hidden: Tensor = decoder.embed_tokens(tensors.input_ids)
    rotary = decoder.rotary_emb(hidden, position_ids=tensors.position_ids)
    *layers, last = _layers(decoder)
    for layer in layers:
        hidden = layer(
            hidden,
            attention_mask=None,
            position_ids=tensors.position_ids,
            position_embeddings=rotary,
            use_cache=False,
            stream=stream,
        )
    final = partial(_predicting_layer, last, rotary=rotary, stream=stream, positions=positions)
    if last.gradient_checkpointing and last.training:
        hidden = last._gradient_checkpointing_func(final, hidden)
    else:
        hidden = final(hidden)
    normed: Tensor = decoder.norm(hidden)
    return normed[0]


def _predicting_layer(
    layer: Any, hidden: Tensor, *, rotary: tuple[Tensor, Tensor], stream: tuple[StreamRow, ...], positions: Tensor
) -> Tensor:
    """A layer's forward pass with keys and values at all positions, and queries and the rest at some of them."""
    attention = layer.self_attn
    normed = layer.input_layernorm(hidden)
    cos, sin = rotary

    def heads(projection: Any, norm: str | None, states: Tensor) -> Tensor:
        split: Tensor = projection(states).unflatten(-1, (-1, attention.head_dim))
        if norm is not None and hasattr(attention, norm):
            split = getattr(attention, norm)(split)
        return split.transpose(1, 2)

    query = heads(attention.q_proj, "q_norm", normed.index_select(1, positions))
    key = heads(attention.k_proj, "k_norm", normed)
    query = _rotate(query, cos.index_select(1, positions), sin.index_select(1, positions))
    key = _rotate(key, cos, sin)
    attended = stream_attention(
        attention,
        query,
        key,
        heads(attention.v_proj, None, normed),
        stream,
        dropout=attention.attention_dropout if attention.training else 0.0,
        scaling=attention.scaling,
    )
    hidden = hidden.index_select(1, positions) + attention.o_proj(attended.flatten(2))
    result: Tensor = hidden + layer.mlp(layer.post_attention_layernorm(hidden))
    return result


def _rotate(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = states.chunk(2, dim=-1)
    return states * cos[:, None] + torch.cat([-second, first], dim=-1) * sin[:, None]
