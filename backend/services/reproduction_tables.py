"""The tables of ``aft reproduce``'s report: a preset's numbers on each of its base models, and over them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from aft.metrics import mean_and_std
from aft.paper.claims import CONTROL, VFT
from aft.paper.preset import Preset
from aft.paper.shapes import ASSESSMENT, PERPLEXITY, TASK, Table, over_models
from aft.statistics import Tested, correlation, paired_t
from backend.db.models import Experiment, Result, Run
from backend.schemas.comparison import Comparison, ComparisonOptions
from backend.services import blocks, comparison
from backend.services.experiments import Cell

SCALE: Final = {TASK: 100.0, ASSESSMENT: 100.0, PERPLEXITY: 1.0}
_DASH: Final = "–"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a preset measured from one base model."""

    model: str
    compared: Comparison
    table: Table


def measure(session: Session, preset: Preset, experiment: Experiment) -> list[Measured]:
    """The preset's numbers, a base model each; published values stand beside the first."""
    spec = ExperimentSpec.model_validate(experiment.spec)
    published = preset.published[0] if preset.published else None
    found: list[Measured] = []
    for block in blocks.read(session, spec):
        options = ComparisonOptions(published=None if found else published, block=block.key)
        compared = comparison.compare(session, experiment, options)
        found.append(Measured(block.model, compared, _values(session, compared)))
    return found


def section(
    session: Session, preset: Preset, spec: ExperimentSpec, measured: Sequence[Measured], cells: list[Cell]
) -> str:
    """A preset's part of the report."""
    lines = [f"## {preset.title}", "", preset.paper, ""]
    if preset.miniature:
        lines += [f"In miniature: {preset.miniature}", ""]
    for block in measured:
        if len(measured) > 1:
            lines += [f"### {block.model}", ""]
        lines += _methods(block, len(spec.seeds))
        lines += _votes(spec, block.table, [row.method for row in block.compared.rows])
    if len(measured) > 1:
        lines += _over_models(measured)
    lines += _search(session, cells)
    return "\n".join(lines)


def _methods(block: Measured, n_seeds: int) -> list[str]:
    compared, table = block.compared, block.table
    has_paper = compared.published is not None
    # A metric that the preset leaves out is no gap in its table.
    judged, read = (any(table.get((row.method, each)) for row in compared.rows) for each in (ASSESSMENT, PERPLEXITY))
    heads = ["method", "n", "task accuracy", "− VFT", "− VFT · continued"]
    heads += ["assessment", "− VFT"] if judged else []
    heads += ["perplexity"] if read else []
    heads += ["paper's task accuracy"] if has_paper else []
    lines = [_line(heads), _line("---" for _ in heads)]
    for row in compared.rows:
        task, n = row.statistics[TASK], row.statistics[TASK].n
        if n == 0:
            reason = "; ".join(row.missing) or "not run yet"
            lines.append(_line([row.method, "0", f"missing ({reason})", *[_DASH] * (len(heads) - 3)]))
            continue
        name = f"{row.method}" if n == n_seeds else f"{row.method} (of {n_seeds} seeds)"
        cells_of_row = [name, str(n), _spread(table, row.method, TASK)]
        cells_of_row += [_against(table, row.method, other, TASK) for other in (VFT, CONTROL)]
        if judged:
            cells_of_row += [_spread(table, row.method, ASSESSMENT), _against(table, row.method, VFT, ASSESSMENT)]
        if read:
            cells_of_row.append(_spread(table, row.method, PERPLEXITY))
        if has_paper:
            paper = task.published_mean
            std = "" if task.published_std is None else f" ± {100 * task.published_std:.1f}"
            cells_of_row.append(_DASH if paper is None else f"{100 * paper:.1f}{std}")
        lines.append(_line(cells_of_row))
    lines += ["", f"Task accuracy by seed: {_by_seed(table, [row.method for row in compared.rows])}", ""]
    if compared.published is not None:
        lines += [
            f"Paper: {compared.published.title}; another model on other data, to be compared in pattern only.",
            "",
        ]
    return lines


def _over_models(measured: Sequence[Measured]) -> list[str]:
    """Each model counts once, with its mean over seeds; the spread is that of models."""
    table = over_models({block.model: block.table for block in measured})
    methods = [row.method for row in measured[0].compared.rows]
    judged, read = (any(table.get((method, each)) for method in methods) for each in (ASSESSMENT, PERPLEXITY))
    heads = ["over models", "n", "task accuracy", "− VFT", "− VFT · continued"]
    heads += ["assessment", "− VFT"] if judged else []
    heads += ["perplexity"] if read else []
    lines = ["### Over models", "", _line(heads), _line("---" for _ in heads)]
    for method in methods:
        line = [method, str(len(table.get((method, TASK), {}))), _spread(table, method, TASK)]
        line += [_against(table, method, other, TASK, "model") for other in (VFT, CONTROL)]
        if judged:
            line += [_spread(table, method, ASSESSMENT), _against(table, method, VFT, ASSESSMENT, "model")]
        if read:
            line.append(_spread(table, method, PERPLEXITY))
        lines.append(_line(line))
    return [*lines, "", *([_rising(table), ""] if judged else [])]


