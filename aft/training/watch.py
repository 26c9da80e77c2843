"""Validation during training: greedy answers, fresh candidates' scores, and the degradation alarm over both."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from aft.data.examples import Example
from aft.degradation import Alarm, Evaluated, find_alarm
from aft.evaluation import AssessmentQuestion, evaluate_assessment, evaluate_task
from aft.metrics import ScoredQuestion


class ValidationWatch:
    """Measures a model at the evaluations of its training and compares it with its past.

    Args:
        tokenizer: The model's.
        examples: Validation questions, decoded greedily.
        questions: Assessment questions with labelled candidates that are not trained on; without any there is no
            alarm.
        max_new_tokens: Length of an answer at which it is cut.
        tokens_per_microbatch: Most tokens of one forward pass of scoring.
        history: File of the evaluations, case by case; what an earlier attempt left there is read.
        total: The step after which training ends.
        should_stop: Asked before every token and every chunk of candidates.
        on_alarm: Told of every evaluation that has degraded.
    """

    def __init__(
        self,
        tokenizer: Any,
        examples: Sequence[Example],
        questions: Sequence[AssessmentQuestion],
        *,
        max_new_tokens: int,
        tokens_per_microbatch: int,
        history: Path,
        total: int,
        should_stop: Callable[[], bool],
        on_alarm: Callable[[Alarm], None] = lambda alarm: None,
    ) -> None:
        self._tokenizer, self._examples, self._questions = tokenizer, examples, questions
        self._max_new_tokens, self._tokens_per_microbatch = max_new_tokens, tokens_per_microbatch
        self._history, self._total = history, total
        self._should_stop, self._on_alarm = should_stop, on_alarm
        self._past = _read(history)
        self.baseline: Evaluated | None = None
        """The VFT model, where there is one to compare with."""
        self.starts_from_baseline = False
        """Whether training starts from it: then every step is compared with it. A training from the base model is
        compared with it at its end only, for half-trained it must fall short of it."""
        self.alarm: Alarm | None = None
        """The newest evaluation's."""

    def __call__(self, model: Any, step: int) -> Mapping[str, float]:
        """Measure; empty when asked to stop meanwhile."""
        found = self.measure(model)
        if found is None:
            return {}
        now, rates = found
        values = {**now.values, **rates}
        self._past = {earlier: item for earlier, item in self._past.items() if earlier < step}
        if self._questions:
            self.alarm = find_alarm(step, now, self._references(step))
            values["degraded"] = float(self.alarm is not None)
            if self.alarm is not None:
                self._on_alarm(self.alarm)
        self._past[step] = now
        _write(self._history, self._past)
        return values

    def measure(self, model: Any) -> tuple[Evaluated, dict[str, float]] | None:
        """A model's cases, and the shares of unparsed and of cut answers; None when asked to stop meanwhile."""
        answers = evaluate_task(
            model,
            self._tokenizer,
            self._examples,
            max_new_tokens=self._max_new_tokens,
            should_stop=self._should_stop,
        )
        if answers.stopped or not answers.predictions:
            return None
        scored: dict[str, ScoredQuestion] = {}
        if self._questions:
            assessed = evaluate_assessment(
                model,
                self._questions,
                tokens_per_microbatch=self._tokens_per_microbatch,
                should_stop=self._should_stop,
            )
            if assessed.stopped:
                return None
            scored = {item.question_id: _sides(item, assessed.scores) for item in self._questions}
        n = len(answers.predictions)
        rates = {"unparsed_rate": answers.unparsed / n, "truncated_rate": answers.truncated / n}
        rates |= _accuracies_of_tasks(self._examples, {item.question_id: item.correct for item in answers.predictions})
        return Evaluated({item.question_id: item.correct for item in answers.predictions}, scored), rates

    def _references(self, step: int) -> list[tuple[str, Evaluated]]:
        found = []
        if self.baseline is not None and (self.starts_from_baseline or step >= self._total):
            found.append(("the VFT model", self.baseline))
        if self._past:
            peak = max(self._past, key=lambda earlier: self._past[earlier].values["task_accuracy"])
            found.append((f"step {peak}", self._past[peak]))
        return found


def _accuracies_of_tasks(examples: Sequence[Example], correct: Mapping[str, bool]) -> dict[str, float]:
    """Task accuracy of each task's questions, where there are several tasks."""
    by_task: dict[str, list[bool]] = {}
    for example in examples:
        by_task.setdefault(example.task, []).append(correct[example.id])
    if len(by_task) < 2:
        return {}
    return {f"task_accuracy/{task}": sum(right) / len(right) for task, right in sorted(by_task.items())}


def _sides(question: AssessmentQuestion, scores: Mapping[str, float]) -> ScoredQuestion:
    return ScoredQuestion(
        positives=[scores[item.candidate_id] for item in question.candidates if item.correct],
        negatives=[scores[item.candidate_id] for item in question.candidates if not item.correct],
    )


def _read(history: Path) -> dict[int, Evaluated]:
    """Complete lines only: a killed process may have left half of one."""
    try:
        lines = history.read_text(encoding="utf-8").split("\n")[:-1]
    except FileNotFoundError:
        return {}
    return {int(body["step"]): Evaluated.from_json(body) for body in map(json.loads, lines)}


def _write(history: Path, past: Mapping[int, Evaluated]) -> None:
    hidden = history.with_name(f".{history.name}")
    lines = (json.dumps({"step": step, **item.as_json()}) + "\n" for step, item in sorted(past.items()))
    hidden.write_text("".join(lines), encoding="utf-8")
    hidden.replace(history)
