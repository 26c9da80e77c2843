"""One method of the paper: a loss, its constraint and their few numbers."""

from typing import Literal

from pydantic import Field, model_validator

from aft.config.base import Config

MethodName = Literal["vft", "vft-continued", "rft", "aft", "rrhf", "pro", "dpo"]
Constraint = Literal["none", "detached", "detached-lowest", "boundary"]

RANKING_METHODS: frozenset[str] = frozenset({"aft", "rrhf", "pro", "dpo"})
BoundaryRule = Literal["beta", "spread", "floor"]
DEFAULT_BOUNDARY_BETA = 0.15
DEFAULT_EPOCHS_FACTOR = 2


class MethodConfig(Config):
    """What is trained: ``L_VFT + weight * L_rank`` (Eq. 4)."""

    name: MethodName
    """The loss: vft (Eq. 1), its equal-epoch control, rft, aft (Eq. 6), rrhf (18), pro (20), dpo (16)."""
    constraint: Constraint = "none"
    """Keeps worse COTs up: none, detached (Eq. 7, 12), detached-lowest (Eq. 13) or boundary (Eq. 8, 11)."""
    boundary_beta: float | None = Field(default=None, ge=-5, le=5)
    """β of the boundary constraint in nats a token; only with constraint = boundary (default 0.15)."""
    boundary_rule: BoundaryRule = "beta"
    """Where the boundary lies: beta below the lowest better COT (the paper's), by as much as the question's scores
    under the VFT model spread (spread), or at each worse COT's own score under the VFT model (floor)."""
    beta: float | None = Field(default=None, gt=0, le=100)
    """RRHF's gradient factor (Table 10, default 1) or DPO's β (default 1); no other method has one."""
    feedback: Literal["binary", "ranking"] | None = None
    """Overrides the experiment's feedback for this method."""
    temperature: bool = True
    """PRO only: scale by rating differences (Eq. 21); off sets every temperature to 1 (Table 11)."""
    weight: float = Field(default=1.0, gt=0, le=100)
    """Weight of the ranking loss beside the VFT loss."""
    sft_on: Literal["reference", "best"] = "reference"
    """Which response the VFT term learns: the reference, or the best-rated candidate (RRHF's and PRO's releases)."""
    distinct: Literal["texts", "equations"] = "texts"
    """RFT only: which right COTs of a question are learned, all of distinct text, or one for every distinct list of
    equations and none with a wrong calculation, as RFT was first published."""
    boundary_search: bool = False
    """β of the boundary is chosen on validation questions by the experiment's β search; only with constraint =
    boundary and no boundary_beta."""
    k: int | None = Field(default=None, ge=2, le=1024)
    """Use only the first k sampled COTs of each question; by default all that the experiment samples."""
    negative_noise: float | None = Field(default=None, ge=0, le=1)
    """α of Figure 2a: the share of each wrong COT's characters that full stops replace; by default none."""
    epochs_factor: int | None = Field(default=None, ge=2, le=100)
    """vft-continued only: how many times the experiment's epochs it has in all, counted from the base model (default
    2, which is the equal-epoch control; more for a control that sees as many tokens as a method)."""
    label: str | None = Field(default=None, min_length=1, max_length=60)
    """A name of your own for this method; by default the paper's, with the constraint behind a dot."""

    @model_validator(mode="after")
    def _settings_belong_to_the_method(self) -> "MethodConfig":
        if self.name not in RANKING_METHODS and self.constraint != "none":
            msg = (
                f"constraint '{self.constraint}' does not apply to method '{self.name}', which has no "
                "ranking loss. Remove the constraint, or choose aft, rrhf, pro or dpo."
            )
            raise ValueError(msg)
        if self.boundary_beta is not None and self.constraint != "boundary":
            msg = (
                f"boundary_beta {self.boundary_beta:g} does not apply to constraint '{self.constraint}'. "
                "Remove it, or set the constraint to boundary."
            )
            raise ValueError(msg)
        if self.boundary_rule != "beta" and (self.constraint != "boundary" or self.boundary_beta is not None):
            other = "boundary_beta" if self.boundary_beta is not None else f"constraint '{self.constraint}'"
            msg = (
                f"boundary_rule '{self.boundary_rule}' does not go with {other}: it needs constraint boundary and "
                "takes no β. Remove one of them."
            )
            raise ValueError(msg)
        if self.boundary_search and (self.constraint != "boundary" or not self._beta_is_free):
            other = f"constraint '{self.constraint}'" if self.constraint != "boundary" else "a boundary given otherwise"
            msg = (
                f"boundary_search does not go with {other}: it chooses the β of the boundary constraint. Remove one "
                "of them."
            )
            raise ValueError(msg)
        if self.k is not None and not self.uses_candidates:
            raise ValueError(f"k {self.k} does not apply to method '{self.name}', which uses no candidates. Remove it.")
        if self.negative_noise is not None and (self.name not in RANKING_METHODS or self.needs_reference_scores):
            msg = (
                f"negative_noise {self.negative_noise:g} does not apply to '{method_label(self)}': it replaces "
                "characters of the worse COTs of a ranking loss, and scores under a reference model are of the COTs "
                "as sampled. Remove it, or choose aft, rrhf or pro without such scores."
            )
            raise ValueError(msg)
        if self.beta is not None and self.name not in {"rrhf", "dpo"}:
            msg = (
                f"beta {self.beta:g} does not apply to method '{self.name}': only rrhf and dpo have one. "
                "Remove it; the boundary's β is boundary_beta."
            )
            raise ValueError(msg)
        if self.weight != 1.0 and self.name not in RANKING_METHODS:
            msg = (
                f"weight {self.weight:g} does not apply to method '{self.name}', which has no ranking loss to weigh. "
                "Remove it, or choose aft, rrhf, pro or dpo."
            )
            raise ValueError(msg)
        if self.distinct != "texts" and self.name != "rft":
            msg = f"distinct '{self.distinct}' does not apply to method '{self.name}': only rft has it. Remove it."
            raise ValueError(msg)
        if self.epochs_factor is not None and self.name != "vft-continued":
            msg = (
                f"epochs_factor {self.epochs_factor} does not apply to method '{self.name}': only vft-continued has "
                "one. Remove it."
            )
            raise ValueError(msg)
        if not self.temperature and self.name != "pro":
            msg = f"temperature = false does not apply to method '{self.name}': only pro has one. Remove it."
            raise ValueError(msg)
        return self

    @property
    def _beta_is_free(self) -> bool:
        return self.boundary_beta is None and self.boundary_rule == "beta"

    @property
    def uses_candidates(self) -> bool:
        """Whether sampled COTs are part of the training data."""
        return self.name == "rft" or self.name in RANKING_METHODS or self.sft_on == "best"

    @property
    def needs_reference_scores(self) -> bool:
        """Whether the candidates' scores under the VFT model are part of the loss."""
        return self.name == "dpo" or self.boundary_rule != "beta"


