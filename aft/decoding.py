"""One token further for a batch of sequences: the forward passes under the sampler.

``CachedForward`` drives any causal language model of transformers through its key/value cache.
``LlamaForward`` computes the same for a plain Llama without the layers in between, which for a small model on
a CPU are most of the time. Prompts stand at the right edge, so that all rows write the same cache column.
"""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn import functional
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

_GROWTH_TOKENS = 64


@runtime_checkable
class Forward(Protocol):
    """A batch of sequences that grow by one token a step."""

    def prefill(self, input_ids: Tensor, mask: Tensor, index: Tensor) -> Tensor:
        """Read prompts once and start one row for each entry of ``index``.

        Args:
            input_ids: ``[prompt, token]``, padded on the left.
            mask: ``[prompt, token]``, 1 at tokens and 0 at padding.
            index: ``[row]`` the prompt each row starts from.

        Returns:
            ``[row, vocab]`` logits of the first new token.
        """
        ...

    def step(self, tokens: Tensor) -> Tensor:
        """Append ``[row]`` tokens and return the ``[row, vocab]`` logits of the next ones."""
        ...

    def keep(self, index: Tensor) -> None:
        """Go on with the rows of ``index`` only."""
        ...


def new_forward(model: Any) -> Forward:
    """The quickest forward pass that fits the model."""
    return LlamaForward(model) if is_plain_llama(model) else CachedForward(model)


def is_plain_llama(model: Any) -> bool:
    """Whether ``LlamaForward`` computes this model: a Llama in float32 on a CPU, its weights as they were built."""
    config = model.config
    rope = getattr(config, "rope_parameters", None) or {}
    return (
        type(model).__name__ == "LlamaForCausalLM"
        and model.dtype == torch.float32
        and model.device.type == "cpu"
        and config.hidden_act == "silu"
        # Dynamic variants choose their frequencies by the length so far.
        and rope.get("rope_type", "default") in {"default", "linear", "llama3"}
        and {type(module) for layer in model.model.layers for module in layer.modules() if not list(module.children())}
        <= _leaf_types(model)
    )


def _leaf_types(model: Any) -> set[type]:
    """Adapters and quantisation replace linear layers; then the shortcut would skip them."""
    layer = model.model.layers[0]
    return {torch.nn.Linear, type(layer.input_layernorm), type(layer.mlp.act_fn)}


