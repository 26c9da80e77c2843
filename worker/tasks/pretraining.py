"""Make the built-in model."""

from aft.config.training import BuiltinModelConfig
from aft.training.pretrain import pretrain
from worker.context import RunContext, Stopped
from worker.tasks.inputs import use_device
from worker.tasks.saving import RunCheckpoints

CONFIG = BuiltinModelConfig


def run(context: RunContext) -> None:
    """Train from random weights to the final model, or to a checkpoint when stopped.

    Raises:
        Stopped: If asked to stop.
    """
    use_device(context)
    context.sink.progress(0, context.config.steps, "pre-training")
    result = pretrain(context.config, None, context.sink, context.should_stop, RunCheckpoints(context))
    if result.stopped:
        raise Stopped
