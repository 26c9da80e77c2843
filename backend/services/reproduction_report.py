"""The report of ``aft reproduce``: every number with its seeds, and which of the paper's shapes hold, as Markdown."""

import os
import platform
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from aft.metrics import mean_and_std
from aft.paper.scales import Scale
from aft.paper.shapes import (
    ASSESSMENT,
    CLAIMS,
    CONTROL,
    PERPLEXITY,
    TASK,
    VFT,
    Judged,
    Table,
    corrected,
    judge,
    summary,
)
from aft.statistics import Tested, paired_t
from aft.version import VERSION
from backend.db.models import Result, Run
from backend.schemas.comparison import Comparison, ComparisonOptions
from backend.services import comparison, experiments, reproduction
from backend.services.experiments import Cell
from backend.services.reproduction import Item

_SCALE = {TASK: 100.0, ASSESSMENT: 100.0, PERPLEXITY: 1.0}
_DASH = "–"
_HOW_TO_READ = """\
± is the standard deviation over seeds, n the number of seeds. Differences are paired over seeds, with their 95 %
interval and the p-value of the paired t-test; with three seeds a difference has to exceed 2.5 times its standard
deviation to be told from chance, so *within noise* often means *too few seeds*. `VFT · continued` is VFT with as many
epochs as VFT and a method have together: what is not above it may be longer training alone. It is equal in epochs, not
in tokens: methods that score candidates process more tokens."""


def write(session: Session, items: list[Item], scale: Scale, seeds: tuple[int, ...]) -> str:
    """The whole report; what has not been measured is called missing.

    Args:
        session: A session that only reads.
        items: The presets in their order; those that were never started are in it, too.
        scale: Their scale.
        seeds: The seeds reported.
    """
    names = {item.preset.name for item in items}
    tables: dict[str, Table] = {}
    sections: list[str] = []
    seen: dict[str, Cell] = {}
    for item in items:
        experiment = reproduction.find(session, item)
        if experiment is None:
            sections.append(f"## {item.preset.title}\n\n{item.preset.paper}\n\n**Missing: not started.**\n")
            continue
        spec = ExperimentSpec.model_validate(experiment.spec)
        cells = experiments.cells(session, experiment.id)
        seen |= {cell.run.id: cell for cell in cells}
        first = item.preset.published[0] if item.preset.published else None
        compared = comparison.compare(session, experiment, ComparisonOptions(published=first))
        tables[item.preset.name] = _values(session, compared)
        sections.append(_section(session, item, spec, compared, tables[item.preset.name], cells))
    return "\n".join(
        [
            _head(scale, seeds, list(seen.values())),
            _shapes(
                [
                    (claim.name, claim.where, [judge(part, tables) for part in claim.parts])
                    for claim in CLAIMS
                    if any(part.preset in names for part in claim.parts)
                ]
            ),
            *sections,
            _settings(items),
        ]
    )


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


def _head(scale: Scale, seeds: tuple[int, ...], cells: list[Cell]) -> str:
    done = [cell.run for cell in cells if cell.run.state == "succeeded"]
    failed = sum(cell.run.state == "failed" for cell in cells)
    computed = sum(
        (run.finished_at - run.started_at for run in done if run.started_at and run.finished_at), timedelta()
    )
    when = max((run.finished_at for run in done if run.finished_at), default=None)
    lines = [
        "# The paper's tables and figures, reproduced small",
        "",
        "Written by `aft reproduce`; calling it again replaces this page. Nothing here is copied by hand.",
        "",
        f"- **Scale** `{scale.name}`: {scale.about}.",
        f"- **Seeds reported**: {', '.join(map(str, seeds))}. Everything was tuned on validation questions of seed 0.",
        f"- **Runs**: {len(done)} of {len(cells)} finished, {failed} failed; "
        f"{computed.total_seconds() / 60:.0f} minutes of run time in all, as the clock went.",
        f"- **Machine**: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"version {VERSION} of this product.",
        f"- **Last run ended**: {when:%Y-%m-%d %H:%M} UTC." if when else "- No run has finished.",
        "",
        _HOW_TO_READ,
        "",
    ]
    return "\n".join(lines)


