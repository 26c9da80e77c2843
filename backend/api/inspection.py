"""Looking closely at COTs: their tokens, how their answers were read, labels by people and by later extractors."""

from typing import Annotated

from fastapi import APIRouter, Cookie, Path, Query
from sqlalchemy import select

from aft.answers import EXTRACTOR_VERSION
from backend.api.deps import ReadSessionDep, SessionDep, problems
from backend.db.models import Candidate, Example, Regrade, Run
from backend.errors import Conflict, Invalid, NotFound
from backend.schemas.common import Page
from backend.schemas.inspection import (
    CheckpointChoice,
    Extraction,
    Labellings,
    LabelRead,
    LabelWrite,
    PendingScore,
    QuestionTokens,
    RegradeRead,
    RegradeRow,
    RequestedRun,
    TokenLine,
    TokensRequest,
    TokensUnderModel,
)
from backend.services import candidates, datasets, extraction, labels, people, regrading, run_views, tokens

router = APIRouter(tags=["inspection"])

ExampleId = Annotated[int, Path(ge=1, le=2**53)]
CandidateId = Annotated[int, Path(ge=1, le=2**53)]


@router.get("/candidate-sets/{run_id}/checkpoints", response_model=list[CheckpointChoice], responses=problems(NotFound))
def list_scoring_models(session: ReadSessionDep, run_id: str) -> list[CheckpointChoice]:
    """Finished models that can score a candidate set: those of the experiments it belongs to."""
    return [
        CheckpointChoice.model_validate(
            {
                "model_run_id": run.id,
                "model": tokens.model_name(run),
                "kind": run.kind,
                "seed": run.seed,
            }
        )
        for run in tokens.models_for(session, candidates.get_set(session, run_id))
    ]


@router.get(
    "/candidate-sets/{run_id}/questions/{example_id}/tokens",
    response_model=QuestionTokens,
    responses=problems(NotFound),
)
def read_tokens(
    session: ReadSessionDep,
    run_id: str,
    example_id: ExampleId,
    model: Annotated[list[str], Query(max_length=8, description="Model runs.")],
) -> QuestionTokens:
    """The question's reference and COTs with the log-probability of each token under some checkpoints."""
    run = candidates.get_set(session, run_id)
    lines = tokens.of_question(session, run, example_id, model)
    about = {row.id: row for row in candidates.of_question(session, run_id, example_id)}
    waiting = tokens.pending(session, run_id, example_id)
    return QuestionTokens(
        lines=[
            TokenLine(
                candidate_id=line.candidate_id,
                sample_index=about[line.candidate_id].sample_index if line.candidate_id else None,
                verdict=about[line.candidate_id].verdict if line.candidate_id else None,
                text=line.text[: candidates.SHOWN_TEXT],
                n_tokens=line.n_tokens,
                ends=line.ends,
                models=[
                    TokensUnderModel(model_run_id=one, score=line.scores.get(one), logprobs=line.logprobs.get(one))
                    for one in model
                ],
            )
            for line in lines
        ],
        pending=[_pending(one, found) for one, found in waiting.items()],
    )


@router.post(
    "/candidate-sets/{run_id}/questions/{example_id}/tokens",
    response_model=RequestedRun,
    status_code=202,
    responses=problems(NotFound, Conflict, Invalid),
)
def compute_tokens(session: SessionDep, run_id: str, example_id: ExampleId, body: TokensRequest) -> RequestedRun:
    """Queue a score run for a question's tokens under a checkpoint; asking twice computes once."""
    run, reused = tokens.request(session, candidates.get_set(session, run_id), example_id, body.model_run_id)
    return RequestedRun(run_id=run.id, state=run.state, reused=reused)  # type: ignore[arg-type]


@router.post(
    "/candidate-sets/{run_id}/scores",
    response_model=RequestedRun,
    status_code=202,
    responses=problems(NotFound, Conflict, Invalid),
)
def score_set(session: SessionDep, run_id: str, body: TokensRequest) -> RequestedRun:
    """Queue a score run for all COTs of a set under a checkpoint; asking twice computes once."""
    run, reused = tokens.score_set(session, candidates.get_set(session, run_id), body.model_run_id)
    return RequestedRun(run_id=run.id, state=run.state, reused=reused)  # type: ignore[arg-type]


@router.get("/candidate-sets/{run_id}/scores", response_model=list[PendingScore], responses=problems(NotFound))
def list_pending_scores(session: ReadSessionDep, run_id: str) -> list[PendingScore]:
    """Runs that score all COTs of a set, or failed to: the newest of each model that has not succeeded."""
    candidates.get_set(session, run_id)
    return [_pending(one, found) for one, found in tokens.unfinished(session, run_id, None).items()]


@router.get("/candidates/{candidate_id}/extraction", response_model=Extraction, responses=problems(NotFound))
def read_extraction(session: ReadSessionDep, candidate_id: CandidateId) -> Extraction:
    """How a COT's answer is read: every rule tried, the comparison in words, people's labels."""
    candidate = labels.get_candidate(session, candidate_id)
    example = session.get_one(Example, candidate.example_id)
    version = datasets.get_version(session, example.version_id)
    label = labels.of_candidates(session, [candidate_id]).get(candidate_id)
    return extraction.of_candidate(
        candidate, example, example.task_in(version.task), label=label, history=labels.history(session, candidate_id)
    )


