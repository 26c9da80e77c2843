"""Train one method on question groups."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aft.config.sampling import SampleConfig
from aft.config.training import TrainConfig
from aft.evaluation import evaluate_task
from aft.training.groups import Group, make_groups
from aft.training.loop import train
from backend.db.models import Example
from worker.context import RunContext, Stopped
from worker.tasks import searching
from worker.tasks.groups import question_records
from worker.tasks.inputs import load_start, use_device
from worker.tasks.questions import as_question, read_questions, task_name
from worker.tasks.saving import RunCheckpoints

CONFIG = TrainConfig
_ROOM_FOR_DETOURS = 16


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
    result = train(
        config,
        model,
        tokenizer,
        groups,
        sink=context.sink,
        should_stop=context.should_stop,
        checkpoints=RunCheckpoints(context),
        evaluate=_validation(context, tokenizer, groups, task),
        epochs=config.optimizer.epochs,
    )
    if result.stopped:
        raise Stopped


def _validation(
    context: RunContext, tokenizer: Any, groups: Sequence[Group], task: str
) -> Callable[[Any, int], Mapping[str, float]] | None:
    """Greedy decoding of the first validation questions, or None when it is turned off."""
    config: TrainConfig = context.config
    if config.validation_questions == 0 or config.evaluations_per_run == 0:
        return None
    rows: list[Example] = read_questions(context, "validation", config.validation_questions)
    examples = [as_question(row, task) for row in rows]
    longest_prompt = max(len(group.prompt_ids) for group in groups)
    longest_reference = max(len(group.reference_ids) for group in groups)
    # A response twice as long as any reference is not going to end well; decoding on would only cost time.
    room = min(config.max_length - longest_prompt, 2 * longest_reference + _ROOM_FOR_DETOURS)
    limit = SampleConfig(k=1, max_new_tokens=max(1, room)).max_new_tokens

    def evaluate(model: Any, step: int) -> Mapping[str, float]:
        found = evaluate_task(model, tokenizer, examples, max_new_tokens=limit, should_stop=context.should_stop)
        if found.stopped or found.accuracy is None:
            return {}
        n = len(found.predictions)
        return {
            "task_accuracy": found.accuracy.value,
            "unparsed_rate": found.unparsed / n,
            "truncated_rate": found.truncated / n,
        }

    return evaluate
