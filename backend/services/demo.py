"""The demo: a real comparison on the built-in model and task."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from aft.config.grid import BUILTIN
from aft.config.method import MethodConfig
from aft.config.training import BuiltinModelConfig, OptimizerConfig
from aft.paper.scales import SHORT_MODEL, SHORT_STEPS
from backend.db.models import Experiment
from backend.services import builtin, experiments

METHODS = (
    MethodConfig(name="vft"),
    MethodConfig(name="vft-continued"),
    MethodConfig(name="rft"),
    MethodConfig(name="aft", constraint="none"),
    MethodConfig(name="aft", constraint="detached"),
    MethodConfig(name="aft", constraint="boundary"),
    MethodConfig(name="rrhf", constraint="none", feedback="ranking"),
    MethodConfig(name="rrhf", constraint="detached", feedback="ranking"),
    MethodConfig(name="pro", constraint="none", feedback="ranking"),
    MethodConfig(name="pro", constraint="detached", feedback="ranking"),
)
SHORT_METHODS = tuple(method for method in METHODS if method.name in {"vft", "rft", "aft"})


def short_spec(base_model_id: str) -> ExperimentSpec:
    """A shortened demo that proves the path in about a minute; its numbers mean nothing."""
    return ExperimentSpec(
        name="Demo, shortened",
        dataset_version_id=BUILTIN,
        base_model_id=base_model_id,
        methods=SHORT_METHODS,
        seeds=(1,),
        train_questions=60,
        k=4,
        max_new_tokens=48,
        max_length=128,
        optimizer=OptimizerConfig(learning_rate=2e-3, epochs=1),
        validation_questions=40,
        evaluations_per_run=2,
        test_questions=100,
        assessment_questions=60,
        assessment_samples=6,
    )


def full_spec() -> ExperimentSpec:
    """The demo: about ten minutes on two cores, hence the paper's k and fewer questions than the miniature."""
    return ExperimentSpec(
        name="Demo: is a constraint needed?",
        dataset_version_id=BUILTIN,
        base_model_id=BUILTIN,
        methods=METHODS,
        vft_reduction="batch-token-mean",  # the configuration in which the effects were measured
        seeds=(1, 2, 3),
        judge="oracle",
        train_questions=500,
        k=6,
        max_new_tokens=64,
        max_length=128,
        optimizer=OptimizerConfig(learning_rate=2e-3, epochs=6),
        validation_questions=100,
        evaluations_per_run=3,
        test_questions=1000,
        assessment_questions=200,
        assessment_samples=20,
    )


def start(session: Session, *, short: bool = False) -> tuple[Experiment, bool]:
    """Start the demo, or return the one that is there; True when it was there already."""
    spec = short_spec(_short_model_id(session)) if short else full_spec()
    wanted = experiments.resolve(session, spec).model_dump(mode="json")
    demos = select(Experiment).where(Experiment.is_demo, Experiment.deleted_at.is_(None))
    for known in session.scalars(demos.order_by(Experiment.id.desc())):
        counts = experiments.state_counts(session, [known.id])[known.id]
        if known.spec == wanted and experiments.state_of(counts) in {"running", "finished"}:
            return known, True
    return experiments.start(session, spec, request_id=None, is_demo=True), False


def _short_model_id(session: Session) -> str:
    """The built-in model with too few steps to be good at anything."""
    return builtin.registered(session, SHORT_MODEL, BuiltinModelConfig(steps=SHORT_STEPS)).id
