"""What the paper found, as claims about differences between methods that an experiment can bear out or not.

A claim is judged by the paired t-test over seeds. No claim is made to hold by choosing among its parts: every part is
shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from aft.paper.columns import highest
from aft.statistics import Tested, holm, paired_t

Verdict = Literal["holds", "in the direction, within noise", "not seen", "the opposite", "missing"]
SeedValues: TypeAlias = Mapping[str, float]
"""Seed -> value."""
Table: TypeAlias = Mapping[tuple[str, str], SeedValues]
"""(method label, metric) -> values of one experiment."""
NOISE_LEVEL: Final = 0.05

TASK: Final = "task_accuracy"
ASSESSMENT: Final = "assessment_accuracy"
PERPLEXITY: Final = "perplexity"


@dataclass(frozen=True, slots=True)
class Part:
    """One difference that a claim is about: method minus other, expected above or below 0."""

    preset: str
    method: str
    other: str
    metric: str = TASK
    sign: Literal[1, -1] = 1
    minus: str | None = None
    """Of both, the gain of ``metric`` over this one is compared."""
    level: float | None = None
    """A published value in place of the other method's; ``other`` then says whose."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A finding of the paper."""

    name: str
    where: str
    """Its table or figure."""
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A part with what was measured."""

    part: Part
    tested: Tested | None
    verdict: Verdict


def judge(part: Part, tables: Mapping[str, Table]) -> Judged:
    """Compare the two methods over the seeds they share; below two seeds nothing can be said."""
    table = tables.get(part.preset, {})
    mine = _values(table, part.method, part)
    theirs = _values(table, part.other, part) if part.level is None else dict.fromkeys(mine, part.level)
    seeds = [seed for seed in mine if seed in theirs]
    tested = paired_t([mine[seed] for seed in seeds], [theirs[seed] for seed in seeds])
    if tested is None:
        return Judged(part, None, "missing")
    agrees = tested.difference * part.sign > 0
    clear = tested.p < NOISE_LEVEL
    verdict: Verdict = "holds" if clear else "in the direction, within noise"
    if not agrees:
        verdict = "the opposite" if clear else "not seen"
    return Judged(part, tested, verdict)


def _values(table: Table, method: str, part: Part) -> SeedValues:
    values = table.get((method, part.metric), {})
    if part.minus is None:
        return values
    before = table.get((method, part.minus), {})
    return {seed: value - before[seed] for seed, value in values.items() if seed in before}


def corrected(judged: Sequence[Judged]) -> tuple[int, int, int]:
    """Of the differences tested: how many, how many with p < 0.05, and how many of them after Holm's correction."""
    ps = [item.tested.p for item in judged if item.tested is not None]
    return len(ps), sum(p < NOISE_LEVEL for p in ps), sum(p is not None and p < NOISE_LEVEL for p in holm(ps))


def summary(judged: Sequence[Judged]) -> Verdict | Literal["in part", "within noise"]:
    """A claim in a word: what all its measured parts have in common, else whether some hold, or all are noise."""
    verdicts = {item.verdict for item in judged if item.verdict != "missing"}
    if not verdicts:
        return "missing"
    if len(verdicts) == 1:
        return verdicts.pop()
    if "holds" in verdicts:
        return "in part"
    return "not seen" if "the opposite" in verdicts else "within noise"


VFT: Final = "VFT"
CONTROL: Final = "VFT · continued"


def _against(
    preset: str, methods: Sequence[str], other: str, metric: str = TASK, sign: Literal[1, -1] = 1
) -> tuple[Part, ...]:
    return tuple(Part(preset, method, other, metric, sign) for method in methods)


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
        "A smaller gradient factor damages RRHF less",
        "Table 10",
        (Part("table-10", "RRHF · none · factor 0.1", "RRHF · none"),),
    ),
)
