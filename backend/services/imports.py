"""Imports: asked for, decided about, discarded. Reading the files is in ``import_run``."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from aft.data.detection import Detection
from aft.data.examples import CHOICE_TASKS, MIXED
from backend import storage
from backend.db.models import Dataset, DatasetVersion, Example, RowReject, Run, Split, SplitMember, utcnow
from backend.db.session import reading, transaction
from backend.errors import Conflict, Invalid, NotFound
from backend.schemas.datasets import ImportConfig, ImportFile, ImportFileRequest, ImportRequest, ImportStarted
from backend.services import datasets, events, runs, uploads
from backend.services.import_rejects import REJECTS_FILE
from backend.services.import_run import run_import
from backend.services.import_staging import ImportOutcome

__all__ = ["ImportOutcome", "accept", "discard", "purge", "rejects", "rejects_file", "run_import", "start", "sweep"]

_ROWS_AT_ONCE = 4000
_PRIORITY = -10
"""Imports are short and people wait for them: before training runs."""


def start(session: Session, body: ImportRequest) -> ImportStarted:
    """Store a data set, or a version of one, and queue the run that fills it.

    Raises:
        NotFound: If the data set or an upload does not exist.
        Conflict: If the name is taken, or the data set holds another task.
        Invalid: If a file cannot be read as asked.
    """
    dataset = _target(session, body)
    files = tuple(_file(session, index, item, body) for index, item in enumerate(body.files))
    if all(file.role != "questions" for file in files):
        raise Invalid(
            f"'{files[0].filename}' holds no questions. {files[0].detection.note or ''}".strip(),
            remedy="Add the file with the questions.",
            field="files",
        )
    number = session.scalar(select(func.max(DatasetVersion.number)).where(DatasetVersion.dataset_id == dataset.id))
    version = DatasetVersion(dataset_id=dataset.id, number=(number or 0) + 1, task=body.task)
    session.add(version)
    session.flush()
    config = ImportConfig(task=body.task, on_invalid=body.on_invalid, files=files)
    run, _ = runs.create(
        session,
        kind="import",
        name=f"Import {dataset.name}" + (f", version {version.number}" if version.number > 1 else ""),
        config=config.model_dump(mode="json"),
        inputs={"dataset_version_id": version.id},
        priority=_PRIORITY,
        reuse=False,
    )
    version.import_run_id = run.id
    events.publish(session, "dataset", "importing", run_id=run.id, subject_id=dataset.id)
    session.flush()
    return ImportStarted(run_id=run.id, dataset_id=dataset.id, version_id=version.id)


def accept(session: Session, version_id: str) -> DatasetVersion:
    """Take the valid rows of an import that waits for a decision.

    Raises:
        NotFound: If there is no such version.
        Conflict: If it does not wait for one.
    """
    version = datasets.get_version(session, version_id)
    if not _move(session, version_id, "review", "ready"):
        raise Conflict(
            f"The import is in state '{version.state}', so there is nothing to accept.",
            remedy="Only an import with refused rows waits for a decision.",
        )
    events.publish(session, "dataset", "ready", subject_id=version.dataset_id, data={"version_id": version_id})
    session.refresh(version)
    return version


def discard(session: Session, version_id: str) -> None:
    """Throw an import away: hidden at once, its rows and files go with the next ``purge``.

    Raises:
        NotFound: If there is no such version.
        Conflict: If it is ready, or still being read.
    """
    version = datasets.get_version(session, version_id)
    if version.state == "ready":
        raise Conflict(
            f"Version {version.number} is imported and ready.", remedy="Delete the data set to remove its versions."
        )
    run = session.get(Run, version.import_run_id or "")
    if run is not None and run.state in runs.OPEN:
        raise Conflict(f"The files are still being read by '{run.name}'.", remedy="Cancel that run first.")
    if not _move(session, version_id, version.state, datasets.DELETING):
        raise Conflict("The import was decided about a moment ago.", remedy="Load the page again.")
    uploads.forget_imported(session, run)
    if run is not None:
        storage.delete(storage.new_key("runs", run.id, REJECTS_FILE))
    datasets.hide_if_empty(session, version.dataset_id)
    events.publish(session, "dataset", "discarded", subject_id=version.dataset_id, data={"version_id": version_id})


def rejects(session: Session, version_id: str, after: int, limit: int) -> list[RowReject]:
    """Refused rows in the order of the files, after a known one."""
    datasets.get_version(session, version_id)
    query = select(RowReject).where(RowReject.version_id == version_id, RowReject.id > after)
    return list(session.scalars(query.order_by(RowReject.id).limit(limit)))


def rejects_file(session: Session, version_id: str) -> Path:
    """Where the list of all refused rows is.

    Raises:
        NotFound: If no row was refused, or the import has not got that far.
    """
    version = datasets.get_version(session, version_id)
    run_id = version.import_run_id
    place = storage.path(storage.new_key("runs", run_id, REJECTS_FILE)) if run_id else None
    if place is None or not place.is_file():
        raise NotFound("There is no list of refused rows.", remedy="Every row of this version was imported.")
    return place


def purge(limit_batches: int | None = None) -> bool:
    """Remove the rows of discarded versions, a few thousand in each transaction.

    Args:
        limit_batches: Stop after so many transactions; none means until done.

    Returns:
        Whether anything is left to remove.
    """
    batches = 0
    while limit_batches is None or batches < limit_batches:
        with reading() as session:
            version_id = session.scalar(
                select(DatasetVersion.id).where(DatasetVersion.state == datasets.DELETING).limit(1)
            )
        if version_id is None:
            return False
        with transaction() as session:
            _remove_some(session, version_id)
        batches += 1
    return True


def sweep(limit_batches: int | None = None) -> bool:
    """Put in order what killed or cancelled imports and uploads left behind; called now and then by the server.

    Returns:
        Whether ``purge`` has more to do.
    """
    with reading() as session:
        stale = _stale(session)
    for version_id in stale:
        with transaction() as session:
            if version_id in _stale(session):
                version = datasets.get_version(session, version_id)
                _move(session, version_id, "staging", datasets.DELETING)
                datasets.hide_if_empty(session, version.dataset_id)
    with transaction() as session:
        uploads.sweep(session)
    return purge(limit_batches)


def _stale(session: Session) -> list[str]:
    """Versions whose import was cancelled, failed without a word a day ago, or has no run any more."""
    failed = (Run.state == "failed") & (Run.finished_at < utcnow() - timedelta(days=1))
    query = (
        select(DatasetVersion.id)
        .outerjoin(Run, Run.id == DatasetVersion.import_run_id)
        .where(DatasetVersion.state == "staging", Run.id.is_(None) | (Run.state == "cancelled") | failed)
    )
    return list(session.scalars(query))


def _move(session: Session, version_id: str, before: str, after: str) -> bool:
    changed = session.execute(
        update(DatasetVersion)
        .where(DatasetVersion.id == version_id, DatasetVersion.state == before)
        .values(state=after)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount == 1)  # type: ignore[attr-defined]


def _remove_some(session: Session, version_id: str) -> None:
    version = session.get(DatasetVersion, version_id)
    if version is None or version.state != datasets.DELETING:
        return
    split_ids = session.scalars(select(Split.id).where(Split.version_id == version_id)).all()
    for table, key, owner in (
        *((SplitMember, SplitMember.example_id, SplitMember.split_id == split_id) for split_id in split_ids),
        (RowReject, RowReject.id, RowReject.version_id == version_id),
        (Example, Example.position, Example.version_id == version_id),
    ):
        first = session.scalar(select(func.min(key)).where(owner))
        if first is not None:
            some = delete(table).where(owner, key < first + _ROWS_AT_ONCE)
            session.execute(some.execution_options(synchronize_session=False))
            return
    dataset_id = version.dataset_id
    session.delete(version)
    session.flush()
    left = session.scalar(select(DatasetVersion.id).where(DatasetVersion.dataset_id == dataset_id).limit(1))
    dataset = session.get(Dataset, dataset_id)
    if left is None and dataset is not None:
        session.delete(dataset)


def _target(session: Session, body: ImportRequest) -> Dataset:
    if body.dataset_id is not None:
        dataset = datasets.get(session, body.dataset_id)
        if dataset.task != body.task:
            raise Conflict(
                f"Data set '{dataset.name}' holds {dataset.task} questions, the import is for {body.task}.",
                remedy="Import it as a new data set.",
                field="task",
            )
        if dataset.builtin:
            raise Conflict(f"'{dataset.name}' is built in.", remedy="Import a new data set.", field="dataset_id")
        return dataset
    name = (body.dataset_name or "").strip()
    if not name:
        raise Invalid("The data set has no name.", remedy="Give it one.", field="dataset_name")
    known = session.scalar(select(Dataset).where(Dataset.name == name))
    if known is None:
        dataset = Dataset(name=name, task=body.task, description=body.description)
        session.add(dataset)
        session.flush()
        return dataset
    if datasets.is_visible(session, known.id):
        raise Conflict(
            f"There is a data set named '{name}' already.",
            remedy="Choose another name, or import a new version of it.",
            field="dataset_name",
        )
    # Only failed imports carry the name: a second try takes their place.
    known.task, known.description = body.task, body.description
    return known


def _file(session: Session, index: int, item: ImportFileRequest, body: ImportRequest) -> ImportFile:
    field = f"files.{index}"
    upload = uploads.get(session, item.upload_id)
    if any(item.upload_id == other.upload_id for other in body.files[:index]):
        raise Invalid(f"'{upload.filename}' is listed twice.", remedy="Leave one out.", field=f"{field}.upload_id")
    detection = Detection.model_validate(upload.detection)
    role = uploads.role_of(detection)
    if item.part is not None:
        detection = detection.model_copy(update={"part": None if item.part == "unmarked" else item.part})
    mapping = item.mapping or detection.mapping
    task: str = body.task
    if body.task == MIXED and (mapping is None or mapping.task is None):
        task = item.task or detection.task or MIXED
        if role == "questions" and task == MIXED:
            message = f"The task of '{upload.filename}' is not known."
            raise Invalid(message, remedy="Choose it, or map the column of each row's task.", field=f"{field}.task")
        detection = detection.model_copy(update={"task": task})
    elif item.task not in (None, body.task):
        message = f"'{upload.filename}' is to be read as {item.task}, the data set is {body.task}."
        raise Invalid(message, remedy="Import one task at a time.", field=f"{field}.task")
    if item.mapping is not None:
        role = "questions"
    if role == "questions":
        if mapping is None:
            message = f"It is not known which columns of '{upload.filename}' hold what. {detection.note or ''}".strip()
            raise Invalid(message, remedy="Map the columns.", field=f"{field}.mapping")
        if item.mapping is None and detection.confidence == "certain" and detection.task not in (None, task):
            message = f"'{upload.filename}' was recognised as {detection.task}, the data set is {body.task}."
            raise Invalid(message, remedy=f"Import it as {detection.task}, or map the columns.", field=f"{field}.task")
        if task in CHOICE_TASKS and not mapping.choices:
            message = f"Task {task} is answered with the letter of a choice; '{upload.filename}' has none mapped."
            raise Invalid(message, remedy="Map the choices column.", field=f"{field}.mapping")
        if mapping.answer is None and mapping.reference is None:
            message = f"No column of '{upload.filename}' is mapped to the gold answer."
            raise Invalid(message, remedy="Map the answer or the reference COT.", field=f"{field}.mapping")
    return ImportFile(
        upload_id=upload.id,
        filename=upload.filename,
        key=upload.key,
        sha256=upload.sha256,
        size_bytes=upload.size_bytes,
        role=role,
        detection=detection,
        mapping=item.mapping,
    )
