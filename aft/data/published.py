"""The forms in which the paper's data sets are published, told by their columns and first rows."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aft.data.mapping import ColumnMapping, Row

_LETTER: Final = re.compile(r"[A-E]")
_MMLU_COLUMNS: Final = tuple(f"column {i}" for i in range(1, 7))
_FLAN_COLUMNS: Final = tuple(f"column {i}" for i in range(1, 4))
_FLAN_QUESTION: Final = re.compile(r"(?P<question>.*?)(?:\\n|\n)Options:(?:\\n|\n)(?P<options>.*)", re.DOTALL)

_ARITHMETIC_STEPS: Final = re.compile(r"\w+ : \d+ [-+*] \d+ = \d+ \.")

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Form:
    """A published form.

    Attributes:
        name: Its name in `Detection.format`.
        title: What to call it in a sentence.
        task: The task of its examples, or None when it holds none by itself.
        columns: Columns that every row has.
        fits: Whether the first rows look like it, given that they have the columns.
        mapping: Which column holds what, or None when it holds no questions.
        expand: Rewrites a row before it is mapped.
        ids: Start of the ids of rows without one; the task otherwise.
        note: What a person should know before importing it.
    """

    name: str
    title: str
    task: str | None
    columns: tuple[str, ...]
    fits: Callable[[Rows], bool]
    mapping: ColumnMapping | None
    expand: Callable[[Row], Row] | None = None
    ids: str | None = None
    note: str | None = None


def expand_flan(row: Row) -> Row:
    r"""Split FLAN's question cell into the question and its options; its line breaks are written out as ``\n``."""
    cell, answer, reference = (str(row.get(name, "")) for name in _FLAN_COLUMNS)
    found = _FLAN_QUESTION.fullmatch(cell)
    options = re.split(r"\\n|\n", found["options"]) if found else []
    return {
        "question": (found["question"] if found else cell).replace("\\n", "\n"),
        "options": [option.removeprefix("- ") for option in options],
        "answer": answer,
        "reference": reference.replace("\\n", "\n"),
    }


def _text_in(rows: Rows, column: str, needle: str) -> bool:
    return all(needle in str(row[column]) for row in rows)


def _lists(rows: Rows, column: str) -> bool:
    return all(isinstance(row[column], list) for row in rows)


def _flan(rows: Rows, option: str) -> bool:
    return all(
        (found := _FLAN_QUESTION.fullmatch(str(row["column 1"]))) and found["options"].startswith(option)
        for row in rows
    )


def _cqa_choices(value: Any) -> bool:
    if isinstance(value, Mapping):
        return "label" in value and "text" in value
    return isinstance(value, list) and all(isinstance(item, Mapping) and "label" in item for item in value)


