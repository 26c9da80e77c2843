"""Choose β of the boundary by task accuracy on validation questions, and give it to the trainings that wait for it."""

from statistics import fmean
from typing import Final

from sqlalchemy import select

from aft.config.search import SearchConfig
from aft.config.training import TrainConfig
from backend.db.models import Result, Run
from backend.db.session import reading, transaction
from backend.services import metrics
from worker.context import RunContext
from worker.failures import RunFailure

CONFIG = SearchConfig
CHOSEN: Final = "chosen_beta"


def run(context: RunContext) -> None:
    """Store the β with the highest mean accuracy over the search's seeds; of equal ones the smallest.

    Raises:
        RunFailure: If an evaluation has no accuracy, or looked at other than validation questions.
    """
    config: SearchConfig = context.config
    curve = []
    for place, beta in enumerate(config.betas):
        found = [_validation_accuracy(context, config.role(place, seed)) for seed in config.seeds]
        curve.append({"beta": beta, "accuracy": fmean(found), "by_seed": found})
    best = max(curve, key=lambda point: (point["accuracy"], -point["beta"]))  # type: ignore[operator]
    details = {"chosen_on": "validation", "seeds": list(config.seeds), "curve": curve}
    with transaction() as session:
        metrics.record_result(session, context.claim, CHOSEN, float(best["beta"]), len(curve), details)  # type: ignore[arg-type]


def with_chosen_beta(context: RunContext) -> TrainConfig:
    """A training's configuration with β as its search chose it.

    Raises:
        RunFailure: If the search has chosen none.
    """
    config: TrainConfig = context.config
    if not config.method.boundary_search:
        return config
    with reading() as session:
        chosen = session.get(Result, (context.parent("search"), CHOSEN))
    if chosen is None or chosen.value is None:
        raise RunFailure("No β was chosen", "The search for β has no result.", "Retry the search, then this run.")
    method = config.method.model_copy(update={"boundary_search": False, "boundary_beta": chosen.value})
    return config.model_copy(update={"method": method})


def _validation_accuracy(context: RunContext, role: str) -> float:
    query = select(Result.value).where(Result.run_id == context.parent(role), Result.metric == "task_accuracy")
    with reading() as session:
        evaluation = session.get_one(Run, context.parent(role))
        value = session.scalar(query)
    if evaluation.config.get("part") != "validation":
        raise RunFailure(
            "β would be chosen on other than validation questions",
            f"Evaluation '{evaluation.name}' looked at part '{evaluation.config.get('part')}'.",
            "Start the search from an experiment, which evaluates on the validation part.",
        )
    if value is None:
        raise RunFailure(
            "An evaluation of the search has no task accuracy",
            f"Evaluation '{evaluation.name}' answered no validation question.",
            "Choose a split with validation questions.",
        )
    return value
