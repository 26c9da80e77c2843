"""The comparison table of chosen runs from measured values: pure, so that a bundle recomputes it without a database."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from backend.schemas.comparison import Comparison, ComparisonOptions
from backend.services import comparison_table
from backend.services.comparison_table import METRICS, Arm, Measured
from backend.services.comparison_tests import ReadOutcomes

SHARE_NO_SEED = "The rows share no seed, so that nothing is paired: Welch's test compares them as they are."


@dataclass(frozen=True, slots=True)
class Chosen:
    """The rows to be, in their order."""

    arms: Sequence[Arm]
    seeds: Sequence[int]
    """Of all of them, ascending."""
    notes: Sequence[str]
    """What the runs' data and models make a reader know."""


def as_json(chosen: Chosen) -> dict[str, Any]:
    """What `from_json` reads."""
    return {"arms": [asdict(arm) for arm in chosen.arms], "seeds": list(chosen.seeds), "notes": list(chosen.notes)}


def from_json(body: Mapping[str, Any]) -> Chosen:
    """Rows as a bundle holds them."""
    return Chosen([Arm(**arm) for arm in body["arms"]], [int(seed) for seed in body["seeds"]], list(body["notes"]))


def build(chosen: Chosen, measured: Measured, read: ReadOutcomes, options: ComparisonOptions) -> Comparison:
    """Rows against a baseline, the first VFT or else the first of them.

    Args:
        chosen: The rows.
        measured: What their evaluations found; a row's runs name the seeds it was evaluated under, well or not.
        read: Outcomes per question of an evaluation, read when the test needs them.
        options: Baseline, test and seed.

    Raises:
        Invalid: If the baseline or the seed does not exist.
    """
    arms = chosen.arms
    baseline = options.baseline or next((arm.label for arm in arms if arm.family == "vft"), arms[0].label)
    taken = [set(measured.run_ids[arm.label]) for arm in arms]
    common = sorted(map(int, set.intersection(*taken)))
    seed = options.seed if options.seed is not None else common[0] if common else None
    table = comparison_table.build_arms(
        arms, list(chosen.seeds), METRICS, measured, read,
        options.model_copy(update={"baseline": baseline, "seed": seed, "block": None}), across_seeds=True,
    )  # fmt: skip
    unpaired = len(taken) > 1 and not common and any(len(seeds) > 1 for seeds in taken)
    changes: dict[str, Any] = {"notes": [*chosen.notes, *([SHARE_NO_SEED] if unpaired else []), *table.notes]}
    if not common:
        # One run each, of different seeds: the two are compared as they are.
        changes |= {"seed": None, "test_about": table.test_about.replace(f", seed {table.seed}", "")}
    return table.model_copy(update=changes)
