"""What the paper found, and what it left open, as claims about differences between methods of the presets."""

from collections.abc import Sequence
from typing import Final, Literal

from aft.paper.columns import highest
from aft.paper.shapes import ASSESSMENT, PERPLEXITY, TASK, Claim, Part

VFT: Final = "VFT"
CONTROL: Final = "VFT · continued"


def _against(
    preset: str, methods: Sequence[str], other: str, metric: str = TASK, sign: Literal[1, -1] = 1
) -> tuple[Part, ...]:
    return tuple(Part(preset, method, other, metric, sign) for method in methods)


def _over_models(methods: Sequence[str], other: str, sign: Literal[1, -1] = 1) -> tuple[Part, ...]:
    return tuple(Part("models", method, other, sign=sign, over="models") for method in methods)


_UNCONSTRAINED: Final = ("RRHF · none", "PRO · none", "AFT · none · ranking")
_REPAIRED: Final = (("RRHF · detached", "RRHF · none"), ("PRO · detached", "PRO · none"))

CLAIMS: Final[tuple[Claim, ...]] = (
    Claim(
        "VFT misjudges COTs: no more than the paper's best model, of 4 on 2 tasks, puts the right COT first",
        "Table 1",
        (
            Part(
                "table-1",
                VFT,
                "the paper's highest",
                "assessment_accuracy_3x3",
                -1,
                level=highest("table1", "vft", "assessment_accuracy"),
            ),
        ),
    ),
    Claim(
        "Models that judge better answer better",
        "Table 1",
        (Part("table-1", VFT, "assessment accuracy", rises_with=ASSESSMENT, over="models"),),
    ),
    Claim(
        "AFT answers better than VFT (right-or-wrong feedback)",
        "Table 2",
        _against("table-2", ("AFT · detached", "AFT · boundary"), VFT),
    ),
    Claim(
        "... and better than VFT trained for as many epochs",
        "not in the paper",
        _against("table-2", ("AFT · detached", "AFT · boundary", "RFT"), CONTROL),
    ),
    Claim(
        "RFT lies between VFT and AFT",
        "Table 2",
        (
            Part("table-2", "RFT", VFT),
            Part("table-2", "AFT · detached", "RFT"),
            Part("table-2", "AFT · boundary", "RFT"),
        ),
    ),
    Claim(
        "AFT judges COTs better than VFT, whatever its epochs",
        "the paper's aim (Section 3)",
        (
            *_against("table-2", ("AFT · detached", "AFT · boundary"), VFT, ASSESSMENT),
            *_against("table-2", ("AFT · detached", "AFT · boundary"), CONTROL, ASSESSMENT),
        ),
    ),
    Claim("Without a constraint AFT damages answers", "Figure 2a", _against("table-2", ("AFT · none",), VFT, sign=-1)),
    Claim(
        "Unconstrained ranking losses answer worse than VFT",
        "Table 4",
        _against("table-4", _UNCONSTRAINED, VFT, sign=-1),
    ),
    Claim(
        "... while they judge COTs better",
        "Table 4",
        _against("table-4", _UNCONSTRAINED, VFT, ASSESSMENT),
    ),
    Claim(
        "... and the perplexity of right COTs rises",
        "Table 4",
        _against("table-4", _UNCONSTRAINED, VFT, PERPLEXITY),
    ),
    Claim(
        "The detached constraint repairs RRHF and PRO",
        "Table 4",
        tuple(Part("table-4", fixed, broken) for fixed, broken in _REPAIRED),
    ),
    Claim(
        "... beyond VFT",
        "Table 4",
        _against("table-4", ("RRHF · detached", "PRO · detached", "AFT · boundary · ranking"), VFT),
    ),
    Claim(
        "... and beyond VFT trained for as many epochs",
        "not in the paper",
        _against("table-4", ("RRHF · detached", "PRO · detached", "AFT · boundary · ranking"), CONTROL),
    ),
    Claim(
        "Constrained methods judge better than VFT",
        "Table 4",
        _against("table-4", ("RRHF · detached", "PRO · detached", "AFT · boundary · ranking"), VFT, ASSESSMENT),
    ),
    Claim(
        "Constrained methods lower the perplexity of right COTs",
        "Table 4",
        _against(
            "table-4", ("RRHF · detached", "PRO · detached", "AFT · boundary · ranking"), VFT, PERPLEXITY, sign=-1
        ),
    ),
    Claim(
        "AFT with the boundary is the best with rated COTs",
        "Table 3",
        _against("table-3", (VFT, "RFT", "RRHF · none", "PRO · none"), "AFT · boundary · ranking", sign=-1),
    ),
    Claim(
        "Detaching the lowest COTs alone is not enough",
        "Table 8",
        _against("table-8", ("AFT · detached-lowest · ranking",), "AFT · detached · ranking", sign=-1),
    ),
    Claim(
        "Without its temperature PRO falls further",
        "Table 11",
        _against("table-11", ("PRO · none · no temperature",), "PRO · none", sign=-1),
    ),
    Claim(
        "... and the constraint repairs either form",
        "Table 11",
        (
            Part("table-11", "PRO · detached", "PRO · none"),
            Part("table-11", "PRO · detached · no temperature", "PRO · none · no temperature"),
        ),
    ),
    Claim(
        "Ranking DPO without a constraint damages answers",
        "not run in the paper (Eq. 16)",
        _against("dpo", ("DPO · none",), VFT, sign=-1),
    ),
    Claim(
        "... and a constraint repairs it",
        "not run in the paper",
        _against("dpo", ("DPO · detached", "DPO · boundary"), "DPO · none"),
    ),
    Claim(
        "A boundary without a hyper-parameter beats a searched β",
        "not in the paper",
        _against("boundaries", ("AFT · boundary · spread", "AFT · boundary · floor"), "AFT · boundary · searched β"),
    ),
    Claim(
        "Accuracy rises and then falls with β",
        "Figure 2c",
        (Part("figure-2c", "AFT · β 0.15", "AFT · β -0.8"), Part("figure-2c", "AFT · β 0.15", "AFT · β 0.8")),
    ),
    Claim(
        "More candidates are better",
        "Figure 2b",
        (
            Part("figure-2b", "AFT · detached · k 24", "AFT · detached · k 3"),
            Part("figure-2b", "AFT · boundary · k 24", "AFT · boundary · k 3"),
        ),
    ),
    Claim(
        "Low-quality negatives do not damage answers, good ones do",
        "Figure 2a",
        (
            Part("figure-2a", "AFT · none · α 0", VFT, sign=-1),
            Part("figure-2a", "RRHF · none · α 0", VFT, sign=-1),
            Part("figure-2a", "AFT · none · α 0.6", VFT),
            Part("figure-2a", "RRHF · none · α 0.6", VFT),
        ),
    ),
    Claim(
        "AFT gains over VFT under majority votes, too",
        "Figure 2d",
        (
            Part("figure-2d", "AFT · detached", VFT, "self_consistency@16"),
            Part("figure-2d", "AFT · boundary", VFT, "self_consistency@16"),
        ),
    ),
    Claim(
        "... and gains more from votes than VFT does",
        "Figure 2d",
        tuple(
            Part("figure-2d", method, VFT, "self_consistency@16", minus="self_consistency@1")
            for method in ("AFT · detached", "AFT · boundary")
        ),
    ),
    Claim(
        "With noisy references longer VFT gets worse",
        "not in the paper",
        _against("noisy-references", (CONTROL, f"{CONTROL} · 4 x epochs"), VFT, sign=-1),
    ),
    Claim(
        "... and AFT better, beyond longer VFT",
        "not in the paper",
        (
            *_against("noisy-references", ("AFT · detached", "AFT · boundary"), VFT),
            *_against("noisy-references", ("AFT · detached", "AFT · boundary"), CONTROL),
        ),
    ),
    Claim(
        "AFT answers better than VFT that saw as many tokens",
        "not in the paper",
        (
            Part("token-control", "AFT · detached", f"{CONTROL} · 3 x epochs"),
            Part("token-control", "AFT · boundary", f"{CONTROL} · 9 x epochs"),
        ),
    ),
    Claim(
        "On other base models, too, AFT answers better than VFT",
        "Table 2, model by model",
        _over_models(("AFT · detached", "AFT · boundary"), VFT),
    ),
    Claim(
        "... and better than VFT trained for as many epochs",
        "not in the paper",
        _over_models(("AFT · detached", "AFT · boundary", "RFT"), CONTROL),
    ),
    Claim(
        "... and without a constraint it damages answers",
        "Figure 2a",
        _over_models(("AFT · none",), VFT, sign=-1),
    ),
    Claim(
        "A smaller gradient factor damages RRHF less",
        "Table 10",
        (Part("table-10", "RRHF · none · factor 0.1", "RRHF · none"),),
    ),
)
