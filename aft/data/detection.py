"""Recognise a file by its first rows and its name.

Published forms are told by columns and values; other files by the names of their columns. Nothing is
guessed silently: a `Detection` says in words why.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from aft.data.examples import MIXED, TASKS
from aft.data.gold import number_text, split_reference
from aft.data.mapping import PART_NAMES, ColumnMapping, Part, Row, value_at
from aft.data.published import FORMS, Form, optional_columns

_QUESTION: Final = ("question", "problem", "q_text", "query", "prompt", "instruction", "input")
_REFERENCE: Final = (
    "reference",
    "cot",
    "rationale",
    "explanation",
    "solution",
    "ground_truth_solution",
    "ground_truth",
    "reasoning",
    "response",
    "output",
)
_ANSWER: Final = (
    "gold",
    "final_answer",
    "ground_truth_answer",
    "answerkey",
    "answer_key",
    "correct",
    "correct_answer",
    "answer",
    "target",
    "label",
)
_CHOICES: Final = ("choices", "options")
_ID: Final = ("id", "uuid", "question_id", "qid", "q_no")
_TASK: Final = ("task", "dataset")
_PART: Final = ("part", "split", "author_split")


class Detection(BaseModel):
    """What a file was found to hold.

    Attributes:
        task: One of `TASKS`, or None when a person has to say.
        format: A published form's name, or ``generic``.
        confidence: ``certain`` for a published form, ``likely`` for guessed columns, ``unknown`` otherwise.
        reason: Why, in a sentence to show.
        mapping: Which column holds what; None when a person has to say, or the file holds no questions.
        part: The part guessed from the file's name.
        columns: Columns of the first rows, in their order.
        id_prefix: Start of the ids of rows without one.
        note: What a person should know before importing it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str | None
    format: str
    confidence: Literal["certain", "likely", "unknown"]
    reason: str
    mapping: ColumnMapping | None
    part: Part | None
    columns: list[str]
    id_prefix: str
    note: str | None = None


def part_of(filename: str) -> Part | None:
    """Guess the part from a file's name; the last word that names one counts."""
    words = re.split(r"[^a-z]+", filename.lower())
    return next((PART_NAMES[word] for word in reversed(words) if word in PART_NAMES), None)


def detect(rows: Sequence[Row], filename: str) -> Detection:
    """Recognise a file by its first rows and its name.

    Args:
        rows: Its first rows that could be read.
        filename: The name it was uploaded under.
    """
    columns = list(dict.fromkeys(itertools.chain.from_iterable(rows)))
    for form in FORMS:
        with_columns = [row for row in rows if all(column in row for column in form.columns)]
        # A few odd rows do not change what a file is; they become row errors.
        if len(with_columns) * 2 > len(rows) and _fits(form, with_columns):
            return _published(form, columns, filename)
    return _generic(rows, columns, filename)


def _fits(form: Form, rows: Sequence[Row]) -> bool:
    fitting = sum(form.fits([row]) for row in rows)
    return fitting * 10 >= len(rows) * 8


def _published(form: Form, columns: list[str], filename: str) -> Detection:
    mapping = optional_columns(form, columns)
    return Detection(
        task=form.task,
        format=form.name,
        confidence="certain",
        reason=f"Columns and first rows are those of {form.title}.",
        mapping=mapping,
        part=part_of(filename),
        columns=columns,
        id_prefix=_id_prefix(form.task or form.name, filename),
        note=form.note,
    )


def _id_prefix(task: str, filename: str) -> str:
    """``gsm8k-test`` for a test.jsonl, as published candidate sets name GSM8K's questions."""
    stem = re.sub(r"(\.(jsonl?|ndjson|csv|tsv|tab|txt|parquet|gz|tok))+$", "", filename.lower().rpartition("/")[2])
    stem = re.sub(rf"^{re.escape(task)}[-_. ]+", "", stem)
    name = PART_NAMES.get(stem, re.sub(r"[^a-z0-9_]+", "-", stem).strip("-"))[:80] or "file"
    return f"{task}-{name}"


def _generic(rows: Sequence[Row], columns: list[str], filename: str) -> Detection:
    by_name = {column.strip().lower().replace(" ", "_"): column for column in reversed(columns)}

    def find(names: Sequence[str], taken: Sequence[str | None] = ()) -> str | None:
        return next((by_name[name] for name in names if name in by_name and by_name[name] not in taken), None)

    question = find(_QUESTION)
    choices = find(_CHOICES) or _numbered_choices(by_name)
    answer = find(_ANSWER, [question])
    reference = find(_REFERENCE, [question, answer])
    if answer and reference is None and _ends_with_answer(rows, answer):
        answer, reference = None, answer
    task = _task(rows, answer, reference, bool(choices))
    complete = question is not None and (
        answer is not None or (reference is not None and _ends_with_answer(rows, reference))
    )
    mapping = None
    if question is not None and complete:
        mapping = ColumnMapping(
            question=question,
            reference=reference,
            answer=answer,
            choices=choices,
            id=find(_ID),
            task=find(_TASK) if task == MIXED else None,
            part=find(_PART),
        )
    if mapping is not None:
        named = ", ".join(f"'{column}'" for column in mapping.columns())
        reason = f"No published form, but the names of the columns {named} tell what they hold. Check the preview."
    else:
        shown = ", ".join(f"'{column}'" for column in columns[:12]) or "none"
        reason = f"No published form is known with these columns: {shown}. Say which column holds what."
    return Detection(
        task=task,
        format="generic",
        confidence="likely" if mapping is not None and task is not None else "unknown",
        reason=reason,
        mapping=mapping,
        part=part_of(filename),
        columns=columns,
        id_prefix=_id_prefix(task or "row", filename),
    )


def _numbered_choices(by_name: Mapping[str, str]) -> list[str] | None:
    for pattern in (
        "{letter}",
        "option_{letter}",
        "choice_{letter}",
        "option{number}",
        "choice{number}",
        "q_op{number}",
    ):
        names = [pattern.format(letter="abcdefgh"[i], number=i + 1) for i in range(8)]
        found = list(itertools.takewhile(by_name.__contains__, names))
        if len(found) >= 2:
            return [by_name[name] for name in found]
    return None


def _ends_with_answer(rows: Sequence[Row], column: str) -> bool:
    texts = [value for row in rows if isinstance(value := value_at(row, column), str)]
    return bool(texts) and sum(split_reference(text) is not None for text in texts) * 2 > len(texts)


def _task(rows: Sequence[Row], answer: str | None, reference: str | None, choices: bool) -> str | None:
    said = [name for row in rows if (name := str(row.get("task") or row.get("dataset") or "").lower()) in TASKS]
    if len(said) * 2 > len(rows):  # a few odd rows do not change what a file is
        return MIXED if len(set(said)) > 1 else said[0]
    if choices:
        return None  # AQUA-RAT, ECQA and MMLU differ in their prompts: a person has to say
    numbers = 0
    for row in rows:
        value = value_at(row, answer) if answer else None
        if answer is None and isinstance(text := value_at(row, reference or ""), str):
            value = (split_reference(text) or ("", None))[1]
        try:
            number_text(value)
        except ValueError:
            continue
        numbers += 1
    return "gsm8k" if numbers * 2 > len(rows) else None
