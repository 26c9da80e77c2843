"""The model card of an exported checkpoint: what was trained on what, by which method, and what was measured."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aft.config.method import MethodConfig, method_label
from aft.data.examples import CHOICE_TASKS, MIXED
from aft.data.prompts import prompt_text
from backend.schemas.models import ExportForm

_METRICS: Final = {
    "task_accuracy": ("Task accuracy (greedy)", 100.0, " %"),
    "self_consistency": ("Self-consistency", 100.0, " %"),
    "pass": ("Pass", 100.0, " %"),
    "assessment_accuracy": ("Assessment accuracy (all pairs)", 100.0, " %"),
    "assessment_accuracy_3x3": ("Assessment accuracy (3 x 3)", 100.0, " %"),
    "perplexity": ("Perplexity of right COTs", 1.0, ""),
}
"""Metric without the number of its paths -> title, scale, unit; in the card's order."""
_OF_SCORES: Final = frozenset({"assessment_accuracy", "assessment_accuracy_3x3", "perplexity"})
"""Metrics of scored COTs, whose questions are not those that were answered."""
_FORMS: Final = {
    "whole": "whole model",
    "adapter": "adapter (LoRA), to be put on the base model",
    "merged": "adapter (LoRA) merged into the base model",
}
_LOADING: Final = """from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(DIRECTORY)
model = AutoModelForCausalLM.from_pretrained(DIRECTORY)"""
_LOADING_ADAPTER: Final = """from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(DIRECTORY)
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(BASE_MODEL), DIRECTORY)"""


@dataclass(frozen=True)
class Measured:
    """An evaluation of the checkpoint."""

    data: str
    part: str
    """Whose questions were answered: test or validation."""
    scored_part: str | None
    """Whose questions' fresh COTs were scored; None where none were."""
    run_id: str
    results: Sequence[tuple[str, float, int, Mapping[str, Any]]]
    """Metric, value, number of questions, and details with ``low`` and ``high`` where there is an interval."""


@dataclass(frozen=True)
class CardFacts:
    """What a card says."""

    name: str
    run_id: str
    form: ExportForm
    checkpoint_sha256: str
    step: int
    base_model: str
    base_location: str
    dataset: str
    dataset_sha256: str
    train_questions: int | None
    """None where every training question was used."""
    task: str | None
    config: dict[str, Any]
    """The run's frozen configuration."""
    measured: Sequence[Measured]
    code_version: str


def render(facts: CardFacts) -> str:
    """The card as Markdown with the metadata that model hubs read; the licence is left to be filled in."""
    questions = "all" if facts.train_questions is None else str(facts.train_questions)
    weights = "adapter's weights" if facts.form == "merged" else "weights"
    lines = [
        *_metadata(facts),
        "",
        f"# {_plain(facts.name)}",
        "",
        "| | |",
        "| --- | --- |",
        f"| Method | {_plain(_method(facts.config))} |",
        f"| This is | {_FORMS[facts.form]} |",
        f"| Base model | {_plain(' '.join(filter(None, [facts.base_model, facts.base_location])))} |",
        f"| Data set | {_plain(facts.dataset)} (sha256 {facts.dataset_sha256}) |",
        f"| Training questions | {questions} |",
        f"| Steps | {facts.step} |",
        f"| Seed | {facts.config.get('seed', '–')} |",
        f"| sha256 of the {weights} | {facts.checkpoint_sha256} |",
        f"| Run | {facts.run_id}, AFT Workbench {facts.code_version} |",
        "| Licence | fill in: it follows from the base model's and the data's |",
        "",
        "## Measured",
        "",
        *_results(facts.measured),
        "",
        "## Use",
        "",
        *_use(facts),
        "",
        "## Configuration",
        "",
        "```json",
        json.dumps(facts.config, indent=2, sort_keys=True, ensure_ascii=False).replace("```", "` ` `"),
        "```",
        "",
    ]
    return "\n".join(lines)


def _metadata(facts: CardFacts) -> list[str]:
    named = [f"base_model: {json.dumps(facts.base_location)}"] if facts.base_location else []
    return [
        "---",
        f"library_name: {'peft' if facts.form == 'adapter' else 'transformers'}",
        "pipeline_tag: text-generation",
        "license: unknown  # fill in: it follows from the base model's and the data's",
        *named,
        "tags: [alignment-fine-tuning, chain-of-thought]",
        "---",
    ]


def _use(facts: CardFacts) -> list[str]:
    loading = _LOADING_ADAPTER if facts.form == "adapter" else _LOADING
    lines = ["```python", loading, "```"]
    if facts.task is None or facts.task == MIXED:
        return lines
    choices = ["{choice}", "{choice}"] if facts.task in CHOICE_TASKS else None
    prompt = prompt_text("{question}", facts.task, choices)
    return [
        *lines,
        "",
        "It was trained and measured with this prompt, and the tokenizer's special tokens around it but no end token "
        "behind it:",
        "",
        "```text",
        prompt,
        "```",
    ]


def _method(config: dict[str, Any]) -> str:
    method = config.get("method")
    return method_label(MethodConfig.model_validate(method)) if method else "pre-training"


def _results(measured: Sequence[Measured]) -> list[str]:
    rows = []
    for evaluation in measured:
        for metric, value, count, details in evaluation.results:
            whole, _, task = metric.partition("/")
            kind, _, paths = whole.partition("@")
            if kind in _METRICS:
                rows.append((evaluation, kind, paths, task, value, count, details))
    if not rows:
        return ["This checkpoint has not been evaluated."]
    lines = ["| metric | value | 95 % interval | n | measured on |", "| --- | --- | --- | --- | --- |"]
    order = list(_METRICS)
    # The sort is stable: evaluations stay in their order, and so do the numbers of paths.
    for evaluation, kind, paths, task, value, count, details in sorted(rows, key=lambda row: order.index(row[1])):
        title, scale, unit = _METRICS[kind]
        title = f"{title}{f' @ {paths}' if paths else ''}{f', {task} questions' if task else ''}"
        low, high = details.get("low"), details.get("high")
        interval = "–" if low is None or high is None else f"{low * scale:.2f} to {high * scale:.2f}"
        lines.append(f"| {title} | {value * scale:.2f}{unit} | {interval} | {count} | {_on(evaluation, kind)} |")
    return lines


def _on(evaluation: Measured, kind: str) -> str:
    part = f"{evaluation.scored_part} questions, fresh COTs" if kind in _OF_SCORES else f"{evaluation.part} questions"
    return _plain(f"{evaluation.data}, {part}")


def _plain(text: str) -> str:
    """Names are people's text: nothing in them may open a table cell, a tag or a line."""
    escaped = "".join(f"\\{char}" if char in "|<>[]`*_\\" else char for char in text)
    return " ".join(escaped.split())
