"""Evaluation: every case is kept, and the numbers follow from the cases."""

import math
from typing import Any

import pytest

from aft.arithmetic import VOCABULARY, make_examples
from aft.config.training import BuiltinModelConfig
from aft.data.prompts import prompt_text
from aft.encoding import encode_prompt, encode_response
from aft.evaluation import (
    AssessmentCandidate,
    AssessmentQuestion,
    evaluate_assessment,
    evaluate_task,
    summarise_assessment,
)
from aft.models import build_llama, build_tokenizer
from aft.scoring import candidate_scores
from aft.training.checkpoints import CheckpointStore
from aft.training.groups import QuestionRecord, make_groups
from aft.training.loop import train
from aft.training.sinks import NullSink


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return build_tokenizer(VOCABULARY)


@pytest.fixture(scope="module")
def model(tokenizer: Any) -> Any:
    return build_llama(BuiltinModelConfig(hidden_size=32, layers=1, heads=2, mlp_size=32), tokenizer, seed=0)


def test_untrained_model_is_wrong_and_every_case_is_kept(model: Any, tokenizer: Any) -> None:
    examples = make_examples("test", 7, 0)
    progress: list[tuple[int, int]] = []
    found = evaluate_task(
        model, tokenizer, examples, max_new_tokens=10, on_progress=lambda done, total: progress.append((done, total))
    )
    assert [prediction.question_id for prediction in found.predictions] == [example.id for example in examples]
    assert found.accuracy is not None
    assert found.accuracy.total == 7
    assert found.accuracy.successes == sum(prediction.correct for prediction in found.predictions)
    assert found.unparsed == sum(prediction.answer is None for prediction in found.predictions)
    assert found.truncated == sum(prediction.truncated for prediction in found.predictions)
    assert progress[-1] == (7, 7)
    assert not found.stopped


def test_memorised_answers_are_right(tmp_path: Any, tokenizer: Any) -> None:
    """The whole path from prompt to grade: a model that knows the references by heart scores 1."""
    examples = make_examples("train", 2, 0)
    records = [
        QuestionRecord(e.id, encode_prompt(tokenizer, prompt_text(e)), encode_response(tokenizer, f"[ANS] {e.answer}"))
        for e in examples
    ]
    config = {"method": {"name": "vft"}, "optimizer": {"learning_rate": 0.02, "epochs": 60}}
    model = build_llama(BuiltinModelConfig(hidden_size=32, layers=1, heads=2, mlp_size=32), tokenizer, seed=0)
    from aft.config.training import TrainConfig

    train(
        TrainConfig.model_validate(config), model, tokenizer, make_groups(records), sink=NullSink(),
        should_stop=lambda: False, checkpoints=CheckpointStore(tmp_path), epochs=60,
    )  # fmt: skip
    found = evaluate_task(model, tokenizer, examples, max_new_tokens=10)
    assert found.accuracy is not None
    assert found.accuracy.value == 1
    for prediction, example in zip(found.predictions, examples, strict=True):
        assert prediction.answer == example.answer
        assert prediction.span is not None
        assert prediction.text[slice(*prediction.span)] == example.answer
        assert not prediction.truncated


def test_nothing_measured_is_none(model: Any, tokenizer: Any) -> None:
    found = evaluate_task(model, tokenizer, [], max_new_tokens=10)
    assert found.accuracy is None
    stopped = evaluate_task(model, tokenizer, make_examples("test", 3, 0), max_new_tokens=10, should_stop=lambda: True)
    assert (stopped.accuracy, stopped.stopped, stopped.predictions) == (None, True, ())


def questions() -> list[AssessmentQuestion]:
    found = []
    for number, (positives, negatives) in enumerate([(3, 3), (5, 4), (1, 2), (2, 0)]):
        labels = [True] * positives + [False] * negatives
        candidates = tuple(
            AssessmentCandidate(f"{number}-{index}", (5 + index, 6 + number, 9), correct)
            for index, correct in enumerate(labels)
        )
        found.append(AssessmentQuestion(f"q{number}", (10, 11 + number), candidates))
    return found


def test_scores_are_those_of_scoring(model: Any) -> None:
    found = evaluate_assessment(model, questions(), questions_per_call=2)
    expected = candidate_scores(model, [(q.prompt_ids, [c.ids for c in q.candidates]) for q in questions()])
    for question, values in zip(questions(), expected, strict=True):
        for candidate, value in zip(question.candidates, values.tolist(), strict=True):
            assert found.scores[candidate.candidate_id] == pytest.approx(value, abs=1e-6)
    assert not found.stopped


def test_forms_count_the_questions_they_can(model: Any) -> None:
    found = evaluate_assessment(model, questions())
    assert (found.exact.questions_counted, found.exact.questions_total, found.exact.pairs) == (2, 4, 18)
    assert (found.up_to.questions_counted, found.up_to.pairs) == (3, 20)
    assert (found.all_pairs.questions_counted, found.all_pairs.pairs) == (3, 31)


def test_perplexity_is_that_of_the_compared_positives() -> None:
    scores = {c.candidate_id: -0.1 * index for q in questions() for index, c in enumerate(q.candidates)}
    found = summarise_assessment(questions(), scores)
    positives = [0.0, 0.1, 0.2, 0.0, 0.1, 0.2, 0.0]
    assert found.positive_perplexity == pytest.approx(sum(map(math.exp, positives)) / len(positives))
    assert found.all_pairs.value == 1


def test_stopping_leaves_what_was_scored(model: Any) -> None:
    answers = iter([False, True])
    found = evaluate_assessment(model, questions(), questions_per_call=1, should_stop=lambda: next(answers))
    assert found.stopped
    assert found.exact.questions_total == 1
    assert len(found.scores) == 6
