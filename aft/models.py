"""Build, save-ready, the built-in models and load any other causal language model.

Every model is an ordinary Hugging Face directory: ``config.json``, ``model.safetensors`` and a
fast tokenizer.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, cast, runtime_checkable

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from aft import quantization
from aft.adapters import ADAPTER_WEIGHTS, Adapter, adapter_chain, factor_names, is_adapter
from aft.encoding import end_token_id
from aft.model_files import inspect_model_directory

PAD, BOS, EOS, SEP, UNK = "<pad>", "<bos>", "<eos>", "<sep>", "<unk>"
SPECIAL_TOKENS = (PAD, BOS, EOS, SEP, UNK)
DEFAULT_WINDOW = 1024


@runtime_checkable
class LlamaSizes(Protocol):
    """The sizes of a Llama; ``BuiltinModelConfig`` has them."""

    @property
    def hidden_size(self) -> int: ...
    @property
    def layers(self) -> int: ...
    @property
    def heads(self) -> int: ...
    @property
    def mlp_size(self) -> int: ...


def build_tokenizer(vocabulary: Sequence[str]) -> PreTrainedTokenizerBase:
    """Make a word-level tokenizer: words are what white space separates.

    A text of known words joined by single spaces decodes to itself. A prompt becomes
    ``<bos> words <sep>``.

    Args:
        vocabulary: The words, in id order. Special tokens it lacks are put before them.

    Raises:
        ValueError: If a word repeats or contains white space.
    """
    tokens = [*(token for token in SPECIAL_TOKENS if token not in vocabulary), *vocabulary]
    seen: set[str] = set()
    for token in tokens:
        if token in seen or token.split() != [token]:
            msg = (
                f"The vocabulary's word {token!r} repeats, is empty or contains white space. Make it unique and plain."
            )
            raise ValueError(msg)
        seen.add(token)
    backend = Tokenizer(models.WordLevel({token: index for index, token in enumerate(tokens)}, unk_token=UNK))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return _fast_tokenizer(backend)


def train_tokenizer(texts: Iterable[str], *, vocab_size: int = 4096) -> PreTrainedTokenizerBase:
    """Train a byte-level BPE tokenizer on texts; every text decodes to itself.

    Args:
        texts: Questions and references of the training split only.
        vocab_size: Upper bound; few texts give fewer tokens. At least 261 (bytes and special tokens).

    Raises:
        ValueError: If ``vocab_size`` cannot hold the bytes and the special tokens.
    """
    smallest = 256 + len(SPECIAL_TOKENS)
    if vocab_size < smallest:
        msg = (
            f"vocab_size {vocab_size} cannot hold 256 bytes and {len(SPECIAL_TOKENS)} special tokens. "
            f"Use {smallest} or more."
        )
        raise ValueError(msg)
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    return _fast_tokenizer(backend)


def _fast_tokenizer(backend: Tokenizer) -> PreTrainedTokenizerBase:
    backend.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A {SEP}",
        special_tokens=[(BOS, backend.token_to_id(BOS)), (SEP, backend.token_to_id(SEP))],
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # transformers leaves it untyped
        tokenizer_object=backend,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=EOS,
        sep_token=SEP,
        unk_token=UNK,
        clean_up_tokenization_spaces=False,
    )


def build_llama(
    sizes: LlamaSizes, tokenizer: PreTrainedTokenizerBase, *, seed: int, window: int = DEFAULT_WINDOW
) -> PreTrainedModel:
    """Make a Llama with random weights, tied embeddings and float32 parameters.

    Args:
        sizes: Width, depth, heads and MLP width.
        tokenizer: Gives the vocabulary size and the special ids.
        seed: Decides the weights; the caller's random state is left alone.
        window: Longest question plus response, in tokens.

    Raises:
        ValueError: If the heads do not divide the width into even parts (rotary embeddings need them).
    """
    from transformers import LlamaConfig, LlamaForCausalLM

    if sizes.hidden_size % sizes.heads or (sizes.hidden_size // sizes.heads) % 2:
        msg = (
            f"hidden_size {sizes.hidden_size} does not split into {sizes.heads} heads of an even size. "
            f"Use a multiple of {2 * sizes.heads}."
        )
        raise ValueError(msg)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=sizes.hidden_size,
        intermediate_size=sizes.mlp_size,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        num_key_value_heads=sizes.heads,
        max_position_embeddings=window,
        tie_word_embeddings=True,
        # The usual 0.02 suits widths in the thousands; at this width it costs hundreds of steps.
        initializer_range=sizes.hidden_size**-0.5,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        dtype=torch.float32,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(config)


def build_from_texts(
    sizes: LlamaSizes, texts: Iterable[str], *, seed: int, vocab_size: int = 4096, window: int = DEFAULT_WINDOW
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Train a tokenizer on a data set's own texts and make a Llama with random weights for it."""
    tokenizer = train_tokenizer(texts, vocab_size=vocab_size)
    return build_llama(sizes, tokenizer, seed=seed, window=window), tokenizer


