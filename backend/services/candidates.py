"""Candidate COTs: storing them with the answer read, and reading them by question."""

import array
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, and_, insert, select
from sqlalchemy.orm import Session, aliased, defer

from aft.answers import EXTRACTOR_VERSION, judge
from aft.data.dedupe import same_text
from backend.db.models import (
    Candidate,
    CandidateSet,
    CandidateSetModel,
    Example,
    ExperimentRun,
    Rating,
    Run,
    Score,
)
from backend.errors import Conflict, Invalid, NotFound
from backend.services import candidate_stats

SHOWN_TEXT = 20_000
"""Characters of a candidate's text sent with a page; hostile or broken samples can be megabytes long."""
WITH_NULLS: Final = {"render_nulls": True}
"""Else a row whose answer is None is a statement of its own, and so is the next one that has an answer."""


@dataclass(frozen=True, slots=True)
class SampledRow:
    """One sample as the worker hands it over."""

    example_id: int
    sample_index: int
    token_ids: Sequence[int]
    text: str
    finish_reason: str
    gold: str
    choices: tuple[str, ...] | None
    reencoded: bool = False
    task: str | None = None
    """The question's own task, where its data set holds several."""


def pack_ids(token_ids: Iterable[int]) -> bytes:
    """Token ids as little-endian uint32."""
    packed = array.array("I", token_ids)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def unpack_ids(data: bytes) -> list[int]:
    """The inverse of ``pack_ids``."""
    packed = array.array("I", data)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tolist()


def record(session: Session, *, run_id: str, task: str, samples: Sequence[SampledRow]) -> int:
    """Store samples with the answers read from them; the caller has fenced the transaction.

    A truncated sample is never right, whatever it says (``method.md``: it has no end of its own).

    Returns:
        Rows stored. Samples that are stored already are left alone.
    """
    if not samples:
        return 0
    present = _stored_texts(session, run_id, {sample.example_id for sample in samples})
    rows = []
    for sample in samples:
        known = present.setdefault(sample.example_id, _Known(set(), set()))
        if sample.sample_index in known.indices:
            continue
        key = same_text(sample.text)
        rows.append(graded(run_id, task, sample, is_duplicate=key in known.texts))
        known.indices.add(sample.sample_index)
        known.texts.add(key)
    if rows:
        session.execute(insert(Candidate).execution_options(**WITH_NULLS), rows)
        candidate_stats.candidates_changed(session, run_id, {row["example_id"] for row in rows})
    return len(rows)


@dataclass
class _Known:
    indices: set[int]
    texts: set[str]


def _stored_texts(session: Session, run_id: str, example_ids: set[int]) -> dict[int, _Known]:
    known: dict[int, _Known] = {}
    ids = sorted(example_ids)
    for start in range(0, len(ids), 500):
        query = select(Candidate.example_id, Candidate.sample_index, Candidate.text).where(
            Candidate.run_id == run_id, Candidate.example_id.in_(ids[start : start + 500])
        )
        for example_id, index, text in session.execute(query):
            entry = known.setdefault(example_id, _Known(set(), set()))
            entry.indices.add(index)
            entry.texts.add(same_text(text))
    return known


def graded(run_id: str, task: str, sample: SampledRow, *, is_duplicate: bool) -> dict[str, Any]:
    """Values of a ``Candidate``: the sample with its answer read and compared with the gold one."""
    # PostgreSQL stores no NUL in text; what is graded is what is stored, so that it can be graded again.
    text = sample.text.replace("\x00", "\ufffd")
    answer, verdict = judge(text, sample.finish_reason, sample.gold, sample.task or task, sample.choices)
    return {
        "run_id": run_id,
        "example_id": sample.example_id,
        "sample_index": sample.sample_index,
        "text": text,
        "token_ids": pack_ids(sample.token_ids),
        "n_tokens": len(sample.token_ids),
        "finish_reason": sample.finish_reason,
        "answer": answer.value if answer else None,
        "answer_start": answer.span[0] if answer else None,
        "answer_end": answer.span[1] if answer else None,
        "answer_rule": answer.rule if answer else None,
        "verdict": verdict,
        "extractor_version": EXTRACTOR_VERSION,
        "is_duplicate": is_duplicate,
        "is_reencoded": sample.reencoded,
    }


