"""The methods that the paper's tables and figures compare, as the presets share them."""

from typing import Any, Final

from aft.config.method import MethodConfig


def method(name: str, constraint: str = "none", **settings: Any) -> MethodConfig:
    """A method by name, constraint and what else differs from the defaults."""
    return MethodConfig.model_validate({"name": name, "constraint": constraint, **settings})


def ranked(name: str, constraint: str = "none", **settings: Any) -> MethodConfig:
    """The same, trained on ratings."""
    return method(name, constraint, feedback="ranking", **settings)


VFT: Final = method("vft")
CONTROL: Final = method("vft-continued")
RFT: Final = method("rft")
BASELINES: Final = (VFT, CONTROL)
RANK_DATA: Final = {"k": 8, "feedback": "ranking"}
ALPHAS: Final = (0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
MINI_ALPHAS: Final = (0.0, 0.1, 0.3, 0.6, 1.0)
BETAS: Final = (-0.8, -0.4, -0.2, 0.0, 0.1, 0.15, 0.2, 0.4, 0.8)
MINI_BETAS: Final = (-0.8, -0.4, 0.0, 0.15, 0.4, 0.8)
FACTORS: Final = tuple(round(0.1 * tenth, 1) for tenth in range(1, 11))
KS: Final = (8, 16, 32, 64)
MINI_KS: Final = (3, 6, 12, 24)
MODELS: Final = ("llama-7b", "llama2-7b", "llama-13b", "llama2-13b")
RANK_COLUMN: Final = "llama-7b/gsm8k-rank"


def noisy(alphas: tuple[float, ...]) -> tuple[MethodConfig, ...]:
    """AFT and RRHF with a share of each negative replaced (Figure 2a)."""
    return tuple(method(name, negative_noise=alpha) for name in ("aft", "rrhf") for alpha in alphas)


def bounded(betas: tuple[float, ...]) -> tuple[MethodConfig, ...]:
    """AFT with the boundary at each β (Figure 2c)."""
    return tuple(method("aft", "boundary", boundary_beta=beta, label=f"AFT · β {beta:g}") for beta in betas)


def sampled(ks: tuple[int, ...]) -> tuple[MethodConfig, ...]:
    """AFT with each number of candidates (Figure 2b)."""
    return tuple(method("aft", constraint, k=k) for constraint in ("detached", "boundary") for k in ks)


RANKED_AFT: Final = tuple(
    ranked("aft", constraint) for constraint in ("none", "detached", "detached-lowest", "boundary")
)
ALL: Final = (
    *BASELINES,
    RFT,
    method("aft"),
    method("aft", "detached"),
    method("aft", "boundary"),
    *RANKED_AFT,
    *(ranked(name, constraint) for name in ("rrhf", "pro", "dpo") for constraint in ("none", "detached")),
)
