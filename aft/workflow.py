"""The whole method on files, without server or database: read, sample, rate, train, evaluate.

Each step reads and writes JSON lines or a model's directory, so that any of them can be done elsewhere. The same steps
are commands: ``python -m aft sample``, ``rate``, ``train`` and ``evaluate``.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from aft.answers import judge
from aft.config.sampling import SampleConfig
from aft.config.training import TrainConfig
from aft.data.examples import Example
from aft.data.formats import RowError, inspect_file, read_rows, row_parser_of
from aft.data.prompts import prompt_text, response_text
from aft.encoding import encode_prompt, encode_response
from aft.evaluation import TaskEvaluation, evaluate_task
from aft.ratings import RIGHT, WRONG, rate_by_oracle
from aft.sampling import Prompt, Sampled, sample_cots
from aft.training.checkpoints import CheckpointStore
from aft.training.groups import CandidateRecord, QuestionRecord, make_groups
from aft.training.loop import TrainResult, train
from aft.training.sinks import JsonlSink

Judge = Literal["answer", "oracle"]


@dataclass(frozen=True, slots=True)
class CandidateLine:
    """One candidate COT as a line of a candidates file.

    Attributes:
        question_id: Its question's id.
        sample_index: Which of the question's samples, from 0.
        token_ids: As sampled; never made from the text again.
        text: The response.
        finish_reason: stop, or length where it was cut.
        answer: What was read from it; None where no rule finds one.
        verdict: right, wrong, unparsed or truncated.
        rating: Its quality, higher is better; None before it is rated.
    """

    question_id: str
    sample_index: int
    token_ids: tuple[int, ...]
    text: str
    finish_reason: str
    answer: str | None
    verdict: str
    rating: float | None = None


def read_examples(path: Path, task: str | None = None) -> list[Example]:
    """Read a data file in any published form, or with columns whose names tell what they hold.

    Args:
        path: JSONL, JSON, CSV, TSV or Parquet, each also gzipped.
        task: How answers are read, where the file does not say.

    Raises:
        ValueError: If a row cannot be read, or the task or the columns are not known.
    """
    parse = row_parser_of(inspect_file(path, path.name).detection, task=task)
    examples = []
    for number, row in read_rows(path, path.name):
        try:
            if isinstance(row, RowError):
                raise row
            examples.append(parse(row, number))
        except RowError as error:
            raise ValueError(f"Row {number} of {path} cannot be read: {error}") from error
    return examples


def sample(model: Any, tokenizer: Any, examples: Sequence[Example], config: SampleConfig) -> list[CandidateLine]:
    """Sample ``config.k`` candidate COTs for every question and read their answers.

    Raises:
        ValueError: If a question does not fit the model's window.
    """
    by_id = _by_id(examples)
    found: list[Sampled] = []
    prompts = [Prompt(name, encode_prompt(tokenizer, prompt_text(example))) for name, example in by_id.items()]
    sample_cots(model, tokenizer, prompts, config, on_done=found.extend)
    places = {name: place for place, name in enumerate(by_id)}
    found.sort(key=lambda item: (places[item.question_id], item.sample_index))
    return [_line(item, by_id[item.question_id]) for item in found]


def rate(candidates: Iterable[CandidateLine], examples: Sequence[Example], by: Judge = "answer") -> list[CandidateLine]:
    """Rate candidates: 1 for a right answer and 0 otherwise, or by the arithmetic task's oracle from 1 to 10.

    Raises:
        ValueError: If a candidate's question is missing, or the oracle is asked about another task.
    """
    by_id = _by_id(examples)
    rated = []
    for line in candidates:
        example = _question_of(line, by_id)
        if by == "oracle":
            truncated = line.finish_reason == "length"
            rating = float(rate_by_oracle(example.question, line.text, truncated=truncated).rating)
        else:
            rating = RIGHT if line.verdict == "right" else WRONG
        rated.append(replace(line, rating=rating))
    return rated


def fine_tune(
    config: TrainConfig,
    model: Any,
    tokenizer: Any,
    examples: Sequence[Example],
    candidates: Iterable[CandidateLine] = (),
    *,
    directory: Path,
) -> TrainResult:
    """Train ``model`` in place; called again with the same arguments it resumes from its last checkpoint.

    Args:
        config: The method and the optimizer.
        model: The starting model.
        tokenizer: Its tokenizer.
        examples: Training questions with their reference COTs.
        candidates: Rated candidates; not needed for VFT.
        directory: Gets the checkpoints, the finished model and ``metrics.jsonl``.

    Raises:
        ValueError: If a candidate has no rating or no question, or the data cannot be trained on.
    """
    by_id = _by_id(examples)
    of_question: dict[str, list[CandidateRecord]] = {}
    for line in candidates:
        _question_of(line, by_id)
        if line.rating is None:
            raise ValueError(f"Candidate {line.sample_index} of question '{line.question_id}' has no rating. Rate it.")
        truncated = line.finish_reason == "length"
        record = CandidateRecord(line.token_ids, line.text, line.rating, truncated)
        of_question.setdefault(line.question_id, []).append(record)
    if config.method.uses_candidates and not of_question:
        raise ValueError(f"Method '{config.method.name}' needs candidates and there are none. Sample and rate some.")
    records = [
        QuestionRecord(
            name,
            encode_prompt(tokenizer, prompt_text(example)),
            encode_response(tokenizer, _reference(example)),
            of_question.get(name, []) if config.method.uses_candidates else [],
        )
        for name, example in by_id.items()
    ]
    groups = make_groups(
        records,
        deduplicate_texts=config.deduplicate,
        distinct_equations=config.method.distinct == "equations",
    )
    return train(
        config,
        model,
        tokenizer,
        groups,
        sink=JsonlSink(directory / "metrics.jsonl"),
        should_stop=lambda: False,
        checkpoints=CheckpointStore(directory),
        epochs=config.optimizer.epochs,
    )


def evaluate(model: Any, tokenizer: Any, examples: Sequence[Example], *, max_new_tokens: int = 512) -> TaskEvaluation:
    """Answer every question greedily and grade the answers.

    Raises:
        ValueError: If a question does not fit the model's window.
    """
    return evaluate_task(model, tokenizer, examples, max_new_tokens=max_new_tokens)


def write_lines(path: Path, lines: Iterable[Any]) -> None:
    """Write dataclasses or mappings as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    bodies = (line if isinstance(line, Mapping) else asdict(line) for line in lines)
    path.write_text("".join(json.dumps(body, ensure_ascii=False) + "\n" for body in bodies), encoding="utf-8")


