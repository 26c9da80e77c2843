"""Base models of the built-in task beside the default one, for what is said over models (Table 1)."""

from dataclasses import dataclass
from typing import Final

from aft.config.training import BuiltinModelConfig


@dataclass(frozen=True, slots=True)
class Base:
    """A base model that a run makes on this machine."""

    key: str
    """What a preset calls it; resolved to the registered model's id."""
    name: str
    config: BuiltinModelConfig


OTHER_BASES: Final = (
    Base(
        "builtin:smaller",
        "Smaller Llama (built-in)",
        BuiltinModelConfig(hidden_size=64, layers=2, heads=2, mlp_size=176),
    ),
    Base("builtin:second", "Reseeded Llama (built-in)", BuiltinModelConfig(seed=1)),
    Base("builtin:taught", "Cleaner-data Llama (built-in)", BuiltinModelConfig(corruption=0.7)),
    Base(
        "builtin:larger",
        "Larger Llama (built-in)",
        BuiltinModelConfig(hidden_size=160, layers=4, heads=5, mlp_size=432, learning_rate=2.5e-3),
    ),
)
"""108 thousand parameters; the default's, made anew; the default's, with fewer wrong operations in what it reads; 1.3
million parameters. Chosen to differ in what they can do, before anything was measured on them."""
