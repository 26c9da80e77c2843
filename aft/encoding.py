"""Text to token ids and back: one rule for prompts, responses and the end token.

A prompt carries the tokenizer's own special tokens in front (and, for the built-in tokenizers,
``<sep>`` behind); a response carries none but a final EOS. The two are joined as ids and never
tokenised together, because joint tokenisation moves the boundary between them.
"""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

_LONGEST_CHARACTER = 8
"""Tokens that one character may take; a replacement character after more of them is the text's own."""
_LONGEST_WINDOW = 64


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


def token_ends(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> list[int]:
    """Where each token's characters end in ``decode(tokenizer, ids)``.

    A token that shows nothing (EOS, or the first bytes of a character that a later token completes) ends where the
    one before it does. Tokens are decoded in short runs, so the time is linear in their number.
    """
    ends: list[int] = []
    start, known, at = 0, 0, 0
    for stop in range(1, len(ids) + 1):
        before = decode(tokenizer, ids[start:known])
        now = decode(tokenizer, ids[start:stop])
        waits = now.endswith("\ufffd") and stop < len(ids) and stop - known < _LONGEST_CHARACTER
        # What shows nothing stays in the window: the space before the next word depends on the word before it.
        if (not waits and len(now) > len(before)) or stop - known >= _LONGEST_WINDOW:
            at += max(0, len(now) - len(before))
            start, known = known, stop
        ends.append(at)
    return ends
