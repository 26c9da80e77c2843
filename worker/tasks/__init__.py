"""What the computing process does, one module per kind of run: ``CONFIG``, and ``run(context)``."""

import importlib
from collections.abc import Callable
from typing import Protocol, cast

from pydantic import BaseModel

from worker.context import RunContext
from worker.failures import RunFailure

MODULES = {
    "pretrain": "pretraining",
    "train": "training",
    "sample": "sampling",
    "rate": "rating",
    "score": "scoring",
    "evaluate": "evaluation",
    "search": "searching",
    "regrade": "regrading",
    "import": "importing",
    "import-cots": "importing_cots",
}
WITHOUT_TORCH = frozenset({"rate", "search", "import", "import-cots", "regrade"})


class Task(Protocol):
    """A module of this package."""

    CONFIG: type[BaseModel]
    run: Callable[[RunContext], None]


def find(kind: str) -> Task:
    """The task of a kind of run.

    Raises:
        RunFailure: If there is none.
    """
    if kind not in MODULES:
        raise RunFailure(
            f"No task is known for kind '{kind}'",
            f"This worker computes {', '.join(MODULES)}.",
            "Update the worker to the server's version.",
        )
    return cast(Task, importlib.import_module(f"worker.tasks.{MODULES[kind]}"))


def load_all() -> None:
    """Import every task; the nursery does so once for all."""
    for kind in MODULES:
        find(kind)
