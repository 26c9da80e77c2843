"""Data sets, their versions and examples."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, or_, select, update
from sqlalchemy.orm import Session

from aft.config.grid import dataset_versions
from backend.db.models import Dataset, DatasetVersion, Example, Experiment, ExperimentRun, Run, Split, SplitMember
from backend.errors import Conflict, Invalid, NotFound
from backend.schemas.datasets import DatasetPatch, UsedBy
from backend.services import events, splits
from backend.services.run_states import OPEN

DELETING = "deleting"
SEARCHED_ROWS = 20_000
"""A search looks at so many rows for one page, then says where to go on."""


def get(session: Session, dataset_id: str) -> Dataset:
    """The data set.

    Raises:
        NotFound: If there is none.
    """
    dataset = session.get(Dataset, dataset_id)
    if dataset is None or is_hidden(session, dataset_id):
        raise NotFound(f"There is no data set {dataset_id[:40]!r}.", remedy="It may have been deleted; see the list.")
    return dataset


def get_version(session: Session, version_id: str) -> DatasetVersion:
    """The version, whatever its state.

    Raises:
        NotFound: If there is none.
    """
    version = session.get(DatasetVersion, version_id)
    if version is None or version.state == DELETING:
        raise NotFound(
            f"There is no data set version {version_id[:40]!r}.", remedy="It may have been deleted; see the list."
        )
    return version


def builtin_version(session: Session) -> DatasetVersion:
    """The newest version of the built-in data set.

    Raises:
        NotFound: If it has not been made, which the server does when it starts.
    """
    query = (
        select(DatasetVersion)
        .join(Dataset, Dataset.id == DatasetVersion.dataset_id)
        .where(Dataset.builtin, DatasetVersion.state == "ready")
        .order_by(DatasetVersion.number.desc())
        .limit(1)
    )
    version = session.scalar(query)
    if version is None:
        raise NotFound("The built-in data set is missing.", remedy="Start the server once with `aft up`.")
    return version


def page(session: Session, after: str | None, limit: int) -> list[Dataset]:
    """Data sets with something to see in them, newest first."""
    query = select(Dataset).where(_visible()).order_by(Dataset.id.desc()).limit(limit)
    return list(session.scalars(query if after is None else query.where(Dataset.id < after)))


def versions(session: Session, dataset_ids: Iterable[str]) -> dict[str, list[DatasetVersion]]:
    """Versions per data set, newest first."""
    found: dict[str, list[DatasetVersion]] = {dataset_id: [] for dataset_id in dataset_ids}
    query = select(DatasetVersion).where(DatasetVersion.dataset_id.in_(found), DatasetVersion.state != DELETING)
    for version in session.scalars(query.order_by(DatasetVersion.number.desc())):
        found[version.dataset_id].append(version)
    return found


def importing(session: Session, items: Iterable[DatasetVersion]) -> dict[str, Run]:
    """Import runs by version, as far as they exist."""
    ids = {version.import_run_id: version.id for version in items if version.import_run_id}
    return {ids[run.id]: run for run in session.scalars(select(Run).where(Run.id.in_(ids)))}


def is_visible(session: Session, dataset_id: str) -> bool:
    """Whether it has a version that is ready or on its way."""
    return session.scalar(select(Dataset.id).where(Dataset.id == dataset_id, _visible())) is not None


def is_hidden(session: Session, dataset_id: str) -> bool:
    """Whether it was removed and only waits for its rows to go."""
    left = select(DatasetVersion.id).where(DatasetVersion.dataset_id == dataset_id, DatasetVersion.state != DELETING)
    return session.scalar(left.limit(1)) is None


def hide_if_empty(session: Session, dataset_id: str) -> None:
    """Free the name of a data set whose versions are all being removed."""
    dataset = session.get(Dataset, dataset_id)
    if dataset is not None and is_hidden(session, dataset_id):
        dataset.name = f"{dataset.name[:80]} (removed {dataset_id})"
        session.flush()


def patch(session: Session, dataset_id: str, body: DatasetPatch) -> Dataset:
    """Change name or description.

    Raises:
        NotFound: If there is none.
        Conflict: If the name is taken.
    """
    dataset = get(session, dataset_id)
    if body.name is not None:
        name = body.name.strip()
        if not name:
            raise Invalid("The name is empty.", remedy="Give the data set a name.", field="name")
        other = session.scalar(select(Dataset).where(Dataset.name == name, Dataset.id != dataset_id))
        if other is not None and not is_visible(session, other.id):
            # Only a failed import carries the name.
            other.name = f"{other.name[:90]} ({other.id[-8:]})"
            session.flush()
        elif other is not None:
            raise Conflict(f"There is a data set named '{name}' already.", remedy="Choose another name.", field="name")
        dataset.name = name
    if body.description is not None:
        dataset.description = body.description
    events.publish(session, "dataset", "changed", subject_id=dataset_id)
    session.flush()
    return dataset


def delete(session: Session, dataset_id: str) -> None:
    """Hide a data set at once; its rows go with the next ``imports.purge``.

    Raises:
        NotFound: If there is none.
        Conflict: If it is built in, being imported, or used by runs.
    """
    dataset = get(session, dataset_id)
    if dataset.builtin:
        raise Conflict(f"'{dataset.name}' is built in.", remedy="It takes little room and cannot be deleted.")
    mine = versions(session, [dataset_id])[dataset_id]
    for run in importing(session, mine).values():
        if run.state in OPEN:
            raise Conflict(f"'{dataset.name}' is being imported by '{run.name}'.", remedy="Cancel that run first.")
    users = used_by(session, [version.id for version in mine])
    if users:
        raise Conflict(f"'{dataset.name}' is used by {named(users)}.", remedy="Delete those first.")
    session.execute(
        update(DatasetVersion)
        .where(DatasetVersion.dataset_id == dataset_id)
        .values(state=DELETING)
        .execution_options(synchronize_session=False)
    )
    hide_if_empty(session, dataset_id)
    events.publish(session, "dataset", "deleted", subject_id=dataset_id)


def used_by(session: Session, version_ids: list[str]) -> list[UsedBy]:
    """Experiments, and runs outside of experiments, that use these versions."""
    if not version_ids:
        return []
    experiments = session.execute(
        select(Experiment.id, Experiment.name, Experiment.spec)
        # Ids are unique: a text that holds one names it.
        .where(or_(*(cast(Experiment.spec, Text).contains(version_id) for version_id in version_ids)))
        .order_by(Experiment.id.desc())
    )
    found = [
        UsedBy(kind="experiment", id=key, name=name)
        for key, name, spec in experiments
        if dataset_versions(spec) & set(version_ids)
    ]
    in_experiment = select(ExperimentRun.run_id).where(ExperimentRun.run_id == Run.id).exists()
    alone = session.execute(
        select(Run.id, Run.name)
        .where(Run.inputs["dataset_version_id"].as_string().in_(version_ids), Run.kind != "import", ~in_experiment)
        .order_by(Run.id.desc())
        .limit(1000)
    )
    return found + [UsedBy(kind="run", id=key, name=name) for key, name in alone]


def named(users: list[UsedBy]) -> str:
    """Users in words: the first three by name, the others by number."""
    shown = ", ".join(f"{user.kind} '{user.name}'" for user in users[:3])
    return f"{shown} and {len(users) - 3} more" if len(users) > 3 else shown


def examples(
    session: Session,
    version_id: str,
    *,
    part: str | None = None,
    split_id: str | None = None,
    query: str = "",
    after: int = -1,
    limit: int = 50,
) -> tuple[list[tuple[Example, str | None]], int | None]:
    """A page of examples with their parts, and the place to go on from.

    Without a split the place is the position in the version; inside a part of a split it is the position there.
    A search looks at a limited number of rows, so its page may be short, even empty, and still go on.

    Raises:
        NotFound: If there is no such version or split.
        Invalid: If the split belongs to another version.
    """
    get_version(session, version_id)
    place: Any = Example.position
    part_column: Any = Example.part
    statement = select(Example).where(Example.version_id == version_id)
    if split_id is not None:
        split: Split = splits.get(session, split_id)
        if split.version_id != version_id:
            raise Invalid(f"Split '{split.name}' belongs to another version.", field="split_id")
        statement = statement.join(SplitMember, SplitMember.example_id == Example.id)
        statement = statement.where(SplitMember.split_id == split_id)
        part_column = SplitMember.part
        place = Example.position if part is None else SplitMember.position
    if part is not None:
        statement = statement.where(part_column.is_(None) if part == "unmarked" else part_column == part)
    statement = statement.where(place > after)
    last = None
    if query:
        window = statement.with_only_columns(place).order_by(place).limit(SEARCHED_ROWS).subquery()
        n, last = session.execute(select(func.count(), func.max(window.c[0]))).one()
        last = last if n == SEARCHED_ROWS else None
        statement = statement.where(_contains(query))
        if last is not None:
            statement = statement.where(place <= last)
    rows = session.execute(statement.add_columns(part_column, place).order_by(place).limit(limit + 1)).all()
    if len(rows) > limit:
        last = rows[limit - 1][2]
    return [(row[0], row[1]) for row in rows[:limit]], last


def example(session: Session, example_id: int) -> Example:
    """One example.

    Raises:
        NotFound: If there is none.
    """
    found = session.get(Example, example_id) if example_id < 2**63 else None
    if found is None:
        raise NotFound(f"There is no example {example_id}.", remedy="Its data set may have been deleted.")
    return found


def _contains(text: str) -> ColumnElement[bool]:
    return (
        Example.question.icontains(text, autoescape=True)
        | Example.reference.icontains(text, autoescape=True)
        | (Example.external_id == text)
    )


def _visible() -> ColumnElement[bool]:
    decided = DatasetVersion.state.in_(("review", "ready"))
    running = select(Run.id).where(Run.id == DatasetVersion.import_run_id, Run.state.in_(OPEN)).exists()
    shown = decided | ((DatasetVersion.state == "staging") & running)
    return select(DatasetVersion.id).where(DatasetVersion.dataset_id == Dataset.id, shown).exists()
