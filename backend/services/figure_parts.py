"""What the figures of an experiment read beside the comparison: series, scores, settings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import plotly.graph_objects as go
from sqlalchemy import case, select
from sqlalchemy.orm import Session

from aft.config.method import MethodConfig, method_label
from aft.metrics import mean_and_std
from backend.charts.curves import MethodSeries
from backend.charts.methods import MethodValues
from backend.charts.sweeps import Sweep, SweepPoint
from backend.db.models import Candidate, Result, RunParent, Score
from backend.schemas.comparison import Comparison, MethodRow
from backend.services import metrics

SETTINGS: Final = {
    "boundary_beta": "β of the boundary (nats/token)",
    "beta": "β, or RRHF's gradient factor",
    "weight": "Weight of the ranking loss",
    "k": "k, candidates of each question",
    "negative_noise": "α, share of characters replaced",
}
"""Numeric settings of a method that a sweep can vary."""
_OF_ONE_LOSS: Final = {frozenset({"rrhf"}): "RRHF's gradient factor", frozenset({"dpo"}): "β of DPO"}
VOTES_PREFIX: Final = "self_consistency@"
_IMPLIED: Final = {"boundary_beta": 0.15, "beta": 1.0, "negative_noise": 0.0}


@dataclass(frozen=True, slots=True)
class MadeFigure:
    """A figure with what a reader without eyes for it needs."""

    title: str
    description: str
    figure: go.Figure
    columns: list[str]
    rows: list[list[Any]]


@dataclass(frozen=True, slots=True)
class ScoredCandidates:
    """Fresh candidates of a method over its seeds."""

    right: list[float]
    wrong: list[float]


def series(
    session: Session, rows: Sequence[MethodRow], name: str, *, scale: float = 1.0, max_points: int = 200
) -> list[MethodSeries]:
    """A series of every method's training runs, by seed."""
    places = {
        kinds["train"]: (row.method, seed) for row in rows for seed, kinds in row.run_ids.items() if "train" in kinds
    }
    found: dict[str, dict[str, list[tuple[int, float]]]] = {row.method: {} for row in rows}
    for run_id, points in metrics.read_many(session, list(places), name, max_points).items():
        method, seed = places[run_id]
        found[method][seed] = [(step, value * scale) for step, value in points]
    return [MethodSeries(row.method, row.family, row.constraint, found[row.method]) for row in rows]


def scored(session: Session, rows: Sequence[MethodRow]) -> dict[str, ScoredCandidates]:
    """Scores of the fresh assessment candidates under each method's models; texts that repeat count once."""
    methods = {kinds["evaluate"]: row.method for row in rows for kinds in row.run_ids.values() if "evaluate" in kinds}
    roles: dict[str, dict[str, str]] = {}
    parents = select(RunParent.run_id, RunParent.role, RunParent.parent_id).where(RunParent.run_id.in_(list(methods)))
    for run_id, role, parent_id in session.execute(parents):
        roles.setdefault(run_id, {})[role] = parent_id
    found = {row.method: ScoredCandidates([], []) for row in rows}
    is_right = case((Candidate.verdict == "right", 1), else_=0)
    for run_id, inputs in roles.items():
        if not {"assessment", "checkpoint"} <= set(inputs):
            continue
        query = (
            select(Score.score, is_right)
            .join(Candidate, Candidate.id == Score.candidate_id)
            .where(
                Candidate.run_id == inputs["assessment"],
                Candidate.is_duplicate.is_(False),
                Score.model_run_id == inputs["checkpoint"],
            )
        )
        mine = found[methods[run_id]]
        for score, right in session.execute(query):
            (mine.right if right else mine.wrong).append(score)
    return found


def setting_title(methods: Sequence[MethodConfig], setting: str) -> str:
    """The setting in words: `beta` is a factor of RRHF's and a temperature of DPO's."""
    losses = frozenset(method.name for method in methods if setting_value(method, setting) is not None)
    return _OF_ONE_LOSS.get(losses, SETTINGS[setting]) if setting == "beta" else SETTINGS[setting]


def sweeps(
    methods: Sequence[MethodConfig], values: Mapping[str, MethodValues], setting: str, sampled_k: int | None = None
) -> list[Sweep]:
    """Methods that differ in ``setting`` only, at least two of them, as curves."""
    groups: dict[MethodConfig, list[SweepPoint]] = {}
    for method in methods:
        label = method_label(method)
        x = setting_value(method, setting, sampled_k)
        if x is None or label not in values:
            continue
        # A label of one's own tells two variants apart; here they are to fall together.
        shared = method.model_copy(update={setting: None, "label": None})
        groups.setdefault(shared, []).append(SweepPoint(x, values[label]))
    return [
        Sweep(
            method_label(shared.model_copy(update={setting: MethodConfig.model_fields[setting].default})),
            setting_title(methods, setting),
            points,
        )
        for shared, points in groups.items()
        if len({point.x for point in points}) > 1
    ]


def votes(session: Session, rows: Sequence[MethodRow], values: Mapping[str, MethodValues]) -> list[Sweep]:
    """Task accuracy by majority vote over the number of sampled paths (Figure 2d), a curve a method."""
    places = {
        kinds["evaluate"]: (row.method, seed)
        for row in rows
        for seed, kinds in row.run_ids.items()
        if "evaluate" in kinds
    }
    query = select(Result.run_id, Result.metric, Result.value).where(
        Result.run_id.in_(list(places)), Result.metric.startswith(VOTES_PREFIX)
    )
    found: dict[str, dict[int, dict[str, float]]] = {}
    for run_id, metric, value in session.execute(query):
        method, seed = places[run_id]
        if value is not None:
            paths = int(metric.removeprefix(VOTES_PREFIX))
            found.setdefault(method, {}).setdefault(paths, {})[seed] = 100 * value
    curves = []
    for method in [row.method for row in rows if row.method in found]:
        points = []
        for paths, by_seed in sorted(found[method].items()):
            spread = mean_and_std(list(by_seed.values()))
            assert spread is not None  # an entry is made with its first value
            points.append(SweepPoint(paths, replace(values[method], by_seed=by_seed, mean=spread.mean, std=spread.std)))
        curves.append(Sweep(method, "Sampled paths that vote", points))
    return curves


def varying(methods: Sequence[MethodConfig], sampled_k: int | None = None) -> Iterator[str]:
    """Settings that at least two methods have with different values."""
    for setting in SETTINGS:
        if len({setting_value(method, setting, sampled_k) for method in methods} - {None}) > 1:
            yield setting


def setting_value(method: MethodConfig, setting: str, sampled_k: int | None = None) -> float | None:
    """A method's value of a setting, its default where that is implied; None where it has none.

    Args:
        method: The method.
        setting: Which.
        sampled_k: Candidates a question that the experiment samples, which a method without a k of its own uses.
    """
    if setting not in MethodConfig.model_fields:
        return None
    value = getattr(method, setting)
    if value is not None:
        return float(value)
    if setting == "k":
        return None if sampled_k is None or method.name.startswith("vft") else float(sampled_k)
    applies = {
        "boundary_beta": method.constraint == "boundary",
        "beta": method.name in {"rrhf", "dpo"},
        "negative_noise": method.name in {"aft", "rrhf", "pro", "dpo"},
    }
    return _IMPLIED[setting] if applies.get(setting, False) else None


def quantile(values: Sequence[float], share: float) -> float:
    """A quantile by linear interpolation; ``values`` sorted and not empty."""
    place = share * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])


def baseline_row(table: Comparison) -> MethodRow | None:
    """The row that others are compared with."""
    return next((row for row in table.rows if row.is_baseline), None)
