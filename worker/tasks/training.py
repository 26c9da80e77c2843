"""Train one method on question groups."""

from aft.config.training import TrainConfig
from aft.training.groups import make_groups
from aft.training.loop import train
from backend.db.session import transaction
from backend.services import alarms
from worker.context import RunContext, Stopped
from worker.tasks import searching
from worker.tasks.groups import question_records
from worker.tasks.inputs import load_start, use_device
from worker.tasks.questions import read_questions, task_name
from worker.tasks.saving import RunCheckpoints
from worker.tasks.validation import validation_watch

CONFIG = TrainConfig


def run(context: RunContext) -> None:
    """Train to the final model, or to a checkpoint when stopped.

    Raises:
        Stopped: If asked to stop.
    """
    config = searching.with_chosen_beta(context)
    use_device(context)
    task = task_name(context)
    model, tokenizer = load_start(context, config.precision)
    questions = read_questions(context, "train", None)
    context.sink.progress(0, None, "reading the candidates")
    groups = make_groups(question_records(context, tokenizer, questions, task), deduplicate_texts=config.deduplicate)
    context.stop_if_asked()
    watch = validation_watch(context, model, tokenizer, groups, task)
    result = train(
        config,
        model,
        tokenizer,
        groups,
        sink=context.sink,
        should_stop=context.should_stop,
        checkpoints=RunCheckpoints(context),
        evaluate=watch,
        should_end=lambda: config.on_degradation == "stop" and watch is not None and watch.alarm is not None,
        epochs=config.optimizer.epochs,
    )
    if result.stopped:
        raise Stopped
    if result.best is not None:
        with transaction() as session:
            alarms.record_best(session, context.claim, result.best.step, result.best.task_accuracy, config.keep)
