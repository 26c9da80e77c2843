"""The processes of one training: who this one is, and the few things they settle together."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

PATIENCE = timedelta(hours=6)
"""How long a process waits for the others: an evaluation is one process's work."""


_CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among ``processes``; alone, every method is free."""

    rank: int = 0
    processes: int = 1
    device: torch.device = _CPU

    @property
    def is_first(self) -> bool:
        """Whether this process writes checkpoints and metrics."""
        return self.rank == 0

    def any(self, *flags: bool) -> tuple[bool, ...]:
        """For each flag, whether it is set in any process."""
        if self.processes == 1:
            return flags
        return tuple(bool(value) for value in self.largest([float(flag) for flag in flags]))

    def largest(self, values: Sequence[float]) -> list[float]:
        """The largest of each value over the processes."""
        return self._reduced(values, dist.ReduceOp.MAX)

    def sum(self, values: Sequence[float]) -> list[float]:
        """The sum of each value over the processes, in float64."""
        return self._reduced(values, dist.ReduceOp.SUM)

    def add_up(self, tensor: Tensor) -> None:
        """Replace a tensor by its sum over the processes, which is the same bits in all of them."""
        if self.processes > 1:
            dist.all_reduce(tensor, op=dist.ReduceOp.SUM)

    def from_first(self, make: Callable[[], Any]) -> Any:
        """What ``make`` returns in the first process, in all of them; anything JSON holds."""
        if self.processes == 1:
            return make()
        content = json.dumps(make()).encode() if self.is_first else b""
        size = torch.tensor([len(content)], dtype=torch.long, device=self.device)
        dist.broadcast(size, src=0)
        text = torch.zeros(int(size), dtype=torch.uint8, device=self.device)
        if self.is_first:
            text.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
        dist.broadcast(text, src=0)
        return json.loads(text.cpu().numpy().tobytes())

    def wait(self) -> None:
        """Go on when all processes are here."""
        if self.processes > 1:
            # Not a barrier: NCCL's would guess a device.
            self.add_up(torch.zeros(1, device=self.device))

    def leave(self) -> None:
        """End the communication."""
        if self.processes > 1 and dist.is_initialized():
            dist.destroy_process_group()

    def _reduced(self, values: Sequence[float], how: Any) -> list[float]:
        if self.processes == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(tensor, op=how)
        return [float(value) for value in tensor]


ALONE = Ranks()


def join(environment: Mapping[str, str] = os.environ, *, rendezvous: Path | None = None) -> Ranks:
    """Join the processes that ``torchrun``, DeepSpeed's launcher or our worker started; alone without any.

    Args:
        environment: ``RANK``, ``WORLD_SIZE`` and ``LOCAL_RANK``, and where they meet: ``MASTER_ADDR``, ``MASTER_PORT``.
        rendezvous: A file that does not exist yet, for processes of one machine; then no port is needed.
    """
    processes = int(environment.get("WORLD_SIZE", "1"))
    local = int(environment.get("LOCAL_RANK", "0"))
    has_gpu = torch.cuda.is_available()
    device = torch.device("cuda", local) if has_gpu else torch.device("cpu")
    if processes == 1:
        return Ranks(device=device)
    rank = int(environment["RANK"])
    if has_gpu:
        torch.cuda.set_device(device)
    elif rendezvous is not None and sys.platform == "linux":
        # The machine's own name may lead nowhere in a container.
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    dist.init_process_group(
        "nccl" if has_gpu else "gloo",
        init_method="env://" if rendezvous is None else f"file://{rendezvous}",
        rank=rank,
        world_size=processes,
        timeout=PATIENCE,
    )
    return Ranks(rank, processes, device)
