"""What a bundle says about an experiment, row by row; large tables are read in blocks."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.config.experiment import ExperimentSpec
from backend.db.models import (
    BaseModelEntry,
    Candidate,
    Checkpoint,
    Dataset,
    DatasetVersion,
    Example,
    Experiment,
    Metric,
    RankingSet,
    RankingSetEntry,
    Rating,
    Result,
    Run,
    RunAttempt,
    RunParent,
    Score,
    Split,
)
from backend.schemas.comparison import ComparisonOptions
from backend.services import blocks, measurements
from backend.services.candidates import unpack_ids
from backend.services.experiments import Cell

Row = dict[str, Any]
_BLOCK: Final = 1000


def experiment(session: Session, found: Experiment, spec: ExperimentSpec, options: ComparisonOptions) -> Row:
    """The experiment with the data and the models it is about, each with its hash; the first block's beside it."""
    titles = blocks.titles(session, spec)
    rows = [
        {
            "key": block.key,
            "title": titles[block.key],
            **data_and_model(session, block.dataset_version_id, block.split_id, block.base_model_id),
        }
        for block in spec.blocks
    ]
    return {
        "id": found.id,
        "name": found.name,
        "notes": found.notes,
        "created_at": _time(found.created_at),
        "spec": spec.model_dump(mode="json"),
        "spec_sha256": found.spec_sha256,
        "options": options.model_dump(mode="json"),
        **{name: rows[0][name] for name in ("dataset", "split", "base_model")},
        "blocks": rows,
    }


def data_and_model(session: Session, dataset_version_id: str, split_id: str | None, base_model_id: str | None) -> Row:
    """A data set version, its split and a base model, each with its hash."""
    version = session.get_one(DatasetVersion, dataset_version_id)
    dataset = session.get_one(Dataset, version.dataset_id)
    split = session.get(Split, split_id or "")
    model = session.get(BaseModelEntry, base_model_id or "")
    return {
        "version_id": version.id,
        "dataset": {
            "name": dataset.name,
            "version": version.number,
            "task": version.task,
            "rows": version.n_rows,
            "sha256": version.sha256,
        },
        "split": split and {"name": split.name, "spec": split.spec, "counts": split.counts, "sha256": split.sha256},
        # A local directory's address is about this machine, not about the experiment.
        "base_model": model
        and {
            "name": model.name,
            "source": model.source,
            "location": model.location if model.source == "hub" else None,
            "config": model.config,
            "facts": model.facts,
        },
    }


def runs(session: Session, cells: Sequence[Cell]) -> Iterator[Row]:
    """Every run in the plan's order."""
    ids = [cell.run.id for cell in cells]
    parents: dict[str, dict[str, str]] = {}
    for link in session.scalars(select(RunParent).where(RunParent.run_id.in_(ids))):
        parents.setdefault(link.run_id, {})[link.role] = link.parent_id
    attempts: dict[str, list[Row]] = {}
    for item in session.scalars(select(RunAttempt).where(RunAttempt.run_id.in_(ids)).order_by(RunAttempt.number)):
        attempts.setdefault(item.run_id, []).append(
            {
                "number": item.number,
                "device": item.device,
                "started_at": _time(item.started_at),
                "ended_at": _time(item.ended_at),
                "outcome": item.outcome,
            }
        )
    final = select(Checkpoint.run_id, Checkpoint.sha256).where(
        Checkpoint.run_id.in_(ids), Checkpoint.purpose == "final"
    )
    weights = dict(session.execute(final.order_by(Checkpoint.id)).all())
    for cell in cells:
        run = cell.run
        yield {
            "id": run.id,
            "cell": cell.place.cell,
            "stage": cell.place.stage,
            "kind": run.kind,
            "name": run.name,
            "method": cell.place.method,
            "seed": cell.place.seed,
            "block": cell.place.block,
            "state": run.state,
            "error": (run.error or {}).get("title"),
            "config": run.config,
            "inputs": run.inputs,
            "parents": parents.get(run.id, {}),
            "fingerprint": run.fingerprint,
            "weights_sha256": weights.get(run.id),
            "attempts": attempts.get(run.id, []),
            "started_at": _time(run.started_at),
            "finished_at": _time(run.finished_at),
        }


def results(session: Session, cells: Sequence[Cell]) -> Iterator[Row]:
    """Every number of every evaluation that has ended well."""
    ids = [cell.run.id for cell in cells if cell.run.kind == "evaluate" and cell.run.state == "succeeded"]
    query = select(Result).where(Result.run_id.in_(ids)).order_by(Result.run_id, Result.metric)
    for item in session.scalars(query):
        yield {
            "run_id": item.run_id,
            "metric": item.metric,
            "value": item.value,
            "n": item.n,
            "details": item.details or {},
        }


