"""Sample k candidate COTs for every question, resuming at the first that is missing."""

import json
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select

from aft.config.sampling import SampleConfig
from aft.data.dedupe import same_text
from aft.engines import SamplingEngine
from aft.sampling import Prompt, Sampled
from backend.db.models import Candidate, Example
from backend.db.session import reading
from worker.context import RunContext, Stopped
from worker.tasks.engines import check_server, open_engine
from worker.tasks.inputs import encode_question, use_device
from worker.tasks.questions import question_key, read_questions, task_name
from worker.tasks.store import CandidateStore

CONFIG = SampleConfig


def run(context: RunContext) -> None:
    """Sample until every ``(question, sample_index)`` is stored.

    Raises:
        Stopped: If asked to stop; everything finished is stored.
        RunFailure: If the engine is not there, serves another model, or fails for good.
    """
    config: SampleConfig = context.config
    use_device(context)
    task = task_name(context)
    examples = {question_key(row): row for row in read_questions(context, config.part, config.max_questions)}
    with open_engine(context) as opened:
        prompts = [Prompt(key, encode_question(opened.tokenizer, row, task)) for key, row in examples.items()]
        check_server(context, opened, prompts)
        if not _sample(context, opened.engine, examples, prompts, task):
            raise Stopped


def _sample(
    context: RunContext, engine: SamplingEngine, examples: dict[str, Example], prompts: list[Prompt], task: str
) -> bool:
    """Sample what is not stored yet; False when asked to stop."""
    config: SampleConfig = context.config
    store = CandidateStore(context, examples, task, total=len(prompts) * config.k, phase="sampling")
    dropped = DroppedSamples(context, {row.id: key for key, row in examples.items()})
    missing = {(prompt.question_id, index) for prompt in prompts for index in range(config.k)}
    missing -= store.stored_pairs() | dropped.pairs
    store.count(len(dropped.pairs))

    def on_done(done: list[Sampled]) -> None:
        fresh = dropped.keep_fresh(done)
        store.add(fresh)
        store.count(len(done) - len(fresh))

    try:
        return engine.sample(prompts, config, wanted=missing, on_done=on_done, should_stop=context.should_stop)
    finally:
        store.flush()


class DroppedSamples:
    """Assessment samples that repeat a training candidate: dropped, and remembered so that a restart skips them."""

    def __init__(self, context: RunContext, keys: dict[int, str]) -> None:
        self._texts: dict[str, set[str]] = {}
        self._file: Path = context.directory / "dropped.jsonl"
        self.pairs: set[tuple[str, int]] = set()
        if context.config.purpose != "assessment" or "training" not in context.claim.parents:
            return
        query = select(Candidate.example_id, Candidate.text).where(Candidate.run_id == context.parent("training"))
        with reading() as session:
            for example_id, text in session.execute(query):
                if example_id in keys:
                    self._texts.setdefault(keys[example_id], set()).add(same_text(text))
        if self._file.is_file():
            self.pairs = set(_read_pairs(self._file.read_text(encoding="utf-8")))

    def keep_fresh(self, done: Sequence[Sampled]) -> list[Sampled]:
        """The samples whose text no training candidate of their question has."""
        fresh: list[Sampled] = []
        repeated: list[Sampled] = []
        for sampled in done:
            known = same_text(sampled.text) in self._texts.get(sampled.question_id, ())
            (repeated if known else fresh).append(sampled)
        if repeated:
            with self._file.open("a", encoding="utf-8") as lines:
                lines.writelines(json.dumps([item.question_id, item.sample_index]) + "\n" for item in repeated)
        return fresh


def _read_pairs(text: str) -> list[tuple[str, int]]:
    """Complete lines only: a killed process may have left half of one."""
    return [(str(key), int(index)) for key, index in map(json.loads, text.split("\n")[:-1])]