def load_model(
    path_or_hub_id: str | Path,
    *,
    precision: Literal["float32", "bfloat16"] = "float32",
    device: str = "cpu",
    needed_tokens: int | None = None,
    quantize: Literal["none", "4bit"] = "none",
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a causal language model and its tokenizer, in evaluation mode; an adapter is merged into its base model.

    Only safetensors weights are read and no code from the model's repository is run. A directory is
    never looked up on the hub.

    Args:
        path_or_hub_id: A model directory, or the id of a model on the Hugging Face hub.
        precision: The parameters' type; scores are float32 either way.
        device: Where the model goes, such as ``cpu`` or ``cuda:0``.
        needed_tokens: Longest question plus response; a shorter window is refused.
        quantize: 4bit for frozen weights in NF4.

    Raises:
        ValueError: If the directory is not a usable model, the hub has no such model, or this machine cannot hold
            weights in 4 bits.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path = Path(path_or_hub_id)
    if is_adapter(path):
        return _load_adapter(path, precision, device, needed_tokens, quantize)
    local = path.is_dir() or path.is_absolute()
    if local:
        inspect_model_directory(path, needed_tokens=needed_tokens)
    source = str(path_or_hub_id)
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False, local_files_only=local)
        # transformers annotates the model alone, also where it returns what it loaded beside it.
        loaded = cast(
            "tuple[PreTrainedModel, dict[str, Any]]",
            AutoModelForCausalLM.from_pretrained(
                source,
                dtype=getattr(torch, precision),
                trust_remote_code=False,
                use_safetensors=True,
                local_files_only=local,
                output_loading_info=True,
                **_quantized(quantize, device, precision),
            ),
        )
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        msg = f"The model '{source}' could not be loaded: {_first_line(error)}"
        raise ValueError(msg) from error
    model, loading = loaded
    if loading["missing_keys"]:
        # transformers would fill them with random numbers and only warn.
        msg = (
            f"The weight files of '{source}' lack {len(loading['missing_keys'])} of the model's tensors, such as "
            f"'{sorted(loading['missing_keys'])[0]}'. Save the model again with save_pretrained."
        )
        raise ValueError(msg)
    _require_finite(model, source)
    end_token_id(tokenizer)
    embeddings = cast(nn.Embedding, model.get_input_embeddings()).num_embeddings
    if len(tokenizer) > embeddings:
        msg = (
            f"The tokenizer of '{source}' has {len(tokenizer)} tokens, the model only {embeddings} embeddings. "
            "Use the tokenizer the model was trained with."
        )
        raise ValueError(msg)
    for module in model.modules() if quantize != "none" else ():
        # Outside of training mode, in which dropout would be on, bitsandbytes repacks a CPU's weights for a product
        # that has no gradient and takes widths of multiples of 32 only.
        if hasattr(module, "support_avx512bf16_for_cpu"):
            cast(Any, module).support_avx512bf16_for_cpu = False
    if quantize == "none":
        # As a plain module: transformers' own annotations do not admit a device.
        nn.Module.to(model, device)
    nn.Module.eval(model)
    return model, tokenizer