class CachedForward:
    """Any causal language model, through transformers."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._cache: Any = DynamicCache(config=model.config)
        plain = [type(layer) is DynamicLayer for layer in self._cache.layers]
        if all(plain):
            self._cache.layers = [_GrowingLayer() for _ in plain]  # type: ignore[no-untyped-call]

    def prefill(self, input_ids: Tensor, mask: Tensor, index: Tensor) -> Tensor:
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
        logits = self._forward(input_ids, mask, positions)
        self._cache.reorder_cache(index)
        self._mask, self._positions = mask[index], positions[index, -1:] + 1
        return logits[index]

    def step(self, tokens: Tensor) -> Tensor:
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(self._mask), 1)], dim=1)
        logits = self._forward(tokens[:, None], self._mask, self._positions)
        self._positions = self._positions + 1
        return logits

    def keep(self, index: Tensor) -> None:
        self._cache.reorder_cache(index)
        self._mask, self._positions = self._mask[index], self._positions[index]

    def _forward(self, input_ids: Tensor, mask: Tensor, positions: Tensor) -> Tensor:
        output = self._model(
            input_ids=input_ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Tensor = output.logits[:, -1]
        return logits


class _GrowingLayer(DynamicLayer):  # type: ignore[no-untyped-call]  # its __init_subclass__ has no types
    """Keys and values in buffers with room to grow; DynamicLayer copies its whole cache for every token."""

    keys: Any
    values: Any
    _buffers: tuple[Tensor, Tensor] | None = None

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        if not self.is_initialized or self.get_seq_length() == 0:
            return super().update(key_states, value_states, *args, **kwargs)
        length, added = self.keys.shape[-2], key_states.shape[-2]
        if self._buffers is None or self._buffers[0].shape[-2] < length + added:
            self._buffers = (_with_room(self.keys, added), _with_room(self.values, added))
        keys, values = self._buffers
        keys[..., length : length + added, :] = key_states
        values[..., length : length + added, :] = value_states
        self.keys, self.values = keys[..., : length + added, :], values[..., : length + added, :]
        return self.keys, self.values

    def reorder_cache(self, beam_idx: Any) -> None:
        self._buffers = None
        super().reorder_cache(beam_idx)


def _with_room(states: Tensor, added: int) -> Tensor:
    batch, heads, length, width = states.shape
    grown = states.new_empty((batch, heads, length + added + _GROWTH_TOKENS, width))
    grown[..., :length, :] = states
    return grown


class LlamaForward:
    """A plain Llama: projections of a layer in one product, no module in between.

    Where several rows start from one prompt, they look at one copy of its keys and values: one product for all of
    them, and what a step reads grows with the prompts instead of the rows.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        config = model.config
        self._heads, self._kv_heads = config.num_attention_heads, config.num_key_value_heads
        self._width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        self._eps = config.rms_norm_eps
        self._layers = [_LlamaLayer(layer) for layer in model.model.layers]
        self._caches: list[tuple[Tensor, Tensor]] = []
        self._length = 0
        self._prompts: _SharedPrompts | None = None
        self._padding: Tensor | None = None

    def prefill(self, input_ids: Tensor, mask: Tensor, index: Tensor) -> Tensor:
        reader = CachedForward(self._model)
        logits = reader.prefill(input_ids, mask, torch.arange(len(input_ids), device=input_ids.device))
        read = [(layer.keys, layer.values) for layer in reader._cache.layers]
        self._positions = mask.sum(dim=1)[index]
        # What a row may not look at, as a term of the attention scores; nothing where no prompt is padded.
        padding = torch.zeros(mask.shape).masked_fill(mask == 0, -torch.inf) if bool((mask == 0).any()) else None
        if len(index) > len(input_ids):
            self._prompts = _SharedPrompts(read, padding, index)
            empty = (len(index), self._kv_heads, _GROWTH_TOKENS, self._width)
            self._caches = [(keys.new_empty(empty), values.new_empty(empty)) for keys, values in read]
        else:
            self._caches = [(_with_room(keys, 0)[index], _with_room(values, 0)[index]) for keys, values in read]
            self._padding = None if padding is None else padding[index][:, None, None]
            self._length = input_ids.shape[1]
        return logits[index]

    def step(self, tokens: Tensor) -> Tensor:
        end = self._length + 1
        if self._caches[0][0].shape[2] < end:
            self._caches = [(_with_room(keys, 1), _with_room(values, 1)) for keys, values in self._caches]
        hidden = functional.embedding(tokens, self._model.model.embed_tokens.weight)
        cos, sin = self._model.model.rotary_emb(hidden, self._positions[:, None])
        rows = len(tokens)
        group = self._heads // self._kv_heads
        for number, (layer, (keys, values)) in enumerate(zip(self._layers, self._caches, strict=True)):
            normed = functional.rms_norm(hidden, hidden.shape[-1:], layer.attention_norm, self._eps)
            mixed = functional.linear(normed, layer.qkv, layer.qkv_bias).view(rows, -1, self._width)
            turned = mixed[:, : self._heads + self._kv_heads]
            first, second = turned.chunk(2, dim=-1)
            turned = turned * cos + torch.cat([-second, first], dim=-1) * sin
            keys[:, :, self._length] = turned[:, self._heads :]
            values[:, :, self._length] = mixed[:, self._heads + self._kv_heads :]
            query = turned[:, : self._heads].reshape(rows, self._kv_heads, group, self._width) * layer.scale
            scores = query @ keys[:, :, :end].transpose(2, 3)
            if self._padding is not None:
                scores[..., : self._padding.shape[-1]] += self._padding
            if self._prompts is None:
                context = scores.softmax(dim=-1) @ values[:, :, :end]
            else:
                context = self._prompts.attend(number, query, scores, values[:, :, :end])
            hidden = hidden + functional.linear(context.reshape(rows, -1), layer.output, layer.output_bias)
            normed = functional.rms_norm(hidden, hidden.shape[-1:], layer.mlp_norm, self._eps)
            gate, up = functional.linear(normed, layer.gate_up, layer.gate_up_bias).chunk(2, dim=-1)
            hidden = hidden + functional.linear(functional.silu(gate) * up, layer.down, layer.down_bias)
        self._length, self._positions = end, self._positions + 1
        normed = functional.rms_norm(hidden, hidden.shape[-1:], self._model.model.norm.weight, self._eps)
        return functional.linear(normed, self._model.lm_head.weight)

    def keep(self, index: Tensor) -> None:
        self._caches = [(keys[index], values[index]) for keys, values in self._caches]
        self._positions = self._positions[index]
        self._padding = None if self._padding is None else self._padding[index]
        if self._prompts is not None:
            self._prompts = self._prompts.keep(index)


