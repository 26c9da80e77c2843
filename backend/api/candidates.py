"""Looking at candidate COTs, by question."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import PlainTextResponse, Response, StreamingResponse

from backend.api.deps import ReadSessionDep, problems
from backend.db.models import Candidate, LabelOverride, Rating
from backend.errors import Invalid, NotFound
from backend.schemas.candidate_filters import CandidateFilter, CandidatesQuery, ExportRequest, QuestionsQuery
from backend.schemas.candidates import (
    CandidateIds,
    CandidateLabel,
    CandidateRating,
    CandidateRead,
    CandidateRow,
    CandidateScore,
    CandidateSet,
    CandidateSets,
    QuestionGroup,
    QuestionRow,
    SetModel,
    Span,
)
from backend.schemas.common import Page
from backend.services import candidate_exports, candidate_lists, candidates, datasets, experiments, labels

router = APIRouter(tags=["candidates"])


@router.get("/experiments/{experiment_id}/candidate-sets", responses=problems(NotFound))
def list_experiment_sets(session: ReadSessionDep, experiment_id: str) -> CandidateSets:
    """What an experiment sampled: training candidates, assessment candidates, greedy answers."""
    experiments.get(session, experiment_id)
    return CandidateSets(sets=[_set(item) for item in candidates.sets_of_experiment(session, experiment_id)])


@router.get("/candidate-sets")
def list_sets(
    session: ReadSessionDep,
    kind: Literal["sample", "evaluate", "import-cots"] | None = None,
    after: Annotated[str | None, Query(max_length=32)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[CandidateSet]:
    """All candidate sets, newest first, whatever experiment they belong to."""
    found = candidates.list_sets(session, kind=kind, after=after, limit=limit)
    items = [_set(item) for item in found[:limit]]
    return Page(items=items, next_after=items[-1].run_id if len(found) > limit else None)


@router.get("/candidate-sets/{run_id}", responses=problems(NotFound))
def read_set(session: ReadSessionDep, run_id: str) -> CandidateSet:
    """A candidate set with the counts beside its filters."""
    return _set(candidates.summary(session, candidates.get_set(session, run_id)))


@router.get("/candidate-sets/{run_id}/questions", responses=problems(NotFound, Invalid))
def list_questions(
    session: ReadSessionDep, run_id: str, query: Annotated[QuestionsQuery, Query()]
) -> Page[QuestionRow]:
    """Questions of a candidate set, filtered, in any order, by keyset."""
    candidates.get_set(session, run_id)
    page = candidate_lists.questions(session, candidate_lists.set_row(session, run_id), query)
    return Page(items=[QuestionRow.model_validate(row) for row in page.rows], next_after=page.next_after)


@router.get("/candidate-sets/{run_id}/candidates", responses=problems(NotFound, Invalid))
def list_candidates(
    session: ReadSessionDep, run_id: str, query: Annotated[CandidatesQuery, Query()]
) -> Page[CandidateRow]:
    """COTs of a candidate set, filtered, in any order, by keyset."""
    candidates.get_set(session, run_id)
    page = candidate_lists.candidates(session, candidate_lists.set_row(session, run_id), query)
    return Page(items=[CandidateRow.model_validate(row) for row in page.rows], next_after=page.next_after)


@router.get("/candidate-sets/{run_id}/candidate-ids", responses=problems(NotFound, Invalid))
def list_candidate_ids(
    session: ReadSessionDep, run_id: str, query: Annotated[CandidateFilter, Query()]
) -> CandidateIds:
    """Ids of all COTs that pass a filter, for a selection."""
    candidates.get_set(session, run_id)
    ids, is_complete = candidate_lists.ids(session, candidate_lists.set_row(session, run_id), query)
    return CandidateIds(ids=ids, is_complete=is_complete)


@router.get(
    "/candidate-sets/{run_id}/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}}, **problems(NotFound, Invalid)},
)
def export_candidates(
    session: ReadSessionDep, run_id: str, request: Annotated[ExportRequest, Query()]
) -> StreamingResponse:
    """A ZIP archive, written as it leaves: the rows that pass the filter, and a manifest with their sha256."""
    export = candidate_exports.prepare(session, run_id, request)
    headers = {"Content-Disposition": f'attachment; filename="{export.stem}.zip"'}
    return StreamingResponse(export.archive(), media_type="application/zip", headers=headers)


@router.get(
    "/candidate-sets/{run_id}/questions/{example_id}", response_model=QuestionGroup, responses=problems(NotFound)
)
def read_question(session: ReadSessionDep, run_id: str, example_id: Annotated[int, Path(ge=1, le=2**53)]) -> Response:
    """A question with its candidates, their scores and ratings, and the pairs the models get wrong."""
    run = candidates.get_set(session, run_id)
    version = datasets.get_version(session, run.inputs["dataset_version_id"])
    group = candidates.get_group(session, run, example_id, version.task)
    example = group.example
    overrides = labels.of_candidates(session, [item.id for item in group.candidates])
    shown = [_candidate(item, group, overrides.get(item.id)) for item in group.candidates]
    found = QuestionGroup.model_construct(
        example_id=example.id,
        position=example.position,
        external_id=example.external_id,
        question=example.question[: candidates.SHOWN_TEXT],
        reference=example.reference[: candidates.SHOWN_TEXT],
        answer=example.answer,
        choices=example.choices,
        task=group.task,
        candidates=shown,
        violated_pairs=_violated(shown),
    )
    # As it is: 64 COTs under four models are some thousand pairs, and making and checking each would take longer than
    # everything else.
    return Response(found.model_dump_json(warnings=False), media_type="application/json")


@router.get("/candidates/{candidate_id}/text", response_class=PlainTextResponse, responses=problems(NotFound))
def read_text(session: ReadSessionDep, candidate_id: Annotated[int, Path(ge=1, le=2**53)]) -> PlainTextResponse:
    """A candidate's whole text, as a download: it is a model's output and nothing to render."""
    candidate = session.get(Candidate, candidate_id)
    if candidate is None:
        raise NotFound(f"There is no candidate {candidate_id}.", remedy="Choose one from a question's page.")
    name = f"candidate-{candidate_id}.txt"
    return PlainTextResponse(candidate.text, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _set(item: candidates.SetSummary) -> CandidateSet:
    run, totals = item.run, item.totals
    purpose = {"sample": run.config.get("purpose", "training"), "evaluate": "greedy"}.get(run.kind, "imported")
    names = ("right", "wrong", "unparsed", "truncated", "duplicate", "rated", "disagreed")
    counts = {name: getattr(totals, f"n_{name}") or 0 for name in names}
    models = [
        SetModel(
            model_run_id=row.model_run_id,
            model=candidates.model_name(row.method, row.name, row.seed),
            score=row.sum_score / row.n_scored,
            n_scored=row.n_scored,
            n_violated=row.n_violated,
            n_questions_violated=row.n_questions_violated,
        )
        for row in item.models
    ]
    return CandidateSet(
        run_id=run.id,
        name=run.name,
        kind=run.kind,  # type: ignore[arg-type]  # one of SET_KINDS
        purpose=str(purpose),
        seed=run.seed,
        method=run.method,
        dataset_version_id=run.inputs.get("dataset_version_id"),
        created_at=run.created_at,
        counts={**counts, "all": totals.n_candidates or 0, "questions": totals.n_questions or 0},
        sources=totals.models or {},
        models=models,
    )


def _candidate(item: Candidate, group: candidates.Group, by_person: LabelOverride | None) -> CandidateRead:
    names = group.model_names
    has_span = item.answer_start is not None and item.answer_end is not None
    span = {"start": item.answer_start, "end": item.answer_end} if has_span else None
    text = item.text[: candidates.SHOWN_TEXT]
    return CandidateRead.model_validate(
        {
            "id": item.id,
            "run_id": item.run_id,
            "example_id": item.example_id,
            "sample_index": item.sample_index,
            "text": text,
            "text_truncated": len(text) < len(item.text),
            "n_tokens": item.n_tokens,
            "finish_reason": item.finish_reason,
            "answer": item.answer,
            "answer_span": span,
            "answer_rule": item.answer_rule,
            "verdict": item.verdict,
            "why": _why(item, group.example.answer),
            "is_duplicate": item.is_duplicate,
            "label": None if by_person is None else CandidateLabel.model_validate(by_person),
            "is_reencoded": item.is_reencoded,
            "scores": [
                CandidateScore(model_run_id=s.model_run_id, model=names.get(s.model_run_id, "deleted"), score=s.score)
                for s in group.scores.get(item.id, [])
            ],
            "ratings": [_rating(rating) for rating in group.ratings.get(item.id, [])],
        }
    )


def _rating(rating: Rating) -> CandidateRating:
    evidence = rating.evidence or {}
    return CandidateRating(
        rater=rating.rater,
        value=rating.value,
        wrong_steps=[Span(start=start, end=end) for start, end in evidence.get("wrong_steps", [])],
        note=str(evidence.get("note", "")),
    )


def _why(item: Candidate, gold: str) -> str:
    if item.verdict == "truncated":
        return "Cut at the length limit, so it has no end of its own and never counts as right."
    if item.answer is None:
        return f"No answer was found in it; the gold answer is {gold}."
    relation = "the gold answer is the same" if item.verdict == "right" else f"the gold answer is {gold}"
    return f"Read {item.answer[:80]} by the rule '{item.answer_rule}'; {relation}."


def _violated(shown: list[CandidateRead]) -> Any:
    """Values of ``ViolatedPair``, worst first."""
    by_model: dict[str, list[tuple[CandidateRead, float]]] = {}
    for candidate in shown:
        for score in candidate.scores:
            by_model.setdefault(score.model_run_id, []).append((candidate, score.score))
    pairs = [
        {"model_run_id": model, "right_id": right.id, "wrong_id": wrong.id, "margin": ahead - behind}
        for model, scored in by_model.items()
        for right, ahead in scored
        for wrong, behind in scored
        if right.verdict == "right" and wrong.verdict != "right" and ahead <= behind
    ]
    return sorted(pairs, key=lambda pair: pair["margin"])
