"""Checkpoints of a run: files first, then the row, and never by an attempt that lost its lease."""

import logging
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session
from torch import Tensor

from aft.training.checkpoints import CheckpointStore, LoadedCheckpoint, SavedCheckpoint
from backend.db.session import transaction
from backend.services import checkpoints, runs
from worker.context import RunContext

DIRECTORY = "checkpoints"
logger = logging.getLogger(__name__)


class RunCheckpoints(CheckpointStore):
    """The library's store, with its checkpoints recorded in the database."""

    def __init__(self, context: RunContext) -> None:
        super().__init__(context.directory / DIRECTORY, self._record)
        self._context = context

    def save(self, step: int, tensors: Mapping[str, Mapping[str, Tensor]], state: Mapping[str, Any]) -> SavedCheckpoint:
        """Write a resumable checkpoint, if the run is still ours.

        Raises:
            LeaseLost: If it is not.
        """
        self._context.sink.flush()
        with transaction() as session:
            runs.fence(session, self._context.claim)
        saved = super().save(step, tensors, state)
        with transaction() as session:
            checkpoints.forget_missing(session, self._context.claim)
        return saved

    def drop_best(self, *, but: int | None) -> None:
        """Remove the models of evaluations that are not the best any more, and forget them."""
        super().drop_best(but=but)
        with transaction() as session:
            checkpoints.forget_missing(session, self._context.claim)

    def begin(self, fingerprint: str) -> None:
        """Drop checkpoints that do not fit: the directory is this run's alone, so another version wrote them."""
        loaded = super().latest()
        if loaded is not None and loaded.state["fingerprint"] != fingerprint:
            logger.warning(
                "%s was written by another version of this program, which computes something else. The run starts from "
                "the beginning.",
                loaded.path.name,
            )
            self.clear()

    def latest(self) -> LoadedCheckpoint | None:
        """The newest valid checkpoint; notes from which step this attempt goes on."""
        loaded = super().latest()
        if loaded is not None:
            with transaction() as session:
                runs.resumed(session, self._context.claim, loaded.step)
        return loaded

    def _record(self, saved: SavedCheckpoint) -> None:
        def write(session: Session) -> None:
            checkpoints.record(
                session,
                self._context.claim,
                purpose=saved.kind,
                step=saved.step,
                key=self._context.storage_key(DIRECTORY, saved.path.name),
                sha256=saved.sha256,
                size_bytes=saved.size_bytes,
            )

        self._context.sink.flush(write)


def run_checkpoints(context: RunContext) -> CheckpointStore:
    """The store of a run's process: only the first records, the others read."""
    if context.member.rank == 0:
        return RunCheckpoints(context)
    return CheckpointStore(context.directory / DIRECTORY)