def questions(session: Session, run_ids: list[str]) -> Iterator[Row]:
    """The questions that these runs' candidates answer."""
    answered = select(Candidate.example_id).where(Candidate.run_id.in_(run_ids))
    for item in _many(session, select(Example).where(Example.id.in_(answered)).order_by(Example.id), scalars=True):
        yield {
            "id": item.id,
            "external_id": item.external_id,
            "position": item.position,
            "question": item.question,
            "reference": item.reference,
            "gold": item.answer,
            "choices": item.choices,
            "task": item.task,
        }


def candidates(session: Session, run_id: str) -> Iterator[Row]:
    """A run's responses in the order of questions and samples."""
    query = (
        select(Candidate)
        .join(Example, Example.id == Candidate.example_id)
        .where(Candidate.run_id == run_id)
        .order_by(Example.position, Candidate.sample_index)
    )
    for item in _many(session, query, scalars=True):
        yield {
            "id": item.id,
            "question": item.example_id,
            "sample": item.sample_index,
            "text": item.text,
            "token_ids": unpack_ids(item.token_ids),
            "finish_reason": item.finish_reason,
            "answer": item.answer,
            "answer_span": [item.answer_start, item.answer_end],
            "answer_rule": item.answer_rule,
            "verdict": item.verdict,
            "extractor_version": item.extractor_version,
        }


def scores(session: Session, run_id: str) -> Iterator[Row]:
    """Scores of an evaluation's assessment candidates under the evaluated model."""
    roles = dict(session.execute(select(RunParent.role, RunParent.parent_id).where(RunParent.run_id == run_id)).all())
    if not {"assessment", "checkpoint"} <= set(roles):
        return
    query = (
        select(Score.candidate_id, Score.score, Score.n_tokens)
        .join(Candidate, Candidate.id == Score.candidate_id)
        .where(Candidate.run_id == roles["assessment"], Score.model_run_id == roles["checkpoint"])
        .order_by(Score.candidate_id)
    )
    for item in _many(session, query):
        yield {"candidate": item.candidate_id, "score": item.score, "n_tokens": item.n_tokens}


def ranked(session: Session, run: Run) -> Iterator[Row]:
    """Quality and score of every COT of the ranking set that an evaluation is compared with."""
    set_id, roles = run.inputs["agreement_set_id"], {}
    for role, parent_id in session.execute(
        select(RunParent.role, RunParent.parent_id).where(RunParent.run_id == run.id)
    ):
        roles[role] = parent_id
    ranking = session.get_one(RankingSet, set_id)
    query = (
        select(Candidate.example_id, Candidate.id, RankingSetEntry.quality, Score.score)
        .join(Candidate, Candidate.id == RankingSetEntry.candidate_id)
        .join(Example, Example.id == Candidate.example_id)
        .join(Score, (Score.candidate_id == Candidate.id) & (Score.model_run_id == roles["checkpoint"]))
        .where(RankingSetEntry.ranking_set_id == set_id)
        .order_by(Example.position, Candidate.sample_index)
    )
    named = {"ranking_set": f"{ranking.name} v{ranking.version}", "ranking_set_id": set_id}
    for example_id, candidate_id, quality, score in session.execute(query):
        yield {"question": example_id, "candidate": candidate_id, "quality": quality, "score": score, **named}


def likelihoods(run_id: str) -> Iterator[Row]:
    """Log-likelihood of every letter, by question."""
    for example_id, letters in measurements.read_likelihoods(run_id).items():
        yield {"question": example_id, "letters": letters}


def ratings(session: Session, run_id: str) -> Iterator[Row]:
    """A judge's ratings with their evidence."""
    query = select(Rating).where(Rating.run_id == run_id).order_by(Rating.candidate_id)
    for item in _many(session, query, scalars=True):
        yield {
            "candidate": item.candidate_id,
            "rater": item.rater,
            "scale": item.scale,
            "value": item.value,
            "evidence": item.evidence,
        }


def metrics(session: Session, run_id: str) -> Iterator[Row]:
    """A run's curves, every point."""
    query = (
        select(Metric.name, Metric.step, Metric.value).where(Metric.run_id == run_id).order_by(Metric.name, Metric.step)
    )
    for item in _many(session, query):
        yield {"name": item.name, "step": item.step, "value": item.value}


def _many(session: Session, query: Any, *, scalars: bool = False) -> Iterator[Any]:
    """Rows in blocks, forgotten once read: a table may hold millions."""
    found = session.execute(query.execution_options(yield_per=_BLOCK))
    for block in (found.scalars() if scalars else found).partitions():
        yield from block
        for item in block if scalars else ():
            session.expunge(item)


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
