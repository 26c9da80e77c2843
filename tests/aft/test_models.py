import subprocess
import sys
from pathlib import Path

import pytest
import torch

from aft.config.training import BuiltinModelConfig
from aft.encoding import encode_prompt, encode_response
from aft.models import build_from_texts, build_llama, build_tokenizer, load_model

WORDS = [f"word{number}" for number in range(102)]
TINY = BuiltinModelConfig(hidden_size=16, layers=1, heads=2, mlp_size=16)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    tokenizer = build_tokenizer(WORDS)
    build_llama(TINY, tokenizer, seed=0, window=64).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return tmp_path


def test_builtin_model_has_the_documented_size() -> None:
    tokenizer = build_tokenizer(WORDS)
    model = build_llama(BuiltinModelConfig(), tokenizer, seed=0)
    assert len(tokenizer) == 107
    assert sum(parameter.numel() for parameter in model.parameters()) == 342_720
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert model.config.tie_word_embeddings


def test_weights_depend_on_the_seed_alone() -> None:
    tokenizer = build_tokenizer(WORDS)
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = build_llama(TINY, tokenizer, seed=7).state_dict()
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(2)
    again, other = build_llama(TINY, tokenizer, seed=7).state_dict(), build_llama(TINY, tokenizer, seed=8).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["lm_head.weight"], other["lm_head.weight"])


def test_special_tokens_of_the_vocabulary_are_not_added_again() -> None:
    tokenizer = build_tokenizer(["<pad>", "<bos>", "<eos>", "<sep>", "<unk>", "a"])
    assert len(tokenizer) == 6
    assert tokenizer.pad_token_id == 0


@pytest.mark.parametrize("word", ["twice", "two words", ""])
def test_unusable_word_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="repeats, is empty or contains white space"):
        build_tokenizer(["twice", word])


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(ValueError, match="hidden_size 20 does not split into 3 heads"):
        build_llama(BuiltinModelConfig(hidden_size=20, heads=3), build_tokenizer(WORDS), seed=0)


def test_saved_model_loads_as_it_was(saved: Path) -> None:
    tokenizer = build_tokenizer(WORDS)
    built = build_llama(TINY, tokenizer, seed=0, window=64).state_dict()
    model, loaded = load_model(saved)
    assert all(torch.equal(built[name], value) for name, value in model.state_dict().items())
    assert not model.training
    text = "word3 word1 elsewhere"
    assert encode_prompt(loaded, text) == encode_prompt(tokenizer, text)
    assert encode_response(loaded, text) == encode_response(tokenizer, text)


def test_precision_is_the_callers(saved: Path) -> None:
    model, _ = load_model(saved, precision="bfloat16")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}


def test_model_on_a_tokenizer_of_its_own_texts_round_trips(tmp_path: Path) -> None:
    texts = ["Natalia sold 48 clips in April.\n#### 72", "How many in all? − 3.5 €"]
    model, tokenizer = build_from_texts(TINY, texts, seed=0, vocab_size=300)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    _, loaded = load_model(tmp_path)
    assert model.config.vocab_size == len(loaded) <= 300
    assert encode_prompt(loaded, texts[0]) == encode_prompt(tokenizer, texts[0])


def test_vocabulary_smaller_than_the_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="vocab_size 200 cannot hold 256 bytes"):
        build_from_texts(TINY, ["a"], seed=0, vocab_size=200)


def test_missing_tensors_are_refused(saved: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(saved / "model.safetensors")
    tensors.pop("model.norm.weight")
    save_file(tensors, saved / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"lack 1 of the model's tensors, such as 'model\.norm\.weight'"):
        load_model(saved)


def test_weights_that_are_not_finite_are_refused(saved: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(saved / "model.safetensors")
    tensors["model.layers.0.mlp.up_proj.weight"][3, 2] = float("nan")
    save_file(tensors, saved / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"hold NaN or infinite numbers, in 'model\.layers\.0\.mlp\.up_proj\.weight'"):
        load_model(saved)


def test_tokenizer_larger_than_the_model_is_refused(saved: Path) -> None:
    build_tokenizer([*WORDS, "another"]).save_pretrained(saved)
    with pytest.raises(ValueError, match="has 108 tokens, the model only 107 embeddings"):
        load_model(saved)


def test_directory_is_inspected_before_it_is_loaded(tmp_path: Path, saved: Path) -> None:
    with pytest.raises(ValueError, match="is not a directory"):
        load_model(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="needs 65 tokens"):
        load_model(saved, needed_tokens=65)


def test_unknown_architecture_is_named(saved: Path) -> None:
    config = saved / "config.json"
    config.write_text(config.read_text().replace('"llama"', '"lama"'))
    with pytest.raises(ValueError, match=r"could not be loaded: .*lama"):
        load_model(saved)


def test_inspection_loads_no_torch() -> None:
    code = (
        "import sys, aft.model_files; sys.exit(any(m in sys.modules for m in ('torch', 'transformers', 'tokenizers')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
