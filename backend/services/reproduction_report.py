"""The report of ``aft reproduce``: every number with its seeds, and which of the paper's shapes hold, as Markdown."""

import os
import platform
from datetime import timedelta

from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from aft.paper.claims import CLAIMS
from aft.paper.scales import Scale
from aft.paper.shapes import ASSESSMENT, PERPLEXITY, TASK, Judged, Table, corrected, judge, over_models, summary
from aft.version import VERSION
from backend.services import experiments, reproduction, reproduction_tables
from backend.services.experiments import Cell
from backend.services.reproduction import Item
from backend.services.reproduction_tables import SCALE, difference

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
    models: dict[str, Table] = {}
    sections: list[str] = []
    seen: dict[str, Cell] = {}
    for item in items:
        experiment = reproduction.find(session, item)
        if experiment is None:
            sections.append(f"## {item.preset.title}\n\n{item.preset.paper}\n\n**Missing: not started.**\n")
            continue
        cells = experiments.cells(session, experiment.id)
        seen |= {cell.run.id: cell for cell in cells}
        blocks = reproduction_tables.measure(session, item.preset, experiment)
        tables[item.preset.name] = blocks[0].table
        if len(blocks) > 1:
            models[item.preset.name] = over_models({block.model: block.table for block in blocks})
        spec = ExperimentSpec.model_validate(experiment.spec)
        sections.append(reproduction_tables.section(session, item.preset, spec, blocks, cells))
    return "\n".join(
        [
            _head(scale, seeds, list(seen.values())),
            _shapes(
                [
                    (claim.name, claim.where, [judge(part, tables, models) for part in claim.parts])
                    for claim in CLAIMS
                    if any(part.preset in names for part in claim.parts)
                ]
            ),
            *sections,
            _settings(items),
        ]
    )


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
    what = (
        f"{part.method} − {part.other}{metric}" if part.rises_with is None else f"r of {part.method} with {part.other}"
    )
    if item.tested is None:
        return f"{what}: fewer than {'two' if part.rises_with is None else 'four'} {part.over}"
    scale = SCALE.get(part.metric, 100.0) if part.rises_with is None else 1.0
    unit = "" if part.over == "seeds" else " models"
    return f"{what}: {difference(item.tested, scale)}, n = {item.tested.n}{unit} ({item.verdict})"


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