class _SharedPrompts:
    """Keys and values of prompts, each looked at by all of its rows."""

    def __init__(self, read: Sequence[tuple[Tensor, Tensor]], padding: Tensor | None, owner: Tensor) -> None:
        """Take the prompts' caches.

        Args:
            read: Keys and values of each layer: ``[prompt, head, token, width]``.
            padding: ``[prompt, token]``, -inf where there is none.
            owner: ``[row]`` the prompt of each row.
        """
        counts = torch.bincount(owner, minlength=len(read[0][0]))
        if not bool(counts.all()):
            left = counts.nonzero().flatten()
            read = [(keys[left], values[left]) for keys, values in read]
            padding = None if padding is None else padding[left]
            owner, counts = (torch.cumsum(counts > 0, dim=0) - 1)[owner], counts[left]
        self._read, self._padding, self._owner = read, padding, owner
        self._prompts, self._most = len(counts), int(counts.max())
        # Rows stand in a table of prompts and places, which has holes once rows have left.
        order = owner.argsort(stable=True)
        rank = torch.arange(len(owner), device=owner.device) - (counts.cumsum(dim=0) - counts)[owner[order]]
        places = torch.empty_like(owner)
        places[order] = owner[order] * self._most + rank
        whole = len(owner) == self._prompts * self._most
        self._places = None if whole and bool((places[1:] > places[:-1]).all()) else places

    def keep(self, index: Tensor) -> "_SharedPrompts":
        """Go on with the rows of ``index`` only."""
        return _SharedPrompts(self._read, self._padding, self._owner[index])

    def attend(self, layer: int, query: Tensor, own_scores: Tensor, own_values: Tensor) -> Tensor:
        """Attention of each row over its prompt and itself.

        Args:
            layer: Number of the layer.
            query: ``[row, head, query, width]``, scaled; the queries that share a head of keys stand together.
            own_scores: ``[row, head, query, token]`` scores of the row's own tokens.
            own_values: ``[row, head, token, width]``.

        Returns:
            ``[row, head, query, width]``.
        """
        keys, values = self._read[layer]
        scores = self._by_prompt(query) @ keys.transpose(2, 3)
        if self._padding is not None:
            scores += self._padding[:, None, None]
        weights = torch.cat([self._by_row(scores, query.shape[2]), own_scores], dim=-1).softmax(dim=-1)
        prompt, own = torch.split(weights, [keys.shape[2], own_values.shape[2]], dim=-1)
        context = self._by_row(self._by_prompt(prompt) @ values, query.shape[2])
        return torch.baddbmm(context.flatten(0, 1), own.flatten(0, 1), own_values.flatten(0, 1)).view_as(query)

    def _by_prompt(self, rows: Tensor) -> Tensor:
        """``[row, head, query, any]`` as ``[prompt, head, place and query, any]``."""
        _, heads, queries, width = rows.shape
        if self._places is not None:
            table = rows.new_zeros(self._prompts * self._most, heads, queries, width)
            table[self._places] = rows
            rows = table
        table = rows.view(self._prompts, self._most, heads, queries, width).transpose(1, 2)
        return table.reshape(self._prompts, heads, self._most * queries, width)

    def _by_row(self, table: Tensor, queries: int) -> Tensor:
        """The inverse of ``_by_prompt``."""
        prompts, heads, _, width = table.shape
        table = table.view(prompts, heads, self._most, queries, width).transpose(1, 2)
        rows = table.reshape(-1, heads, queries, width)
        return rows if self._places is None else rows[self._places]


class _LlamaLayer:
    """A layer's weights, those that read the same input joined."""

    def __init__(self, layer: Any) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        self.attention_norm, self.mlp_norm = layer.input_layernorm.weight, layer.post_attention_layernorm.weight
        self.qkv, self.qkv_bias = _join([attention.q_proj, attention.k_proj, attention.v_proj])
        self.gate_up, self.gate_up_bias = _join([mlp.gate_proj, mlp.up_proj])
        self.output, self.output_bias = attention.o_proj.weight, attention.o_proj.bias
        self.down, self.down_bias = mlp.down_proj.weight, mlp.down_proj.bias
        self.scale = float(attention.scaling)


def _join(layers: Sequence[Any]) -> tuple[Tensor, Tensor | None]:
    biases: list[Tensor] = [layer.bias for layer in layers if layer.bias is not None]
    weights: list[Tensor] = [layer.weight for layer in layers]
    return torch.cat(weights), torch.cat(biases) if biases else None
