"""Token log-probabilities of a question's COTs: what is stored, and the run that computes what is not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from aft.config.sampling import ScoreConfig
from aft.data.prompts import response_text
from backend.db.models import (
    Candidate,
    Checkpoint,
    Example,
    ExperimentRun,
    ReferenceScore,
    Run,
    RunParent,
    Score,
    TokenSpans,
)
from backend.db.upserts import upsert
from backend.errors import Conflict, Invalid, NotFound
from backend.services import candidates, checkpoints, datasets, external_checkpoints, runs
from backend.services.candidates import pack_ids, unpack_ids

CHUNK: Final = 200
MODEL_KINDS: Final = frozenset({"train", "pretrain"})
SHOWN_TOKENS: Final = 4000
"""Tokens of one COT sent with a page."""
_RUNS_LOOKED_AT: Final = 200


@dataclass(frozen=True, slots=True)
class ReferenceRow:
    """A reference response's score, token by token."""

    example_id: int
    score: float
    token_logprobs: bytes
    """Little-endian float16."""
    ends: Sequence[int]


@dataclass(frozen=True, slots=True)
class TokenLine:
    """A COT's tokens under some checkpoints."""

    candidate_id: int | None
    """None for the reference."""
    text: str
    n_tokens: int
    ends: list[int]
    """Where each token ends in the text; empty when that is not known yet."""
    logprobs: dict[str, list[float]]
    """By model run, nats."""
    scores: dict[str, float]


def place(session: Session, ends: Mapping[int, Sequence[int]]) -> None:
    """Store where the tokens of candidates end; the caller has fenced the transaction."""
    upsert(session, TokenSpans, [{"candidate_id": key, "ends": pack_ids(at)} for key, at in ends.items()], ("ends",))


def placed(session: Session, candidate_ids: Sequence[int]) -> set[int]:
    """Candidates whose tokens have their place already."""
    found: set[int] = set()
    for start in range(0, len(candidate_ids), CHUNK):
        part = candidate_ids[start : start + CHUNK]
        found.update(session.scalars(select(TokenSpans.candidate_id).where(TokenSpans.candidate_id.in_(part))))
    return found


def record_references(session: Session, *, model_run_id: str, by_run_id: str, rows: Sequence[ReferenceRow]) -> None:
    """Store scores of references; the caller has fenced the transaction."""
    values = [
        {
            "example_id": row.example_id,
            "model_run_id": model_run_id,
            "by_run_id": by_run_id,
            "score": row.score,
            "token_logprobs": row.token_logprobs,
            "ends": pack_ids(row.ends),
        }
        for row in rows
    ]
    upsert(session, ReferenceScore, values, ("by_run_id", "score", "token_logprobs", "ends"))


def scored_references(session: Session, model_run_id: str, example_ids: Sequence[int]) -> set[int]:
    """Questions whose reference is scored under the model already."""
    found: set[int] = set()
    for start in range(0, len(example_ids), CHUNK):
        query = select(ReferenceScore.example_id).where(
            ReferenceScore.model_run_id == model_run_id,
            ReferenceScore.example_id.in_(example_ids[start : start + CHUNK]),
        )
        found.update(session.scalars(query))
    return found


def of_question(session: Session, run: Run, example_id: int, model_run_ids: Sequence[str]) -> list[TokenLine]:
    """The question's COTs and, first, its reference, with what is stored under the models.

    Raises:
        NotFound: If the set has no candidate of this question.
    """
    example = session.get(Example, example_id)
    query = (
        select(Candidate.id, Candidate.text, Candidate.n_tokens, TokenSpans.ends)
        .join(TokenSpans, TokenSpans.candidate_id == Candidate.id, isouter=True)
        .where(Candidate.run_id == run.id, Candidate.example_id == example_id)
        .order_by(Candidate.sample_index)
    )
    rows = session.execute(query).all()
    if example is None or not rows:
        raise NotFound(
            f"Question {example_id} has no candidates in this set.", remedy="Choose a question from the list."
        )
    lines = {row.id: TokenLine(row.id, row.text, row.n_tokens, _ends(row.ends), {}, {}) for row in rows}
    stored = select(Score).where(Score.candidate_id.in_(list(lines)), Score.model_run_id.in_(model_run_ids))
    for score in session.scalars(stored):
        line = lines[score.candidate_id]
        line.scores[score.model_run_id] = score.score
        if score.token_logprobs is not None:
            line.logprobs[score.model_run_id] = _logprobs(score.token_logprobs)
    return [_reference(session, run, example, model_run_ids), *lines.values()]


def model_name(run: Run) -> str:
    """What the model of a run is called: its method and seed."""
    return (run.method or run.name) if run.seed is None else f"{run.method or run.name} · seed {run.seed}"


def models_for(session: Session, run: Run) -> list[Run]:
    """Finished models of the experiments that a candidate set belongs to; of a set without one, the newest models."""
    mine, theirs = aliased(ExperimentRun), aliased(ExperimentRun)
    siblings = select(theirs.run_id).join(mine, mine.experiment_id == theirs.experiment_id).where(mine.run_id == run.id)
    has_model = select(Checkpoint.id).where(
        Checkpoint.run_id == Run.id, Checkpoint.purpose == checkpoints.FINAL, Checkpoint.deleted_at.is_(None)
    )
    query = select(Run).where(Run.kind.in_(MODEL_KINDS), Run.state == "succeeded", has_model.exists())
    belongs = list(session.scalars(query.where(Run.id.in_(siblings)).order_by(Run.id)))
    return belongs or list(session.scalars(query.order_by(Run.id.desc()).limit(50)))


