"""The model card of an exported checkpoint: what was trained on what, by which method, and what was measured."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aft.config.method import MethodConfig, method_label

_METRICS = {
    "task_accuracy": ("Task accuracy (greedy)", 100.0, "%"),
    "assessment_accuracy": ("Assessment accuracy (all pairs)", 100.0, "%"),
    "assessment_accuracy_3x3": ("Assessment accuracy (3 x 3)", 100.0, "%"),
    "perplexity": ("Perplexity of right COTs", 1.0, ""),
}


@dataclass(frozen=True)
class CardFacts:
    """What a card says."""

    name: str
    run_id: str
    checkpoint_sha256: str
    step: int
    base_model: str
    base_location: str
    dataset: str
    dataset_sha256: str
    config: dict[str, Any]
    """The run's frozen configuration."""
    results: Sequence[tuple[str, float, int]]
    """Metric, value and number of questions of the run's evaluations."""
    code_version: str


def render(facts: CardFacts) -> str:
    """The card as Markdown with the metadata that model hubs read; the licence is left to be filled in."""
    metadata = ["---", "library_name: transformers", "tags: [alignment-fine-tuning, chain-of-thought]", "---"]
    lines = [
        *metadata,
        "",
        f"# {_plain(facts.name)}",
        "",
        "| | |",
        "| --- | --- |",
        f"| Method | {_plain(_method(facts.config))} |",
        f"| Base model | {_plain(facts.base_model)} {_plain(facts.base_location)} |",
        f"| Data set | {_plain(facts.dataset)} (sha256 {facts.dataset_sha256}) |",
        f"| Steps | {facts.step} |",
        f"| Seed | {facts.config.get('seed', '–')} |",
        f"| Weights | sha256 {facts.checkpoint_sha256} |",
        f"| Run | {facts.run_id}, AFT Workbench {facts.code_version} |",
        "| Licence | fill in: it follows from the base model's and the data's |",
        "",
        "## Measured",
        "",
        *_results(facts.results),
        "",
        "## Configuration",
        "",
        "```json",
        json.dumps(facts.config, indent=2, sort_keys=True, ensure_ascii=False).replace("```", "` ` `"),
        "```",
        "",
    ]
    return "\n".join(lines)


def _method(config: dict[str, Any]) -> str:
    method = config.get("method")
    return method_label(MethodConfig.model_validate(method)) if method else "pre-training"


def _results(results: Sequence[tuple[str, float, int]]) -> list[str]:
    known = [row for row in results if row[0] in _METRICS]
    if not known:
        return ["This checkpoint has not been evaluated."]
    lines = ["| metric | value | n |", "| --- | --- | --- |"]
    for metric, value, count in known:
        title, scale, unit = _METRICS[metric]
        lines.append(f"| {title} | {value * scale:.2f}{' ' + unit if unit else ''} | {count} |")
    return lines


def _plain(text: str) -> str:
    """Names are people's text: nothing in them may open a table cell, a tag or a line."""
    escaped = "".join(f"\\{char}" if char in "|<>[]`*_\\" else char for char in text)
    return " ".join(escaped.split())
