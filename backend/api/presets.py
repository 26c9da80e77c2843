"""The paper's tables and figures as experiments to start from."""

from fastapi import APIRouter

from backend.api.deps import ReadSessionDep, problems
from backend.errors import NotFound
from backend.schemas.presets import PresetList
from backend.services import presets

router = APIRouter(prefix="/presets", tags=["presets"])


@router.get("", response_model=PresetList, responses=problems(NotFound))
def list_presets(session: ReadSessionDep) -> PresetList:
    """Every table and figure, what the paper did, its published values, and both specifications."""
    return PresetList(items=presets.read_all(session))