@router.post(
    "/candidates/{candidate_id}/labels",
    response_model=LabelRead,
    status_code=201,
    responses=problems(NotFound, Conflict, Invalid),
)
def write_label(
    session: SessionDep,
    candidate_id: CandidateId,
    body: LabelWrite,
    aft_reviewer: Annotated[str | None, Cookie()] = None,
) -> LabelRead:
    """Give a COT a person's label, with a reason; without a label it is withdrawn. Nothing stored is changed."""
    reviewer = people.of_cookie(session, aft_reviewer) if aft_reviewer else None
    name = body.person.strip() or (reviewer.name if reviewer else "")
    if not name:
        raise Invalid("Nobody is named.", remedy="Type your name: a label needs somebody behind it.", field="person")
    made = labels.override(
        session, candidate_id, label=body.label, reason=body.reason, person=name, request_id=body.request_id
    )
    return extraction.label_read(made)


@router.get("/candidate-sets/{run_id}/labellings", response_model=Labellings, responses=problems(NotFound))
def list_labellings(session: ReadSessionDep, run_id: str) -> Labellings:
    """A set's labels: as sampled, by people, by later extractors."""
    candidates.get_set(session, run_id)
    versions = select(Candidate.extractor_version).where(Candidate.run_id == run_id).distinct()
    done = {row.run_id: row for row in regrading.of_set(session, run_id)}
    return Labellings(
        counts=regrading.counts_before(session, run_id),
        n_labelled=labels.count(session, run_id),
        present_version=EXTRACTOR_VERSION,
        versions=sorted(session.scalars(versions)),
        regrades=[_regrade(run, done.get(run.id)) for run in regrading.runs_of_set(session, run_id)],
    )


@router.post(
    "/candidate-sets/{run_id}/regrades",
    response_model=RequestedRun,
    status_code=202,
    responses=problems(NotFound, Conflict),
)
def start_regrade(session: SessionDep, run_id: str) -> RequestedRun:
    """Re-grade a set by the present extractor, without sampling; asking twice computes once."""
    run, reused = regrading.request(session, candidates.get_set(session, run_id))
    return RequestedRun(run_id=run.id, state=run.state, reused=reused)  # type: ignore[arg-type]


@router.get("/regrades/{run_id}/changes", response_model=Page[RegradeRow], responses=problems(NotFound, Invalid))
def list_changes(
    session: ReadSessionDep,
    run_id: str,
    flip: Annotated[str | None, Query(max_length=40, description="Only this flip, such as wrong>right.")] = None,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[RegradeRow]:
    """COTs that a re-grade reads or grades differently, by keyset."""
    regrading.get(session, run_id)
    rows = regrading.changes(session, run_id, flip=flip, after=after, limit=limit)
    overrides = labels.of_candidates(session, [candidate.id for _, candidate, _ in rows[:limit]])
    items = []
    for change, candidate, example in rows[:limit]:
        has_span = change.answer_start is not None and change.answer_end is not None
        by_person = overrides.get(candidate.id)
        items.append(
            RegradeRow.model_validate(
                {
                    "candidate_id": candidate.id,
                    "example_id": example.id,
                    "position": example.position,
                    "question": example.question[:200],
                    "gold": example.answer[:200],
                    "verdict_before": change.verdict_before,
                    "verdict": change.verdict,
                    "answer_before": candidate.answer and candidate.answer[:200],
                    "answer": change.answer and change.answer[:200],
                    "rule_before": candidate.answer_rule,
                    "rule": change.answer_rule,
                    "excerpt": extraction.excerpt(candidate.text, change.answer_start or 0, change.answer_end or 0)
                    if has_span
                    else None,
                    "label": by_person.label if by_person else None,
                }
            )
        )
    return Page(items=items, next_after=str(items[-1].candidate_id) if len(rows) > limit else None)


def _pending(model_run_id: str, run: Run) -> PendingScore:
    return PendingScore(
        model_run_id=model_run_id,
        run_id=run.id,
        state=run.state,  # type: ignore[arg-type]
        progress=run_views.progress(run),
        problem=_problem(run),
    )


def _regrade(run: Run, done: Regrade | None) -> RegradeRead:
    return RegradeRead(
        run_id=run.id,
        state=run.state,  # type: ignore[arg-type]
        progress=run_views.progress(run),
        extractor_version=int(run.config["extractor_version"]),
        created_at=run.created_at,
        n_candidates=done.n_candidates if done else None,
        n_changed=done.n_changed if done else None,
        flips={key: int(n) for key, n in done.flips.items()} if done else {},
        problem=_problem(run),
    )


def _problem(run: Run) -> str | None:
    error = run.error or {}
    return str(error.get("detail") or error.get("title")) if run.state == "failed" and error else None
