"""The paper's case study: one test question under every method, the first wrong step marked, repetition measured."""

from collections.abc import Iterable
from statistics import fmean

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.arithmetic import oracle_rating
from aft.metrics.repetition import repetition
from backend.db.models import Candidate, DatasetVersion, Example, Experiment
from backend.errors import Invalid, NotFound
from backend.schemas.case_study import CaseAnswer, CaseStudy
from backend.schemas.comparison import Comparison, ComparisonOptions, MethodRow
from backend.services import comparison, outcomes


def read(
    session: Session, experiment: Experiment, *, example_id: int | None, seed: int | None, block: str | None = None
) -> CaseStudy:
    """A question's greedy answers under one seed.

    Args:
        session: A session that only reads.
        experiment: The experiment.
        example_id: The question; by default one that the methods answer differently, wrong under VFT where there is.
        seed: By default the first under which anything was evaluated.
        block: Key of the data set and model; by default the first.

    Raises:
        Invalid: If nothing was evaluated under the seed.
        NotFound: If the question was not asked.
    """
    table = comparison.compare(session, experiment, ComparisonOptions(block=block))
    return of_table(session, table, example_id=example_id, seed=seed)


def of_table(
    session: Session, table: Comparison, *, example_id: int | None, seed: int | None, across_seeds: bool = False
) -> CaseStudy:
    """The same of any comparison; ``across_seeds`` also shows rows of one run each, whatever their seeds.

    Raises:
        Invalid: If nothing was evaluated under the seed.
        NotFound: If the question was not asked.
    """
    seeds = [int(seed) for seed in _seeds(table.rows)]
    chosen = seed if seed is not None else seeds[0] if seeds else None
    if chosen is None or chosen not in seeds:
        raise Invalid(
            f"Nothing was evaluated under {'any seed' if chosen is None else f'seed {chosen}'}.",
            remedy="Wait until an evaluation is done, or choose another seed.",
            field="seed",
        )
    taken = {row.method: _seeds([row]) for row in table.rows}
    single = across_seeds and all(len(of_row) <= 1 for of_row in taken.values())
    shown = {method: of_row[0] if single else str(chosen) for method, of_row in taken.items() if of_row}
    rows = [row for row in table.rows if shown.get(row.method) in taken[row.method]]
    runs = {row.method: row.run_ids[shown[row.method]]["evaluate"] for row in rows}
    verdicts = {method: outcomes.answered(session, run_id) for method, run_id in runs.items()}
    telling = _telling(verdicts, table.baseline)
    wanted = example_id if example_id is not None else next(iter(telling), None)
    if wanted is None:
        wanted = min(next(iter(verdicts.values())))
    if not any(wanted in answered for answered in verdicts.values()):
        raise NotFound(
            f"Question {wanted} was not asked in this comparison.", remedy="Leave it out to see one that was."
        )
    example = session.get_one(Example, wanted)
    version = session.get_one(DatasetVersion, example.version_id)
    checks = example.task_in(version.task) == "arithmetic"
    found = {
        row.run_id: row
        for row in session.scalars(
            select(Candidate).where(Candidate.run_id.in_(list(runs.values())), Candidate.example_id == wanted)
        )
    }
    later = [key for key in telling if key > wanted]
    return CaseStudy(
        example_id=wanted,
        question=example.question,
        reference=example.reference,
        gold=example.answer,
        seed=chosen,
        seeds=seeds[:1] if single else seeds,
        steps_checked=checks,
        answers=[
            _answer(row, found[runs[row.method]], example, checks=checks) for row in rows if runs[row.method] in found
        ],
        repetition={method: _mean_repetition(session, run_id) for method, run_id in runs.items()},
        next_example_id=later[0] if later else next((key for key in telling if key != wanted), None),
    )


def _seeds(rows: Iterable[MethodRow]) -> list[str]:
    found = {seed for row in rows for seed in row.run_ids if _measured(row, seed)}
    return sorted(found, key=int)


def _measured(row: MethodRow, seed: str) -> bool:
    return row.statistics["task_accuracy"].values.get(seed) is not None


def _telling(verdicts: dict[str, dict[int, bool]], baseline: str | None) -> list[int]:
    """Questions that some methods answer right and some wrong, in order; those wrong under the baseline where any."""
    everywhere = set.intersection(*(set(answered) for answered in verdicts.values())) if verdicts else set()
    differing = [key for key in sorted(everywhere) if len({answered[key] for answered in verdicts.values()}) == 2]
    wrong = [key for key in differing if not verdicts.get(baseline or "", {}).get(key, True)]
    return wrong or differing


def _answer(row: MethodRow, candidate: Candidate, example: Example, *, checks: bool) -> CaseAnswer:
    span = oracle_rating(example.question, candidate.text).first_wrong_step if checks else None
    return CaseAnswer(
        method=row.method,
        family=row.family,
        constraint=row.constraint,
        run_id=candidate.run_id,
        text=candidate.text,
        verdict=candidate.verdict,
        answer=candidate.answer,
        wrong_start=span[0] if span else None,
        wrong_end=span[1] if span else None,
        repetition=repetition(candidate.text),
    )


def _mean_repetition(session: Session, run_id: str) -> float | None:
    texts = session.scalars(select(Candidate.text).where(Candidate.run_id == run_id))
    found = [share for share in map(repetition, texts) if share is not None]
    return fmean(found) if found else None