def finished_model(session: Session, model_run_id: str) -> Run:
    """A run whose model can score.

    Raises:
        NotFound: If there is no such run.
        Invalid: If it makes no model, or its model is elsewhere.
        Conflict: If it is not finished or its model has been deleted.
    """
    model = runs.get(session, model_run_id)
    if model.kind == external_checkpoints.KIND:
        raise Invalid(
            f"The checkpoint '{model.name}' is known by an imported file's scores only.",
            remedy="Choose a model that was trained here.",
            field="model_run_id",
        )
    if model.kind not in MODEL_KINDS:
        raise Invalid(
            f"'{model.name}' is a run of kind '{model.kind}' and makes no model.",
            remedy="Choose a training run.",
            field="model_run_id",
        )
    if model.state != "succeeded" or checkpoints.final(session, model.id) is None:
        state = "deleted its model" if model.state == "succeeded" else f"is {model.state}"
        raise Conflict(f"'{model.name}' {state}.", remedy="Choose a finished model, or retry that run.")
    return model


def request(session: Session, run: Run, example_id: int, model_run_id: str) -> tuple[Run, bool]:
    """Queue the run that computes the token log-probabilities of a question under a model.

    Returns:
        The run, and whether it was there already.

    Raises:
        NotFound: If the model's run or the question does not exist.
        Invalid: If the run makes no model.
        Conflict: If the model is not finished or has been deleted.
    """
    model = finished_model(session, model_run_id)
    known = select(Candidate.n_tokens).where(Candidate.run_id == run.id, Candidate.example_id == example_id)
    sizes = list(session.scalars(known))
    if not sizes:
        raise NotFound(
            f"Question {example_id} has no candidates in this set.", remedy="Choose a question from the list."
        )
    if not all(sizes):
        raise Conflict(
            f"{sum(size == 0 for size in sizes)} of {len(sizes)} COTs of this question are stored without tokens.",
            remedy="Import them with a model whose tokenizer splits them, or sample them here.",
        )
    config = ScoreConfig(token_logprobs=True, example_ids=(example_id,), references=True)
    return runs.create(
        session,
        kind="score",
        name=f"Score the tokens of question {example_id} · {model.method or model.name} · seed {model.seed}",
        config=config.model_dump(mode="json"),
        inputs=dict(run.inputs),
        parents={"checkpoint": model, "candidates": run},
        method=model.method,
        seed=model.seed,
        priority=-10,  # somebody is waiting for it
    )


def pending(session: Session, run_id: str, example_id: int) -> dict[str, Run]:
    """The newest score run of the question for each model, where it has not succeeded."""
    return unfinished(session, run_id, [example_id])


def unfinished(session: Session, run_id: str, example_ids: list[int] | None) -> dict[str, Run]:
    """The newest score run of some questions, or None of all, for each model, where it has not succeeded."""
    candidates_role, model_role = aliased(RunParent), aliased(RunParent)
    query = (
        select(Run, model_role.parent_id)
        .join(candidates_role, candidates_role.run_id == Run.id)
        .join(model_role, model_role.run_id == Run.id)
        .where(
            candidates_role.parent_id == run_id,
            candidates_role.role == "candidates",
            model_role.role == "checkpoint",
            Run.kind == "score",
        )
        .order_by(Run.id.desc())
        .limit(_RUNS_LOOKED_AT)
    )
    newest: dict[str, Run] = {}
    for run, model_run_id in session.execute(query):
        if run.config.get("example_ids") == example_ids:
            newest.setdefault(model_run_id, run)
    return {model: run for model, run in newest.items() if run.state != "succeeded"}


def score_set(session: Session, run: Run, model_run_id: str) -> tuple[Run, bool]:
    """Queue the run that scores every COT of a set under a model; scores that are there already stay.

    Returns:
        The run, and whether it was there already.

    Raises:
        NotFound: If the model's run does not exist.
        Invalid: If the run makes no model.
        Conflict: If the model is not finished or has been deleted.
    """
    model = finished_model(session, model_run_id)
    return runs.create(
        session,
        kind="score",
        name=f"Score {run.name} · {model_name(model)}",
        config=ScoreConfig().model_dump(mode="json"),
        inputs=dict(run.inputs),
        parents={"checkpoint": model, "candidates": run},
        method=model.method,
        seed=model.seed,
    )


def _reference(session: Session, run: Run, example: Example, model_run_ids: Sequence[str]) -> TokenLine:
    version = datasets.get_version(session, run.inputs["dataset_version_id"])
    choices = [str(choice) for choice in example.choices] if example.choices else None
    text = response_text(example.reference, example.answer, example.task_in(version.task), choices)
    query = select(ReferenceScore).where(
        ReferenceScore.example_id == example.id, ReferenceScore.model_run_id.in_(model_run_ids)
    )
    found = list(session.scalars(query))
    return TokenLine(
        candidate_id=None,
        text=text[: candidates.SHOWN_TEXT],
        n_tokens=len(found[0].token_logprobs) // 2 if found else 0,
        ends=_ends(found[0].ends) if found else [],
        logprobs={row.model_run_id: _logprobs(row.token_logprobs) for row in found},
        scores={row.model_run_id: row.score for row in found},
    )


def _ends(data: bytes | None) -> list[int]:
    return [] if data is None else unpack_ids(data)[:SHOWN_TOKENS]


def _logprobs(data: bytes) -> list[float]:
    values = np.frombuffer(data, dtype="<f2")[:SHOWN_TOKENS].astype(float)
    return [round(value, 4) for value in values.tolist()]
