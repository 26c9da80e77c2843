"""Sampled responses on their way to the database, in transactions of about one a second."""

import time
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.sampling import Sampled
from backend.db.models import Candidate, Example
from backend.db.session import reading
from backend.services import candidates
from backend.services.candidates import SampledRow
from worker.context import RunContext

STORE_SECONDS = 1.0
_ROWS_AT_ONCE = 1000


class CandidateStore:
    """Collects samples of a run and stores them with the answers read from them.

    Args:
        context: The run.
        examples: The questions by the key they are sampled under.
        task: Decides how answers are read.
        total: Samples the run is to have, for progress.
        phase: Shown as progress.
    """

    def __init__(
        self, context: RunContext, examples: Mapping[str, Example], task: str, *, total: int, phase: str
    ) -> None:
        self._context, self._examples, self._task = context, examples, task
        self._total, self._phase = total, phase
        self._keys = {example.id: key for key, example in examples.items()}
        self._waiting: list[SampledRow] = []
        self._stored_at = time.monotonic()
        self._done = 0

    def stored_pairs(self) -> set[tuple[str, int]]:
        """Question key and sample index of everything the run has stored already."""
        query = select(Candidate.example_id, Candidate.sample_index).where(Candidate.run_id == self._context.run_id)
        with reading() as session:
            pairs = {(self._keys[example_id], index) for example_id, index in session.execute(query)}
        self.count(len(pairs))
        return pairs

    def count(self, done: int) -> None:
        """Add samples that need no storing to the progress."""
        self._done += done
        self._context.sink.progress(self._done, self._total, self._phase)

    def add(self, done: Sequence[Sampled]) -> None:
        """Take finished samples; stores them when a second has passed."""
        for sampled in done:
            example = self._examples[sampled.question_id]
            self._waiting.append(
                SampledRow(
                    example_id=example.id,
                    sample_index=sampled.sample_index,
                    token_ids=sampled.token_ids,
                    text=sampled.text,
                    finish_reason=sampled.finish_reason,
                    gold=example.answer,
                    choices=tuple(str(choice) for choice in example.choices) if example.choices else None,
                    reencoded=sampled.reencoded,
                    task=example.task,
                )
            )
        if len(self._waiting) >= _ROWS_AT_ONCE or time.monotonic() - self._stored_at >= STORE_SECONDS:
            self.flush()
        self.count(len(done))

    def flush(self) -> None:
        """Store what has gathered.

        Raises:
            LeaseLost: If the run belongs to somebody else by now.
        """
        rows, self._waiting = self._waiting, []

        def write(session: Session) -> None:
            candidates.record(session, run_id=self._context.run_id, task=self._task, samples=rows)

        if rows:
            self._context.sink.flush(write)
        self._stored_at = time.monotonic()
