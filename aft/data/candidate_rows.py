"""Rows of a candidate file: COTs that some model wrote, with or without ratings and scores.

Which column holds what is recognised by name, and can be said. Nothing here knows the questions: a row names its
question by id or by text.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from aft.data.mapping import value_at
from aft.data.sources import RowError

Scale = Literal["binary", "verify", "1-10"]
SCALES: Final[Mapping[Scale, tuple[float, float]]] = {"binary": (0, 1), "verify": (0, 1), "1-10": (1, 10)}

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "text": (
        "cot", "response", "completion", "generation", "reasoning_chain", "model_output_steps", "model_output",
        "output", "rationale", "candidate", "text",
    ),
    "question": ("question", "problem", "query", "instruction", "prompt"),
    "question_id": ("question_id", "example_id", "qid", "problem_id"),
    "id": ("id", "uuid", "candidate_id", "sample_id"),
    "model": ("model", "model_name", "generator"),
    "finish_reason": ("finish_reason", "stop_reason"),
    "rating": ("rating", "human_label", "model_output_solution_correctness", "human_rating", "quality"),
    "wrong_step": ("wrong_step", "model_output_solution_first_error_step", "first_error_step"),
    "note": ("note", "comment", "model_output_solution_first_error_reason", "feedback"),
}  # fmt: skip
_GOOD: Final = {"true", "yes", "right", "correct", "good", "1.0"}
_BAD: Final = {"false", "no", "wrong", "incorrect", "bad", "0.0"}
_NONE: Final = {"", "n/a", "na", "none", "null", "-"}
_SCORES: Final = re.compile(r"scores|(scores?|logprobs?)[_.].+|(mean|avg)_logprob", re.IGNORECASE)
_CHECKPOINT: Final = re.compile(r"(?:scores?|logprobs?)[_.](.+)", re.IGNORECASE)
_CUT: Final = {"length", "max_tokens", "truncated"}
_LONGEST_NAME, _LONGEST_ID, _LONGEST_NOTE = 120, 255, 4000
_ROUNDING: Final = 1e-4
"""A log-probability of 0 may come out a little above it."""


class CandidateColumns(BaseModel):
    """Which column of a candidate file holds what; a dot reaches into an object."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(description="Column of the COT: a text, or a list of steps.")
    question: str | None = Field(default=None, description="Column of the question's text.")
    question_id: str | None = Field(default=None, description="Column of the question's id in the data set.")
    id: str | None = Field(default=None, description="Column of the COT's own id.")
    model: str | None = Field(default=None, description="Column that names the model.")
    finish_reason: str | None = Field(default=None, description="Column whose 'length' says that a COT was cut off.")
    rating: str | None = Field(default=None, description="Column of a rating: a number, true or false, right or wrong.")
    wrong_step: str | None = Field(default=None, description="Column of the first wrong step, counted from 1.")
    note: str | None = Field(default=None, description="Column of the rater's words.")
    scores: tuple[str, ...] = Field(
        default=(),
        max_length=20,
        description=(
            "Columns of scores, nats a token: a number under the checkpoint that the column's name says, an object of "
            "numbers by checkpoint, or a list of model and score as an export writes it."
        ),
    )

    @field_validator("scores", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        return tuple(one for one in value.split(",") if one) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """A row as read.

    Attributes:
        text: The COT.
        question: The question's text, where the file has it.
        question_id: The question's id, where the file has it.
        id: The COT's own id, where the file has one.
        model: The model's name, where the file says it.
        is_cut: Whether generation ended at a length limit.
        rating: On the file's own scale; None where it was not rated.
        wrong_steps: Character spans of the step marked wrong.
        note: The rater's words.
        scores: Token-averaged log-likelihood (Eq. 2) by the name of the checkpoint, nats a token.
    """

    text: str
    question: str | None = None
    question_id: str | None = None
    id: str | None = None
    model: str | None = None
    is_cut: bool = False
    rating: float | None = None
    wrong_steps: list[tuple[int, int]] = field(default_factory=list)
    note: str = ""
    scores: dict[str, float] = field(default_factory=dict)


def detect_columns(names: Iterable[str], said: Mapping[str, str] | None = None) -> CandidateColumns | None:
    """Recognise columns by their names.

    Args:
        names: Of the file's columns.
        said: Columns that are known, by what they hold.

    Returns:
        None where no column can be the COT or none leads to the question.
    """
    names = list(names)
    lower = {name.lower(): name for name in reversed(names)}
    found: dict[str, Any] = {
        what: next((lower[one] for one in known if one in lower), None) for what, known in _NAMES.items()
    }
    found["scores"] = tuple(name for name in names if _SCORES.fullmatch(name))[:20]
    found |= said or {}
    if found["text"] is None or (found["question"] is None and found["question_id"] is None):
        return None
    return CandidateColumns.model_validate(found)


def parse_row(row: Mapping[str, Any], columns: CandidateColumns, scale: Scale | None = None) -> CandidateRow:
    """Read a row.

    Args:
        row: As it stands in the file.
        columns: Which column holds what.
        scale: What the rating has to fit.

    Raises:
        RowError: If the COT is missing, no question is named, the rating is none or off its scale, or a score is none.
    """
    steps = value_at(row, columns.text)
    text = "\n".join(map(str, steps)) if isinstance(steps, list) else steps
    if not isinstance(text, str):
        raise RowError(columns.text, f"The COT is not a text but {type(text).__name__}. Map another column.")
    if not text.strip():
        raise RowError(columns.text, "The COT is empty.")
    question, question_id = _word(row, columns.question), _word(row, columns.question_id)
    if question is None and question_id is None:
        raise RowError(columns.question or columns.question_id, "The row names no question.")
    rating = _rating(row, columns.rating, scale)
    return CandidateRow(
        text=text,
        question=question,
        question_id=question_id,
        id=_short(_word(row, columns.id), _LONGEST_ID),
        model=_short(_word(row, columns.model), _LONGEST_NAME),
        is_cut=(_word(row, columns.finish_reason) or "").lower() in _CUT,
        rating=rating,
        wrong_steps=_wrong_steps(row, columns.wrong_step, text, steps) if rating is not None else [],
        note=(_word(row, columns.note) or "")[:_LONGEST_NOTE] if rating is not None else "",
        scores={name: value for column in columns.scores for name, value in _scores(row, column)},
    )


def rating_scale(values: Iterable[float]) -> Scale:
    """The scale that some ratings fit: 0 and 1 alone are binary, within 0 to 1 is a verification, else 1 to 10."""
    distinct = set(values)
    if distinct <= {0.0, 1.0}:
        return "binary"
    return "verify" if all(0 <= value <= 1 for value in distinct) else "1-10"


def count_words(text: str) -> int:
    """Words and signs of a text: its length where no tokenizer is known."""
    return sum(1 for _ in re.finditer(r"\w+|[^\w\s]", text))


def _word(row: Mapping[str, Any], column: str | None) -> str | None:
    value = value_at(row, column) if column else None
    if value is None or isinstance(value, list | dict):
        return None
    text = str(value).strip()
    return None if text.lower() in _NONE else text


def _short(text: str | None, length: int) -> str | None:
    return text[:length] if text else None


def _rating(row: Mapping[str, Any], column: str | None, scale: Scale | None) -> float | None:
    said = _word(row, column)
    if said is None:
        return None
    if said.lower() in _GOOD | _BAD and not (scale == "1-10" and said[0].isdigit()):
        value = 10.0 if scale == "1-10" else 1.0
        value = value if said.lower() in _GOOD else (1.0 if scale == "1-10" else 0.0)
    else:
        try:
            value = float(said)
        except ValueError:
            raise RowError(
                column, f"The rating {said[:40]!r} is no number and none of right, wrong, true, false."
            ) from None
    low, high = SCALES[scale] if scale else (-math.inf, math.inf)
    if not math.isfinite(value) or not low <= value <= high:
        raise RowError(column, f"The rating {said[:40]} is not on the scale of {low:g} to {high:g}.")
    return value


def _wrong_steps(row: Mapping[str, Any], column: str | None, text: str, steps: Any) -> list[tuple[int, int]]:
    said = _word(row, column)
    if said is None or not said.isdecimal() or len(said) > 6:
        return []
    spans: list[tuple[int, int]] = []
    at = 0
    for line in map(str, steps) if isinstance(steps, list) else text.split("\n"):
        if line.strip():
            spans.append((at, at + len(line)))
        at += len(line) + 1
    number = int(said)
    return [spans[number - 1]] if 1 <= number <= len(spans) else []


def _scores(row: Mapping[str, Any], column: str) -> list[tuple[str, float]]:
    """Scores of one column by checkpoint; an empty cell holds none."""
    value = value_at(row, column)
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        try:
            value = json.loads(value)
        except ValueError:
            raise RowError(column, f"The scores {value[:40]!r} are no JSON.") from None
    found: list[tuple[Any, Any]]
    if isinstance(value, Mapping):
        found = list(value.items())
    elif isinstance(value, list):
        if not all(isinstance(one, Mapping) and "score" in one for one in value):
            raise RowError(column, "The scores are a list, and not each of them has a model and a score.")
        found = [(one.get("model") or one.get("checkpoint") or one.get("name"), one["score"]) for one in value]
    else:
        named = _CHECKPOINT.fullmatch(column)
        found = [(named.group(1) if named else column, value)]
    return [(_checkpoint(name, column), _score(one, column)) for name, one in found if not _is_empty(one)]


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.strip().lower() in _NONE)


def _checkpoint(name: Any, column: str) -> str:
    if not isinstance(name, str) or not name.strip():
        raise RowError(column, "A score names no checkpoint.")
    return name.strip()[:_LONGEST_NAME]


def _score(value: Any, column: str) -> float:
    try:
        score = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        score = math.nan
    if not math.isfinite(score):
        raise RowError(column, f"The score {str(value)[:40]!r} is no number.")
    if score > _ROUNDING:
        raise RowError(
            column,
            f"The score {score:g} is above 0, and a token-averaged log-likelihood never is. "
            "Map another column, or none, for scores.",
        )
    return min(score, 0.0)