def _require_finite(model: nn.Module, source: str) -> None:
    for name, parameter in model.named_parameters():
        if parameter.is_floating_point() and not parameter.isfinite().all():
            msg = (
                f"The weights of '{source}' hold NaN or infinite numbers, in '{name}' first: the training that made "
                "them diverged, or a file is damaged. Use an earlier checkpoint, or save the model again."
            )
            raise ValueError(msg)


def _load_adapter(
    path: Path,
    precision: Literal["float32", "bfloat16"],
    device: str,
    needed_tokens: int | None,
    quantize: Literal["none", "4bit"],
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    base, adapters = adapter_chain(path)
    if quantize != "none":
        msg = (
            f"'{path.name}' is an adapter, and quantised weights cannot take up its factors exactly. "
            "Start from a whole model, or without quantize."
        )
        raise ValueError(msg)
    model, tokenizer = load_model(base, precision=precision, device=device, needed_tokens=needed_tokens)
    for adapter in adapters:
        _add_factors(model, adapter)
    # A further adapter on top has this one as its base.
    model.name_or_path = str(path)
    return model, tokenizer


def _add_factors(model: nn.Module, adapter: Adapter) -> None:
    """Add ``alpha / rank * B A`` to each weight, in float32 whatever the weight's type."""
    factors = load_file(adapter.directory / ADAPTER_WEIGHTS)
    for module, a, b in factor_names(factors):
        try:
            weight = model.get_parameter(f"{module}.weight")
            update = adapter.scale * (factors[b].float() @ factors[a].float())
            with torch.no_grad():
                weight.copy_(weight.float() + update.to(weight.device))
        except (AttributeError, RuntimeError) as error:
            msg = (
                f"The adapter '{adapter.directory.name}' does not fit the model '{adapter.base}' at '{module}': "
                f"{_first_line(error)} Use the base model it was trained on."
            )
            raise ValueError(msg) from error


def _quantized(
    quantize: Literal["none", "4bit"], device: str, precision: Literal["float32", "bfloat16"]
) -> dict[str, Any]:
    """Arguments of ``from_pretrained`` for quantised weights.

    Raises:
        ValueError: If the device cannot hold them or bitsandbytes is missing or too old.
    """
    if quantize == "none":
        return {}
    if (found := quantization.obstacle(device)) is not None:
        raise ValueError(f"quantize is {quantize}: {found.title}. {found.detail} {found.remedy}")
    from transformers import BitsAndBytesConfig

    config = BitsAndBytesConfig(  # type: ignore[no-untyped-call]  # transformers leaves it untyped
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        # A GPU's tensor cores want bfloat16; a CPU gains nothing by it.
        bnb_4bit_compute_dtype=getattr(torch, precision) if device == "cpu" else torch.bfloat16,
    )
    return {"quantization_config": config, "device_map": {"": device}}


def load_tokenizer(directory: str | Path) -> tuple[PreTrainedTokenizerBase, tuple[int, ...]]:
    """The tokenizer of a model or adapter directory, and the tokens that end a response; no weights are read.

    Raises:
        ValueError: If there is no usable model.
    """
    from transformers import AutoTokenizer

    base, _ = adapter_chain(Path(directory))
    local = Path(base).is_dir()
    tokenizer = AutoTokenizer.from_pretrained(base, trust_remote_code=False, local_files_only=local)
    ends = [end_token_id(tokenizer)]
    settings = Path(base) / "generation_config.json"
    listed = json.loads(settings.read_text(encoding="utf-8")).get("eos_token_id") if settings.is_file() else None
    ends += [int(token) for token in (listed if isinstance(listed, list) else [listed]) if token is not None]
    return tokenizer, tuple(dict.fromkeys(ends))


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
