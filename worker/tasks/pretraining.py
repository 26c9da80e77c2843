"""Make a base model: the built-in one, or a tiny one for a data set."""

from collections.abc import Iterator

from aft.config.tiny import MakingConfig, TinyModelConfig
from aft.config.training import BuiltinModelConfig
from aft.data.prompts import prompt_text, response_text
from aft.models import build_from_texts
from aft.training.pretrain import pretrain
from worker.context import RunContext, Stopped
from worker.tasks.inputs import use_device
from worker.tasks.questions import as_question, read_questions, task_name
from worker.tasks.saving import RunCheckpoints

CONFIG = MakingConfig


def run(context: RunContext) -> None:
    """Train from random weights to the final model, or to a checkpoint when stopped.

    Raises:
        Stopped: If asked to stop.
    """
    use_device(context)
    match context.config.root:
        case BuiltinModelConfig() as config:
            _pretrain(context, config)
        case TinyModelConfig() as config:
            _make_tiny(context, config)


def _pretrain(context: RunContext, config: BuiltinModelConfig) -> None:
    context.sink.progress(0, config.steps, "pre-training")
    result = pretrain(config, None, context.sink, context.should_stop, RunCheckpoints(context))
    if result.stopped:
        raise Stopped


def _make_tiny(context: RunContext, config: TinyModelConfig) -> None:
    context.sink.progress(0, None, "training the tokenizer")
    context.stop_if_asked()
    texts = _training_texts(context)
    model, tokenizer = build_from_texts(
        config, texts, seed=config.seed, vocab_size=config.vocab_size, window=config.window
    )
    context.stop_if_asked()
    RunCheckpoints(context).save_final(model, tokenizer)
    context.sink.progress(1, 1, "made")


def _training_texts(context: RunContext) -> Iterator[str]:
    """What the model will read and write: prompts and responses of the training questions."""
    task = task_name(context)
    for row in read_questions(context, "train", None):
        question = as_question(row, task)
        yield prompt_text(question)
        yield response_text(question.reference, question.answer, task, question.choices)