def _shapes(judged: list[tuple[str, str, list[Judged]]]) -> str:
    lines = [
        "## Which of the paper's shapes hold",
        "",
        "| claim | in the paper | verdict | measured differences |",
        "| --- | --- | --- | --- |",
    ]
    for name, where, parts in judged:
        verdict = summary(parts)
        evidence = "<br>".join(map(_evidence, parts)) if verdict != "missing" else "not measured under two seeds"
        lines.append(f"| {name} | {where} | **{verdict}** | {evidence} |")
    tested, clear, kept = corrected([part for _, _, parts in judged for part in parts])
    lines += [
        "",
        "*holds*: the expected sign with p < 0.05. *in the direction, within noise*: the expected sign, p ≥ 0.05. *not "
        "seen*: another sign, within noise. *the opposite*: the other sign with p < 0.05. *in part*: some of the parts "
        "hold. *within noise*: none is clear, their signs differ. p-values here are not corrected for the number of "
        f"claims: of {tested} differences tested, {clear} have p < 0.05, and {kept} still after Holm's correction over "
        "all of them.",
        "",
    ]
    return "\n".join(lines)


def _evidence(item: Judged) -> str:
    part = item.part
    metric = {TASK: "", ASSESSMENT: ", assessment", PERPLEXITY: ", perplexity"}.get(part.metric, f", {part.metric}")
    metric += f" over {part.minus}" if part.minus is not None else ""
    if item.tested is None:
        return f"{part.method} − {part.other}{metric}: fewer than two seeds"
    text = _difference(item.tested, _SCALE.get(part.metric, 100.0))
    return f"{part.method} − {part.other}{metric}: {text}, n = {item.tested.n} ({item.verdict})"


def _section(
    session: Session, item: Item, spec: ExperimentSpec, compared: Comparison, table: Table, cells: list[Cell]
) -> str:
    has_paper = compared.published is not None
    # A metric that the preset leaves out is no gap in its table.
    judged, read = (any(table.get((row.method, each)) for row in compared.rows) for each in (ASSESSMENT, PERPLEXITY))
    heads = ["method", "n", "task accuracy", "− VFT", "− VFT · continued"]
    heads += ["assessment", "− VFT"] if judged else []
    heads += ["perplexity"] if read else []
    heads += ["paper's task accuracy"] if has_paper else []
    lines = [f"## {item.preset.title}", "", item.preset.paper, ""]
    if item.preset.miniature:
        lines += [f"In miniature: {item.preset.miniature}", ""]
    lines += [_line(heads), _line("---" for _ in heads)]
    for row in compared.rows:
        task, n = row.statistics[TASK], row.statistics[TASK].n
        if n == 0:
            reason = "; ".join(row.missing) or "not run yet"
            lines.append(_line([row.method, "0", f"missing ({reason})", *[_DASH] * (len(heads) - 3)]))
            continue
        name = f"{row.method}" if n == len(spec.seeds) else f"{row.method} (of {len(spec.seeds)} seeds)"
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
    lines += _votes(spec, table, [row.method for row in compared.rows])
    lines += _search(session, cells)
    return "\n".join(lines)


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


def _settings(items: list[Item]) -> str:
    """What the experiments share, and what each changes; without methods and names."""
    bodies = [item.spec.model_dump(mode="json", exclude={"name", "methods"}) for item in items]
    shared = {key: value for key, value in bodies[0].items() if all(body[key] == value for body in bodies)}
    lines = ["## Settings", "", "Of all experiments:", "", "```yaml", experiments.as_yaml(shared).rstrip(), "```", ""]
    for item, body in zip(items, bodies, strict=True):
        own = {key: value for key, value in body.items() if key not in shared and value != bodies[0].get(key)}
        if own:
            lines.append(f"- {item.preset.name}: `{own}`")
    return "\n".join([*lines, ""])


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
    scale = _SCALE.get(metric, 100.0)
    decimals = 2 if metric == PERPLEXITY else 1
    std = "" if found.std is None else f" ± {scale * found.std:.{decimals}f}"
    return f"{scale * found.mean:.{decimals}f}{std}"


def _against(table: Table, method: str, other: str, metric: str) -> str:
    if method == other:
        return _DASH
    mine, theirs = table.get((method, metric), {}), table.get((other, metric), {})
    common = [seed for seed in mine if seed in theirs]
    tested = paired_t([mine[seed] for seed in common], [theirs[seed] for seed in common])
    if tested is not None:
        return _difference(tested, _SCALE.get(metric, 100.0))
    return f"{100 * (mine[common[0]] - theirs[common[0]]):+.1f} (one seed)" if common else "missing"


def _difference(tested: Tested, scale: float) -> str:
    decimals = 2 if scale == 1.0 else 1
    low, high = scale * tested.low, scale * tested.high
    p = "p < 0.001" if tested.p < 0.001 else f"p = {tested.p:.3f}"
    return f"{scale * tested.difference:+.{decimals}f} [{low:+.{decimals}f}, {high:+.{decimals}f}], {p}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
