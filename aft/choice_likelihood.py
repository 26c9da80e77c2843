"""The likeliest letter as a direct answer: MMLU's other form, without a chain of thought."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from aft.data.examples import Example, choice_letter
from aft.data.prompts import prompt_text, response_text
from aft.encoding import encode_prompt
from aft.scoring import token_logprobs

QUESTIONS_PER_CALL = 32


@torch.inference_mode()
def choice_likelihoods(
    model: Any,
    tokenizer: Any,
    examples: Sequence[Example],
    *,
    tokens_per_microbatch: int = 4096,
    on_done: Callable[[str, dict[str, float]], None],
    should_stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Score every letter of every question as the whole response, ``[ANS] B``, without an end token.

    The log-probabilities are summed, not averaged: the responses differ in the letter only, and where a letter
    has more tokens than another, its probability is the product over them.

    Args:
        model: A causal language model in evaluation mode.
        tokenizer: Its tokenizer.
        examples: Questions with choices.
        tokens_per_microbatch: Most tokens of one forward pass.
        on_done: Receives a question's id and the log-likelihood of each letter, in nats.
        should_stop: Asked between batches of questions.

    Returns:
        True when every question was scored, False when ``should_stop`` ended it.

    Raises:
        ValueError: If a question has no choices or does not fit the model's window.
    """
    for start in range(0, len(examples), QUESTIONS_PER_CALL):
        if should_stop():
            return False
        part = examples[start : start + QUESTIONS_PER_CALL]
        groups = [_group(tokenizer, example) for example in part]
        found = token_logprobs(model, groups, tokens_per_microbatch=tokens_per_microbatch)
        for example, values in zip(part, found, strict=True):
            letters = {choice_letter(index): float(tokens.sum()) for index, tokens in enumerate(values)}
            on_done(example.id, letters)
    return True


def _group(tokenizer: Any, example: Example) -> tuple[tuple[int, ...], list[tuple[int, ...]]]:
    if not example.choices:
        msg = f"Question '{example.id}' of task '{example.task}' has no choices, so no letters can be compared."
        raise ValueError(msg)
    responses = []
    for index in range(len(example.choices)):
        text = response_text("", choice_letter(index), example.task, example.choices)
        ids = tokenizer.encode(text, add_special_tokens=False)
        responses.append(tuple(int(token) for token in ids))
    return encode_prompt(tokenizer, prompt_text(example)), responses
