"""Letters as direct answers."""

from typing import Any

import pytest
import torch

from aft.arithmetic import VOCABULARY
from aft.choice_likelihood import choice_likelihoods
from aft.config.training import BuiltinModelConfig
from aft.data.examples import Example
from aft.data.prompts import prompt_text
from aft.encoding import encode_prompt
from aft.models import build_llama, build_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return build_tokenizer([*VOCABULARY, "A", "B", "C", "D"])


@pytest.fixture(scope="module")
def model(tokenizer: Any) -> Any:
    return build_llama(BuiltinModelConfig(hidden_size=32, layers=1, heads=2, mlp_size=32), tokenizer, seed=0)


def example(number: int, choices: int = 4) -> Example:
    texts = tuple(str(index) for index in range(choices)) or None
    return Example(f"q{number}", f"What is {number} + 1 ?", "", "A", "mmlu", texts)


def test_likelihood_is_that_of_the_whole_response(model: Any, tokenizer: Any) -> None:
    found: dict[str, dict[str, float]] = {}
    examples = [example(number, choices=2 + number % 3) for number in range(5)]
    assert choice_likelihoods(model, tokenizer, examples, on_done=found.__setitem__)
    assert list(found) == [item.id for item in examples]
    for item in examples:
        prompt = encode_prompt(tokenizer, prompt_text(item))
        assert item.choices is not None
        for letter in "ABCD"[: len(item.choices)]:
            response = tokenizer.encode(f"[ANS] {letter}", add_special_tokens=False)
            with torch.inference_mode():
                logits = model(torch.tensor([[*prompt, *response]])).logits[0].float().log_softmax(-1)
            expected = sum(float(logits[len(prompt) - 1 + i, token]) for i, token in enumerate(response))
            assert found[item.id][letter] == pytest.approx(expected, abs=1e-4)


def test_stopping_and_questions_without_choices(model: Any, tokenizer: Any) -> None:
    assert not choice_likelihoods(
        model, tokenizer, [example(1)], on_done=lambda name, letters: None, should_stop=lambda: True
    )
    with pytest.raises(ValueError, match="has no choices"):
        choice_likelihoods(model, tokenizer, [example(1, choices=0)], on_done=lambda name, letters: None)