def read_candidates(path: Path) -> list[CandidateLine]:
    """Read a candidates file.

    Raises:
        ValueError: If a line is none.
    """
    lines = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            body = json.loads(text)
            lines.append(CandidateLine(**{**body, "token_ids": tuple(body["token_ids"])}))
        except (ValueError, TypeError, KeyError) as error:
            what = f"it has no {error}" if isinstance(error, KeyError) else str(error)
            raise ValueError(
                f"Line {number} of {path} is no candidate: {what}. Make the file with `sample`."
            ) from error
    return lines


def _by_id(examples: Sequence[Example]) -> dict[str, Example]:
    by_id = {example.id: example for example in examples}
    if len(by_id) < len(examples):
        raise ValueError("Two questions have the same id. Give each its own.")
    return by_id


def _question_of(line: CandidateLine, by_id: Mapping[str, Example]) -> Example:
    if line.question_id not in by_id:
        raise ValueError(f"There is no question '{line.question_id}'. Give the data that the candidates are of.")
    return by_id[line.question_id]


def _line(item: Sampled, example: Example) -> CandidateLine:
    answer, verdict = judge(item.text, item.finish_reason, example.answer, example.task, example.choices)
    value = answer.value if answer else None
    return CandidateLine(
        item.question_id, item.sample_index, item.token_ids, item.text, item.finish_reason, value, verdict
    )


def _reference(example: Example) -> str:
    return response_text(example.reference, example.answer, example.task, example.choices)
