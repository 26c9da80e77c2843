"""Text to token ids and back: one rule for prompts, responses and the end token.

A prompt carries the tokenizer's own special tokens in front (and, for the built-in tokenizers,
``<sep>`` behind); a response carries none but a final EOS. The two are joined as ids and never
tokenised together, because joint tokenisation moves the boundary between them.
"""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase


def end_token_id(tokenizer: PreTrainedTokenizerBase) -> int:
    """The id that ends a response.

    Raises:
        ValueError: If the tokenizer has no end-of-sequence token.
    """
    eos = tokenizer.eos_token_id
    if not isinstance(eos, int):
        msg = (
            f"The tokenizer '{tokenizer.name_or_path or type(tokenizer).__name__}' has no end-of-sequence token, "
            "so no response could ever end. Set eos_token in its tokenizer_config.json."
        )
        raise ValueError(msg)
    return eos


def padding_token_id(tokenizer: PreTrainedTokenizerBase) -> int:
    """The id that fills short rows; EOS where the tokenizer has no padding token (it is always masked)."""
    pad = tokenizer.pad_token_id
    return pad if isinstance(pad, int) else end_token_id(tokenizer)


def encode_prompt(tokenizer: PreTrainedTokenizerBase, prompt_text: str) -> tuple[int, ...]:
    """Encode a prompt with the tokenizer's special tokens, but without an EOS behind it.

    Raises:
        ValueError: If nothing remains to predict the first response token from.
    """
    ids = [int(token) for token in tokenizer.encode(prompt_text, add_special_tokens=True)]
    # Some tokenizers append EOS to everything; a response that follows it would be out of place.
    while ids and ids[-1] == tokenizer.eos_token_id and not prompt_text.endswith(str(tokenizer.eos_token)):
        ids.pop()
    if not ids:
        msg = f"The prompt {prompt_text!r} has no tokens. A question needs at least one word."
        raise ValueError(msg)
    return tuple(ids)


def encode_response(tokenizer: PreTrainedTokenizerBase, text: str) -> tuple[int, ...]:
    """Encode a response (COT and answer) and end it with EOS."""
    return (*(int(token) for token in tokenizer.encode(text, add_special_tokens=False)), end_token_id(tokenizer))


def decode(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> str:
    """Text of token ids without special tokens; white space is left as the tokens have it."""
    text = tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
    assert isinstance(text, str)
    return text
