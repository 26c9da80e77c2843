"""Base models and checkpoints."""

from typing import Annotated, Literal

from fastapi import APIRouter, BackgroundTasks, Query
from fastapi.responses import StreamingResponse

from backend.api.deps import ReadSessionDep, SessionDep, problems
from backend.errors import Conflict, Invalid, NotFound
from backend.schemas.common import Page
from backend.schemas.models import (
    CheckpointLine,
    InspectRequest,
    ModelCreate,
    ModelInspection,
    ModelMaking,
    ModelRead,
    ModelRoots,
    ModelSummary,
    TinyModelCreate,
)
from backend.services import base_models, model_checkpoints, model_exports, model_reads
from backend.settings import get_settings

router = APIRouter(tags=["models"])

Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("/models")
def list_models(session: ReadSessionDep, after: str | None = None, limit: Limit = 100) -> Page[ModelSummary]:
    """Base models, newest first."""
    rows = base_models.page(session, after, limit + 1)
    following = rows[limit - 1].id if len(rows) > limit else None
    return Page(items=[model_reads.summary(session, row) for row in rows[:limit]], next_after=following)


@router.post("/models", status_code=201, responses=problems(Conflict, Invalid))
def create_model(session: SessionDep, body: ModelCreate) -> ModelSummary:
    """Register a hub id, or a local directory with safetensors weights below an allowed root."""
    return model_reads.summary(session, base_models.create(session, body))


@router.get("/models/roots")
def read_model_roots() -> ModelRoots:
    """Directories below which local models may lie."""
    return ModelRoots(roots=[str(root) for root in get_settings().local_model_roots])


@router.post("/models/inspect", responses=problems(Invalid))
def inspect_location(body: InspectRequest) -> ModelInspection:
    """Look at a model before registering it."""
    location, facts = base_models.look(body.source, body.location)
    return ModelInspection(location=location, facts=facts, problem=None)


@router.post("/models/tiny", status_code=202, responses=problems(NotFound, Conflict, Invalid))
def make_tiny_model(session: SessionDep, body: TinyModelCreate) -> ModelMaking:
    """Make a tiny Llama with a tokenizer trained on a data set, to try the data with."""
    return base_models.make_tiny(session, body)


@router.get("/models/{model_id}", responses=problems(NotFound))
def read_model(session: ReadSessionDep, model_id: str) -> ModelRead:
    """A base model with what uses it and the checkpoints made from it."""
    return model_reads.whole(session, base_models.get(session, model_id))


@router.post("/models/{model_id}/make", status_code=202, responses=problems(NotFound, Conflict))
def make_model(session: SessionDep, model_id: str) -> ModelMaking:
    """Make a built-in or tiny model; asked for twice, it is made once."""
    return base_models.make(session, base_models.get(session, model_id))


@router.get("/models/{model_id}/inspect", responses=problems(NotFound))
def inspect_model(session: ReadSessionDep, model_id: str) -> ModelInspection:
    """Look at a registered model's files again."""
    return base_models.inspect(session, base_models.get(session, model_id))


@router.delete("/models/{model_id}", status_code=204, responses=problems(NotFound, Conflict))
def delete_model(session: SessionDep, model_id: str) -> None:
    """Remove a model that nothing uses from the registry."""
    base_models.delete(session, model_id)


@router.get("/checkpoints")
def list_checkpoints(
    session: ReadSessionDep,
    purpose: Literal["final", "best", "resume", "all"] = "final",
    base_model_id: str | None = None,
    after: str | None = None,
    limit: Limit = 50,
) -> Page[CheckpointLine]:
    """Checkpoints with lineage and size, newest first."""
    rows = model_checkpoints.page(
        session,
        purpose=None if purpose == "all" else purpose,
        base_model_id=base_model_id,
        after=after,
        limit=limit + 1,
    )
    following = rows[limit - 1][0].id if len(rows) > limit else None
    return Page(items=model_checkpoints.lines(session, rows[:limit]), next_after=following)


@router.get(
    "/checkpoints/{checkpoint_id}/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}}, **problems(NotFound, Conflict)},
)
def export_checkpoint(session: ReadSessionDep, checkpoint_id: str, merged: bool = False) -> StreamingResponse:
    """A final model as a zip of a Hugging Face directory with a model card; an adapter alone, or merged."""
    export = model_exports.prepare(session, checkpoint_id, merged=merged)
    headers = {"Content-Disposition": f'attachment; filename="{export.name}.zip"'}
    return StreamingResponse(model_exports.stream_zip(export), media_type="application/zip", headers=headers)


@router.delete("/checkpoints/{checkpoint_id}", status_code=204, responses=problems(NotFound, Conflict))
def delete_checkpoint(session: SessionDep, later: BackgroundTasks, checkpoint_id: str, confirmed: bool = False) -> None:
    """Delete saved weights. ``confirmed`` is needed when finished runs read them; unfinished ones always refuse."""
    checkpoint = model_checkpoints.delete(session, checkpoint_id, confirmed=confirmed)
    later.add_task(model_checkpoints.remove_files, checkpoint.key)
