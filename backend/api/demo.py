"""The demo."""

from fastapi import APIRouter

from backend.api.deps import SessionDep
from backend.schemas.experiments import DemoStarted
from backend.services import demo

router = APIRouter(prefix="/demo", tags=["demo"])


@router.post("", status_code=201, response_model=DemoStarted)
def start_demo(session: SessionDep, short: bool = False) -> DemoStarted:
    """Start the demo on this machine, or find the one that runs."""
    experiment, already = demo.start(session, short=short)
    return DemoStarted(experiment_id=experiment.id, already_running=already)
