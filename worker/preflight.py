"""What can be known before a run computes anything."""

from backend import storage
from backend.db.models import Run, Split
from backend.db.session import reading
from backend.services import checkpoints
from worker.context import RunContext
from worker.failures import RunFailure

LEAST_FREE_BYTES = 200 * 2**20
_MODEL_ROLES = frozenset({"start", "checkpoint", "reference"})
_MEGABYTE = 10**6


def check(context: RunContext) -> None:
    """Refuse a run that cannot end well.

    Raises:
        RunFailure: If the disk is nearly full, an input run or its files are missing, or the split is.
    """
    free = storage.free_bytes()
    if free < LEAST_FREE_BYTES:
        raise RunFailure(
            "The disk is nearly full",
            f"{free // _MEGABYTE} MB are free where the data directory lies; a run needs at least "
            f"{LEAST_FREE_BYTES // _MEGABYTE} MB.",
            "Free some space, then retry the run.",
        )
    with reading() as session:
        for role, parent_id in context.claim.parents.items():
            parent = session.get(Run, parent_id)
            if parent is None or parent.state != "succeeded":
                raise RunFailure(
                    f"The input run '{role}' is not finished",
                    f"Run {parent_id} is {parent.state if parent else 'deleted'}.",
                    "Retry that run; this one then follows.",
                )
            if role in _MODEL_ROLES and checkpoints.final_directory(session, parent_id) is None:
                raise RunFailure(
                    f"The model of input run '{parent.name}' is gone",
                    "Its final checkpoint is not on the disk any more.",
                    "Retry that run, then this one.",
                )
        split_id = context.claim.inputs.get("split_id")
        if split_id is not None and session.get(Split, split_id) is None:
            raise RunFailure(
                "The split is gone",
                f"Split {split_id} was deleted after the run was made.",
                "Start a new run with an existing split.",
            )