FORMS: Final[tuple[Form, ...]] = (
    Form(
        "gsm8k",
        "GSM8K (the gold answer follows '####')",
        "gsm8k",
        ("question", "answer"),
        lambda rows: _text_in(rows, "answer", "####"),
        ColumnMapping(question="question", reference="answer"),
    ),
    Form(
        "gsm8k-solutions",
        "GSM8K with example model solutions (the gold answer follows 'A:')",
        "gsm8k",
        ("question", "ground_truth"),
        lambda rows: _text_in(rows, "ground_truth", "A:"),
        ColumnMapping(question="question", reference="ground_truth"),
        note="Only the questions and their references are imported, not the model solutions.",
    ),
    Form(
        "mr-gsm8k",
        "MR-GSM8K (human verdicts on model solutions)",
        "gsm8k",
        ("question", "ground_truth_solution", "ground_truth_answer"),
        lambda rows: True,
        ColumnMapping(question="question", reference="ground_truth_solution", answer="ground_truth_answer", id="uuid"),
        note="Only the questions and their references are imported, not the model solutions and verdicts.",
    ),
    Form(
        "math",
        "MATH (the gold answer stands in the solution's last box)",
        "math",
        ("problem", "solution"),
        lambda rows: _text_in(rows, "solution", "\\boxed"),
        ColumnMapping(question="problem", reference="solution"),
        note="Answers are compared by Math-Verify.",
    ),
    Form(
        "candidates",
        "model outputs for GSM8K, AQUA-RAT or ECQA questions, several per question",
        None,
        ("question_id", "question", "gold", "text", "model"),
        lambda rows: True,
        None,
        note="Each row is one candidate COT, not a question. Import the questions themselves as a data set.",
    ),
    Form(
        "aqua-tokenised",
        "AQUA-RAT, tokenised",
        "aqua",
        ("question", "options", "rationale", "correct"),
        lambda rows: (
            _lists(rows, "options") and all(str((row["options"] or [""])[0]).startswith("A )") for row in rows)
        ),
        ColumnMapping(question="question", reference="rationale", answer="correct", choices="options"),
        note="Words and signs stand apart in this variant; the plain files read more naturally.",
    ),
    Form(
        "aqua",
        "AQUA-RAT",
        "aqua",
        ("question", "options", "rationale", "correct"),
        lambda rows: _lists(rows, "options"),
        ColumnMapping(question="question", reference="rationale", answer="correct", choices="options"),
    ),
    Form(
        "flan-aqua",
        "FLAN's part of AQUA-RAT",
        "aqua",
        _FLAN_COLUMNS,
        lambda rows: _flan(rows, "(A)"),
        ColumnMapping(question="question", reference="reference", answer="answer", choices="options"),
        expand_flan,
        note="FLAN's part repeats questions; the duplicates are listed after reading.",
    ),
    Form(
        "flan-ecqa",
        "FLAN's part of ECQA",
        "ecqa",
        _FLAN_COLUMNS,
        lambda rows: _flan(rows, "- "),
        ColumnMapping(question="question", reference="reference", answer="answer", choices="options"),
        expand_flan,
        note="It has no ids, so the authors' split cannot be followed; 32 of its rows are in their test part.",
    ),
    Form(
        "ecqa-csv",
        "ECQA, the authors' joined CSV",
        "ecqa",
        ("q_no", "q_text", "q_op1", "q_op2", "q_op3", "q_op4", "q_op5", "q_ans", "taskB"),
        lambda rows: True,
        ColumnMapping(
            question="q_text", reference="taskB", answer="q_ans", choices=[f"q_op{i}" for i in range(1, 6)], id="q_no"
        ),
    ),
    Form(
        "ecqa-joined",
        "ECQA joined with CommonsenseQA",
        "ecqa",
        ("id", "question", "choices", "answerKey", "explanation"),
        lambda rows: all(_cqa_choices(row["choices"]) for row in rows),
        ColumnMapping(question="question", reference="explanation", answer="answerKey", choices="choices", id="id"),
    ),
    Form(
        "ecqa-explanations",
        "ECQA explanations without questions",
        None,
        ("id", "positives", "negatives", "explanation"),
        lambda rows: all("question" not in row for row in rows),
        None,
        note="The questions are in CommonsenseQA's files: import those, and give this file for their explanations.",
    ),
    Form(
        "commonsenseqa",
        "CommonsenseQA, the questions of ECQA without explanations",
        "ecqa",
        ("id", "question", "answerKey"),
        lambda rows: all(isinstance(row["question"], Mapping) and "stem" in row["question"] for row in rows),
        ColumnMapping(question="question.stem", answer="answerKey", choices="question.choices", id="id"),
        note="There is no reference COT here; ECQA's file of explanations has them by id.",
    ),
    Form(
        "commonsenseqa",
        "CommonsenseQA, the questions of ECQA without explanations",
        "ecqa",
        ("id", "question", "choices", "answerKey"),
        lambda rows: all(_cqa_choices(row["choices"]) for row in rows),
        ColumnMapping(question="question", answer="answerKey", choices="choices", id="id"),
        note="There is no reference COT here; ECQA's file of explanations has them by id.",
    ),
    Form(
        "ids",
        "a list of ids, such as the ECQA authors' split",
        None,
        ("column 1",),
        lambda rows: all(re.fullmatch(r"[0-9a-f]{32}", str(row["column 1"]).strip()) for row in rows),
        None,
        note="It holds ids and no questions: give it when drawing a split.",
    ),
    Form(
        "mmlu",
        "MMLU (CSV without a header; question, four choices, letter)",
        "mmlu",
        _MMLU_COLUMNS,
        lambda rows: all(_LETTER.fullmatch(str(row["column 6"]).strip()) for row in rows),
        ColumnMapping(question="column 1", answer="column 6", choices=list(_MMLU_COLUMNS[1:5])),
    ),
    Form(
        "mmlu",
        "MMLU (question, list of choices, place of the answer)",
        "mmlu",
        ("question", "subject", "choices", "answer"),
        lambda rows: _lists(rows, "choices"),
        ColumnMapping(question="question", answer="answer", choices="choices"),
    ),
    Form(
        "arithmetic",
        "the built-in arithmetic task",
        "arithmetic",
        ("question", "reference", "answer"),
        lambda rows: all(_ARITHMETIC_STEPS.match(str(row["reference"])) for row in rows),
        ColumnMapping(question="question", reference="reference", answer="answer"),
    ),
)


def optional_columns(form: Form, columns: Sequence[str]) -> ColumnMapping | None:
    """The form's mapping, with the id and part columns that this file happens to have."""
    mapping = form.mapping
    if mapping is None:
        return None
    found: dict[str, str | None] = {}
    if mapping.id is None and form.expand is None and "id" in columns:
        found["id"] = "id"
    if mapping.id is not None and mapping.id not in columns:
        found["id"] = None
    if mapping.part is None and "author_split" in columns:
        found["part"] = "author_split"
    elif mapping.part is None and form.name == "arithmetic" and "part" in columns:
        found["part"] = "part"
    return mapping.model_copy(update=found)