_DISPLAY = {
    "vft": "VFT",
    "vft-continued": "VFT · continued",
    "rft": "RFT",
    "aft": "AFT",
    "rrhf": "RRHF",
    "pro": "PRO",
    "dpo": "DPO",
}


def method_label(method: MethodConfig) -> str:
    """The method's one name in tables, charts, YAML and files: ``AFT · boundary``.

    Settings that differ from the default are added, so that two variants never share a label.
    """
    if method.label is not None:
        return method.label
    parts = [_DISPLAY[method.name]]
    if method.name in RANKING_METHODS:
        parts.append(method.constraint)
    if method.feedback is not None and method.name == "aft":
        parts.append(method.feedback)
    if method.boundary_beta is not None and method.boundary_beta != DEFAULT_BOUNDARY_BETA:
        parts.append(f"β {method.boundary_beta:g}")
    if method.boundary_rule != "beta":
        parts.append(method.boundary_rule)
    if method.boundary_search:
        parts.append("searched β")
    if method.beta is not None and method.beta != 1.0:
        parts.append(f"factor {method.beta:g}" if method.name == "rrhf" else f"DPO β {method.beta:g}")
    if not method.temperature:
        parts.append("no temperature")
    if method.distinct != "texts":
        parts.append(f"distinct {method.distinct}")
    if method.weight != 1.0:
        parts.append(f"weight {method.weight:g}")
    if method.sft_on != "reference":
        parts.append(f"SFT on {method.sft_on}")
    if method.epochs_factor is not None and method.epochs_factor != DEFAULT_EPOCHS_FACTOR:
        parts.append(f"{method.epochs_factor} x epochs")
    if method.k is not None:
        parts.append(f"k {method.k}")
    if method.negative_noise is not None:
        parts.append(f"α {method.negative_noise:g}")
    return " · ".join(parts)
