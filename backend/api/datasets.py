"""Data sets, their versions, splits and examples."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Query

from backend.api.deps import ReadSessionDep, SessionDep, problems
from backend.errors import Conflict, Invalid, NotFound
from backend.schemas.common import Page
from backend.schemas.datasets import (
    DatasetPatch,
    DatasetRead,
    DatasetSummary,
    ExampleRead,
    ImportStarted,
    MixRequest,
    PartChoice,
    SplitCreate,
    SplitPreset,
    SplitRead,
    VersionRead,
)
from backend.services import dataset_reads, datasets, imports, mixing, splits

router = APIRouter(tags=["datasets"])

Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("/datasets")
def list_datasets(session: ReadSessionDep, after: str | None = None, limit: Limit = 100) -> Page[DatasetSummary]:
    """Data sets that are ready, being imported or waiting for a decision, newest first."""
    rows = datasets.page(session, after, limit + 1)
    following = rows[limit - 1].id if len(rows) > limit else None
    return Page(items=dataset_reads.summaries(session, rows[:limit]), next_after=following)


@router.post("/datasets/mix", status_code=201, responses=problems(NotFound, Conflict, Invalid))
def mix_datasets(session: SessionDep, body: MixRequest) -> ImportStarted:
    """Make one data set of several; each question keeps its task, and numbers are also given for each task."""
    return mixing.start(session, body)


@router.get("/datasets/{dataset_id}", responses=problems(NotFound))
def read_dataset(session: ReadSessionDep, dataset_id: str) -> DatasetRead:
    """A data set with its versions, their reports and splits, and what uses it."""
    return dataset_reads.whole(session, datasets.get(session, dataset_id))


@router.patch("/datasets/{dataset_id}", responses=problems(NotFound, Conflict, Invalid))
def change_dataset(session: SessionDep, dataset_id: str, body: DatasetPatch) -> DatasetRead:
    """Change name or description."""
    return dataset_reads.whole(session, datasets.patch(session, dataset_id, body))


@router.delete("/datasets/{dataset_id}", status_code=204, responses=problems(NotFound, Conflict))
def delete_dataset(session: SessionDep, later: BackgroundTasks, dataset_id: str) -> None:
    """Delete a data set that nothing uses."""
    datasets.delete(session, dataset_id)
    later.add_task(imports.purge)


@router.get("/dataset-versions/{version_id}", responses=problems(NotFound))
def read_version(session: ReadSessionDep, version_id: str) -> VersionRead:
    """A version with its report, splits and import."""
    return dataset_reads.version(session, datasets.get_version(session, version_id))


@router.get("/dataset-versions/{version_id}/examples", responses=problems(NotFound, Invalid))
def list_examples(
    session: ReadSessionDep,
    version_id: str,
    part: PartChoice | None = None,
    split_id: str | None = None,
    q: Annotated[str, Query(max_length=200)] = "",
    after: Annotated[int, Query(ge=-1, lt=2**31)] = -1,
    limit: Limit = 50,
) -> Page[ExampleRead]:
    """Examples in order. With ``q`` a page may be short, even empty, and still have a ``next_after``."""
    rows, following = datasets.examples(
        session, version_id, part=part, split_id=split_id, query=q.strip(), after=after, limit=limit
    )
    items = [dataset_reads.example(example, part_here, shorten=True) for example, part_here in rows]
    return Page(items=items, next_after=None if following is None else str(following))


@router.get("/examples/{example_id}", responses=problems(NotFound))
def read_example(session: ReadSessionDep, example_id: int) -> ExampleRead:
    """One example in full."""
    found = datasets.example(session, example_id)
    return dataset_reads.example(found, found.part, shorten=False)


@router.get("/dataset-versions/{version_id}/splits", responses=problems(NotFound))
def list_splits(session: ReadSessionDep, version_id: str) -> list[SplitRead]:
    """A version's splits, newest first."""
    datasets.get_version(session, version_id)
    return [SplitRead.model_validate(split) for split in splits.of_version(session, version_id)]


@router.post("/dataset-versions/{version_id}/splits", status_code=201, responses=problems(NotFound, Conflict, Invalid))
def create_split(session: SessionDep, version_id: str, body: SplitCreate) -> SplitRead:
    """Draw train, validation and test questions; their ids are kept."""
    version = datasets.get_version(session, version_id)
    return SplitRead.model_validate(splits.create(session, version, body.spec, body.name))


@router.get("/dataset-versions/{version_id}/split-presets", responses=problems(NotFound))
def list_split_presets(session: ReadSessionDep, version_id: str) -> list[SplitPreset]:
    """The paper's splits for the version's task, and whether it has the questions for them."""
    return splits.presets(session, datasets.get_version(session, version_id))
