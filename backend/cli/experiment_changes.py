"""What ``aft experiments`` changes of an experiment: pause, resume, priority, what is added, deletion."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
import yaml

from backend.cli.acting import acting, plain_errors
from backend.cli.output import fail
from backend.schemas.experiments import ExperimentExtension
from backend.services import experiment_actions, experiments

Id = Annotated[str, typer.Argument(help="Id from `aft experiments list`.")]


def pause(experiment_id: Id) -> None:
    """Let no new run of an experiment start; those under way finish."""
    with acting() as session:
        experiment_actions.pause(session, experiments.get(session, experiment_id))
    typer.echo("Paused: runs under way finish, and no new one starts.")


def resume(experiment_id: Id) -> None:
    """Let a paused experiment go on."""
    with acting() as session:
        experiment_actions.resume(session, experiments.get(session, experiment_id))
    typer.echo("Its runs start again.")


def prioritise(experiment_id: Id, priority: Annotated[Literal["low", "normal", "high"], typer.Argument()]) -> None:
    """Put an experiment's runs before or after those of others."""
    with acting() as session:
        experiment_actions.prioritise(session, experiments.get(session, experiment_id), priority)
    typer.echo(f"Its runs go with {priority} priority now.")


def extend(
    experiment_id: Id,
    seed: Annotated[list[int] | None, typer.Option(help="A seed to add; may be given several times.")] = None,
    methods: Annotated[
        Path | None, typer.Option(help="YAML with a list of methods to add, as under `methods:` of an experiment.")
    ] = None,
    model: Annotated[list[str] | None, typer.Option(help="Id of a base model to repeat everything from.")] = None,
    dataset: Annotated[
        list[str] | None,
        typer.Option(help="Data set version to train and test on as well, as VERSION or VERSION/SPLIT."),
    ] = None,
    test_on: Annotated[
        list[str] | None,
        typer.Option(help="Data set version to test the trained models on, as VERSION or VERSION/SPLIT."),
    ] = None,
) -> None:
    """Add methods, seeds, models or data sets; everything finished is kept, and only the new cells are computed."""
    with plain_errors():
        added = ExperimentExtension.model_validate(
            {
                "methods": _listed(methods) if methods is not None else [],
                "seeds": seed or [],
                "more_models": model or [],
                "more_datasets": [_choice(one) for one in dataset or []],
                "also_test_on": [_choice(one) for one in test_on or []],
            }
        )
    with acting() as session:
        experiment = experiments.get(session, experiment_id)
        before = len(experiments.cells(session, experiment_id))
        spec = experiment_actions.extended(session, experiment, added)
        experiment_actions.extend(session, experiment, spec)
        after = len(experiments.cells(session, experiment_id))
    typer.echo(f"{after - before} runs added to the {before} there were.")


def delete(experiment_id: Id) -> None:
    """Delete an experiment; its runs stay, and `restore` brings it back for a day."""
    with acting() as session:
        experiments.remove(session, experiments.get(session, experiment_id))
    typer.echo(f"Deleted. `aft experiments restore {experiment_id}` takes it back within a day.")


def restore(experiment_id: Id) -> None:
    """Take a deletion back."""
    with acting() as session:
        name = experiments.restore(session, experiment_id).name
    typer.echo(f"'{name}' is back.")


def _choice(text: str) -> dict[str, str | None]:
    version, _, split = text.partition("/")
    return {"dataset_version_id": version, "split_id": split or None}


def _listed(file: Path) -> Any:
    try:
        body: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}.")
    except yaml.YAMLError as error:
        fail(f"{file} is not YAML: {error}")
    return body.get("methods", body) if isinstance(body, dict) else body