def _rising(table: Table) -> str:
    task, judged = table.get((VFT, TASK), {}), table.get((VFT, ASSESSMENT), {})
    models = [model for model in task if model in judged]
    tested = correlation([judged[model] for model in models], [task[model] for model in models])
    each = "; ".join(f"{model}: {100 * judged[model]:.1f} and {100 * task[model]:.1f}" for model in models)
    r = f"r = {difference(tested, 1.0)}, n = {tested.n} models" if tested else "no r below four models"
    return f"Assessment and task accuracy of VFT: {r}. {each}."


def _values(session: Session, compared: Comparison) -> Table:
    """Every number of every evaluation, those of sampled paths among them."""
    places = {
        kinds["evaluate"]: (row.method, seed)
        for row in compared.rows
        for seed, kinds in row.run_ids.items()
        if "evaluate" in kinds
    }
    query = (
        select(Result.run_id, Result.metric, Result.value)
        .join(Run, Run.id == Result.run_id)
        .where(Result.run_id.in_(list(places)), Run.state == "succeeded")
    )
    table: dict[tuple[str, str], dict[str, float]] = {}
    for run_id, metric, value in session.execute(query):
        method, seed = places[run_id]
        if value is not None:
            table.setdefault((method, metric), {})[seed] = value
    return table


def _votes(spec: ExperimentSpec, table: Table, methods: list[str]) -> list[str]:
    if not spec.self_consistency:
        return []
    heads = ["majority vote of", *[f"{n} paths" if n > 1 else "1 path" for n in spec.self_consistency]]
    lines = [_line(heads), _line("---" for _ in heads)]
    for method in methods:
        lines.append(_line([method, *[_spread(table, method, f"self_consistency@{n}") for n in spec.self_consistency]]))
    return [*lines, ""]


def _search(session: Session, cells: list[Cell]) -> list[str]:
    lines: list[str] = []
    for cell in cells:
        if cell.run.kind != "search":
            continue
        found = session.get(Result, (cell.run.id, "chosen_beta"))
        if found is None or found.details is None:
            lines += [f"{cell.run.name}: missing ({cell.run.state}).", ""]
            continue
        curve = ", ".join(f"{point['beta']:g}: {100 * point['accuracy']:.1f}" for point in found.details["curve"])
        seeds = ", ".join(map(str, found.details["seeds"]))
        lines += [
            f"{cell.run.name}: **{found.value:g}**, by task accuracy (%) on validation questions of seed {seeds}: "
            f"{curve}.",
            "",
        ]
    return lines


def _by_seed(table: Table, methods: list[str]) -> str:
    parts = []
    for method in methods:
        values = table.get((method, TASK), {})
        if values:
            parts.append(f"{method}: {' / '.join(f'{100 * value:.1f}' for _, value in sorted(values.items()))}")
    return "; ".join(parts) or "nothing measured"


def _spread(table: Table, method: str, metric: str) -> str:
    found = mean_and_std(list(table.get((method, metric), {}).values()))
    if found is None:
        return "missing"
    scale = SCALE.get(metric, 100.0)
    decimals = 2 if metric == PERPLEXITY else 1
    std = "" if found.std is None else f" ± {scale * found.std:.{decimals}f}"
    return f"{scale * found.mean:.{decimals}f}{std}"


def _against(table: Table, method: str, other: str, metric: str, unit: str = "seed") -> str:
    if method == other:
        return _DASH
    mine, theirs = table.get((method, metric), {}), table.get((other, metric), {})
    common = [seed for seed in mine if seed in theirs]
    tested = paired_t([mine[seed] for seed in common], [theirs[seed] for seed in common])
    if tested is not None:
        return difference(tested, SCALE.get(metric, 100.0))
    return f"{100 * (mine[common[0]] - theirs[common[0]]):+.1f} (one {unit})" if common else "missing"


def difference(tested: Tested, scale: float) -> str:
    """A difference with its interval and p-value."""
    decimals = 2 if scale == 1.0 else 1
    low, high = scale * tested.low, scale * tested.high
    p = "p < 0.001" if tested.p < 0.001 else f"p = {tested.p:.3f}"
    return f"{scale * tested.difference:+.{decimals}f} [{low:+.{decimals}f}, {high:+.{decimals}f}], {p}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
