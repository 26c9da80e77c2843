"""Train one method on question groups."""

from collections.abc import Mapping
from typing import Any

from aft.config.training import TrainConfig
from aft.training.groups import make_groups
from aft.training.loop import train
from backend.db.session import transaction
from backend.services import alarms
from worker.context import RunContext, Stopped
from worker.tasks import searching
from worker.tasks.groups import question_records
from worker.tasks.inputs import join_ranks, load_start, use_device
from worker.tasks.questions import read_questions, task_name
from worker.tasks.saving import run_checkpoints
from worker.tasks.validation import validation_watch

CONFIG = TrainConfig


def run(context: RunContext) -> None:
    """Train to the final model, or to a checkpoint when stopped.

    Raises:
        Stopped: If asked to stop.
    """
    config = searching.with_chosen_beta(context)
    use_device(context)
    ranks = join_ranks(context)
    task = task_name(context)
    model, tokenizer = load_start(context, config)
    questions = read_questions(context, "train", None)
    context.sink.progress(0, None, "reading the candidates")
    groups = make_groups(
        question_records(context, tokenizer, questions, task),
        deduplicate_texts=config.deduplicate,
        distinct_equations=config.method.distinct == "equations",
    )
    context.stop_if_asked()
    watch = validation_watch(context, model, tokenizer, groups, task) if ranks.is_first else None
    is_watched = ranks.from_first(lambda: watch is not None)
    result = train(
        config,
        model,
        tokenizer,
        groups,
        sink=context.sink,
        should_stop=context.should_stop,
        checkpoints=run_checkpoints(context),
        evaluate=watch or (_in_the_first_process if is_watched else None),
        should_end=lambda: config.on_degradation == "stop" and watch is not None and watch.alarm is not None,
        epochs=config.optimizer.epochs,
        ranks=ranks,
    )
    ranks.leave()
    if result.stopped:
        raise Stopped
    if result.best is not None and ranks.is_first:
        with transaction() as session:
            alarms.record_best(session, context.claim, result.best.step, result.best.task_accuracy, config.keep)


def _in_the_first_process(model: Any, step: int) -> Mapping[str, float]:
    """Stands for the evaluation in the other processes, which never do it."""
    raise AssertionError
