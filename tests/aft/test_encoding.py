import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

from aft.encoding import decode, encode_prompt, encode_response, end_token_id, padding_token_id, token_ends
from aft.models import build_tokenizer, train_tokenizer


def bare_tokenizer(template: str | None = None, **special: str) -> PreTrainedTokenizerFast:
    backend = Tokenizer(WordLevel({"</s>": 0, "a": 1, "b": 2}, unk_token="a"))
    backend.pre_tokenizer = WhitespaceSplit()
    if template:
        backend.post_processor = TemplateProcessing(single=template, special_tokens=[("</s>", 0)])
    return PreTrainedTokenizerFast(tokenizer_object=backend, **special)  # type: ignore[no-untyped-call]


def test_prompt_is_bos_words_sep() -> None:
    tokenizer = build_tokenizer(["Ann", "has", "7", "."])
    assert tokenizer.convert_ids_to_tokens(list(encode_prompt(tokenizer, "Ann has 7 ."))) == [
        "<bos>",
        "Ann",
        "has",
        "7",
        ".",
        "<sep>",
    ]


def test_response_ends_with_eos_and_has_no_other_special_token() -> None:
    tokenizer = build_tokenizer(["Ann", "has", "7", "."])
    assert tokenizer.convert_ids_to_tokens(list(encode_response(tokenizer, "Ann has 7"))) == [
        "Ann",
        "has",
        "7",
        "<eos>",
    ]


def test_decoding_drops_special_tokens_and_gives_the_text_back() -> None:
    words = build_tokenizer(["Ann", ":", "7", "+", "12", "=", "19", ".", "[ANS]"])
    text = "Ann : 7 + 12 = 19 . [ANS] 19"
    assert decode(words, encode_response(words, text)) == text
    assert decode(words, encode_prompt(words, text)) == text
    pieces = train_tokenizer(["Natalia sold 48/2 = 24 clips.\n#### 72"], vocab_size=300)
    written = "It's  24 clips , isn 't it?\n\tünïcode − ok\n#### 72"
    assert decode(pieces, encode_response(pieces, written)) == written


def test_end_token_a_tokenizer_appends_by_itself_is_not_part_of_the_prompt() -> None:
    tokenizer = bare_tokenizer("$A </s>", eos_token="</s>")
    assert encode_prompt(tokenizer, "a b") == (1, 2)
    assert encode_response(tokenizer, "a b") == (1, 2, 0)


def test_tokenizer_without_end_token_is_refused() -> None:
    with pytest.raises(ValueError, match="has no end-of-sequence token"):
        encode_response(bare_tokenizer(), "a")


def test_prompt_without_tokens_is_refused() -> None:
    with pytest.raises(ValueError, match="has no tokens"):
        encode_prompt(bare_tokenizer(eos_token="</s>"), " ")


def test_padding_falls_back_to_the_end_token() -> None:
    tokenizer = bare_tokenizer(eos_token="</s>")
    assert padding_token_id(tokenizer) == end_token_id(tokenizer) == 0
    words = build_tokenizer(["a"])
    assert padding_token_id(words) == words.pad_token_id != end_token_id(words)


def test_tokens_end_where_their_characters_do() -> None:
    words = build_tokenizer(["Ann", "has", "7", "."])
    ids = encode_response(words, "Ann has 7 .")
    assert token_ends(words, ids) == [3, 7, 9, 11, 11]
    # A mark that is not shown leaves the spaces around it as they are.
    assert words.sep_token_id is not None
    with_mark = (ids[0], words.sep_token_id, *ids[1:])
    assert token_ends(words, with_mark) == [3, 3, 7, 9, 11, 11]
    pieces = train_tokenizer(["Natalia sold 48/2 = 24 clips.\n#### 72"], vocab_size=300)
    written = "It's 24 clips 🙂, ünïcode − ok \ufffd end\n#### 72"
    ids = encode_response(pieces, written)
    ends = token_ends(pieces, ids)
    assert len(ends) == len(ids)
    assert ends == sorted(ends)
    assert ends[-1] == len(written)
    shown = [written[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    assert "".join(shown) == written
    assert "🙂" in shown
    assert token_ends(pieces, []) == []
