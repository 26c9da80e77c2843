"""A completions server that samples from a model in this process, as vLLM's does; for tests of the contract."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from aft.config.sampling import SampleConfig
from aft.sampling import Prompt, Sampled, sample_cots
from tests.stub_endpoint import Answer, Asked


@dataclass
class Completions:
    """Answers ``/v1/completions``; what it can do is switched by fields."""

    model: Any
    tokenizer: Any
    takes_ids: bool = True
    gives_ids: bool = True
    knows_prompt_logprobs: bool = True
    knows_echo: bool = True
    strict: bool = False
    """Refuse arguments that the OpenAI API does not have."""
    interfere: Callable[[dict[str, Any], int], Answer | None] = lambda body, number: None
    """Answers in place of the server where it returns something."""
    refused: list[str] = field(default_factory=list)

    def __call__(self, asked: Asked, number: int) -> Answer:
        """One request."""
        if asked.path.endswith("/models"):
            return Answer({"object": "list", "data": [{"id": "tiny"}]})
        body = asked.body
        other = self.interfere(body, number)
        if other is not None:
            return other
        assert "seed" not in body, "a seeded request kills vLLM on a CPU"
        if self.strict and (unknown := {"return_token_ids", "prompt_logprobs"} & body.keys()):
            return self._refuse(f"Unrecognized request argument: {sorted(unknown)[0]}")
        if isinstance(body["prompt"], list):
            if not self.takes_ids:
                return self._refuse("prompt must be a string")
            ids = tuple(body["prompt"])
        else:
            ids = tuple(self.tokenizer.encode(body["prompt"]))
        choices = [self._choice(each, body, ids) for each in self._sample(ids, body, number)]
        usage = {"prompt_tokens": len(ids), "completion_tokens": sum(len(c["token_ids"] or ()) for c in choices)}
        return Answer({"object": "text_completion", "choices": choices, "usage": usage})

    def _refuse(self, why: str) -> Answer:
        self.refused.append(why)
        return Answer({"error": {"message": why}}, status=400)

    def _sample(self, ids: tuple[int, ...], body: dict[str, Any], number: int) -> list[Sampled]:
        found: list[Sampled] = []
        config = SampleConfig(
            k=body.get("n", 1),
            max_new_tokens=body["max_tokens"],
            temperature=body["temperature"],
            top_p=body.get("top_p", 1.0),
            seed=number,
        )
        sample_cots(self.model, self.tokenizer, [Prompt("q", ids)], config, on_done=found.extend)
        return sorted(found, key=lambda each: each.sample_index)

    def _choice(self, sampled: Sampled, body: dict[str, Any], ids: tuple[int, ...]) -> dict[str, Any]:
        choice: dict[str, Any] = {
            "index": sampled.sample_index,
            "text": sampled.text,
            "finish_reason": sampled.finish_reason,
            "token_ids": list(sampled.token_ids) if self.gives_ids and body.get("return_token_ids") else None,
        }
        if self.knows_prompt_logprobs and "prompt_logprobs" in body:
            tables = [{str(token): {"logprob": value}} for token, value in self._logprobs(ids)]
            choice["prompt_logprobs"] = [None, *tables]
        if self.knows_echo and body.get("echo"):
            choice["logprobs"] = {"token_logprobs": [None, *(value for _, value in self._logprobs(ids)), -1.0]}
        return choice

    def _logprobs(self, ids: tuple[int, ...]) -> list[tuple[int, float]]:
        with torch.no_grad():
            logits = self.model(torch.tensor([ids])).logits[0, :-1]
        values = logits.log_softmax(-1).gather(-1, torch.tensor(ids[1:])[:, None])[:, 0]
        return list(zip(ids[1:], values.tolist(), strict=True))
