"""The β explorer: what the boundary would do to stored scores, before anything is trained."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.coefficients import CONSTRAINTS, Coefficients, coefficients, lowest_better, pushed_down_share, worse_candidates
from backend.charts.beta import ShareCurve, pushed_down_curves
from backend.db.models import Candidate, Example, RatingImport, Run, RunParent, Score
from backend.errors import Invalid, NotFound
from backend.schemas.beta import (
    BetaCandidate,
    BetaChoices,
    BetaOverview,
    BetaQuestion,
    ConstraintEffect,
    FeedbackChoice,
    ModelChoice,
)
from backend.services import candidates, score_arrays, tokens
from backend.services.figures import MadeFigure
from backend.services.score_arrays import BINARY, ScoreArrays

__all__ = ["BINARY", "arrays", "choices", "figure", "one_question", "overview", "questions"]

BETAS: Final = tuple(round(-0.8 + 0.05 * step, 2) for step in range(33))
"""The paper's Figure 2c runs from -0.8 to 0.8."""
_LOOKED_AT: Final = 500
_SHOWN: Final = 300


def choices(session: Session, run: Run) -> BetaChoices:
    """Models that scored the set, and what can make its pairs."""
    first = select(Candidate.id).where(Candidate.run_id == run.id).limit(_LOOKED_AT).subquery()
    scored = select(Score.model_run_id).where(Score.candidate_id.in_(select(first.c.id))).distinct()
    models = session.scalars(select(Run).where(Run.id.in_(scored)).order_by(Run.id)).all()
    rated = (
        select(Run)
        .join(RunParent, RunParent.run_id == Run.id)
        .where(
            RunParent.parent_id == run.id, RunParent.role == "candidates", Run.kind == "rate", Run.state == "succeeded"
        )
        .order_by(Run.id)
    )
    rates = session.scalars(rated).all()
    return BetaChoices(
        models=[ModelChoice(model_run_id=one.id, model=tokens.model_name(one)) for one in models],
        feedback=[
            FeedbackChoice(value=BINARY, label="Right or wrong"),
            *(FeedbackChoice(value=one.id, label=f"Ratings by {one.config.get('judge')}") for one in rates),
            *(
                FeedbackChoice(value=one.id, label=f"Ratings by {one.settings.get('rater') or one.filename}")
                for one in _rated_files(session, run)
            ),
        ],
    )


def arrays(session: Session, run: Run, model_run_id: str, feedback: str) -> ScoreArrays:
    """The set's scores and qualities.

    Raises:
        NotFound: If the model scored none of its COTs.
        Invalid: If the feedback is neither a rate run of this set nor a file of ratings for it.
    """
    if feedback != BINARY:
        query = select(RunParent.run_id).where(
            RunParent.run_id == feedback, RunParent.role == "candidates", RunParent.parent_id == run.id
        )
        if session.scalar(query) is None and feedback not in {one.id for one in _rated_files(session, run)}:
            raise Invalid(
                f"{feedback[:40]!r} is no rate run of this candidate set, nor a file of ratings for it.",
                remedy="Choose right or wrong, or ratings from the list.",
                field="feedback",
            )
    found = score_arrays.load(session, run.id, model_run_id, feedback)
    if not len(found.example_ids):
        raise NotFound(
            "This model has scored no COT of the set.", remedy="Choose another model, or score the set under this one."
        )
    return found


def _rated_files(session: Session, run: Run) -> list[RatingImport]:
    """The file that the set was read from, where it has ratings: at most one of each COT."""
    query = select(RatingImport).where(RatingImport.run_id == run.id).order_by(RatingImport.id)
    return [one for one in session.scalars(query) if one.report.get("rated")]


def overview(found: ScoreArrays, beta: float) -> BetaOverview:
    """What each constraint does over the whole set."""
    worse = worse_candidates(found.ratings)
    gaps = _gaps(found)[worse]
    n_with_pairs = int(worse.any(axis=1).sum())
    return BetaOverview(
        beta=beta,
        n_questions=len(found.example_ids),
        n_with_pairs=n_with_pairs,
        n_worse=int(worse.sum()),
        n_under=int((gaps <= -beta).sum()),
        effects=[_effect(name, one, worse, n_with_pairs) for name, one in effects(found, beta).items()],
        median_gap=float(np.median(gaps)) if gaps.size else None,
    )


def effects(found: ScoreArrays, beta: float) -> dict[str, Coefficients]:
    """Coefficients of all COTs, by constraint."""
    scores = np.nan_to_num(found.scores)
    return {name: coefficients(scores, found.ratings, constraint=name, beta=beta) for name in CONSTRAINTS}


