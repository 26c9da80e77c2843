"""What a checkpoint can do: greedy task accuracy, and how it scores stored candidates.

Both return every single prediction or score beside the number, because a number without its cases cannot be
looked into.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from aft.answers import extract_answer, is_correct
from aft.config.sampling import SampleConfig
from aft.data.examples import Example
from aft.data.prompts import prompt_text
from aft.encoding import encode_prompt
from aft.metrics import PAPER_PER_SIDE, Assessment, Proportion, ScoredQuestion, assess, perplexity, task_accuracy
from aft.sampling import Prompt, Sampled, sample_cots
from aft.scoring import candidate_scores


@dataclass(frozen=True, slots=True)
class Prediction:
    """The greedy response to one question and what was read from it."""

    question_id: str
    token_ids: tuple[int, ...]
    text: str
    answer: str | None
    """None where no answer was found; then it is not correct."""
    span: tuple[int, int] | None
    """Characters of the answer in ``text``."""
    rule: str | None
    correct: bool
    truncated: bool


@dataclass(frozen=True, slots=True)
class TaskEvaluation:
    """Greedy decoding of a set of questions."""

    predictions: tuple[Prediction, ...]
    """In the order of the questions."""
    accuracy: Proportion | None
    """None without predictions."""
    unparsed: int
    truncated: int
    stopped: bool
    """True when ``should_stop`` ended it early: the numbers cover only part of the questions."""


def evaluate_task(
    model: Any,
    tokenizer: Any,
    examples: Sequence[Example],
    *,
    max_new_tokens: int,
    should_stop: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> TaskEvaluation:
    """Decode every example greedily and grade its answer.

    Args:
        model: A causal language model.
        tokenizer: Its tokenizer.
        examples: Questions with gold answers.
        max_new_tokens: A response cut here is marked truncated; it is graded as far as it goes.
        should_stop: Asked before every token.
        on_progress: Receives how many questions are done, and of how many.

    Raises:
        ValueError: If a question does not fit the model's window.
    """
    by_id = {example.id: example for example in examples}
    prompts = [Prompt(example.id, encode_prompt(tokenizer, prompt_text(example))) for example in examples]
    graded: dict[str, Prediction] = {}

    def grade(done: list[Sampled]) -> None:
        for sampled in done:
            graded[sampled.question_id] = _grade(by_id[sampled.question_id], sampled)
        on_progress(len(graded), len(examples))

    greedy = SampleConfig(k=1, temperature=0, max_new_tokens=max_new_tokens)
    complete = sample_cots(model, tokenizer, prompts, greedy, on_done=grade, should_stop=should_stop)
    predictions = tuple(graded[example.id] for example in examples if example.id in graded)
    return TaskEvaluation(
        predictions=predictions,
        accuracy=task_accuracy([prediction.correct for prediction in predictions]),
        unparsed=sum(prediction.answer is None for prediction in predictions),
        truncated=sum(prediction.truncated for prediction in predictions),
        stopped=not complete,
    )


def _grade(example: Example, sampled: Sampled) -> Prediction:
    found = extract_answer(sampled.text, example.task, example.choices)
    return Prediction(
        question_id=sampled.question_id,
        token_ids=sampled.token_ids,
        text=sampled.text,
        answer=None if found is None else found.value,
        span=None if found is None else found.span,
        rule=None if found is None else found.rule,
        correct=found is not None and is_correct(found.value, example.answer, example.task, example.choices),
        truncated=sampled.finish_reason == "length",
    )


@dataclass(frozen=True, slots=True)
class AssessmentCandidate:
    """A stored candidate with its label."""

    candidate_id: str
    ids: tuple[int, ...]
    correct: bool


@dataclass(frozen=True, slots=True)
class AssessmentQuestion:
    """A question whose freshly sampled candidates are compared."""

    question_id: str
    prompt_ids: tuple[int, ...]
    candidates: tuple[AssessmentCandidate, ...]


@dataclass(frozen=True, slots=True)
class AssessmentEvaluation:
    """How a model scores right and wrong COTs (Eq. 3)."""

    scores: dict[str, float]
    """Score of every candidate by its id, also of those no form counts."""
    exact: Assessment
    """The paper's form: exactly ``per_side`` positives and negatives of each question."""
    up_to: Assessment
    """Up to ``per_side`` on each side, at least one: more questions count."""
    all_pairs: Assessment
    positive_perplexity: float | None
    """Mean of ``exp(-s)`` over the positives of ``up_to``; None without one."""
    stopped: bool
    """True when ``should_stop`` ended it early: only the questions scored by then count."""


@torch.inference_mode()
def evaluate_assessment(
    model: Any,
    questions: Sequence[AssessmentQuestion],
    *,
    per_side: int = PAPER_PER_SIDE,
    tokens_per_microbatch: int = 4096,
    questions_per_call: int = 32,
    should_stop: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> AssessmentEvaluation:
    """Score stored candidates and measure assessment accuracy and the positives' perplexity.

    Args:
        model: A causal language model.
        questions: Questions with labelled candidates, which are not the training candidates.
        per_side: Positives and negatives compared for each question, the first ones in the order given.
        tokens_per_microbatch: Most tokens of one forward pass.
        questions_per_call: Questions scored between two looks at ``should_stop``.
        should_stop: True ends the scoring.
        on_progress: Receives how many questions are done, and of how many.

    Raises:
        ValueError: If a candidate is empty or exceeds the model's window.
    """
    was_training = model.training
    model.eval()
    scores: dict[str, float] = {}
    done = 0
    try:
        while done < len(questions) and not should_stop():
            part = questions[done : done + questions_per_call]
            groups = [(question.prompt_ids, [candidate.ids for candidate in question.candidates]) for question in part]
            found = candidate_scores(model, groups, tokens_per_microbatch=tokens_per_microbatch)
            for question, values in zip(part, found, strict=True):
                named = zip(question.candidates, values.tolist(), strict=True)
                scores.update({candidate.candidate_id: value for candidate, value in named})
            done += len(part)
            on_progress(done, len(questions))
    finally:
        model.train(was_training)
    return summarise_assessment(questions[:done], scores, per_side=per_side, stopped=done < len(questions))


def summarise_assessment(
    questions: Sequence[AssessmentQuestion],
    scores: dict[str, float],
    *,
    per_side: int = PAPER_PER_SIDE,
    stopped: bool = False,
) -> AssessmentEvaluation:
    """Measure from scores that exist already, such as stored ones."""
    sides = [
        ScoredQuestion(
            positives=[scores[c.candidate_id] for c in question.candidates if c.correct],
            negatives=[scores[c.candidate_id] for c in question.candidates if not c.correct],
        )
        for question in questions
    ]
    capped = [ScoredQuestion(side.positives[:per_side], side.negatives[:per_side]) for side in sides]
    compared = [side for side in capped if side.positives and side.negatives]
    return AssessmentEvaluation(
        scores=scores,
        exact=assess(sides, per_side),
        up_to=assess(capped),
        all_pairs=assess(sides),
        positive_perplexity=perplexity([score for side in compared for score in side.positives]),
        stopped=stopped,
    )
