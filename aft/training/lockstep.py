"""Passes that all processes do together, because the weights or the gradients are spread over them.

Under ZeRO-2 every backward pass and under ZeRO-3 every forward pass is a conversation of all processes, so they must
do the same passes in the same order, although each has questions of its own. Before a pass they settle what comes
next: somebody still has to score without gradient, or to do a forward and backward pass. Whoever has nothing of that
kind computes two tokens with weight 0.
"""

import math
from collections.abc import Sequence
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from aft.config.training import TrainConfig
from aft.packing import GroupIds, Microbatch, Row
from aft.scoring import microbatch_token_logprobs, positions_per_chunk
from aft.training.passes import Passes
from aft.training.ranks import Ranks

_DUMMY: list[GroupIds] = [((0,), ((0,),))]
_FAILED, _SCORING, _TRAINING, _CHUNKS = range(4)


class ScoringModule(nn.Module):
    """A model whose forward pass is that of a micro-batch: what DeepSpeed wraps."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, groups: Sequence[GroupIds], microbatch: Microbatch, chunks: int) -> Tensor:
        """Token log-probabilities of all responses, with the projection to logits called ``chunks`` times.

        One tensor, because DeepSpeed counts the results.
        """
        return torch.cat(microbatch_token_logprobs(self.model, groups, microbatch, chunks=chunks))  # type: ignore[arg-type]


class OtherFailed(FloatingPointError):
    """Another process has left the step; this one leaves it, too."""


class Lockstep(Passes):
    """The passes of one process, at the pace of all."""

    # Whether a graph is kept and for how long must not depend on a process's own questions.
    most_kept = 1

    def __init__(self, engine: Any, model: Any, config: TrainConfig, ranks: Ranks) -> None:
        super().__init__(model, config)
        self.tokens_per_pass = config.tokens_per_microbatch
        self._engine, self._ranks = engine, ranks
        self._dummy = Microbatch((Row(0, (0,), (0,), 2),), self.shares_prefix)
        self._positions = positions_per_chunk(model)
        self._unfinished: tuple[Tensor, ...] = ()

    def forward(self, groups: Sequence[GroupIds], microbatch: Microbatch) -> tuple[Tensor, ...]:
        """See ``Passes``; returns when it was this process's turn."""
        kind = _TRAINING if torch.is_grad_enabled() else _SCORING
        lengths = [len(groups[group][1][response]) for group, response in microbatch.items]
        chunks = self._wait_for(kind, math.ceil(sum(lengths) / self._positions))
        tokens = torch.split(self._engine(groups, microbatch, chunks), lengths)
        if kind == _TRAINING:
            self._unfinished = tokens
        return tokens

    def backward(self, values: Sequence[Tensor], weights: Sequence[Tensor]) -> None:
        """See ``Passes``; follows the forward pass at once."""
        self._unfinished = ()
        total = torch.stack([(value * weight).sum() for value, weight in zip(values, weights, strict=True)]).sum()
        # DeepSpeed takes the mean over the processes; the step's gradient is the sum.
        self._engine.backward(total * self._ranks.processes)

    def finish(self) -> None:
        """Keep the others company until all are done; there is a backward pass in every step."""
        self._wait_for(None, 1)

    def fail(self, problem: str) -> NoReturn:
        """Let all processes leave the step.

        Raises:
            FloatingPointError: Here and in every other process.
        """
        if self._unfinished:
            self.backward(self._unfinished, [torch.zeros_like(each) for each in self._unfinished])
        self._settle(_FAILED, 1)
        raise FloatingPointError(problem)

    def _wait_for(self, kind: int | None, chunks: int) -> int:
        """Do what comes before this kind of pass; returns the number of chunks all processes use in it."""
        while True:
            found = self._settle(kind, chunks)
            next_kind = _SCORING if found[_SCORING] else _TRAINING if found[_TRAINING] else None
            if next_kind == kind:
                return int(found[_CHUNKS])
            with torch.set_grad_enabled(next_kind == _TRAINING):
                tokens = self._engine(_DUMMY, self._dummy, int(found[_CHUNKS]))
            if next_kind == _TRAINING:
                self._engine.backward(tokens.sum() * 0.0)

    def _settle(self, kind: int | None, chunks: int) -> list[float]:
        wishes = [float(kind == each) for each in (_FAILED, _SCORING, _TRAINING)]
        found = self._ranks.largest([*wishes, float(chunks)])
        if found[_FAILED] and kind != _FAILED:
            raise OtherFailed("a score or the loss of another process is not finite")
        return found
