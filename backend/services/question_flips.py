"""Which questions a method fixed and which it broke, with the COTs behind them."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.statistics import flips, mcnemar
from backend.db.models import Candidate, Example, Experiment
from backend.errors import Invalid
from backend.schemas.comparison import Comparison, ComparisonOptions, FlippedQuestion, FlipsRead, MethodRow
from backend.services import comparison, outcomes

SHOWN_QUESTION = 400
"""Characters of a question in the list."""


def read(
    session: Session, experiment: Experiment, method: str, options: ComparisonOptions, *, kind: str, limit: int
) -> FlipsRead:
    """Questions that ``method`` answers differently from the baseline under one seed.

    Args:
        session: The transaction.
        experiment: The experiment.
        method: The method's label.
        options: Its baseline and seed are used.
        kind: fixed or broken.
        limit: Most questions to list.

    Raises:
        Invalid: If a label or seed does not exist, or one of the two runs has not been evaluated.
    """
    table = comparison.compare(session, experiment, options.model_copy(update={"test": "paired-t"}))
    return of_table(session, table, method, options.seed, kind=kind, limit=limit)


def of_table(
    session: Session,
    table: Comparison,
    method: str,
    seed: int | None,
    *,
    kind: str,
    limit: int,
    across_seeds: bool = False,
) -> FlipsRead:
    """The same of a row of any comparison; ``across_seeds`` also of one run each, whatever their seeds.

    Raises:
        Invalid: If a label or seed does not exist, or one of the two runs has not been evaluated.
    """
    ours, theirs = _row(table, method, "method"), _row(table, table.baseline, "baseline")
    mine, others = ([int(n) for n in row.run_ids if _evaluated(row, n)] for row in (ours, theirs))
    seeds = [n for n in mine if n in others]
    partner = {n: n for n in seeds}
    if across_seeds and not seeds and len(mine) == len(others) == 1:
        seeds, partner = mine, {mine[0]: others[0]}
    seed = seed if seed is not None else seeds[0] if seeds else None
    if seed is None or seed not in seeds:
        raise Invalid(
            f"'{method}' and '{table.baseline}' have not both been evaluated under "
            f"{'any seed' if seed is None else f'seed {seed}'}.",
            remedy="Wait until their runs are done, or choose another seed.",
            field="seed",
        )
    before = {n: outcomes.answered(session, theirs.run_ids[str(partner[n])]["evaluate"]) for n in seeds}
    after = {n: outcomes.answered(session, ours.run_ids[str(n)]["evaluate"]) for n in seeds}
    found = flips(after[seed], before[seed])
    tested = mcnemar(len(found.fixed), len(found.broken), found.n)
    wanted = found.fixed if kind == "fixed" else found.broken
    right_before, right_after = _seeds_right(before, wanted), _seeds_right(after, wanted)
    # Fixed under one seed and broken under another is chance: what changed under all of them comes first.
    wanted = sorted(wanted, key=lambda key: (-abs(right_after[key] - right_before[key]), key))[:limit]
    runs = (theirs.run_ids[str(partner[seed])]["evaluate"], ours.run_ids[str(seed)]["evaluate"])
    return FlipsRead(
        method=method,
        baseline=theirs.method,
        seed=seed,
        seeds=seeds,
        n=found.n,
        fixed=len(found.fixed),
        broken=len(found.broken),
        both_right=found.both_right,
        both_wrong=found.both_wrong,
        p_value=tested.p if tested else None,
        method_run_id=runs[1],
        baseline_run_id=runs[0],
        items=_items(session, wanted, runs, right_before, right_after),
    )


def _row(table: Comparison, label: str | None, field: str) -> MethodRow:
    row = next((row for row in table.rows if row.method == label), None)
    if row is None:
        raise Invalid(
            f"There is no method '{label}' in this comparison.",
            remedy=f"Choose one of {', '.join(row.method for row in table.rows)}.",
            field=field,
        )
    return row


def _evaluated(row: MethodRow, seed: str) -> bool:
    return row.statistics["task_accuracy"].values.get(seed) is not None


def _seeds_right(answers: dict[int, dict[int, bool]], example_ids: list[int]) -> dict[int, int]:
    return {key: sum(of_seed.get(key, False) for of_seed in answers.values()) for key in example_ids}


def _items(
    session: Session,
    example_ids: list[int],
    runs: tuple[str, str],
    right_before: dict[int, int],
    right_after: dict[int, int],
) -> list[FlippedQuestion]:
    examples = {row.id: row for row in session.scalars(select(Example).where(Example.id.in_(example_ids)))}
    query = select(Candidate.run_id, Candidate.example_id, Candidate.answer).where(
        Candidate.run_id.in_(runs), Candidate.example_id.in_(example_ids)
    )
    answers = {(run_id, example_id): answer for run_id, example_id, answer in session.execute(query)}
    return [
        FlippedQuestion(
            example_id=key,
            question=examples[key].question[:SHOWN_QUESTION],
            gold=examples[key].answer,
            before=answers.get((runs[0], key)),
            after=answers.get((runs[1], key)),
            seeds_before=right_before[key],
            seeds_after=right_after[key],
        )
        for key in example_ids
    ]
