"""Rows of base models as the API shows them."""

from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from backend.db.models import BaseModelEntry
from backend.schemas.models import MakingRun, ModelFacts, ModelRead, ModelSummary
from backend.services import base_models, checkpoints, model_checkpoints, run_views

_SHOWN_CHECKPOINTS = 200


def summary(session: Session, model: BaseModelEntry) -> ModelSummary:
    """A row of the list."""
    return ModelSummary(**_summary(session, model))


def whole(session: Session, model: BaseModelEntry) -> ModelRead:
    """A model with what uses it and what was made from it."""
    made = model_checkpoints.page(session, base_model_id=model.id, limit=_SHOWN_CHECKPOINTS)
    return ModelRead(
        **_summary(session, model),
        used_by=base_models.used_by(session, model.id),
        checkpoints=model_checkpoints.lines(session, made),
    )


def _summary(session: Session, model: BaseModelEntry) -> dict[str, Any]:
    making, available = None, False
    facts = ModelFacts.model_validate(model.facts) if model.facts else None
    made = base_models.made_config(model)
    if made is not None:
        run = base_models.making_run(session, model)
        if run is not None:
            making = MakingRun(run_id=run.id, state=run.state, progress=run_views.progress(run))  # type: ignore[arg-type]
            available = run.state == "succeeded" and checkpoints.final_directory(session, run.id) is not None
        if available:
            facts = base_models.inspect(session, model).facts
    elif model.source == "local":
        available = (Path(model.location) / "config.json").is_file()
    return {
        "id": model.id,
        "name": model.name,
        "source": model.source,
        "location": model.location,
        "config": made,
        "facts": facts,
        "available": available,
        "making": making,
        "created_at": model.created_at,
    }
