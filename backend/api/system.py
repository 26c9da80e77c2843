"""The machine."""

from fastapi import APIRouter

from backend.api.deps import ReadSessionDep
from backend.schemas.system import SystemRead
from backend.services import system

router = APIRouter(prefix="/system", tags=["system"])


@router.get("", response_model=SystemRead)
def read_system(session: ReadSessionDep) -> SystemRead:
    """Version, workers, disk and warnings."""
    return system.read(session)