def violated_pairs_query(run_id: str, model_run_id: str) -> Select[int, int, int, float]:
    """Pairs of a right and a wrong candidate of one question in which the right one is not ahead (Eq. 3)."""
    right, wrong = aliased(Candidate), aliased(Candidate)
    right_score, wrong_score = aliased(Score), aliased(Score)
    return (
        select(
            right.example_id.label("example_id"),
            right.id.label("right_id"),
            wrong.id.label("wrong_id"),
            (right_score.score - wrong_score.score).label("margin"),
        )
        .join(wrong, and_(wrong.run_id == right.run_id, wrong.example_id == right.example_id))
        .join(right_score, and_(right_score.candidate_id == right.id, right_score.model_run_id == model_run_id))
        .join(wrong_score, and_(wrong_score.candidate_id == wrong.id, wrong_score.model_run_id == model_run_id))
        .where(
            right.run_id == run_id,
            right.verdict == "right",
            wrong.verdict != "right",
            right_score.score <= wrong_score.score,
        )
    )


SET_KINDS = ("sample", "evaluate", "import-cots")
"""Kinds of runs that keep candidates."""


def get_set(session: Session, run_id: str) -> Run:
    """The run that made a candidate set.

    Raises:
        NotFound: If no such run exists, its kind keeps no candidates, or its import is not complete.
    """
    run = session.get(Run, run_id)
    if run is None or run.kind not in SET_KINDS or not _is_complete(session, run):
        raise NotFound(f"There is no candidate set {run_id!r}.", remedy="Choose one from the COTs page.")
    return run


def require_fitting(session: Session, run_id: str, version_id: str) -> None:
    """Refuse an experiment whose questions are not those of the candidate set it is to train on.

    Raises:
        NotFound: If there is no such set.
        Invalid: If it is of another data set version, or of questions that are not trained on.
        Conflict: If it is not complete.
    """
    run = get_set(session, run_id)
    if run.inputs.get("dataset_version_id") != version_id:
        raise Invalid(
            f"The COTs of '{run.name}' are of another data set version.",
            remedy="Choose that version, or another candidate set.",
            field="candidates_from",
        )
    if run.kind == "evaluate" or run.config.get("part", "train") != "train":
        raise Invalid(
            f"The COTs of '{run.name}' are not of training questions.",
            remedy="Choose a set that was sampled for training, or an imported one.",
            field="candidates_from",
        )
    if run.state != "succeeded":
        raise Conflict(f"The candidate set '{run.name}' is {run.state}.", remedy="Wait for it, or retry it.")


def _is_complete(session: Session, run: Run) -> bool:
    if run.kind != "import-cots":
        return True
    return session.scalar(select(CandidateSet.state).where(CandidateSet.run_id == run.id)) == "ready"


@dataclass(frozen=True, slots=True)
class Group:
    """A question's candidates with everything shown beside them."""

    example: Example
    task: str
    candidates: list[Candidate]
    scores: dict[int, list[Any]]
    """Rows of candidate_id, model_run_id and score, by candidate."""
    ratings: dict[int, list[Rating]]
    model_names: dict[str, str]


def get_group(session: Session, run: Run, example_id: int, task: str) -> Group:
    """Everything about one question of a candidate set.

    Raises:
        NotFound: If the set has no candidate of this question.
    """
    query = (
        select(Candidate)
        .options(defer(Candidate.token_ids))
        .where(Candidate.run_id == run.id, Candidate.example_id == example_id)
        .order_by(Candidate.sample_index)
    )
    candidates = list(session.scalars(query))
    example = session.get(Example, example_id)
    if example is None or not candidates:
        raise NotFound(
            f"Question {example_id} has no candidates in this set.", remedy="Choose a question from the list."
        )
    ids = [candidate.id for candidate in candidates]
    scores: dict[int, list[Any]] = {}
    # Columns, not rows: 64 candidates under four models are 256 of them, and their token log-probabilities stay behind.
    scored = select(Score.candidate_id, Score.model_run_id, Score.score).where(Score.candidate_id.in_(ids))
    for score in session.execute(scored.order_by(Score.model_run_id)):
        scores.setdefault(score.candidate_id, []).append(score)
    ratings: dict[int, list[Rating]] = {}
    for rating in session.scalars(select(Rating).where(Rating.candidate_id.in_(ids)).order_by(Rating.id)):
        ratings.setdefault(rating.candidate_id, []).append(rating)
    return Group(example, example.task_in(task), candidates, scores, ratings, model_names(session, scores))