def figure(found: ScoreArrays, beta: float) -> MadeFigure:
    """Share of the worse COTs that are pushed down over β, for each constraint."""
    shares = _shares(found)
    here = _share_at(found, beta)
    curves = [ShareCurve(name, values) for name, values in shares.items()]
    return MadeFigure(
        title="Worse COTs that are pushed down",
        description=(
            "Share of the worse COTs of this set whose score a training step would lower, over β, for each constraint. "
            "Diamonds mark the paper's search grid."
        ),
        figure=pushed_down_curves(BETAS, curves, beta=beta, here=here),
        columns=["β", *[f"{name} (%)" for name in shares]],
        rows=[[at, *[_percent(shares[name][index]) for name in shares]] for index, at in enumerate(BETAS)],
    )


def questions(
    session: Session, found: ScoreArrays, *, beta: float, only_under: bool, after: int, limit: int
) -> list[BetaQuestion]:
    """Questions with pairs, by example id, one more than ``limit`` at most.

    Args:
        session: The transaction.
        found: The set.
        beta: Gap between ``s_j*`` and the boundary.
        only_under: Only questions with a COT under its boundary.
        after: Example id of the page before.
        limit: Questions of a page.
    """
    worse = worse_candidates(found.ratings)
    under = worse & (_gaps(found) <= -beta)
    wanted = (under if only_under else worse).any(axis=1) & (found.example_ids > after)
    chosen = np.flatnonzero(wanted)[: limit + 1]
    return of_questions(session, score_arrays.some(found, chosen), under[chosen].sum(axis=1), beta)


def one_question(session: Session, found: ScoreArrays, example_id: int, beta: float) -> BetaQuestion:
    """One question, with pairs or without.

    Raises:
        NotFound: If the model scored none of its COTs.
    """
    chosen = np.flatnonzero(found.example_ids == example_id)
    if not len(chosen):
        raise NotFound(f"Question {example_id} has no scored COTs in this set.", remedy="Choose one from the list.")
    part = score_arrays.some(found, chosen)
    under = worse_candidates(part.ratings) & (_gaps(part) <= -beta)
    return of_questions(session, part, under.sum(axis=1), beta)[0]


def of_questions(session: Session, part: ScoreArrays, n_under: NDArray[np.int64], beta: float) -> list[BetaQuestion]:
    """Rows of some questions with every COT's coefficients."""
    found = effects(part, beta)
    lowest = lowest_better(np.nan_to_num(part.scores), part.ratings)
    examples = {
        row.id: row
        for row in session.execute(
            select(Example.id, Example.position, Example.question).where(Example.id.in_(part.example_ids.tolist()))
        )
    }
    ids = [int(one) for one in part.candidate_ids.ravel() if one]
    verdicts = dict(session.execute(select(Candidate.id, Candidate.verdict).where(Candidate.id.in_(ids))).all())
    letters = candidates.places(session, part.run_id, part.example_ids.tolist())
    rows = []
    for index, example_id in enumerate(part.example_ids.tolist()):
        places = np.flatnonzero(~np.isnan(part.ratings[index]))
        rows.append(
            BetaQuestion(
                example_id=example_id,
                position=examples[example_id].position,
                question=examples[example_id].question[:_SHOWN],
                n_under=int(n_under[index]),
                losses={name: float(one.loss[index]) for name, one in found.items()},  # type: ignore[misc]
                candidates=[
                    BetaCandidate.model_validate(
                        {
                            "candidate_id": (key := int(part.candidate_ids[index, place])),
                            "place": letters[key],
                            "verdict": verdicts[key],
                            "score": float(part.scores[index, place]),
                            "rating": float(part.ratings[index, place]),
                            "lowest_better": _finite(lowest[index, place]),
                            "coefficients": {name: float(one.values[index, place]) for name, one in found.items()},
                        }
                    )
                    for place in places
                ],
            )
        )
    return rows


def _effect(name: str, found: Coefficients, worse: NDArray[np.bool_], n_with_pairs: int) -> ConstraintEffect:
    values = np.where(worse, found.values, 0.0)
    n = int(worse.sum())

    def share(count: int) -> float | None:
        return count / n if n else None

    def mean(total: float) -> float | None:
        return total / n_with_pairs if n_with_pairs else None

    return ConstraintEffect.model_validate(
        {
            "constraint": name,
            "pushed_down": share(int((values > 0).sum())),
            "pulled_up": share(int((values < 0).sum())),
            "push": mean(float(np.clip(values, 0, None).sum())),
            "pull": mean(float(np.clip(-values, 0, None).sum())),
        }
    )


def _gaps(found: ScoreArrays) -> NDArray[np.float64]:
    """``s_j - s_j*``: a worse COT lies under its boundary where this is at most -β."""
    scores = np.nan_to_num(found.scores)
    gaps: NDArray[np.float64] = scores - lowest_better(scores, found.ratings)
    return gaps


def _shares(found: ScoreArrays) -> dict[str, list[float | None]]:
    scores = np.nan_to_num(found.scores)
    return {name: pushed_down_share(scores, found.ratings, BETAS, constraint=name) for name in CONSTRAINTS}


def _share_at(found: ScoreArrays, beta: float) -> float | None:
    return pushed_down_share(np.nan_to_num(found.scores), found.ratings, [beta], constraint="boundary")[0]


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
