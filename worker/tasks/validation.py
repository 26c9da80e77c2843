"""Validation during training: which questions and candidates are watched, and the model they are compared with."""

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select

from aft.config.sampling import SampleConfig
from aft.config.training import TrainConfig
from aft.degradation import Alarm, Evaluated
from aft.evaluation import AssessmentCandidate, AssessmentQuestion
from aft.metrics import PAPER_PER_SIDE
from aft.models import load_model
from aft.training.batches import steps_per_epoch
from aft.training.groups import Group
from aft.training.watch import ValidationWatch
from backend import storage
from backend.db.models import Candidate, Example, RunParent
from backend.db.session import reading
from backend.services import alarms, checkpoints
from backend.services.candidates import unpack_ids
from worker.context import RunContext
from worker.tasks.inputs import encode_question
from worker.tasks.questions import as_question, question_key, read_questions

logger = logging.getLogger(__name__)

_ROOM_FOR_DETOURS = 16
_HISTORY = "validation.jsonl"


def validation_watch(
    context: RunContext, model: Any, tokenizer: Any, groups: Sequence[Group], task: str
) -> ValidationWatch | None:
    """What measures the validation questions during training, or None when that is turned off.

    Args:
        context: The training run.
        model: The starting model.
        tokenizer: Its tokenizer.
        groups: What is trained on; their lengths bound an answer's.
        task: How answers are read.

    Raises:
        Stopped: If asked to stop while the VFT model is measured.
    """
    config: TrainConfig = context.config
    if config.validation_questions == 0 or config.evaluations_per_run == 0:
        return None
    rows: list[Example] = read_questions(context, "validation", config.validation_questions)
    if not rows:
        return None
    longest_prompt = max(len(group.prompt_ids) for group in groups)
    longest_reference = max(len(group.reference_ids) for group in groups)
    # A response twice as long as any reference is not going to end well; decoding on would only cost time.
    room = min(config.max_length - longest_prompt, 2 * longest_reference + _ROOM_FOR_DETOURS)
    limit = SampleConfig(k=1, max_new_tokens=max(1, room)).max_new_tokens
    questions = _watched_questions(context, tokenizer, task)
    watch = ValidationWatch(
        tokenizer,
        [as_question(row, task) for row in rows],
        questions,
        max_new_tokens=limit,
        tokens_per_microbatch=config.tokens_per_microbatch,
        history=context.directory / _HISTORY,
        total=config.optimizer.epochs * steps_per_epoch(len(groups), config.optimizer.questions_per_step),
        should_stop=context.should_stop,
        on_alarm=lambda alarm: _raise_alarm(context, alarm),
    )
    if questions:
        watch.starts_from_baseline = config.start_from == "vft"
        watch.baseline = _baseline(context, watch, model, [question_key(row) for row in rows], questions, limit)
    return watch


def _watched_questions(context: RunContext, tokenizer: Any, task: str) -> list[AssessmentQuestion]:
    """The first assessment questions with distinct fresh candidates on both sides, three of each at most."""
    config: TrainConfig = context.config
    run_id = context.claim.parents.get("assessment")
    if run_id is None or config.watch_questions == 0:
        return []
    query = (
        select(Candidate, Example)
        .join(Example, Example.id == Candidate.example_id)
        .where(Candidate.run_id == run_id, Candidate.is_duplicate.is_(False))
        .order_by(Example.position, Candidate.sample_index)
    )
    groups: dict[int, tuple[Example, list[Candidate]]] = {}
    with reading() as session:
        for candidate, example in session.execute(query):
            groups.setdefault(example.id, (example, []))[1].append(candidate)
    found: list[AssessmentQuestion] = []
    for example, rows in groups.values():
        right = [row for row in rows if row.verdict == "right"][:PAPER_PER_SIDE]
        wrong = [row for row in rows if row.verdict != "right"][:PAPER_PER_SIDE]
        if right and wrong and len(found) < config.watch_questions:
            candidates = tuple(
                AssessmentCandidate(str(row.id), tuple(unpack_ids(row.token_ids)), row.verdict == "right")
                for row in (*right, *wrong)
            )
            found.append(
                AssessmentQuestion(question_key(example), encode_question(tokenizer, example, task), candidates)
            )
    return found


def _baseline(
    context: RunContext,
    watch: ValidationWatch,
    model: Any,
    validation: list[str],
    questions: list[AssessmentQuestion],
    max_new_tokens: int,
) -> Evaluated | None:
    """The VFT model, which gave the candidates, on the same questions; measured once for all methods."""
    query = select(RunParent.parent_id).where(
        RunParent.run_id == context.parent("assessment"), RunParent.role == "checkpoint"
    )
    with reading() as session:
        vft = session.scalar(query)
        directory = None if vft is None else checkpoints.final_directory(session, vft)
    if vft is None or directory is None:
        logger.warning("the VFT model is gone, so training is compared with its own past alone")
        return None
    cases = [validation, [[c.candidate_id for c in item.candidates] for item in questions], max_new_tokens]
    key = hashlib.sha256(json.dumps([*cases, context.config.precision]).encode()).hexdigest()[:16]
    place = storage.path(storage.new_key("runs", vft, f"watched-{key}.json"))
    found = _read(place)
    if found is None:
        context.sink.progress(0, None, "measuring the VFT model")
        if context.config.start_from != "vft":
            model, _ = load_model(directory, precision=context.config.precision, device=context.device)
        measured = watch.measure(model)
        if measured is None:
            context.stop_if_asked()
            return None
        found = measured[0]
        hidden = place.with_name(f".{place.name}-{context.run_id}")
        hidden.write_text(json.dumps(found.as_json()), encoding="utf-8")
        hidden.replace(place)
    context.sink.write(0, {f"baseline/{name}": value for name, value in found.values.items()})
    return found


def _read(place: Path) -> Evaluated | None:
    try:
        return Evaluated.from_json(json.loads(place.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def _raise_alarm(context: RunContext, alarm: Alarm) -> None:
    logger.warning("degradation at step %d: %s", alarm.step, alarms.words(alarm.as_json()))
    context.sink.flush(lambda session: alarms.record_alarm(session, context.claim, alarm))
