"""An experiment on candidates and ratings that exist: nothing is sampled or rated anew for training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aft.config.training import TrainConfig
from backend.services.planning import PlannedRun


@dataclass(frozen=True, slots=True)
class GivenRatings:
    """The candidate set of a ranking set, or one that was chosen by itself."""

    set_id: str | None
    """The ranking set; None where only the candidates are given."""
    run_id: str
    inputs: Mapping[str, Any]
    """The candidate set's own: which training questions it is about."""


def with_given_ratings(
    planned: Sequence[PlannedRun], given: GivenRatings | None, agreement_set_id: str | None
) -> list[PlannedRun]:
    """The plan with what a ranking set replaces taken out.

    Args:
        planned: Runs as they would be without one.
        given: Candidates and ratings to train on; None leaves the sampling as it is.
        agreement_set_id: Ranking set whose order every reported evaluation's scores are compared with.
    """
    runs = list(planned)
    if given is not None:
        stages = {"sample"} if given.set_id is None else {"sample", "rate"}
        replaced = {run.cell: run.stage for run in runs if run.stage in stages}
        runs = [_on_given(run, replaced, given) for run in runs if run.cell not in replaced]
    if agreement_set_id is not None:
        compared = {"agreement_set_id": agreement_set_id}
        runs = [replace(run, inputs=run.inputs | compared) if run.stage == "evaluate" else run for run in runs]
    return runs


def _on_given(run: PlannedRun, replaced: Mapping[str, str], given: GivenRatings) -> PlannedRun:
    inputs = dict(run.inputs)
    if given.inputs.get("train_questions") is not None and "train_questions" in inputs:
        # Every seed trains on the questions that were rated, not on a draw of its own.
        inputs |= {key: given.inputs.get(key) for key in ("train_questions", "question_seed")}
    if given.set_id is not None and isinstance(run.config, TrainConfig) and run.config.feedback == "ranking":
        inputs["ranking_set_id"] = given.set_id
    outside = {role: given.run_id for role, cell in run.parents.items() if replaced.get(cell) == "sample"}
    parents = {role: cell for role, cell in run.parents.items() if cell not in replaced}
    return replace(run, inputs=inputs, parents=parents, outside={**run.outside, **outside})