def of_question(session: Session, run_id: str, example_id: int) -> list[Any]:
    """Id, sample index and verdict of a question's candidates, in the order they were sampled."""
    query = (
        select(Candidate.id, Candidate.sample_index, Candidate.verdict)
        .where(Candidate.run_id == run_id, Candidate.example_id == example_id)
        .order_by(Candidate.sample_index)
    )
    return list(session.execute(query).all())


def places(session: Session, run_id: str, example_ids: Sequence[int]) -> dict[int, int]:
    """Each candidate's place among all of its question, from 0: what its letter is made of."""
    query = (
        select(Candidate.id, Candidate.example_id)
        .where(Candidate.run_id == run_id, Candidate.example_id.in_(list(example_ids)))
        .order_by(Candidate.example_id, Candidate.sample_index)
    )
    found: dict[int, int] = {}
    seen: dict[int, int] = {}
    for candidate_id, example_id in session.execute(query):
        found[candidate_id] = seen.get(example_id, 0)
        seen[example_id] = found[candidate_id] + 1
    return found


def model_names(session: Session, scores: dict[int, list[Any]]) -> dict[str, str]:
    """Names of the models behind scores, by train run."""
    ids = {score.model_run_id for group in scores.values() for score in group}
    runs = session.scalars(select(Run).where(Run.id.in_(ids)))
    return {run.id: model_name(run.method, run.name, run.seed) for run in runs}


def model_name(method: str | None, name: str, seed: int | None) -> str:
    """What a model is called beside scores: its method and seed."""
    return (method or name) if seed is None else f"{method or name} · seed {seed}"


@dataclass(frozen=True, slots=True)
class SetSummary:
    """A candidate set in a list."""

    run: Run
    totals: CandidateSet
    models: list[Any]
    """Rows of ``CandidateSetModel`` with method, seed and name of the model's run."""


def sets_of_experiment(session: Session, experiment_id: str) -> list[SetSummary]:
    """The experiment's candidate sets in the plan's order, those that have candidates."""
    query = (
        select(Run, CandidateSet)
        .join(ExperimentRun, ExperimentRun.run_id == Run.id)
        .join(CandidateSet, CandidateSet.run_id == Run.id)
        .where(ExperimentRun.experiment_id == experiment_id, CandidateSet.state == "ready")
        .order_by(ExperimentRun.position)
    )
    return _summaries(session, [(run, totals) for run, totals in session.execute(query)])


def list_sets(session: Session, *, kind: str | None, after: str | None, limit: int) -> list[SetSummary]:
    """Candidate sets, newest first, one more than ``limit`` at most."""
    query = select(Run, CandidateSet).join(CandidateSet, CandidateSet.run_id == Run.id)
    query = query.where(CandidateSet.state == "ready", CandidateSet.n_candidates > 0)
    if kind is not None:
        query = query.where(CandidateSet.kind == kind)
    if after is not None:
        query = query.where(CandidateSet.run_id < after)
    query = query.order_by(CandidateSet.run_id.desc()).limit(limit + 1)
    return _summaries(session, [(run, totals) for run, totals in session.execute(query)])


def summary(session: Session, run: Run) -> SetSummary:
    """One candidate set with its totals."""
    totals = session.get(CandidateSet, run.id)
    return _summaries(session, [(run, totals or CandidateSet(run_id=run.id, kind=run.kind))])[0]


def _summaries(session: Session, found: list[tuple[Run, CandidateSet]]) -> list[SetSummary]:
    query = (
        select(
            CandidateSetModel.run_id, CandidateSetModel.model_run_id, CandidateSetModel.n_scored,
            CandidateSetModel.sum_score, CandidateSetModel.n_violated, CandidateSetModel.n_questions_violated,
            Run.method, Run.seed, Run.name,
        )
        .join(Run, Run.id == CandidateSetModel.model_run_id)
        .where(CandidateSetModel.run_id.in_([run.id for run, _ in found]), CandidateSetModel.n_scored > 0)
        .order_by(Run.seed, Run.method, Run.id)
    )  # fmt: skip
    models: dict[str, list[Any]] = {}
    for row in session.execute(query):
        models.setdefault(row.run_id, []).append(row)
    return [SetSummary(run, totals, models.get(run.id, [])) for run, totals in found]
