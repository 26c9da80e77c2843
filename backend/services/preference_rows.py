"""From candidates and their qualities to the rows that preference trainers read; pure functions.

``trl-pairs``: prompt, chosen, rejected, as TRL's trainers read explicit prompts. ``ranked``: prompt and completions,
best first, with their qualities. ``llama-factory``: instruction, input, chosen, rejected, registered by the entry of
``dataset_info.json`` that comes with it.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from backend.services.export_files import Column

PreferenceFormat = Literal["trl-pairs", "ranked", "llama-factory"]

_TEXT = pa.string()
COLUMNS: dict[PreferenceFormat, tuple[Column, ...]] = {
    "trl-pairs": (
        Column("question_id", _TEXT),
        Column("prompt", _TEXT),
        Column("chosen", _TEXT),
        Column("rejected", _TEXT),
        Column("chosen_quality", pa.float64()),
        Column("rejected_quality", pa.float64()),
    ),
    "ranked": (
        Column("question_id", _TEXT),
        Column("prompt", _TEXT),
        Column("completions", pa.list_(_TEXT)),
        Column("qualities", pa.list_(pa.float64())),
    ),
    "llama-factory": tuple(Column(name, _TEXT) for name in ("instruction", "input", "chosen", "rejected")),
}


@dataclass(frozen=True, slots=True)
class RankedQuestion:
    """A question's completions with the quality each has; higher is better."""

    question_id: str
    prompt: str
    completions: Sequence[tuple[str, float]]


def rows(question: RankedQuestion, form: PreferenceFormat, most_pairs: int | None = None) -> list[dict[str, Any]]:
    """The rows of one question; none where no two qualities differ.

    Args:
        question: Its completions, in any order.
        form: The rows' form.
        most_pairs: At most so many pairs, those of the largest difference first; none means all.
    """
    ranked = sorted(question.completions, key=lambda one: -one[1])
    if not ranked or ranked[0][1] == ranked[-1][1]:
        return []
    if form == "ranked":
        return [
            {
                "question_id": question.question_id,
                "prompt": question.prompt,
                "completions": [text for text, _ in ranked],
                "qualities": [quality for _, quality in ranked],
            }
        ]
    return [_pair(question, form, better, worse) for better, worse in _pairs(ranked, most_pairs)]


def dataset_info(name: str, file_name: str) -> str:
    """The entry of LLaMA-Factory's ``dataset_info.json`` for a file of pairs."""
    columns = {"prompt": "instruction", "query": "input", "chosen": "chosen", "rejected": "rejected"}
    return json.dumps({name: {"file_name": file_name, "ranking": True, "columns": columns}}, indent=2)


def _pairs(
    ranked: Sequence[tuple[str, float]], most: int | None
) -> Iterator[tuple[tuple[str, float], tuple[str, float]]]:
    pairs = [(better, worse) for at, better in enumerate(ranked) for worse in ranked[at + 1 :] if better[1] > worse[1]]
    if most is not None and len(pairs) > most:
        pairs = sorted(pairs, key=lambda pair: pair[1][1] - pair[0][1])[:most]
    yield from pairs


def _pair(
    question: RankedQuestion, form: PreferenceFormat, better: tuple[str, float], worse: tuple[str, float]
) -> dict[str, Any]:
    if form == "llama-factory":
        return {"instruction": question.prompt, "input": "", "chosen": better[0], "rejected": worse[0]}
    return {
        "question_id": question.question_id,
        "prompt": question.prompt,
        "chosen": better[0],
        "rejected": worse[0],
        "chosen_quality": better[1],
        "rejected_quality": worse[1],
    }
