"""Looking at candidate COTs, by question."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import PlainTextResponse

from backend.api.deps import ReadSessionDep, problems
from backend.db.models import Candidate, LabelOverride, Rating
from backend.errors import Invalid, NotFound
from backend.schemas.candidates import (
    CandidateLabel,
    CandidateRating,
    CandidateRead,
    CandidateScore,
    CandidateSet,
    CandidateSets,
    QuestionGroup,
    QuestionRow,
    Span,
    Verdict,
    ViolatedPair,
)
from backend.schemas.common import Page
from backend.services import candidates, datasets, experiments, labels

router = APIRouter(tags=["candidates"])


@router.get("/experiments/{experiment_id}/candidate-sets", response_model=CandidateSets, responses=problems(NotFound))
def list_candidate_sets(session: ReadSessionDep, experiment_id: str) -> CandidateSets:
    """What an experiment sampled: training candidates, assessment candidates, greedy answers."""
    experiments.get(session, experiment_id)
    sets = []
    for run, counts, means in candidates.sets_of_experiment(session, experiment_id):
        purpose = run.config.get("purpose", "greedy") if run.kind == "sample" else "greedy"
        verdicts = {name: n for name, n in counts.items() if name != "questions"}
        models = [
            CandidateScore(model_run_id=row.model_run_id, model=f"{row.method} · seed {row.seed}", score=row.mean)
            for row in means
        ]
        sets.append(
            CandidateSet(
                run_id=run.id,
                name=run.name,
                purpose=purpose,
                seed=run.seed,
                method=run.method,
                counts={**counts, "all": sum(verdicts.values())},
                models=models,
            )
        )
    return CandidateSets(sets=sets)


@router.get("/candidate-sets/{run_id}/questions", response_model=Page[QuestionRow], responses=problems(NotFound))
def list_questions(
    session: ReadSessionDep,
    run_id: str,
    verdict: Verdict | None = None,
    violated_under: Annotated[str | None, Query(max_length=32)] = None,
    model: Annotated[str | None, Query(max_length=32, description="Count violated pairs under this model run.")] = None,
    q: Annotated[str | None, Query(max_length=200)] = None,
    after: Annotated[str | None, Query(max_length=20)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[QuestionRow]:
    """Questions of a candidate set, filtered, by keyset."""
    candidates.get_set(session, run_id)
    if after is not None and not after.isdigit():
        raise Invalid(f"after is {after!r}.", remedy="Use next_after of the page before.", field="after")
    wanted = candidates.QuestionFilter(verdict=verdict, violated_under=violated_under, text=q or None)
    rows = candidates.list_questions(
        session, run_id, wanted, model_run_id=violated_under or model, after=int(after or 0), limit=limit
    )
    items = [QuestionRow(**row) for row in rows[:limit]]
    return Page(items=items, next_after=str(items[-1].example_id) if len(rows) > limit else None)


@router.get(
    "/candidate-sets/{run_id}/questions/{example_id}", response_model=QuestionGroup, responses=problems(NotFound)
)
def read_question(
    session: ReadSessionDep, run_id: str, example_id: Annotated[int, Path(ge=1, le=2**53)]
) -> QuestionGroup:
    """A question with its candidates, their scores and ratings, and the pairs the models get wrong."""
    run = candidates.get_set(session, run_id)
    version = datasets.get_version(session, run.inputs["dataset_version_id"])
    group = candidates.get_group(session, run, example_id, version.task)
    example = group.example
    overrides = labels.of_candidates(session, [item.id for item in group.candidates])
    shown = [_candidate(item, group, overrides.get(item.id)) for item in group.candidates]
    return QuestionGroup(
        example_id=example.id,
        position=example.position,
        external_id=example.external_id,
        question=example.question[: candidates.SHOWN_TEXT],
        reference=example.reference[: candidates.SHOWN_TEXT],
        answer=example.answer,
        choices=example.choices,
        task=version.task,
        candidates=shown,
        violated_pairs=_violated(shown),
    )


@router.get("/candidates/{candidate_id}/text", response_class=PlainTextResponse, responses=problems(NotFound))
def read_text(session: ReadSessionDep, candidate_id: Annotated[int, Path(ge=1, le=2**53)]) -> PlainTextResponse:
    """A candidate's whole text, as a download: it is a model's output and nothing to render."""
    candidate = session.get(Candidate, candidate_id)
    if candidate is None:
        raise NotFound(f"There is no candidate {candidate_id}.", remedy="Choose one from a question's page.")
    name = f"candidate-{candidate_id}.txt"
    return PlainTextResponse(candidate.text, headers={"Content-Disposition": f'attachment; filename="{name}"'})


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


def _violated(shown: list[CandidateRead]) -> list[ViolatedPair]:
    by_model: dict[str, list[tuple[CandidateRead, float]]] = {}
    for candidate in shown:
        for score in candidate.scores:
            by_model.setdefault(score.model_run_id, []).append((candidate, score.score))
    pairs = [
        ViolatedPair(model_run_id=model, right_id=right.id, wrong_id=wrong.id, margin=ahead - behind)
        for model, scored in by_model.items()
        for right, ahead in scored
        for wrong, behind in scored
        if right.verdict == "right" and wrong.verdict != "right" and ahead <= behind
    ]
    return sorted(pairs, key=lambda pair: pair.margin)
